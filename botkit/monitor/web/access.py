"""Who may read the page, and who may act: one token, and what is derived from it; no I/O.

Theory of operation: programs show the token itself (``Authorization: Bearer``). Browsers show a
cookie, which holds until when it counts and a signature made with the token: nothing is kept here,
a restart signs nobody out, and another token signs out all. Cookies are sent by other pages of the
same machine too, whatever their port, so a form that acts also carries a proof: a signature over
its visitor's cookie, which only pages of ours know.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass

from botkit.errors import ConfigError

SIGNED_IN = 12 * 3600
"""Seconds that a browser stays signed in."""
LEAST_TOKEN = 16
"""Characters of a token that strangers may guess at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a request may do.

    Attributes:
        bearer: it showed the token.
        cookie: of somebody who is signed in; None if nobody is.
    """

    bearer: bool = False
    cookie: str | None = None

    @property
    def known(self) -> bool:
        """Somebody who has, or had, the token."""
        return self.bearer or self.cookie is not None


class Keys:
    """Tells those who have the token, in times that say nothing about it.

    Args:
        token: blanks around it do not count: files end with a line end.
    """

    def __init__(self, token: str) -> None:
        self._token = token.strip().encode()
        # Monitors at several ports of one machine share their cookies.
        self.cookie_name = f"botkit_{self._sign('name')[:8]}"

    def is_token(self, text: str) -> bool:
        """Say whether this is the token."""
        return hmac.compare_digest(text.strip().encode("utf-8", "replace"), self._token)

    def new_cookie(self, now: float) -> str:
        """Make the cookie of somebody who signs in at this time, epoch seconds."""
        until = str(int(now) + SIGNED_IN)
        return f"{until}.{self._sign('cookie', until)}"

    def is_cookie(self, text: str, now: float) -> bool:
        """Say whether a cookie was made here and still counts."""
        until, _, signature = text.partition(".")
        genuine = _same(signature, self._sign("cookie", until))
        return genuine and now < int(until)

    def proof(self, cookie: str) -> str:
        """Give what forms of this visitor carry."""
        return self._sign("form", cookie)

    def is_proof(self, text: str, cookie: str) -> bool:
        """Say whether a form came from a page that this visitor was given."""
        return _same(text, self.proof(cookie))

    def _sign(self, *words: str) -> str:
        message = "\0".join(words).encode("utf-8", "replace")
        return hmac.new(self._token, message, hashlib.sha256).hexdigest()


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def check_binding(host: str, token: str | None) -> None:
    """See that nothing is served to strangers.

    Raises:
        ConfigError: others reach this host, and there is no token, or a short one.
    """
    if token is not None and not token.strip():
        raise ConfigError("the token of the page is empty", key="token")
    if is_loopback(host):
        return
    if token is None:
        message = f"others reach the page at {host!r}: it needs a token, or the host 127.0.0.1"
        raise ConfigError(message, key="token")
    if len(token.strip()) < LEAST_TOKEN:
        message = f"others reach the page at {host!r}: its token has less than {LEAST_TOKEN}"
        raise ConfigError(f"{message} characters", key="token")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())
