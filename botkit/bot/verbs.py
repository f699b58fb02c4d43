"""How each verb of the language is played: a generator that yields what it needs.

A verb writes down into its :class:`Log` what is evidence, whether or not it succeeds, and raises
:class:`Broken` if it does not. What it returns is played after it, as steps of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from botkit import chat
from botkit.bot import script as ast
from botkit.bot.matchers import in_words
from botkit.bot.needs import anything, chat_ended, judge_speed, perform, released, settle, sleep
from botkit.bot.playing import Broken, Log, Need, Over, Play, Unmet, judge
from botkit.bot.restoring import play_expect_restored, play_reload
from botkit.bot.script import Step
from botkit.bot.stage import Stage
from botkit.bot.turn import Finished
from botkit.chat import AgentConnected, Event, Message, SessionEnded, Taken, describe
from botkit.chat.events import snake_case
from botkit.chat.tried import MAX_SHOWN, Tried
from botkit.interfaces import Match, Matcher, Miss
from botkit.results import Reason, Verdict

TYPING_SPEED = (0.04, 0.06)
"""Seconds that a person takes for a character, at the quickest and the slowest."""
TYPING_BOUNDS = (0.5, 6.0)
"""Nobody types a line faster, and nobody waits longer to see one, in seconds."""


def play_all(stage: Stage, steps: Iterable[Step]) -> Play:
    """Play steps one after another.

    Raises:
        Over: one of them ended the script.
    """
    for step in steps:
        if stage.stepped:
            yield from released(stage, step)
        log = Log(stage.now)
        stage.under_way.append((step, log))
        try:
            inner = yield from PLAYS[type(step)](stage, step, log)
        except Broken as broken:
            finished = stage.ledger.write_step(step, log, stage.now, broken)
            raise Over(finished, at_once=True) from broken
        stage.under_way.pop()
        stage.ledger.write_step(step, log, stage.now)
        if inner:
            yield from play_all(stage, inner)


# --- the customer acts ---------------------------------------------------------------------------


def command_of(stage: Stage, step: Step) -> chat.Command:
    """Give the command that a step is, with its values filled in."""
    match step:
        case ast.Say() | ast.Press() | ast.Offer():
            return spoken(stage, step)
        case ast.SendFile():
            return chat.SendFile(name=step.name, content=step.content, media_type=step.media_type)
        case ast.SendNotice():
            return chat.SendNotice(text=stage.fill(step.notice))
        case ast.PushUrl():
            return chat.PushUrl(url=stage.fill(step.url))
        case ast.SetUserdata():
            return chat.SetUserdata(userdata=stage.fill_all(step.values))
        case ast.DeleteUserdata():
            return chat.DeleteUserdata(key=stage.fill(step.key))
        case ast.Leave():
            return chat.Leave()
        case _:
            raise AssertionError(f"{step.verb} is no command")


Spoken = chat.SendMessage | chat.PressButton | chat.OfferButtons


def spoken(stage: Stage, step: ast.Say | ast.Press | ast.Offer) -> Spoken:
    """Give the command of a step that says something, in whatever way.

    Raises:
        Broken: the button that it means was not offered.
    """
    match step:
        case ast.Say():
            return chat.SendMessage(text=stage.fill(step.line))
        case ast.Offer():
            buttons = tuple(chat.Button(text=stage.fill(text)) for text in step.buttons)
            return chat.OfferButtons(text=stage.fill(step.line), buttons=buttons)
        case ast.Press():
            text = stage.fill(step.button)
            found = stage.offers.find(text)
            if found is not None:
                return found
            offered = str(stage.offers)
            instead = f"there was {offered}" if offered else "there was none at all"
            raise Broken(Reason.EXPECTATION, f"no button {text!r} was offered; {instead}")


def play_command(stage: Stage, step: Step, log: Log) -> Play:
    yield from perform(stage, command_of(stage, step))


def play_say(stage: Stage, step: ast.Say | ast.Press | ast.Offer, log: Log) -> Play:
    command = spoken(stage, step)
    if step.typing is not None:
        human = step.typing == "human"
        seconds = typing_time(stage, command.text) if human else float(step.typing)
        yield from perform(stage, chat.SendTyping())
        yield from sleep(stage, seconds)
    yield from perform(stage, command)


def typing_time(stage: Stage, text: str) -> float:
    """Decide how long a person types a text, seconds."""
    low, high = TYPING_BOUNDS
    return min(max(len(text) * stage.rng.uniform(*TYPING_SPEED), low), high)


def play_show_typing(stage: Stage, step: ast.ShowTyping, log: Log) -> Play:
    yield from perform(stage, chat.SendTyping())
    yield from sleep(stage, step.duration)
    yield from perform(stage, chat.SendTyping(is_typing=False))


def play_pause(stage: Stage, step: ast.Pause, log: Log) -> Play:
    yield from sleep(stage, step.duration)


def play_note(stage: Stage, step: ast.Note, log: Log) -> Play:
    stage.note(stage.fill(step.note))
    yield from ()


def play_finish(stage: Stage, step: ast.Finish, log: Log) -> Play:
    finish(stage, step, log)
    yield from ()


def finish(stage: Stage, step: ast.Finish, log: Log) -> None:
    """End the script as its author says.

    Raises:
        Over: always, or :class:`Broken` if a value of the reason is not there.
    """
    because = "" if step.because is None else stage.fill(step.because)
    written = stage.ledger.write_step(step, log, stage.now)
    finished = Finished(
        verdict=step.verdict,
        reason=Reason.FINISHED,
        message=stage.values.mask(because),
        step=written.step,
    )
    raise Over(finished, at_once=False)


def play_call(stage: Stage, step: ast.Call, log: Log) -> Play:
    number = stage.call(step.action, stage.fill_all(step.arguments))
    started = stage.now
    done = yield Need(
        lambda: stage.outcomes.pop(number, None), started + step.within, in_chat=False
    )
    if done is Unmet.TIMEOUT:
        message = f"the action {step.action} took longer than {step.within:g} s"
        raise Broken(Reason.ACTION, message, verdict=Verdict.ERROR)
    if done.error is not None:
        message = f"the action {step.action} raised {type(done.error).__name__}: {done.error}"
        raise Broken(Reason.ACTION, message, verdict=Verdict.ERROR)
    judge_speed(step, log, done.at - started)
    if step.save_as is not None:
        stage.values.capture(step.save_as, done.result or "")


# --- the customer waits --------------------------------------------------------------------------


def play_wait_for(stage: Stage, step: ast.WaitFor, log: Log) -> Play:
    log.expected, log.asserts = f"the event {snake_case(step.kind.__name__)}", True
    if step.kind is AgentConnected:
        poll = stage.agent_here
    elif step.kind is SessionEnded:
        poll = stage.chat_over
    else:
        poll = stage.inbox.wait(anything, kinds=(step.kind,)).poll
    taken = yield Need(poll, stage.now + step.within)
    settle(stage, step, log, taken, ())
    if step.kind is AgentConnected:
        # The state was waited for: a later choice that names the event wants another agent.
        stage.inbox.skip(AgentConnected, taken.event.seq)


def play_expect(stage: Stage, step: ast.Expect, log: Log) -> Play:
    matcher = stage.build(step.matcher)
    log.expected, log.asserts = expected_of(step, matcher), True
    fitting: list[Match] = []

    def why_not(message: Message) -> str | None:
        answer = judge(matcher, message)
        if isinstance(answer, Miss):
            return answer.why
        fitting.append(answer)
        return None

    tried = Tried(why_not, step.sender)
    # Grows while the step waits, so that it is there too if the script is cut short.
    log.received = tried.misses
    wait = stage.inbox.wait(tried.is_candidate if step.next_only else tried)
    taken = yield Need(wait.poll, stage.now + step.within)
    if step.next_only and isinstance(taken, Taken) and not tried(taken.event):
        raise Broken(Reason.EXPECTATION, f"expected {log.expected}; another message came first")
    settle(stage, step, log, taken, tried.misses)
    stage.count_in(taken.event)
    stage.capture(fitting[-1], step.mask)


def expected_of(step: ast.Expect, matcher: Matcher) -> str:
    """Say in words what a step expects."""
    words = step.matcher.words_of(matcher)
    if step.next_only:
        words = f"as the next message one {in_words(matcher)}"
    return f"{words} from {step.sender}" if step.sender else words


def play_expect_nothing(stage: Stage, step: ast.ExpectNothing, log: Log) -> Play:
    matcher = None if step.matching is None else stage.build(step.matching)
    what = "message" if matcher is None else str(matcher).removeprefix("a ")
    log.expected, log.asserts = f"no {what} for {step.duration:g} s", True

    def fits(event: Event) -> bool:
        if matcher is None:
            return True
        return isinstance(event, Message) and isinstance(judge(matcher, event), Match)

    answer = yield Need(stage.inbox.wait(fits).peek, stage.now + step.duration)
    if answer is Unmet.ENDED:
        raise chat_ended(stage, log)
    if answer is not Unmet.TIMEOUT:
        log.received = (describe(answer),)
        raise Broken(Reason.EXPECTATION, f"expected {log.expected}, and one came")


def play_expect_userdata(stage: Stage, step: ast.ExpectUserdata, log: Log) -> Play:
    matchers = {key: stage.build(spec) for key, spec in step.matchers.items()}
    log.expected = ", ".join(f"{key} {in_words(m)}" for key, m in matchers.items())
    log.asserts = True
    matches: dict[str, Match] = {}
    misses: dict[str, str] = {}

    def poll() -> bool | None:
        misses.clear()
        for key, matcher in matchers.items():
            value = stage.userdata.get(key)
            answer = Miss(why="it is not there") if value is None else judge(matcher, value)
            if isinstance(answer, Match):
                matches[key] = answer
            else:
                misses[key] = answer.why
        return None if misses else True

    started = stage.now
    answer = yield Need(poll, started + step.within)
    if answer is not True:
        log.received = [f"{key}: {why}" for key, why in misses.items()]
        if answer is Unmet.ENDED:
            raise chat_ended(stage, log)
        wrong = any(stage.userdata.get(key) is not None for key in misses)
        raise Broken(
            Reason.EXPECTATION if wrong else Reason.TIMEOUT,
            f"expected the user data {log.expected} within {step.within:g} s;"
            f" {', '.join(misses)} did not come to fit",
        )
    judge_speed(step, log, stage.now - started)
    log.took = ", ".join(f"{key}={stage.userdata.get(key)}" for key in matchers)
    for match in matches.values():
        stage.capture(match)


# --- branches ------------------------------------------------------------------------------------


def play_choose(stage: Stage, step: ast.Choose, log: Log) -> Play:
    cases = [(case, matcher_of(stage, case)) for case in step.cases]
    log.expected = "one of: " + "; ".join(case_in_words(*case) for case in cases)
    chosen: list[tuple[ast.Case, Match]] = []
    misses: list[str] = []

    def fits(event: Event) -> bool:
        for case, matcher in cases:
            match = fit_case(case, matcher, event)
            if match is not None:
                chosen.append((case, match))
                return True
        if isinstance(event, Message) and len(misses) < MAX_SHOWN:
            misses.append(f"{describe(event)} - it fits no case")
        return False

    kinds = tuple(dict.fromkeys(case.kind or Message for case in step.cases))
    taken = yield Need(stage.inbox.wait(fits, kinds=kinds).poll, stage.now + step.within)
    if taken is Unmet.TIMEOUT and step.otherwise is not None:
        log.took = f"nothing within {step.within:g} s: otherwise"
        return step.otherwise
    settle(stage, step, log, taken, misses)
    if isinstance(taken.event, Message):
        stage.count_in(taken.event)
    case, match = chosen[-1]
    stage.capture(match)
    return case.do


def matcher_of(stage: Stage, case: ast.Case) -> Matcher | None:
    return None if case.matcher is None else stage.build(case.matcher)


def fit_case(case: ast.Case, matcher: Matcher | None, event: Event) -> Match | None:
    """Try one case of a choice on one event."""
    if matcher is None:
        return Match() if type(event) is case.kind else None
    answer = judge(matcher, event) if isinstance(event, Message) else None
    return answer if isinstance(answer, Match) else None


def case_in_words(case: ast.Case, matcher: Matcher | None) -> str:
    """Say in words when a case is chosen."""
    if matcher is not None:
        return str(matcher)
    return "" if case.kind is None else f"the event {snake_case(case.kind.__name__)}"


def play_repeat(stage: Stage, step: ast.Repeat, log: Log) -> Play:
    misses: list[str] = []
    for _ in range(step.times):
        messages: list[Message] = []
        stage.rounds.append(messages)
        yield from play_all(stage, step.do)
        stage.rounds.pop()
        if step.until is None:
            continue
        matcher = stage.build(step.until)
        log.expected = f"{matcher} within {step.times} rounds"
        for message in sorted(messages, key=lambda message: message.seq):
            answer = judge(matcher, message)
            if isinstance(answer, Match):
                stage.capture(answer)
                log.took = describe(message)
                return
            misses.append(f"{describe(message)} - {answer.why}")
    if step.until is not None:
        log.received = misses[-MAX_SHOWN:]
        came = "other messages came" if misses else "nothing came"
        raise Broken(
            Reason.EXPECTATION if misses else Reason.TIMEOUT, f"expected {log.expected}; {came}"
        )


def play_use(stage: Stage, step: ast.Use, log: Log) -> Play:
    outside = stage.values
    # Variables and masks are shared: what these steps capture is everybody's.
    stage.values = replace(outside, args=stage.fill_all(step.arguments))
    try:
        yield from play_all(stage, step.do)
    finally:
        stage.values = outside


PLAYS: Mapping[type[Step], Callable[[Stage, Any, Log], Play]] = MappingProxyType(
    {
        ast.Say: play_say,
        ast.Press: play_say,
        ast.Offer: play_say,
        ast.SendFile: play_command,
        ast.ShowTyping: play_show_typing,
        ast.SendNotice: play_command,
        ast.PushUrl: play_command,
        ast.SetUserdata: play_command,
        ast.DeleteUserdata: play_command,
        ast.Leave: play_command,
        ast.Pause: play_pause,
        ast.Note: play_note,
        ast.Finish: play_finish,
        ast.Call: play_call,
        ast.WaitFor: play_wait_for,
        ast.Expect: play_expect,
        ast.ExpectNothing: play_expect_nothing,
        ast.ExpectUserdata: play_expect_userdata,
        ast.Choose: play_choose,
        ast.Repeat: play_repeat,
        ast.Use: play_use,
        ast.Reload: play_reload,
        ast.ExpectRestored: play_expect_restored,
    }
)
"""How each verb is played; a new verb is a new line here."""
