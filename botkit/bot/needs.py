"""What verbs are made of: having commands done, waiting, and writing down how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botkit.bot import script as ast
from botkit.bot.playing import Broken, Log, Need, Play, Unmet, broken_by
from botkit.bot.stage import Stage
from botkit.chat import Command, EndedBy, Event, Taken, describe
from botkit.chat.transcript import text_of
from botkit.results import Reason


def perform(stage: Stage, command: Command) -> Play:
    """Have a command done, and wait for it; its outcome comes also when the chat has ended.

    Returns:
        What the command asked for.
    """
    number = stage.order(command)
    outcome = yield Need(lambda: stage.outcomes.pop(number, None), in_chat=False)
    if outcome.error is not None:
        raise broken_by(outcome.error)
    return outcome.value


def released(stage: Stage, step: ast.Step) -> Play:
    """Wait until somebody lets a step begin; its time does not run yet."""
    number = stage.hold(step)
    yield Need(lambda: stage.outcomes.pop(number, None), in_chat=False)


def sleep(stage: Stage, seconds: float) -> Play:
    """Let time pass, whatever happens."""
    yield Need(lambda: None, stage.now + seconds, in_chat=False)


def settle(stage: Stage, step: ast.TimedStep, log: Log, answer: Any, misses: Sequence[str]) -> None:
    """Write down how waiting for an event ended, and break the step if none came that fits.

    Args:
        answer: what was taken from the inbox, or why nothing was.
        misses: what was looked at and did not fit, a line each.
    """
    if not isinstance(answer, Taken):
        log.received = misses
        if answer is Unmet.ENDED:
            raise chat_ended(stage, log)
        came = "other messages came" if misses else "nothing came"
        raise Broken(
            Reason.EXPECTATION if misses else Reason.TIMEOUT,
            f"expected {log.expected} within {step.within:g} s; {came}",
        )
    log.took, log.received, log.seq = describe(answer.event), (), answer.event.seq
    if answer.passed_over:
        log.passed_over = misses
    judge_speed(step, log, answer.event.at - log.started)


def judge_speed(step: ast.TimedStep, log: Log, took: float) -> None:
    """Write down that a step was slow, if it was."""
    if step.slow_after is not None and took > step.slow_after:
        log.slow = f"took {took:.1f} s, slow after {step.slow_after:g} s"


def chat_ended(stage: Stage, log: Log) -> Broken:
    """Say that the chat ended while a step waited."""
    assert stage.ended is not None
    lost = stage.ended.by is EndedBy.LOST
    return Broken(
        Reason.LOST if lost else Reason.CHAT_ENDED,
        f"expected {log.expected}; the chat ended first ({text_of(stage.ended)})",
    )


def anything(event: Event) -> bool:
    """Fit every event."""
    return True
