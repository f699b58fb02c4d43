"""Rows of the matrix for bad networks: statuses, TLS, names, proxies, and replies without end.

The parts of a row name what stands at the other end; ``networks.py`` builds it on real sockets.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace

import rogues
from matrix_model import COLUMNS, NotHere
from rogues import Rogue, answers, reply, says_status, upgrades

from botkit.results import Reason, Verdict

OPEN_WITHIN = 2.0
"""The limit of opening here; by default botkit gives a server 15 s."""
DECIDED = 4.5
"""Seconds, for what is decided after one retry, or at the limit of opening."""
GOODBYE = 9.0
"""Seconds, where besides that a chat may have been opened that is to be left."""
MUCH = 4.0
"""The limit of opening where megabytes are read before it is known that they are too many."""
MUCH_DECIDED = MUCH + GOODBYE


class Tls(enum.Enum):
    """What a client that asks for TLS meets."""

    NO = "no TLS is asked for"
    VALID = "a certificate that is trusted"
    EXPIRED = "an expired one"
    OTHER_HOST = "one of another host"
    SELF_SIGNED = "a self-signed one"
    UNKNOWN_CA = "one of an unknown authority"
    NONE = "no TLS at all"
    UNASKED = "TLS where none is asked for"


class Proxy(enum.Enum):
    """What stands between."""

    NO = "nothing"
    REFUSING = "nobody listens"
    NAMELESS = "its name does not exist"
    ROGUE = "the rogue is the proxy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a journey ends.

    Attributes:
        words: all of them are in its message; ``{at}`` is the address of the rogue.
        within: seconds.
    """

    verdict: Verdict = Verdict.FAILED
    reason: Reason
    words: tuple[str, ...] = ("{at}",)
    within: float = DECIDED
    why: str = ""

    @property
    def code(self) -> int:
        """The exit code of a run with this journey alone."""
        if self.verdict is Verdict.ERROR:
            return 3
        return 12 if self.reason is Reason.UNREACHABLE else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One row.

    Attributes:
        rogue: serves every connection; None where nobody does.
        host: a name instead of the rogue's address.
        tls, proxy: what else is wrong.
        open_within: the limit of opening, seconds.
        cells: by the key of the column.
    """

    what: str
    rogue: Rogue | None = None
    host: str = ""
    tls: Tls = Tls.NO
    proxy: Proxy = Proxy.NO
    open_within: float = OPEN_WITHIN
    cells: Mapping[str, Ending | NotHere]


def everywhere(ending: Ending | NotHere, **others: Ending | NotHere) -> dict[str, Ending | NotHere]:
    return {column.key: ending for column in COLUMNS} | others


def unreachable(*words: str, within: float = DECIDED, why: str = "", at: str = "{at}") -> Ending:
    return Ending(reason=Reason.UNREACHABLE, words=(at, *words), within=within, why=why)


def nonsense(*words: str, within: float = DECIDED, why: str = "") -> Ending:
    return Ending(reason=Reason.PROTOCOL, words=("{at}", *words), within=within, why=why)


def set_up(*words: str, why: str = "") -> Ending:
    """The user's own set-up does not work."""
    return Ending(verdict=Verdict.ERROR, reason=Reason.SETUP, words=("{at}", *words), why=why)


def refused(*words: str, why: str = "") -> Ending:
    return Ending(reason=Reason.REFUSED, words=("{at}", *words), why=why)


SLOWLY = unreachable(within=GOODBYE)
NO_REDIRECTS = "redirects are not followed: a key of a chat goes where the user sent it"
A_WORD_OF_THE_SERVICE = "the service says so of the deployment"


def status(code: int, *words: str, guest: Ending | None = None, **headers: str) -> Network:
    """Make the row of one HTTP status, whatever is asked for."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    ending = unreachable(f"HTTP {code}", *words)
    return Network(
        what=f"HTTP {code}",
        rogue=says_status(code, *lines),
        cells=everywhere(ending, guest=guest or ending),
    )


def refusal(code: int, *words: str) -> Network:
    said = refused(f"HTTP {code}", *words, why=A_WORD_OF_THE_SERVICE)
    return status(code, *words, guest=said)


STATUS_ROWS = (
    Network(
        what="HTTP 100 and nothing more",
        rogue=says_status(100),
        cells=everywhere(unreachable("before its reply was whole")),
    ),
    Network(
        what="HTTP 101, unasked or without the headers of an upgrade",
        rogue=says_status(101),
        cells=everywhere(
            nonsense("switched protocols unasked"),
            socket=nonsense("did not switch to WebSocket"),
            guest=nonsense("is not HTTP"),
        ),
    ),
    Network(
        what="HTTP 204",
        rogue=says_status(204),
        cells=everywhere(unreachable("HTTP 204"), guest=nonsense("something else than JSON")),
    ),
    *(
        status(code, "it has moved to 'http://127.0.0.1:1/'", Location="http://127.0.0.1:1/")
        for code in (301, 302, 307)
    ),
    refusal(400),
    refusal(401, "it wants a user and a password"),
    refusal(403, "it lets nobody in from here"),
    refusal(404, "is the path of the URL right?"),
    Network(
        what="HTTP 407",
        rogue=says_status(407),
        cells=everywhere(
            set_up("the proxy wants a user and a password", why="only proxies say so")
        ),
    ),
    status(408, "it waited too long"),
    refusal(413, "the request is too large"),
    status(429, "too many requests", "it asks for patience: '1'", Retry_After="1"),
    status(500, "its log tells more"),
    status(502, "does not reach the service"),
    status(503, "overloaded or in maintenance"),
    status(504, "does not reach the service"),
)

LARGER = "larger than 16777216 bytes"
UNTIL_THE_LIMIT = unreachable(within=GOODBYE, why="the limit of opening comes first")
TOO_MUCH = nonsense(LARGER, within=MUCH_DECIDED)
ANY_BODY = unreachable("HTTP 200", "instead of a WebSocket", why="nobody reads the body")
ANY_LENGTH = replace(ANY_BODY, within=MUCH_DECIDED)
NO_SOCKETS = NotHere("there is no WebSocket")

REPLY_ROWS = (
    Network(
        what="a reply of 100 MB, announced",
        rogue=rogues.announces_much,
        cells=everywhere(nonsense("announced a reply of 104857600 bytes"), socket=ANY_BODY),
    ),
    Network(
        what="a reply of 100 MB in chunks",
        rogue=rogues.sends_much_in_chunks,
        open_within=MUCH,
        cells=everywhere(TOO_MUCH, socket=ANY_LENGTH),
    ),
    Network(
        what="a reply of 100 MB that ends with the connection",
        rogue=rogues.sends_much_until_the_end,
        open_within=MUCH,
        cells=everywhere(TOO_MUCH, socket=ANY_LENGTH),
    ),
    Network(
        what="100 MB in 100 KB of gzip, unasked",
        rogue=answers(rogues.bomb),
        open_within=MUCH,
        cells=everywhere(TOO_MUCH, socket=ANY_LENGTH),
    ),
    Network(
        what="JSON of 100,000 levels",
        rogue=answers(lambda: reply(200, rogues.nested())),
        cells=everywhere(nonsense("something"), socket=ANY_BODY),
    ),
    Network(
        what="headers without end",
        rogue=rogues.sends_headers_for_ever,
        cells=everywhere(nonsense("exceeds 65536 bytes"), guest=nonsense("too long")),
    ),
    Network(
        what="interim replies without end",
        rogue=rogues.interim_for_ever,
        cells=everywhere(nonsense("exceeds 65536 bytes"), guest=UNTIL_THE_LIMIT),
    ),
    Network(
        what="a WebSocket with a frame of 100 MB",
        rogue=upgrades(rogues.sends_a_huge_frame),
        cells=everywhere(
            NO_SOCKETS, socket=nonsense(LARGER), guest=nonsense(LARGER, within=GOODBYE)
        ),
    ),
    Network(
        what="a WebSocket with a message of fragments without end",
        rogue=upgrades(rogues.sends_fragments_for_ever),
        open_within=MUCH,
        cells=everywhere(NO_SOCKETS, socket=TOO_MUCH, guest=TOO_MUCH),
    ),
    Network(
        what="a WebSocket with JSON of 100,000 levels",
        rogue=upgrades(rogues.sends_a_nested_frame),
        cells=everywhere(
            NO_SOCKETS,
            socket=nonsense("a frame that is not Bayeux"),
            guest=nonsense("is no JSON", within=GOODBYE),
        ),
    ),
    Network(what="one byte a second", rogue=rogues.drips, cells=everywhere(SLOWLY)),
    Network(
        what="a WebSocket with what are no frames",
        rogue=upgrades(rogues.sends_rubbish),
        cells=everywhere(
            NO_SOCKETS,
            socket=nonsense("broke the rules of WebSocket"),
            guest=nonsense("broke the rules of WebSocket", within=GOODBYE),
        ),
    ),
    Network(
        what="a WebSocket that is closed at once",
        rogue=upgrades(rogues.closes_at_once),
        cells=everywhere(
            NO_SOCKETS,
            socket=unreachable("closed the WebSocket: 1013"),
            guest=unreachable("closed the WebSocket: 1013", within=GOODBYE),
        ),
    ),
    Network(
        what="a WebSocket that says nothing",
        rogue=upgrades(rogues.says_nothing_more),
        cells=everywhere(NO_SOCKETS, socket=SLOWLY, guest=SLOWLY),
    ),
)

MEASURED_ROWS = REPLY_ROWS[:-4]
"""The rows whose memory is measured: all that send much."""

NO_TLS_THERE = unreachable("does not speak TLS on this port")
WAY_OUT = "verify: false skips the check"

REACHING_ROWS = (
    Network(
        what="nobody listens",
        cells=everywhere(unreachable("refuses connections: is the server running?")),
    ),
    Network(
        what="the host name does not exist",
        host="chat.invalid",
        cells=everywhere(unreachable("chat.invalid cannot be resolved", at="")),
    ),
    Network(
        what="the connection is reset",
        rogue=rogues.resets,
        cells=everywhere(unreachable("broke the connection")),
    ),
    Network(
        what="the connection is accepted and closed",
        rogue=rogues.hangs_up,
        cells=everywhere(
            unreachable("closed the connection without a reply"),
            guest=unreachable("broke the connection"),
        ),
    ),
    Network(
        what="the connection is accepted, and silence",
        rogue=rogues.is_silent,
        cells=everywhere(SLOWLY),
    ),
    Network(
        what="an expired certificate",
        rogue=rogues.is_silent,
        tls=Tls.EXPIRED,
        cells=everywhere(unreachable("has expired: it must be renewed there", WAY_OUT)),
    ),
    Network(
        what="a certificate of another host",
        rogue=rogues.is_silent,
        tls=Tls.OTHER_HOST,
        cells=everywhere(unreachable("was issued for another address", WAY_OUT)),
    ),
    Network(
        what="a self-signed certificate",
        rogue=rogues.is_silent,
        tls=Tls.SELF_SIGNED,
        cells=everywhere(unreachable("is self-signed: give it as ca_file to trust it", WAY_OUT)),
    ),
    Network(
        what="a certificate of an unknown authority",
        rogue=rogues.is_silent,
        tls=Tls.UNKNOWN_CA,
        cells=everywhere(unreachable("give its certificate as ca_file", WAY_OUT)),
    ),
    Network(
        what="plain HTTP where TLS is asked for",
        rogue=rogues.speaks_plainly,
        tls=Tls.NONE,
        cells=everywhere(NO_TLS_THERE),
    ),
    Network(
        what="TLS where plain HTTP is asked for",
        rogue=rogues.is_silent,
        tls=Tls.UNASKED,
        cells=everywhere(
            unreachable("is it https:// there?"),
            socket=unreachable("is it wss:// there?"),
            guest=unreachable("broke the connection"),
        ),
    ),
    Network(
        what="silence where TLS is asked for",
        rogue=rogues.never_speaks,
        tls=Tls.NONE,
        cells=everywhere(SLOWLY),
    ),
)

DOWN = set_up("no way to the proxy", "refuses connections")
UNNAMED = Ending(
    verdict=Verdict.ERROR,
    reason=Reason.SETUP,
    words=("no way to the proxy", "proxy.invalid:3128 cannot be resolved"),
)
NO_TUNNEL = set_up("does not lead to 127.0.0.1:9")
NO_TUNNEL_FOR_TLS = set_up("does not lead to https://127.0.0.1:9")
SILENT = unreachable(
    "through the proxy http://{at}", within=GOODBYE, why="nobody can tell who is silent"
)
HUNG_UP = unreachable("through the proxy http://{at}", why="nobody can tell who hung up")

PROXY_ROWS = (
    Network(what="a proxy that is down", proxy=Proxy.REFUSING, cells=everywhere(DOWN)),
    Network(
        what="a proxy that is down, on the way to TLS",
        tls=Tls.VALID,
        proxy=Proxy.REFUSING,
        cells=everywhere(DOWN),
    ),
    Network(
        what="a proxy whose name does not exist", proxy=Proxy.NAMELESS, cells=everywhere(UNNAMED)
    ),
    Network(
        what="a proxy that says 407",
        proxy=Proxy.ROGUE,
        rogue=says_status(407),
        cells=everywhere(
            Ending(
                verdict=Verdict.ERROR,
                reason=Reason.SETUP,
                words=("HTTP 407", "the proxy wants a user and a password"),
            ),
            socket=NO_TUNNEL,
        ),
    ),
    Network(
        what="a proxy that says 407, on the way to TLS",
        rogue=says_status(407),
        cells=everywhere(NO_TUNNEL_FOR_TLS, socket=NO_TUNNEL),
        tls=Tls.VALID,
        proxy=Proxy.ROGUE,
    ),
    Network(
        what="a proxy that says 502",
        proxy=Proxy.ROGUE,
        rogue=says_status(502),
        cells=everywhere(
            unreachable("HTTP 502", at="", why="nobody can tell whether the proxy says so"),
            socket=NO_TUNNEL,
        ),
    ),
    Network(
        what="a proxy that says 502, on the way to TLS",
        rogue=says_status(502),
        cells=everywhere(NO_TUNNEL_FOR_TLS, socket=NO_TUNNEL),
        tls=Tls.VALID,
        proxy=Proxy.ROGUE,
    ),
    Network(
        what="a proxy that hangs",
        proxy=Proxy.ROGUE,
        rogue=rogues.is_silent,
        cells=everywhere(SILENT),
    ),
    Network(
        what="a proxy that hangs, on the way to TLS",
        rogue=rogues.is_silent,
        cells=everywhere(SILENT),
        tls=Tls.VALID,
        proxy=Proxy.ROGUE,
    ),
    Network(
        what="a proxy that leads nowhere, on the way to TLS",
        rogue=rogues.tunnels_to_nowhere,
        cells=everywhere(SILENT),
        tls=Tls.VALID,
        proxy=Proxy.ROGUE,
    ),
    Network(
        what="a proxy that hangs up",
        proxy=Proxy.ROGUE,
        rogue=rogues.hangs_up,
        cells=everywhere(HUNG_UP, socket=NO_TUNNEL),
    ),
    Network(
        what="a proxy that hangs up, on the way to TLS",
        rogue=rogues.hangs_up,
        cells=everywhere(HUNG_UP, socket=NO_TUNNEL),
        tls=Tls.VALID,
        proxy=Proxy.ROGUE,
    ),
)

NETWORK_SECTIONS = {
    "Reaching the server": REACHING_ROWS,
    "Proxies": PROXY_ROWS,
    "HTTP status, whatever is asked for": STATUS_ROWS,
    "Replies without measure": REPLY_ROWS,
}
