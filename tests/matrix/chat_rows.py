"""Faults that come in mid-chat: lost pushes, lost connections, lost sessions, all at random."""

from __future__ import annotations

from matrix_model import (
    ANY,
    POLL,
    SAY,
    NotHere,
    Outage,
    back,
    failed,
    in_chat,
    passed,
    strike,
)

from botkit.results import Reason

GUEST_ONLY = NotHere("an answer of the guest API")
NO_POLLS = NotHere("there are no polls")
ECHOED = "the echo tells that the line was heard"
NO_ANSWER = "the service did not answer in time"
CHAT_ERROR, CHAT_ENDED = Reason.CHAT_ERROR, Reason.CHAT_ENDED
NO_BAYEUX = NotHere("REST has no Bayeux sessions")
ONE_REQUEST = NotHere("the request for a chat is the first request")
GMS_REST_ONLY = NotHere("an answer of the REST API")

UNREACHABLE, PROTOCOL, REFUSED = Reason.UNREACHABLE, Reason.PROTOCOL, Reason.REFUSED
LOST, TIMEOUT, NOT_LEFT = Reason.LOST, Reason.TIMEOUT, Reason.NOT_LEFT
NOBODY_KNOWS = "the request may have been heard, and a second one would open a second chat"
SAID_PERHAPS = "the line may have been heard, so it is not said again"
SILENT = "by the end of the journey the service has ended the chat, for nothing was said"
ABANDONED = "nobody can leave it: its key never came; it ends when the service misses its polls"

PUSH_ROWS = (
    in_chat(
        "a message is lost for good",
        strike("lost_message", times=1),
        all=failed(TIMEOUT, words='expected a message containing "You said: one"', complete=False),
    ),
    in_chat(
        "a message is lost, then the Bayeux session",
        strike("lost_message", times=1),
        strike("session_expiry", POLL, times=1, after=1),
        bayeux=back(handshakes=1, rebinds=1, why="a new session asks for all that it has not seen"),
        rest=NO_BAYEUX,
        guest=NotHere("a session that has expired ends its chat"),
    ),
    in_chat("every push comes twice", strike("duplicate_message", "any"), all=passed()),
    in_chat("a message comes late", strike("delay_message", times=1), all=passed()),
    in_chat("every push comes late", strike("delay_message", "any"), all=passed()),
    in_chat("two messages change places", strike("reorder_messages", times=1), all=passed()),
    in_chat("all pushes change places", strike("reorder_messages", "any"), all=passed()),
)

SOCKET_IS_CLOSED = NotHere(
    "each poll costs the socket, and what is said between two of them is heard: it may pass"
)
STILL_PUSHED = passed(interrupted=1, why="on an open socket lines and pushes go on without polls")
ONLY_AN_ECHO = passed(why="a health check that is refused was answered")

CONNECTION_ROWS = (
    *(
        row
        for name, what, for_ever, echo in (
            ("http_500", "HTTP 500", SOCKET_IS_CLOSED, ONLY_AN_ECHO),
            ("html", "HTML", SOCKET_IS_CLOSED, back()),
            ("truncated_json", "truncated JSON", STILL_PUSHED, back()),
        )
        for row in (
            in_chat(
                f"{what} to a poll, once",
                strike(name, POLL, times=1),
                bayeux=back(handshakes=0, rebinds=1),
                rest=back(),
                guest=echo,
            ),
            in_chat(
                f"{what} to a poll, three times",
                strike(name, POLL, times=3),
                bayeux=back(handshakes=0, rebinds=1),
                rest=back(),
                guest=echo,
            ),
            in_chat(
                f"{what} to every poll from then on",
                strike(name, POLL),
                cometd=failed(LOST, interrupted=1, complete=False),
                socket=for_ever,
                guest=echo,
                rest=failed(
                    LOST, interrupted=1, reached=(), complete=False, not_left=1, why=SILENT
                ),
            ),
        )
    ),
    in_chat(
        "the connection is cut under a poll, once",
        strike("kill_connection", POLL, times=1),
        bayeux=back(handshakes=0, rebinds=1),
        rest=back(),
        guest=back(),
    ),
    in_chat(
        "the connection is cut under a poll, four times",
        strike("kill_connection", POLL, times=4),
        bayeux=back(handshakes=0, rebinds=1),
        rest=back(),
        guest=back(),
    ),
    in_chat(
        "no answer to a poll, once",
        strike("stall", POLL, times=1),
        bayeux=back(handshakes=1, rebinds=1, why="by then the server has dropped the session"),
        rest=back(),
        guest=back(),
    ),
    in_chat(
        "every answer to a poll comes byte by byte",
        strike("slow_drip", POLL),
        all=passed(),
    ),
    in_chat(
        "every answer to a line comes byte by byte",
        strike("slow_drip", SAY),
        all=passed(),
    ),
    in_chat(
        "HTTP 500 to a line",
        strike("http_500", SAY, times=1),
        cometd=failed(LOST, words="answered with HTTP 500", reached=(), why=SAID_PERHAPS),
        socket=failed(
            LOST,
            words="closed the WebSocket: 1011",
            interrupted=1,
            continued=1,
            reached=(),
            why=SAID_PERHAPS,
        ),
        rest=failed(LOST, words="answered with HTTP 500", reached=(), why=SAID_PERHAPS),
        guest=failed(CHAT_ERROR, words="(code 500)", reached=(), complete=False),
    ),
    in_chat(
        "HTML to a line",
        strike("html", SAY, times=1),
        cometd=failed(PROTOCOL, words="something that is not", reached=(), why=SAID_PERHAPS),
        socket=failed(
            PROTOCOL,
            words="a frame that is not Bayeux",
            interrupted=1,
            continued=1,
            reached=(),
            why=SAID_PERHAPS,
        ),
        rest=failed(PROTOCOL, words="something that is not", reached=(), why=SAID_PERHAPS),
        guest=failed(LOST, words=NO_ANSWER, reached=(), complete=False, why=SAID_PERHAPS),
    ),
    in_chat(
        "no answer to a line",
        strike("stall", SAY, times=1),
        cometd=failed(LOST, words="did not answer within 10 s", reached=(), why=SAID_PERHAPS),
        socket=failed(
            LOST,
            words="did not answer within 10 s",
            interrupted=1,
            continued=1,
            reached=(),
            why=SAID_PERHAPS,
        ),
        rest=failed(LOST, words="did not answer within 10 s", reached=(), why=SAID_PERHAPS),
        guest=failed(
            LOST,
            words=NO_ANSWER,
            interrupted=None,
            continued=None,
            reached=(),
            complete=False,
            why=SAID_PERHAPS,
        ),
    ),
    in_chat(
        "truncated JSON to every line",
        strike("truncated_json", SAY),
        cometd=passed(handshakes=0, why=ECHOED),
        socket=back(times=None, handshakes=0, why=ECHOED),
        guest=passed(why=ECHOED),
        rest=passed(why=ECHOED),
    ),
    in_chat(
        "the connection is cut under every line",
        strike("kill_connection", SAY),
        cometd=passed(handshakes=0, why=ECHOED),
        socket=back(times=None, handshakes=0, why=ECHOED),
        guest=back(times=None, why=ECHOED),
        rest=passed(why=ECHOED),
    ),
    in_chat(
        "the network is gone for 5 s",
        Outage(seconds=5.0),
        bayeux=back(handshakes=0, rebinds=1),
        rest=back(),
        guest=back(),
    ),
    in_chat(
        "the network is gone for 60 s",
        Outage(seconds=60.0),
        bayeux=back(handshakes=1, rebinds=1),
        rest=back(),
        guest=back(),
    ),
    in_chat(
        "the network is gone for good",
        Outage(seconds=None),
        all=failed(LOST, interrupted=1, reached=(), not_left=1, words="lost since", complete=False),
    ),
    in_chat(
        "HTTP 500 to everything from then on",
        strike("http_500", ANY),
        bayeux=failed(LOST, interrupted=None, reached=(), not_left=1, complete=False),
        rest=failed(LOST, interrupted=None, reached=(), not_left=1, complete=False),
        guest=failed(CHAT_ERROR, words="(code 500)", reached=(), not_left=1, complete=False),
    ),
)

NO_SPELLING = NotHere("a number, 4007, says it")
GONE_QUIETLY = failed(
    CHAT_ENDED, words="(code 4007)", not_left=1, why="code 4007: a session that is gone is gone"
)
GONE_AT_A_LINE = failed(
    CHAT_ERROR, words="(code 4007)", not_left=1, reached=(), complete=False, why=GONE_QUIETLY.why
)
EXPIRED = "a session that has expired ends its chat"

SESSION_ROWS = (
    *(
        in_chat(
            f"{spelling} to {on.value}, once",
            strike("unknown_session", on, times=1, option=option),
            bayeux=back(handshakes=1, rebinds=1),
            rest=NO_BAYEUX,
            guest=gone if option == "default" else NO_SPELLING,
        )
        for on, gone in ((POLL, GONE_QUIETLY), (SAY, GONE_AT_A_LINE))
        for option, spelling in (
            ("default", "402 with the server's own words"),
            ("402::Unknown client", "402::Unknown client"),
            ("402::session_unknown", "402::session_unknown"),
        )
    ),
    in_chat(
        "402 to every poll from then on",
        strike("unknown_session", POLL),
        bayeux=failed(LOST, interrupted=1, complete=False),
        rest=NO_BAYEUX,
        guest=NotHere("as once: the chat is over"),
    ),
    in_chat(
        "the Bayeux session expires after a poll",
        strike("session_expiry", POLL, times=1),
        bayeux=back(handshakes=1, rebinds=1),
        rest=NO_BAYEUX,
        guest=failed(CHAT_ENDED, words="the session has expired", not_left=1, why=EXPIRED),
    ),
    in_chat(
        "the Bayeux session expires after a line",
        strike("session_expiry", SAY, times=1),
        bayeux=back(handshakes=1, rebinds=1),
        rest=NO_BAYEUX,
        guest=failed(
            CHAT_ENDED, words="the session has expired", not_left=1, complete=False, why=EXPIRED
        ),
    ),
    in_chat(
        "the session expires after every poll",
        strike("session_expiry", POLL),
        bayeux=failed(
            LOST,
            words="forgets the session again and again",
            interrupted=None,
            continued=None,
            not_left=None,
            complete=False,
            why="a line is sent three times at most",
        ),
        rest=NO_BAYEUX,
        guest=NotHere("as once: the chat is over"),
    ),
    in_chat(
        "a second connect displaces a held one",
        strike("duplicate_connect", times=1),
        bayeux=back(handshakes=0, rebinds=1),
        rest=NO_BAYEUX,
        guest=NO_POLLS,
    ),
    in_chat(
        "advice none",
        strike("advice_none"),
        guest=NO_POLLS,
        bayeux=failed(
            LOST,
            interrupted=1,
            words="the server forbade to go on",
            not_left=1,
            handshakes=0,
            why="without a session nobody can leave; it ends when the service misses its polls",
        ),
        rest=NO_BAYEUX,
    ),
    in_chat(
        "statusCode 1 to a poll, not done",
        strike("status_code_1", POLL, times=1, option="not_done"),
        bayeux=GMS_REST_ONLY,
        guest=GMS_REST_ONLY,
        rest=back(),
    ),
    in_chat(
        "statusCode 1 to a line, not done",
        strike("status_code_1", SAY, times=1, option="not_done"),
        bayeux=GMS_REST_ONLY,
        guest=GMS_REST_ONLY,
        rest=passed(why="it is said again, once"),
    ),
    in_chat(
        "statusCode 1 to a line, though it was done",
        strike("status_code_1", SAY, times=1, option="done"),
        bayeux=GMS_REST_ONLY,
        guest=GMS_REST_ONLY,
        rest=passed(why="the transcript has it, so it is not said again"),
    ),
    in_chat(
        "the alias changes with every answer",
        strike("alias_change"),
        bayeux=GMS_REST_ONLY,
        guest=GMS_REST_ONLY,
        rest=passed(),
    ),
    in_chat(
        "8209 to a poll: the user was logged out",
        strike("session_dropped", POLL),
        bayeux=GMS_REST_ONLY,
        guest=GMS_REST_ONLY,
        rest=failed(
            Reason.CHAT_ENDED, words="the user did not poll", reached=(), complete=False, not_left=1
        ),
    ),
    in_chat(
        "8209 to a line: the user was logged out",
        strike("session_dropped", SAY),
        bayeux=GMS_REST_ONLY,
        guest=GMS_REST_ONLY,
        rest=failed(
            Reason.CHAT_ERROR, words="the user did not poll", reached=(), complete=False, not_left=1
        ),
    ),
)

SESSION_ROWS += (
    in_chat(
        "the number of a batch is lost on its way to the client (acknowledgement extension)",
        strike("redeliver", option="unnumbered"),
        bayeux=passed(handshakes=0, rebinds=0, why="what comes again is not told again"),
        rest=NO_BAYEUX,
        guest=NO_POLLS,
    ),
    in_chat(
        "the number of a batch is lost on its way to the server (acknowledgement extension)",
        strike("redeliver", option="ignored"),
        bayeux=passed(handshakes=0, rebinds=0, why="what comes again is not told again"),
        rest=NO_BAYEUX,
        guest=NO_POLLS,
    ),
    in_chat(
        "429 to a line, with retryAfter",
        strike("rate_limited", SAY, times=1),
        bayeux=GUEST_ONLY,
        rest=GUEST_ONLY,
        guest=passed(why="it is said again when the time is over"),
    ),
    in_chat(
        "409 to a line: the session is read-only",
        strike("read_only", SAY, times=1),
        bayeux=GUEST_ONLY,
        rest=GUEST_ONLY,
        guest=failed(CHAT_ERROR, words="read-only", reached=(), complete=False),
    ),
    in_chat(
        "4006 to a line: the session has expired",
        strike("expired", SAY, times=1),
        bayeux=GUEST_ONLY,
        rest=GUEST_ONLY,
        guest=failed(CHAT_ERROR, words="(code 4006)", reached=(), not_left=1, complete=False),
    ),
    in_chat(
        "the service closes the connection after a line",
        strike("connection_closed", SAY, times=1),
        bayeux=GUEST_ONLY,
        rest=GUEST_ONLY,
        guest=failed(CHAT_ENDED, words="the service closed the connection", complete=False),
    ),
)

RANDOM_ROWS = (
    in_chat(
        "many polls fail, pushes come twice, late and out of order, at random",
        strike("http_500", POLL, probability=0.2),
        strike("kill_connection", POLL, probability=0.2),
        strike("duplicate_message", "any", probability=0.2),
        strike("delay_message", "any", probability=0.2),
        strike("reorder_messages", "any", probability=0.2),
        all=back(times=None),
    ),
)
