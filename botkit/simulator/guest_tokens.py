"""The tokens of the guest API: for the history, and for customers who have signed in. Pure.

They are JSON Web Tokens that only the simulator that wrote them believes. A guest's token opens the
history of one session. A customer who signs in gets one for a *subject*, with another that renews
it; to sign out makes both worthless.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from botkit.simulator.guest_wire import Code, GuestError

__all__ = ["Claims", "GuestTokens", "Use"]

MAX_REVOKED = 10_000
MAX_TOKEN = 10_000
HEADER = b'{"alg":"HS256","typ":"JWT"}'


class Use:
    """What a token is good for."""

    GUEST = "guest"
    CUSTOMER = "customer"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token says.

    Attributes:
        subject: a session's token for a guest, an identity for a customer.
        expires: epoch seconds.
    """

    subject: str
    use: str
    expires: int


class GuestTokens:
    """Writes and reads tokens.

    Args:
        rng: where the secret and the subjects come from.
        utc: tells the calendar time, epoch seconds.
    """

    def __init__(self, rng: random.Random, utc: Callable[[], float]) -> None:
        self._rng = rng
        self._utc = utc
        self._secret = rng.randbytes(32)
        self._revoked: OrderedDict[str, None] = OrderedDict()

    def new_subject(self) -> str:
        """Name somebody who has signed in."""
        return f"{self._rng.getrandbits(128):032x}"

    def write(self, subject: str, use: str, *, lifetime: float) -> tuple[str, int]:
        """Write a token; returns when it expires, too."""
        expires = int(self._utc() + lifetime)
        claims = orjson.dumps({"sub": subject, "use": use, "exp": expires})
        signed = f"{encoded(HEADER)}.{encoded(claims)}"
        return f"{signed}.{encoded(self._sign(signed))}", expires

    def read(self, token: str, *uses: str) -> Claims:
        """Read a token.

        Args:
            uses: what it must be good for, one of these.

        Raises:
            GuestError: it has expired, was revoked, or is none of ours.
        """
        signed, _, signature = token.rpartition(".")
        if len(token) > MAX_TOKEN or not hmac.compare_digest(
            encoded(self._sign(signed)).encode(), signature.encode("utf-8", "replace")
        ):
            raise GuestError(Code.UNAUTHORIZED, "this token is none of the simulator's")
        raw = orjson.loads(decoded(signed.rpartition(".")[2]))
        claims = Claims(subject=raw["sub"], use=raw["use"], expires=raw["exp"])
        if claims.use not in uses:
            raise GuestError(Code.UNAUTHORIZED, "this token is good for something else")
        if claims.expires <= self._utc():
            raise GuestError(Code.UNAUTHORIZED, "User is unauthorized: the token has expired")
        if claims.subject in self._revoked:
            raise GuestError(Code.FORBIDDEN, "Session authentication failed: signed out")
        return claims

    def revoke(self, subject: str) -> None:
        """Make all tokens of somebody who has signed out worthless."""
        self._revoked[subject] = None
        if len(self._revoked) > MAX_REVOKED:
            self._revoked.popitem(last=False)

    def _sign(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode("utf-8", "replace"), hashlib.sha256)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
