"""What comes out of a journey: frozen records, and the exit code of a run.

Verdicts say who is to blame: ``failed`` is the service, ``error`` is botkit, a plugin, the bot or
the set-up. Each verdict carries a reason of a closed list, :class:`Reason`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from botkit.chat import Row
from botkit.errors import (
    ChatError,
    ConfigError,
    ConnectorError,
    ExpectationFailed,
    InboxOverflow,
    PluginError,
    RemoteProtocolError,
    SessionClosed,
)
from botkit.records import quickly_made


class Verdict(enum.Enum):
    """How a journey, or a step, ended."""

    PASSED = "passed"
    DEGRADED = "degraded"
    """It worked, too slowly."""
    FAILED = "failed"
    """The service broke its promise."""
    ERROR = "error"
    """botkit, a plugin, the bot or the set-up broke."""
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class Reason(enum.Enum):
    """Why a verdict is what it is."""

    OK = "ok"
    FINISHED = "finished"
    """The bot said so, with ``finish``."""
    # degraded
    SLOW = "slow"
    # failed
    EXPECTATION = "expectation"
    """Something came, and it was not what was expected."""
    ASSERTION = "assertion"
    """An ``assert`` of a Python bot did not hold."""
    TIMEOUT = "timeout"
    """What was expected did not come within its time."""
    GUARD = "guard"
    """What must never be said was said."""
    WHOLE_CHAT = "whole_chat"
    """The chat took longer than it may."""
    CHAT_ENDED = "chat_ended"
    """The chat ended while the bot still had something to do in it."""
    REFUSED = "refused"
    """The service did not open the chat."""
    NOT_RESTORED = "not_restored"
    """A chat that was reloaded did not come back, or not as it was."""
    CHAT_ERROR = "chat_error"
    """The service answered a command with an error."""
    UNREACHABLE = "unreachable"
    PROTOCOL = "protocol"
    """The server talks nonsense."""
    LOST = "lost"
    """The connection was lost and could not be won back."""
    NOT_LEFT = "not_left"
    """The service did not confirm that the chat was left: somebody may still sit in it."""
    # error
    ASSERTED_NOTHING = "asserted_nothing"
    PLUGIN = "plugin"
    """A plugin's hook raised."""
    HOOK_TIMEOUT = "hook_timeout"
    HOOK_BLOCKED = "hook_blocked"
    """A hook held the event loop."""
    BOT = "bot"
    """The bot raised."""
    ACTION = "action"
    """A called action raised."""
    VARIABLE = "variable"
    """A value that the bot names is not there."""
    OVERFLOW = "overflow"
    """More arrived than the bot read."""
    SETUP = "setup"
    """The user's own settings do not work."""
    INTERNAL = "internal"
    """A mistake in botkit."""
    # skipped, cancelled
    NOT_STARTED = "not_started"
    SIGNAL = "signal"
    CANCELLED = "cancelled"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What became of one step.

    Attributes:
        number: counts the steps of a journey as they finish, from 1.
        path: where it stands in its bot: ``steps[2]``, ``steps[4].choose[0].do[1]``.
        verb: ``expect``, ``say``, ...
        text: the step as a person would say it, one line.
        file: the bot's file as the user named it; None for a session without a file.
        line: where the step begins, from 1; None if unknown.
        verdict: passed, degraded, failed or error.
        reason: why.
        started: seconds since the journey began.
        duration: seconds.
        expected: what was awaited, in words; empty if the step awaits nothing.
        received: what came instead, a line each, oldest first, with why it did not fit.
        took: the event that satisfied the step, in words; None if none.
        passed_over: the events that were passed over for it, a line each.
        message: one sentence for people; empty if all is well.
        asserts: the step is an assertion, which makes a passed journey mean something.
        seq: the number of the event that satisfied the step; None if no single event did.
    """

    number: int
    path: str
    verb: str
    text: str
    file: str | None = None
    line: int | None = None
    verdict: Verdict
    reason: Reason
    started: float
    duration: float
    expected: str = ""
    received: tuple[str, ...] = ()
    took: str | None = None
    passed_over: tuple[str, ...] = ()
    message: str = ""
    asserts: bool = False
    seq: int | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What went over the wire at one moment, as it may be shown: masked, and bounded in size.

    Attributes:
        at: seconds since the journey began.
        direction: ``sent`` or ``received``, seen from botkit.
        what: one line that says what it is: ``POST /connect``, ``200``, ``frame``.
        text: what stood in it, without any header; empty if it was empty.
        cut: more stood in it than ``text`` holds.
    """

    at: float
    direction: Literal["sent", "received"]
    what: str
    text: str = ""
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyResult:
    """One bot played once through one session, with its evidence.

    Attributes:
        run_id: names the run that this journey is part of.
        journey_id: names the journey within all runs.
        bot: the bot's name.
        name: the name of this journey: the bot's, with the row's in brackets if there is one.
        title: what the bot proves, in the author's words; may be empty.
        file: the bot's file as the user named it.
        tags: of the bot.
        verdict: how it ended.
        reason: why.
        message: one sentence for people; empty if all is well.
        step: the step that decided; None if none did.
        started_utc: epoch seconds.
        began: the loop's clock when the journey began, seconds; the rows of the transcript use it.
        duration: seconds, from the request to open the session to the goodbye.
        steps: in the order in which they finished.
        transcript: the chat.
        connector: the name of the wire.
        server: its URL; empty if none was reached.
        on_simulator: the contact centre was botkit's own.
        session_id: the service's name of the chat; None if it was never opened.
        left: the chat was left, and the service confirmed it (or there was none to leave).
        asserted: how many assertions held or failed.
        notes: what the bot and its plugins wrote down.
        measurements: named durations in seconds, by plugins and bots.
        captured: what the bot's variables stood for at the end, as it may be shown and cut.
        warnings: what a person should know though it decided nothing.
        by_hand: a person stepped through it, so it shows nothing about a bot left to itself.
        frames: what went over the wire, oldest first; empty if nobody asked for it.
    """

    run_id: str
    journey_id: str
    bot: str
    name: str
    title: str = ""
    file: str | None = None
    tags: tuple[str, ...] = ()
    verdict: Verdict
    reason: Reason
    message: str = ""
    step: StepResult | None = None
    started_utc: float
    began: float
    duration: float
    steps: tuple[StepResult, ...] = ()
    transcript: tuple[Row, ...] = ()
    connector: str = ""
    server: str = ""
    on_simulator: bool = False
    session_id: str | None = None
    left: bool = True
    asserted: int = 0
    notes: tuple[str, ...] = ()
    measurements: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    captured: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[str, ...] = ()
    by_hand: bool = False
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """Several journeys of one command.

    Attributes:
        interrupted: a signal ended the run before its time.
        faults: what broke outside of any journey (a reporter, say), a line each.
    """

    run_id: str
    started_utc: float
    duration: float
    journeys: tuple[JourneyResult, ...]
    interrupted: bool = False
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What an alert sink delivers: one thing that is wrong, or right again.

    Attributes:
        key: the same for all alerts of one trouble; what deduplication goes by.
        firing: True while it is wrong, False when it is right again.
        title: one line.
        text: what a person needs to know at 3 a.m.
        since_utc: epoch seconds.
        journey: the evidence; None if no journey is behind it, or if it is told late, after a
            restart.
        kind: what is wrong, or was: ``down``, ``flapping`` (now it works, now it does not),
            ``degraded``, ``broken`` (nobody knows, for botkit, the bot or the set-up does not
            work), ``burning`` or ``draining`` (the error budget is spent far too fast, or too
            fast); others may add words of their own.
        monitor: the name of what is watched; empty if it is nothing by itself.
        location: where the probe stands; may be empty.
        link: where the evidence can be looked at; may be empty.
        ended_utc: epoch seconds when it was right again; None while it is wrong.
        reminder: counts how often it was told again without a change; 0 for news.
    """

    key: str
    firing: bool
    title: str
    text: str
    since_utc: float
    journey: JourneyResult | None = None
    kind: str = "down"
    monitor: str = ""
    location: str = ""
    link: str = ""
    ended_utc: float | None = None
    reminder: int = 0


def blame(error: BaseException) -> tuple[Verdict, Reason]:
    """Say whose fault it is that something in an open chat went wrong; the one place that knows."""
    match error:
        case ExpectationFailed():
            return Verdict.FAILED, Reason(error.reason)
        case AssertionError():
            return Verdict.FAILED, Reason.ASSERTION
        case ChatError():
            return Verdict.FAILED, Reason.CHAT_ERROR
        case ConnectorError():
            return Verdict.FAILED, Reason.LOST
        case RemoteProtocolError():
            return Verdict.FAILED, Reason.PROTOCOL
        case SessionClosed():
            return Verdict.FAILED, Reason.CHAT_ENDED
        case InboxOverflow():
            return Verdict.ERROR, Reason.OVERFLOW
        case PluginError():
            return Verdict.ERROR, Reason(error.reason)
        case ConfigError():
            return Verdict.ERROR, Reason.VARIABLE
        case _:
            return Verdict.ERROR, Reason.BOT


class ExitCode(enum.IntEnum):
    """Exit codes of ``botkit run``."""

    PASSED = 0
    FAILED = 1
    SIGNAL = 2
    ERROR = 3
    USAGE = 4
    NOTHING_RUN = 5
    DEGRADED = 10
    THRESHOLD = 11
    UNREACHABLE = 12


def exit_code(run: RunResult, *, fail_on_degraded: bool = False) -> ExitCode:
    """Decide the exit code of a run.

    Where several apply, the first of 2, 3, 1, 12, 10, 5 (4 never gets as far as a run).
    """
    verdicts = {journey.verdict for journey in run.journeys}
    if run.interrupted or Verdict.CANCELLED in verdicts:
        return ExitCode.SIGNAL
    if run.faults or Verdict.ERROR in verdicts:
        return ExitCode.ERROR
    if Verdict.FAILED in verdicts:
        failed = (j for j in run.journeys if j.verdict is Verdict.FAILED)
        return ExitCode.UNREACHABLE if _all_unreachable(failed) else ExitCode.FAILED
    if fail_on_degraded and Verdict.DEGRADED in verdicts:
        return ExitCode.DEGRADED
    if not verdicts - {Verdict.SKIPPED}:
        return ExitCode.NOTHING_RUN
    return ExitCode.PASSED


def _all_unreachable(failed: Iterable[JourneyResult]) -> bool:
    return all(journey.reason is Reason.UNREACHABLE for journey in failed)
