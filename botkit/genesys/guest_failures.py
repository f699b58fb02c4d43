"""The errors of web messaging, and what follows from each. Pure.

Source: official Kotlin SDK, ``ErrorCode``; the reference's section 8. Of 4012, 4014 to 4016, 4018,
4019 and 4021 to 4028 nothing is known: they refuse what was asked, and no more.
"""

from __future__ import annotations

import enum

from botkit.errors import ChatError
from botkit.genesys.web_records import OK, AttachmentFailed, Frame, TooManyRequests

DEFAULT_WAIT = 1.0
"""Seconds to wait where the service does not say how long."""
AUTHENTICATE_AGAIN = ("session authentication failed", "try to authenticate again")
"""How the texts of a 403 begin that a new sign-in cures; nothing else tells it from others."""


class FailureKind(enum.Enum):
    """What follows from a failure."""

    REFUSED = "refused"
    """What was asked for is not done; the chat goes on."""
    WAIT = "wait"
    """It was not done because too much was asked for; it may be asked again."""
    EXPIRED = "expired"
    """The session is gone for good."""
    SIGN_IN = "sign_in"
    """The JWT does not count any more."""
    NEW_TOKEN = "new_token"
    """The token belongs to an authenticated session; a guest needs another one."""
    READ_ONLY = "read_only"
    """The conversation takes no more messages."""
    ATTRIBUTES = "attributes"
    """The custom attributes are too large; they are lost."""
    UNEXPECTED = "unexpected"
    """The service itself failed, and may do better next time."""


EXPIRED = FailureKind.EXPIRED

TEMPORARY = (FailureKind.WAIT, FailureKind.UNEXPECTED)
KINDS = {
    401: FailureKind.SIGN_IN,
    409: FailureKind.READ_ONLY,
    429: FailureKind.WAIT,
    4006: FailureKind.EXPIRED,
    4007: FailureKind.EXPIRED,
    4013: FailureKind.ATTRIBUTES,
    4017: FailureKind.NEW_TOKEN,
    4029: FailureKind.WAIT,
    5000: FailureKind.UNEXPECTED,
    408: FailureKind.UNEXPECTED,
    **dict.fromkeys(range(500, 600), FailureKind.UNEXPECTED),
}
"""By code; everything else refuses what was asked."""


class GuestRefusal(ChatError):
    """A failure as the service told it.

    Args:
        kind: what follows from it.
        retry_after: seconds, of :attr:`FailureKind.WAIT`.
    """

    def __init__(
        self, code: int, description: str, *, kind: FailureKind, retry_after: float = 0.0
    ) -> None:
        super().__init__(code, description)
        self.kind = kind
        self.retry_after = retry_after


def failure_of(frame: Frame) -> GuestRefusal | None:
    """Read a failure out of a frame; None if it is none."""
    match frame.body:
        case TooManyRequests(retry_after=wait, code=code, message=text):
            return GuestRefusal(
                code or frame.code,
                text or "too many requests",
                kind=FailureKind.WAIT,
                retry_after=DEFAULT_WAIT if wait is None else wait,
            )
        case AttachmentFailed(code=code, message=text):
            return refusal_of(code or frame.code, text)
        case str(text) if frame.code != OK:
            return refusal_of(frame.code, text)
        case _ if frame.code != OK:
            return refusal_of(frame.code, "")
        case _:
            return None


def refusal_of(code: int, text: str, *, wait: float = 0.0) -> GuestRefusal:
    """Say what follows from a code, of a frame or of HTTP.

    Args:
        wait: seconds that the service asked to be left alone for; 0 if it did not.
    """
    kind = KINDS.get(code, FailureKind.REFUSED)
    if code == 403 and text.lower().startswith(AUTHENTICATE_AGAIN):
        kind = FailureKind.SIGN_IN
    return GuestRefusal(
        code,
        text or f"the service answered with code {code}",
        kind=kind,
        retry_after=wait or (DEFAULT_WAIT if kind is FailureKind.WAIT else 0.0),
    )


def is_temporary(error: ChatError) -> bool:
    """Tell whether the service may do another time what it refused."""
    return isinstance(error, GuestRefusal) and error.kind in TEMPORARY
