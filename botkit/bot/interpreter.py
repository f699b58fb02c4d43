"""Plays a bot's script. Pure: time, events and randomness are passed in.

Theory of operation. Each verb is a generator. Where it has to wait it yields a :class:`Need`: a
question that is asked again after every input, and a deadline. The interpreter takes its inputs
in order and lives in their time: before an input is taken in, every deadline before its stamp has
passed; an event stamped at a deadline still beats it. So it makes no difference how inputs are
dealt out to calls of :meth:`Interpreter.step`, and a transcript replays to the same verdict.

An event is seen by the guards (``never``) first, then by the reactions (``whenever``), then by the
step that waits. Guards and reactions consume nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botkit import chat
from botkit.bot import script as ast
from botkit.bot.matchers import MatcherError, MatcherSpec
from botkit.bot.script import BotScript, Guard, Step, Whenever
from botkit.bot.turn import (
    Action,
    ActionDone,
    Finished,
    Input,
    Perform,
    Performed,
    RunAction,
    Turn,
)
from botkit.bot.values import Template, Values, VariableError
from botkit.chat import (
    AgentConnected,
    AgentDisconnected,
    EndedBy,
    Event,
    Inbox,
    Message,
    SessionEnded,
    Taken,
    Userdata,
    UserdataView,
    describe,
)
from botkit.chat.events import is_own
from botkit.chat.transcript import text_of
from botkit.chat.tried import MAX_SHOWN, Tried, is_from
from botkit.errors import ChatError, InboxOverflow, SessionClosed
from botkit.interfaces import Match, Matcher, Miss
from botkit.results import Reason, StepResult, Verdict

__all__ = ["Interpreter"]

TYPING_SPEED = (0.04, 0.06)
"""Seconds that a person takes for a character, at the quickest and the slowest."""
TYPING_BOUNDS = (0.5, 6.0)
"""Nobody types a line faster, and nobody waits longer to see one, in seconds."""


@dataclass(slots=True)
class Need:
    """What a step waits for.

    Attributes:
        poll: asked after every input; anything but None is the answer.
        deadline: on the loop's clock; None waits for ever.
        in_chat: the end of the chat ends the waiting too.
    """

    poll: Callable[[], Any]
    deadline: float | None = None
    in_chat: bool = True


class Nothing:
    """The answers to a need that was not met."""

    TIMEOUT = object()
    ENDED = object()


Play = Generator[Need, Any, None]


class Over(Exception):
    """Ends the script from within."""

    def __init__(self, finished: Finished) -> None:
        super().__init__(finished)
        self.finished = finished


class Broken(Exception):
    """Ends a step without success."""

    def __init__(self, reason: Reason, message: str, *, verdict: Verdict = Verdict.FAILED) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.verdict = verdict


@dataclass(slots=True)
class Log:
    """What is written down about a step while it runs."""

    started: float
    expected: str = ""
    received: Sequence[str] = ()
    took: str | None = None
    passed_over: tuple[str, ...] = ()
    asserts: bool = False
    slow: str = ""


class Interpreter:
    """Plays one script once.

    Args:
        script: what to play.
        values: what its ``${...}`` stand for; variables and masks grow in it.
        rng: decides how long typing takes.
        began: the loop's clock from which steps are counted.
        userdata: what was attached when the chat was requested.

    Attributes:
        asserted: how many assertions there were so far.
    """

    def __init__(
        self,
        script: BotScript,
        values: Values,
        *,
        rng: random.Random,
        began: float = 0.0,
        userdata: Mapping[str, str] | None = None,
    ) -> None:
        self._script = script
        self._values = values
        self._rng = rng
        self._began = began
        self._now = began
        self._inbox = Inbox()
        self._userdata = UserdataView()
        self._userdata.merge(userdata or {})
        self._agents: dict[str, AgentConnected] = {}
        self._ended: SessionEnded | None = None
        self._messages_seen = 0
        self._asserting_steps = 0
        self._fired = [0] * len(script.whenever)
        self._guards: list[tuple[Guard, Matcher]] | None = None
        self._reactions: list[Matcher | None] = [None] * len(script.whenever)
        # Messages that came during each round of ``repeat`` that is under way.
        self._rounds: list[list[Message]] = []
        self._numbers = 0
        self._steps_done = 0
        self._outcomes: dict[int, Performed | ActionDone] = {}
        self._unwatched: set[int] = set()
        self._play: Play | None = None
        self._need: Need | None = None
        self._finished: Finished | None = None
        # What the current turn brings.
        self._actions: list[Action] = []
        self._results: list[StepResult] = []
        self._notes: list[str] = []

    @property
    def asserted(self) -> int:
        """How many assertions there were; ``never`` is one once a message was seen."""
        return self._asserting_steps + bool(self._script.never and self._messages_seen)

    def step(self, now: float, inputs: Iterable[Input] = ()) -> Turn:
        """Take inputs in, in order, and say what is to be done.

        Args:
            now: the loop's clock; deadlines up to it have passed.
            inputs: what came since the last call; their stamps are not later than ``now``.
        """
        if self._finished is not None:
            return Turn()
        try:
            self._begin(now)
            for item in inputs:
                self._pass_deadlines(item.at, inclusive=False)
                self._now = max(self._now, item.at)
                self._take(item)
                self._advance()
            self._pass_deadlines(now, inclusive=True)
            self._now = max(self._now, now)
        except Over as over:
            self._finished = over.finished
        except InboxOverflow as overflow:
            self._finished = Finished(
                verdict=Verdict.ERROR, reason=Reason.OVERFLOW, message=str(overflow)
            )
        return self._turn()

    def _turn(self) -> Turn:
        need = self._need
        turn = Turn(
            actions=tuple(self._actions) if self._finished is None else (),
            steps=tuple(self._results),
            notes=tuple(self._notes),
            deadline=need.deadline if need is not None and self._finished is None else None,
            finished=self._finished,
        )
        if self._actions:
            self._actions = []
        if self._results:
            self._results = []
        if self._notes:
            self._notes = []
        return turn

    # --- time ---

    def _begin(self, now: float) -> None:
        if self._play is None:
            self._now = max(self._now, now)
            self._play = self._whole()
            self._resume(None)
            self._advance()

    def _pass_deadlines(self, until: float, *, inclusive: bool) -> None:
        """Let every deadline pass that lies before this time, each at its own time."""
        while (
            (need := self._need) is not None
            and (deadline := need.deadline) is not None
            and (deadline < until or (inclusive and deadline <= until))
        ):
            self._now = max(self._now, deadline)
            self._resume(Nothing.TIMEOUT)
            self._advance()

    def _advance(self) -> None:
        """Go on as far as what is known lets the script go."""
        while (need := self._need) is not None:
            answer = need.poll()
            if answer is None:
                if not need.in_chat or self._ended is None:
                    return
                answer = Nothing.ENDED
            self._resume(answer)

    def _resume(self, answer: object) -> None:
        assert self._play is not None
        try:
            self._need = self._play.send(answer)
        except StopIteration:
            raise Over(Finished(verdict=Verdict.PASSED, reason=Reason.OK)) from None

    # --- inputs ---

    def _take(self, item: Input) -> None:
        if isinstance(item, Event):
            self._take_event(item)
        elif item.number in self._unwatched:
            # A reaction's command: nobody waits for it, and it may not fail unnoticed.
            self._unwatched.discard(item.number)
            if item.error is not None:
                reason, verdict = blame(item.error)
                raise Over(
                    Finished(
                        verdict=verdict, reason=reason, message=f"a reaction failed: {item.error}"
                    )
                )
        else:
            self._outcomes[item.number] = item

    def _take_event(self, event: Event) -> None:
        self._note_state(event)
        if event.history or is_own(event):
            return
        if isinstance(event, Message):
            self._messages_seen += 1
            for messages in self._rounds:
                messages.append(event)
            self._guard(event)
        if self._script.whenever:
            for number, reaction in enumerate(self._script.whenever):
                if type(event) is reaction.kind:
                    self._react(number, reaction, event)
        self._inbox.append(event)

    def _note_state(self, event: Event) -> None:
        party = event.party
        key = "" if party is None else party.id or party.name
        match event:
            case AgentConnected():
                self._agents[key] = event
                self._userdata.merge(event.userdata)
            case AgentDisconnected():
                self._agents.pop(key, None)
            case SessionEnded():
                self._ended = event
            case Userdata():
                for name, value in event.changes.items():
                    if value is None:
                        self._userdata.forget(name)
                    else:
                        self._userdata.merge({name: value})

    def _guard(self, event: Message) -> None:
        if self._guards is None:
            self._guards = [(g, self._build(g.matcher)) for g in self._script.never]
        for guard, matcher in self._guards:
            if is_from(event, guard.sender) and isinstance(matcher.match(event.text), Match):
                shown = self._values.mask(describe(event))
                self._finish_step(
                    path=guard.path, verb="never", text=f"never: {matcher}", place=guard.place,
                    log=Log(started=self._now, expected=f"never {matcher}", received=(shown,),
                            asserts=True),
                    broken=Broken(Reason.GUARD, f"what must never be said was said: {shown}"),
                )  # fmt: skip

    def _react(self, number: int, reaction: Whenever, event: Event) -> None:
        if reaction.times is not None and self._fired[number] >= reaction.times:
            return
        if not is_from(event, reaction.sender):
            return
        if reaction.matcher is not None:
            matcher = self._reactions[number]
            if matcher is None:
                matcher = self._build(reaction.matcher)
                if not reaction.matcher.names:
                    self._reactions[number] = matcher
            answer = matcher.match(text_of(event) if not isinstance(event, Message) else event.text)
            if isinstance(answer, Miss):
                return
            self._capture(answer, ())
        self._fired[number] += 1
        name = chat.events.snake_case(reaction.kind.__name__)
        self._finish_step(
            path=reaction.path, verb="whenever", text=f"whenever: {name}", place=reaction.place,
            log=Log(started=self._now, took=describe(event), asserts=True),
        )  # fmt: skip
        for step in reaction.do:
            self._do_at_once(step)

    def _do_at_once(self, step: Step) -> None:
        """Do a step of a reaction: it waits for nothing."""
        try:
            match step:
                case ast.Note():
                    self._note(step.note)
                case ast.Finish():
                    self._finish(step)
                case _:
                    self._unwatched.add(self._perform(self._command_of(step)))
        except VariableError as error:
            self._finish_step(
                path=step.path, verb=step.verb, text=step.text, place=step.place,
                log=Log(started=self._now), broken=_unset(error),
            )  # fmt: skip

    # --- steps ---

    def _whole(self) -> Play:
        yield from self._each(self._script.steps)

    def _each(self, steps: Iterable[Step]) -> Play:
        for step in steps:
            yield from self._one(step)

    def _one(self, step: Step) -> Play:
        log = Log(started=self._now)
        broken: Broken | None = None
        inner: Iterable[Step] = ()
        try:
            inner = (yield from PLAYS[type(step)](self, step, log)) or ()
        except Broken as caught:
            broken = caught
        except VariableError as error:
            broken = _unset(error)
        except MatcherError as error:
            broken = Broken(Reason.VARIABLE, str(error), verdict=Verdict.ERROR)
        self._finish_step(
            path=step.path, verb=step.verb, text=step.text, place=step.place, log=log, broken=broken
        )
        # What a choice decided for is played after the choice itself is over.
        yield from self._each(inner)

    def _finish_step(
        self,
        *,
        path: str,
        verb: str,
        text: str,
        place: ast.Place,
        log: Log,
        broken: Broken | None = None,
    ) -> None:
        """Write a step down; one that broke ends the script."""
        mask = self._values.mask
        verdict, reason, message = Verdict.PASSED, Reason.OK, ""
        if broken is not None:
            verdict, reason, message = broken.verdict, broken.reason, broken.message
        elif log.slow:
            verdict, reason, message = Verdict.DEGRADED, Reason.SLOW, log.slow
        self._asserting_steps += log.asserts
        self._steps_done += 1
        result = StepResult(
            number=self._steps_done,
            path=path,
            verb=verb,
            text=mask(text),
            file=place.file,
            line=place.line,
            verdict=verdict,
            reason=reason,
            started=log.started - self._began,
            duration=self._now - log.started,
            expected=mask(log.expected),
            received=tuple(map(mask, log.received)),
            took=None if log.took is None else mask(log.took),
            passed_over=tuple(map(mask, log.passed_over)),
            message=mask(message),
            asserts=log.asserts,
        )
        self._results.append(result)
        if broken is not None:
            raise Over(
                Finished(verdict=verdict, reason=reason, message=result.message, step=result)
            )

    # --- verbs ---

    def _play_command(self, step: Step, log: Log) -> Play:
        yield from self._done(self._perform(self._command_of(step)))

    def _play_say(self, step: ast.Say, log: Log) -> Play:
        text = step.line.render(self._values)
        if step.typing is not None:
            pause = self._typing_time(text) if step.typing == "human" else float(step.typing)
            yield from self._done(self._perform(chat.SendTyping()))
            yield from self._sleep(pause)
        yield from self._done(self._perform(chat.SendMessage(text=text)))

    def _play_show_typing(self, step: ast.ShowTyping, log: Log) -> Play:
        yield from self._done(self._perform(chat.SendTyping()))
        yield from self._sleep(step.duration)
        yield from self._done(self._perform(chat.SendTyping(is_typing=False)))

    def _play_pause(self, step: ast.Pause, log: Log) -> Play:
        yield from self._sleep(step.duration)

    def _play_note(self, step: ast.Note, log: Log) -> Play:
        self._note(step.note)
        yield from ()

    def _play_finish(self, step: ast.Finish, log: Log) -> Play:
        self._finish(step)
        yield from ()

    def _play_wait_for(self, step: ast.WaitFor, log: Log) -> Play:
        name = chat.events.snake_case(step.kind.__name__)
        log.expected, log.asserts = f"the event {name}", True
        if step.kind is AgentConnected:
            poll = self._agent_state
        elif step.kind is SessionEnded:
            poll = self._ended_state
        else:
            poll = self._inbox.wait(_any, kinds=(step.kind,)).poll
        taken = yield Need(poll, self._now + step.within)
        self._settle(step, log, taken, ())
        if step.kind is AgentConnected:
            # The state was waited for: a later wait for another agent wants a new event.
            self._inbox.skip(AgentConnected, taken.event.seq)

    def _play_expect(self, step: ast.Expect, log: Log) -> Play:
        matcher = self._build(step.matcher)
        log.expected, log.asserts = _expected(matcher, step), True
        fitting: list[Match] = []
        tried = Tried(lambda text: self._why_not(matcher, text, fitting), step.sender)
        fits = tried.is_candidate if step.next_only else tried
        taken = yield Need(self._inbox.wait(fits).poll, self._now + step.within)
        if step.next_only and isinstance(taken, Taken) and not tried(taken.event):
            log.received = tried.misses
            raise Broken(Reason.EXPECTATION, f"expected {log.expected}; another message came first")
        self._settle(step, log, taken, tried.misses)
        self._capture(fitting[-1], step.mask)

    def _play_expect_nothing(self, step: ast.ExpectNothing, log: Log) -> Play:
        what = "message"
        matcher = None
        if step.matching is not None:
            matcher = self._build(step.matching)
            what = str(matcher)
        log.expected, log.asserts = f"no {what} for {step.duration:g} s", True
        fits = _any if matcher is None else (lambda event: _fits(matcher, event))
        wait = self._inbox.wait(fits)
        answer = yield Need(wait.peek, self._now + step.duration)
        if answer is Nothing.TIMEOUT:
            return
        if answer is Nothing.ENDED:
            raise self._chat_ended(log)
        log.received = (describe(answer),)
        raise Broken(Reason.EXPECTATION, f"expected {log.expected}, and one came")

    def _play_expect_userdata(self, step: ast.ExpectUserdata, log: Log) -> Play:
        matchers = {key: self._build(spec) for key, spec in step.matchers.items()}
        log.expected = ", ".join(f"{key}: {matcher}" for key, matcher in matchers.items())
        log.asserts = True
        matches: dict[str, Match] = {}
        misses: list[str] = []

        def poll() -> bool | None:
            misses.clear()
            for key, matcher in matchers.items():
                value = self._userdata.get(key)
                answer = Miss(why="not there") if value is None else matcher.match(value)
                if isinstance(answer, Match):
                    matches[key] = answer
                else:
                    misses.append(f"{key}={value or ''} - {answer.why}")
            return None if misses else True

        started = self._now
        answer = yield Need(poll, started + step.within)
        if answer is not True:
            self._settle(step, log, answer, misses)
        self._judge_speed(step, log, self._now - started)
        for match in matches.values():
            self._capture(match, ())
        log.took = ", ".join(f"{key}={self._userdata.get(key)}" for key in matchers)

    def _play_choose(self, step: ast.Choose, log: Log) -> Generator[Need, Any, Any]:
        cases: list[tuple[ast.Case, Matcher | None]] = [
            (case, None if case.matcher is None else self._build(case.matcher))
            for case in step.cases
        ]
        log.expected = "one of: " + "; ".join(_case_in_words(*case) for case in cases)
        log.asserts = step.otherwise is None
        kinds = {case.kind or Message for case in step.cases}
        chosen: list[tuple[ast.Case, Match]] = []
        misses: list[str] = []

        def fits(event: Event) -> bool:
            for case, matcher in cases:
                if matcher is None:
                    answer: Match | Miss = (
                        Match() if type(event) is case.kind else Miss(why="another event")
                    )
                elif isinstance(event, Message):
                    answer = matcher.match(event.text)
                else:
                    continue
                if isinstance(answer, Match):
                    chosen.append((case, answer))
                    return True
            if isinstance(event, Message) and len(misses) < MAX_SHOWN:
                misses.append(f"{describe(event)} - fits no case")
            return False

        taken = yield Need(self._inbox.wait(fits, kinds=kinds).poll, self._now + step.within)
        if taken is Nothing.TIMEOUT and step.otherwise is not None:
            log.took = "nothing: otherwise"
            return step.otherwise
        self._settle(step, log, taken, misses)
        case, match = chosen[-1]
        self._capture(match, ())
        return case.do

    def _play_repeat(self, step: ast.Repeat, log: Log) -> Play:
        log.asserts = step.until is not None
        seen: list[str] = []
        for _ in range(step.times):
            messages: list[Message] = []
            self._rounds.append(messages)
            try:
                yield from self._each(step.do)
            finally:
                self._rounds.remove(messages)
            if step.until is None:
                continue
            matcher = self._build(step.until)
            log.expected = f"{matcher} within {step.times} rounds"
            for message in messages:
                answer = matcher.match(message.text)
                if isinstance(answer, Match):
                    self._capture(answer, ())
                    log.took = describe(message)
                    return
                seen.append(f"{describe(message)} - {answer.why}")
        if step.until is not None:
            log.received = seen[-MAX_SHOWN:]
            raise Broken(
                Reason.EXPECTATION if seen else Reason.TIMEOUT,
                f"expected {log.expected}; it did not come",
            )

    def _play_call(self, step: ast.Call, log: Log) -> Play:
        arguments = {key: text.render(self._values) for key, text in step.arguments.items()}
        number = self._number()
        self._actions.append(RunAction(number=number, name=step.action, arguments=arguments))
        started = self._now
        done = yield Need(
            lambda: self._outcomes.pop(number, None), started + step.within, in_chat=False
        )
        if done is Nothing.TIMEOUT:
            message = f"the action {step.action} took longer than {step.within:g} s"
            raise Broken(Reason.ACTION, message, verdict=Verdict.ERROR)
        if done.error is not None:
            message = f"the action {step.action} raised {type(done.error).__name__}: {done.error}"
            raise Broken(Reason.ACTION, message, verdict=Verdict.ERROR)
        self._judge_speed(step, log, self._now - started)
        if step.save_as is not None:
            self._values.capture(step.save_as, done.result or "")

    # --- what verbs are made of ---

    def _settle(self, step: ast.TimedStep, log: Log, answer: Any, misses: Sequence[str]) -> None:
        """Write down how a wait ended, and break the step if it was not met."""
        log.received = tuple(misses)
        if answer is Nothing.ENDED:
            raise self._chat_ended(log)
        if answer is Nothing.TIMEOUT:
            came = "other messages came" if misses else "nothing came"
            raise Broken(
                Reason.EXPECTATION if misses else Reason.TIMEOUT,
                f"expected {log.expected} within {step.within:g} s; {came}",
            )
        log.received = ()
        log.took = describe(answer.event)
        log.passed_over = tuple(map(describe, answer.passed_over[:MAX_SHOWN]))
        self._judge_speed(step, log, answer.event.at - log.started)

    def _judge_speed(self, step: ast.TimedStep, log: Log, took: float) -> None:
        if step.slow_after is not None and took > step.slow_after:
            log.slow = f"took {took:.1f} s, slow after {step.slow_after:g} s"

    def _chat_ended(self, log: Log) -> Broken:
        assert self._ended is not None
        reason = Reason.LOST if self._ended.by is EndedBy.LOST else Reason.CHAT_ENDED
        return Broken(
            reason, f"the chat ended ({text_of(self._ended)}) before it was over with: "
            f"{log.expected}"
        )  # fmt: skip

    def _sleep(self, seconds: float) -> Play:
        yield Need(lambda: None, self._now + seconds, in_chat=False)

    def _done(self, number: int) -> Play:
        """Wait until a command was done; the session tells, also when the chat has ended."""
        outcome = yield Need(lambda: self._outcomes.pop(number, None), in_chat=False)
        if outcome.error is not None:
            reason, verdict = blame(outcome.error)
            raise Broken(reason, str(outcome.error), verdict=verdict)

    def _perform(self, command: chat.Command) -> int:
        number = self._number()
        self._actions.append(Perform(number=number, command=command))
        return number

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _command_of(self, step: Step) -> chat.Command:
        values = self._values
        match step:
            case ast.Say():
                return chat.SendMessage(text=step.line.render(values))
            case ast.SendNotice():
                return chat.SendNotice(text=step.notice.render(values))
            case ast.PushUrl():
                return chat.PushUrl(url=step.url.render(values))
            case ast.SetUserdata():
                texts = {key: text.render(values) for key, text in step.values.items()}
                return chat.SetUserdata(userdata=texts)
            case ast.DeleteUserdata():
                return chat.DeleteUserdata(key=step.key.render(values))
            case ast.Leave():
                return chat.Leave()
            case _:
                raise AssertionError(f"{step.verb} is no command")

    def _note(self, text: Template) -> None:
        self._notes.append(self._values.mask(text.render(self._values)))

    def _finish(self, step: ast.Finish) -> None:
        because = step.because.render(self._values) if step.because is not None else ""
        self._finish_step(
            path=step.path, verb=step.verb, text=step.text, place=step.place,
            log=Log(started=self._now),
        )  # fmt: skip
        raise Over(
            Finished(
                verdict=step.verdict,
                reason=Reason.FINISHED,
                message=self._values.mask(because),
                step=self._results[-1],
            )
        )

    def _build(self, spec: MatcherSpec) -> Matcher:
        return spec.build(self._values)

    @staticmethod
    def _why_not(matcher: Matcher, text: str, fitting: list[Match]) -> str | None:
        answer = matcher.match(text)
        if isinstance(answer, Miss):
            return answer.why
        fitting.append(answer)
        return None

    def _capture(self, match: Match, masked: tuple[str, ...]) -> None:
        for name, value in match.captures.items():
            self._values.capture(name, value, mask=name in masked)

    def _agent_state(self) -> Taken | None:
        latest = next(reversed(self._agents.values()), None)
        return None if latest is None else Taken(event=latest)

    def _ended_state(self) -> Taken | None:
        return None if self._ended is None else Taken(event=self._ended)

    def _typing_time(self, text: str) -> float:
        low, high = TYPING_BOUNDS
        return min(max(len(text) * self._rng.uniform(*TYPING_SPEED), low), high)


def blame(error: Exception) -> tuple[Reason, Verdict]:
    """Say whose fault a failed command is."""
    match error:
        case ChatError():
            return Reason.CHAT_ERROR, Verdict.FAILED
        case SessionClosed():
            return Reason.CHAT_ENDED, Verdict.FAILED
        case _:
            return Reason.LOST, Verdict.FAILED


def _any(event: Event) -> bool:
    return True


def _fits(matcher: Matcher, event: Event) -> bool:
    return isinstance(event, Message) and isinstance(matcher.match(event.text), Match)


def _expected(matcher: Matcher, step: ast.Expect) -> str:
    sender = f" from {step.sender}" if step.sender else ""
    return f"{'next ' if step.next_only else ''}{matcher}{sender}"


def _case_in_words(case: ast.Case, matcher: Matcher | None) -> str:
    if matcher is not None:
        return str(matcher)
    return "" if case.kind is None else f"the event {chat.events.snake_case(case.kind.__name__)}"


def _unset(error: VariableError) -> Broken:
    return Broken(Reason.VARIABLE, error.message, verdict=Verdict.ERROR)


PLAYS: Mapping[type[Step], Callable[..., Generator[Need, Any, Any]]] = {
    ast.Say: Interpreter._play_say,
    ast.ShowTyping: Interpreter._play_show_typing,
    ast.SendNotice: Interpreter._play_command,
    ast.PushUrl: Interpreter._play_command,
    ast.SetUserdata: Interpreter._play_command,
    ast.DeleteUserdata: Interpreter._play_command,
    ast.Leave: Interpreter._play_command,
    ast.Pause: Interpreter._play_pause,
    ast.Note: Interpreter._play_note,
    ast.Finish: Interpreter._play_finish,
    ast.WaitFor: Interpreter._play_wait_for,
    ast.Expect: Interpreter._play_expect,
    ast.ExpectNothing: Interpreter._play_expect_nothing,
    ast.ExpectUserdata: Interpreter._play_expect_userdata,
    ast.Choose: Interpreter._play_choose,
    ast.Repeat: Interpreter._play_repeat,
    ast.Call: Interpreter._play_call,
}
"""How each verb is played; a new verb is a new line here."""
