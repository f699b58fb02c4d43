"""How ``reload`` and ``expect_restored`` are played."""

from __future__ import annotations

from itertools import islice
from typing import cast

from botkit import chat
from botkit.bot.comeback import Comeback
from botkit.bot.needs import chat_ended, perform
from botkit.bot.playing import Broken, Log, Need, Play, Unmet
from botkit.bot.script import ExpectRestored, Reload
from botkit.bot.stage import Stage
from botkit.chat import Restoration, RestoreOutcome, describe
from botkit.chat.tried import MAX_SHOWN
from botkit.results import Reason, Verdict


def play_reload(stage: Stage, step: Reload, log: Log) -> Play:
    comeback = stage.comeback
    assert comeback is not None
    comeback.begin()
    value = yield from perform(stage, chat.Reload(away_for=step.away_for))
    comeback.restoration = restoration = cast("Restoration", value)
    if restoration.outcome is RestoreOutcome.RESTORED or step.judged:
        log.took = in_words(restoration)
        return
    log.received = (in_words(restoration),)
    message = f"the chat did not come back after the reload: {in_words(restoration)}"
    raise Broken(Reason.NOT_RESTORED, message)


def in_words(restoration: Restoration) -> str:
    """Say how an attempt ended."""
    match restoration.outcome:
        case RestoreOutcome.RESTORED:
            return f"restored {restoration.session_id}"
        case RestoreOutcome.NO_SESSION:
            return "no_session: there was no chat to come back to"
        case _:
            code = "" if restoration.code is None else f"{restoration.code} "
            return f"failed: {code}{restoration.description or 'the service did not say why'}"


def play_expect_restored(stage: Stage, step: ExpectRestored, log: Log) -> Play:
    log.expected, log.asserts = wanted(step), True
    comeback = stage.comeback
    restoration = comeback.restoration if comeback is not None else None
    if comeback is None or restoration is None:
        raise Broken(Reason.BOT, "nothing was reloaded before this step", verdict=Verdict.ERROR)
    judge_outcome(step, restoration, log)
    if step.outcome is RestoreOutcome.RESTORED:
        yield from await_all(stage, step, comeback, log)
    log.took, log.received = in_words(restoration), ()


def wanted(step: ExpectRestored) -> str:
    """Say in words what a step expects."""
    if step.outcome is not RestoreOutcome.RESTORED:
        code = "" if step.code is None else f" with the code {step.code}"
        return f"the outcome {step.outcome.value}{code}"
    parts = {
        "the same chat": step.same_chat,
        "the same agent": step.same_agent,
        "the whole history": step.whole_history,
    }
    return ", ".join(("the chat back", *(words for words, asked in parts.items() if asked)))


def judge_outcome(step: ExpectRestored, restoration: Restoration, log: Log) -> None:
    """Compare the outcome of a reload with the one that was expected.

    Raises:
        Broken: it is another one.
    """
    if restoration.outcome is step.outcome and step.code in (None, restoration.code):
        return
    log.received = (in_words(restoration),)
    not_back = step.outcome is RestoreOutcome.RESTORED
    reason = Reason.NOT_RESTORED if not_back else Reason.EXPECTATION
    raise Broken(reason, f"expected {log.expected}; it was {in_words(restoration)}")


def await_all(stage: Stage, step: ExpectRestored, comeback: Comeback, log: Log) -> Play:
    """Wait until all is there again that must be."""

    def poll() -> list[str] | None:
        wrong = list(comeback.wrong(step))
        if wrong or next(comeback.lacking(step, stage.agents), None) is None:
            return wrong
        return None

    answer = yield Need(poll, stage.now + step.within)
    if answer == []:
        return
    if step.whole_history:
        log.received = [describe(event) for event in islice(comeback.missing.values(), MAX_SHOWN)]
    if answer is Unmet.ENDED:
        raise chat_ended(stage, log)
    why = [*comeback.wrong(step), *comeback.lacking(step, stage.agents)]
    late = f" within {step.within:g} s" if answer is Unmet.TIMEOUT else ""
    raise Broken(Reason.NOT_RESTORED, f"expected {log.expected}{late}; {'; '.join(why)}")
