"""Faults that wait from the beginning: the opening of a chat, its agents, its goodbye."""

from __future__ import annotations

from matrix_model import (
    LINES,
    OPEN,
    REQUEST,
    NotHere,
    back,
    failed,
    not_opened,
    opening,
    passed,
    strike,
)

from botkit.results import Reason

NO_BAYEUX = NotHere("REST has no Bayeux sessions")
ONE_REQUEST = NotHere("the request for a chat is the first request")
GMS_REST_ONLY = NotHere("an answer of the REST API")

UNREACHABLE, PROTOCOL, REFUSED = Reason.UNREACHABLE, Reason.PROTOCOL, Reason.REFUSED
LOST, TIMEOUT, NOT_LEFT = Reason.LOST, Reason.TIMEOUT, Reason.NOT_LEFT
NOBODY_KNOWS = "the request may have been heard, and a second one would open a second chat"
SAID_PERHAPS = "the line may have been heard, so it is not said again"
SILENT = "by the end of the journey the service has ended the chat, for nothing was said"
ABANDONED = "nobody can leave it: its key never came; it ends when the service misses its polls"

OPENING_ROWS = (
    opening(
        "HTTP 500 to the first request, once",
        strike("http_500", OPEN, times=1),
        bayeux=passed(handshakes=1, rebinds=0),
        rest=passed(),
        guest=passed(),
    ),
    opening(
        "HTTP 500 to the first request, for ever",
        strike("http_500", OPEN),
        cometd=not_opened(UNREACHABLE, "answered with HTTP 500"),
        socket=not_opened(UNREACHABLE, "closed the WebSocket: 1011"),
        rest=not_opened(UNREACHABLE, "answered with HTTP 500"),
        guest=not_opened(REFUSED, "(code 500)", why="the code comes in a frame of the service"),
    ),
    opening(
        "HTML to the first request, once",
        strike("html", OPEN, times=1),
        bayeux=passed(handshakes=1, rebinds=0),
        rest=passed(),
        guest=passed(),
    ),
    opening(
        "HTML to the first request, for ever",
        strike("html", OPEN),
        cometd=not_opened(PROTOCOL, "something that is not Bayeux"),
        socket=not_opened(PROTOCOL, "a frame that is not Bayeux"),
        rest=not_opened(PROTOCOL, "something that is not JSON"),
        guest=not_opened(PROTOCOL, "is no JSON"),
    ),
    opening(
        "truncated JSON to the first request, once",
        strike("truncated_json", OPEN, times=1),
        bayeux=passed(handshakes=1, rebinds=0),
        guest=passed(),
        rest=not_opened(
            UNREACHABLE,
            "broke the connection before its reply was whole",
            chats=1,
            not_left=1,
            complete=False,
            why=f"{NOBODY_KNOWS}; {ABANDONED}",
        ),
    ),
    opening(
        "truncated JSON to the first request, for ever",
        strike("truncated_json", OPEN),
        cometd=not_opened(UNREACHABLE, "broke the connection before its reply was whole"),
        socket=not_opened(PROTOCOL, "a frame that is not Bayeux"),
        guest=not_opened(PROTOCOL, "is no JSON"),
        rest=NotHere("as once: it is not asked again"),
    ),
    opening(
        "the connection is cut under the first request, once",
        strike("kill_connection", OPEN, times=1),
        bayeux=passed(handshakes=1, rebinds=0),
        guest=passed(),
        rest=not_opened(
            UNREACHABLE,
            "broke the connection before its reply was whole",
            chats=1,
            not_left=1,
            complete=False,
            why=f"{NOBODY_KNOWS}; {ABANDONED}",
        ),
    ),
    opening(
        "the connection is cut under the first request, for ever",
        strike("kill_connection", OPEN),
        cometd=not_opened(UNREACHABLE, "broke the connection before its reply was whole"),
        socket=not_opened(UNREACHABLE, "broke the connection"),
        guest=not_opened(UNREACHABLE, "broke the connection"),
        rest=NotHere("as once: it is not asked again"),
    ),
    opening(
        "no answer to the first request, once",
        strike("stall", OPEN, times=1),
        bayeux=passed(handshakes=1, rebinds=0),
        rest=not_opened(UNREACHABLE, "did not answer", why=NOBODY_KNOWS),
        guest=passed(),
    ),
    opening(
        "no answer to the first request, for ever",
        strike("stall", OPEN),
        bayeux=not_opened(UNREACHABLE, "did not answer"),
        guest=not_opened(UNREACHABLE, "did not configure the session in time"),
        rest=NotHere("as once: it is not asked again"),
    ),
    opening(
        "the first answer comes byte by byte",
        strike("slow_drip", OPEN),
        bayeux=passed(handshakes=0, rebinds=0),
        rest=passed(),
        guest=passed(),
    ),
    opening(
        "the handshake is refused, advice none",
        strike("refused_handshake", option="none"),
        bayeux=not_opened(REFUSED, "403::handshake_denied", handshakes=0),
        guest=not_opened(REFUSED, "(code 4000)", why="code 4000 to configureSession"),
        rest=NO_BAYEUX,
    ),
    opening(
        "the handshake is refused, advice handshake, twice",
        strike("refused_handshake", option="handshake", times=2),
        bayeux=passed(handshakes=2, rebinds=0),
        guest=passed(why="code 5000 to configureSession"),
        rest=NO_BAYEUX,
    ),
    opening(
        "the handshake is refused, advice handshake, for ever",
        strike("refused_handshake", option="handshake"),
        bayeux=not_opened(REFUSED, "403::handshake_denied"),
        guest=not_opened(REFUSED, "(code 5000)", why="code 5000 to configureSession"),
        rest=NO_BAYEUX,
    ),
    opening(
        "the service refuses the chat",
        strike("refuse_chat"),
        bayeux=not_opened(REFUSED, "no chat is opened"),
        rest=not_opened(REFUSED, "no chat is opened"),
        guest=not_opened(REFUSED, "no conversation is opened"),
    ),
    opening(
        "HTTP 500 to the request for a chat",
        strike("http_500", REQUEST),
        cometd=not_opened(UNREACHABLE, "answered with HTTP 500", why=NOBODY_KNOWS),
        socket=not_opened(UNREACHABLE, "closed the WebSocket: 1011", why=NOBODY_KNOWS),
        guest=not_opened(REFUSED, "(code 500)"),
        rest=ONE_REQUEST,
    ),
    opening(
        "HTML to the request for a chat",
        strike("html", REQUEST),
        cometd=not_opened(PROTOCOL, "something that is not Bayeux", why=NOBODY_KNOWS),
        socket=not_opened(PROTOCOL, "a frame that is not Bayeux", why=NOBODY_KNOWS),
        guest=not_opened(PROTOCOL, "is no JSON"),
        rest=ONE_REQUEST,
    ),
    opening(
        "no answer to the request for a chat",
        strike("stall", REQUEST),
        bayeux=not_opened(UNREACHABLE, "did not answer", why=NOBODY_KNOWS),
        guest=failed(
            TIMEOUT,
            words="expected the event agent_connected",
            interrupted=1,
            continued=1,
            reached=(),
            chats=0,
            why=NOBODY_KNOWS,
        ),
        rest=ONE_REQUEST,
    ),
    opening(
        "truncated JSON to the request for a chat",
        strike("truncated_json", REQUEST),
        bayeux=passed(handshakes=0, why="the chat's first push answers it"),
        guest=passed(why="the echo tells that it was heard"),
        rest=ONE_REQUEST,
    ),
    opening(
        "the connection is cut under the request for a chat",
        strike("kill_connection", REQUEST),
        bayeux=passed(handshakes=0, why="the chat's first push answers it"),
        guest=back(times=None, why="so is every line after it; the echo tells that it was heard"),
        rest=ONE_REQUEST,
    ),
    opening(
        "the Bayeux session is unknown at the request for a chat, once",
        strike("unknown_session", REQUEST, times=1),
        bayeux=passed(handshakes=1, rebinds=1),
        guest=not_opened(REFUSED, "(code 4007)", why="a session that is gone is gone: code 4007"),
        rest=NO_BAYEUX,
    ),
    opening(
        "the Bayeux session is unknown at the request for a chat, for ever",
        strike("unknown_session", REQUEST),
        bayeux=not_opened(UNREACHABLE, "forgets the session again and again"),
        rest=NO_BAYEUX,
        guest=NotHere("as once: it is not asked again"),
    ),
)

AGENT_ROWS = (
    opening(
        "no agent ever joins",
        strike("agent_never_joins"),
        all=failed(TIMEOUT, words="expected the event agent_connected within 40 s", reached=()),
    ),
    opening(
        "the agent leaves, and nobody comes instead",
        strike("agent_leaves"),
        all=failed(TIMEOUT, words='expected a message containing "You said: one"'),
    ),
    opening("a second agent takes over", strike("transfer"), all=passed()),
    opening(
        "the service does not confirm that the chat was left",
        strike("no_chat_end"),
        all=failed(NOT_LEFT, words="the chat may still be open", not_left=1, reached=LINES),
    ),
)
