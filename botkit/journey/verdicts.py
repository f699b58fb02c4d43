"""Who is to blame: from what happened in a journey to its verdict. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from botkit.chat import EndedBy, Event, Interrupted, SessionEnded
from botkit.errors import (
    BotkitError,
    ChatRefused,
    ConfigError,
    ConnectorError,
    RemoteProtocolError,
)
from botkit.results import Reason, StepResult, Verdict, blame

FOR_LACK_OF_A_CONNECTION = (Reason.TIMEOUT, Reason.WHOLE_CHAT, Reason.CHAT_ENDED)
"""What a journey ends with when nothing comes any more, for whatever reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the script of a journey ended."""

    verdict: Verdict = Verdict.PASSED
    reason: Reason = Reason.OK
    message: str = ""
    step: StepResult | None = None


def of_opening(error: BaseException) -> Ending:
    """Judge what kept a session from being opened.

    A server that nobody can reach or that talks nonsense is the service's failure: it is what a
    monitor is for. A proxy, a certificate file or an option that does not work is the user's own.
    No code of the bot has run yet.
    """
    match error:
        case ChatRefused():
            verdict, reason = Verdict.FAILED, Reason.REFUSED
        case ConnectorError(kind="proxy") | ConfigError():
            verdict, reason = Verdict.ERROR, Reason.SETUP
        case ConnectorError():
            verdict, reason = Verdict.FAILED, Reason.UNREACHABLE
        case RemoteProtocolError():
            verdict, reason = Verdict.FAILED, Reason.PROTOCOL
        case BotkitError():
            return of_script(error)
        case _:
            return of_mistake(error)
    return Ending(verdict=verdict, reason=reason, message=str(error))


def of_mistake(error: BaseException) -> Ending:
    """Judge what nobody raises on purpose."""
    message = f"{type(error).__name__}: {error}"
    return Ending(verdict=Verdict.ERROR, reason=Reason.INTERNAL, message=message)


def of_script(error: BaseException) -> Ending:
    """Judge what a script or a hook raised."""
    verdict, reason = blame(error)
    message = str(error) or type(error).__name__
    if reason is Reason.BOT and not isinstance(error, BotkitError):
        message = f"the bot raised {type(error).__name__}: {error}"
    return Ending(verdict=verdict, reason=reason, message=message)


def in_view_of(ending: Ending, last: Event | None, *, began: float) -> Ending:
    """Name the cause where a script ended because the connection was lost and not won back.

    Args:
        last: what was heard last of the connection: that it was lost, that it was won back, or
            how the session ended; None if nothing was.
        began: the loop's clock when the journey began.
    """
    if ending.verdict is not Verdict.FAILED or ending.reason not in FOR_LACK_OF_A_CONNECTION:
        return ending
    match last:
        case SessionEnded(by=EndedBy.LOST):
            return replace(ending, reason=Reason.LOST)
        case Interrupted(at=at, description=why):
            since = f"the connection has been lost since {at - began:.1f} s: {why}"
            return replace(ending, reason=Reason.LOST, message=f"{ending.message}; {since}")
        case _:
            return ending


def conclude(
    ending: Ending, *, steps: Sequence[StepResult], asserted: int, left: bool, goodbye: str
) -> Ending:
    """Decide the verdict of the journey from how its script ended and what else is known.

    Args:
        ending: of the script.
        steps: all that finished.
        asserted: how many assertions there were; a pass without any means nothing.
        left: the service confirmed that the chat was left.
        goodbye: how the session ended, in words.
    """
    if ending.verdict not in (Verdict.PASSED, Verdict.DEGRADED):
        return ending
    if asserted == 0:
        return Ending(
            verdict=Verdict.ERROR,
            reason=Reason.ASSERTED_NOTHING,
            message="nothing was asserted: add an expect, a wait_for or a never",
        )
    broken = next((step for step in steps if step.asserts and step.verdict is Verdict.FAILED), None)
    if broken is not None:
        return Ending(
            verdict=Verdict.FAILED,
            reason=broken.reason,
            message=f"{broken.message}; the bot went on all the same",
            step=broken,
        )
    if not left:
        return Ending(
            verdict=Verdict.FAILED,
            reason=Reason.NOT_LEFT,
            message=f"the chat may still be open at the service: {goodbye}",
        )
    if ending.verdict is Verdict.PASSED:
        slow = next((step for step in steps if step.verdict is Verdict.DEGRADED), None)
        if slow is not None:
            return Ending(
                verdict=Verdict.DEGRADED, reason=slow.reason, message=slow.message, step=slow
            )
    return ending
