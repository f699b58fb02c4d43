"""Botkit's bots against servers of other projects, through its command as a user types it."""

from __future__ import annotations

import re
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from typing import Any

import pytest

HOLDING = 0.3
"""Seconds after which a server surely holds a connect that was passed on; it cannot be asked."""
LIMIT = 20
SERVERS = ["cometd-node", "faye", "cometd-8", "cometd-3.1"]
ROUTES = [
    ("cometd-node", "long-polling"),
    *((name, way) for name in SERVERS[1:] for way in ("long-polling", "websocket")),
]
ACKNOWLEDGING = [route for route in ROUTES if route[0] != "faye"]
CONNECT = b'"/meta/connect"'
# Longer than a test, so that no connect ends but by what the test does.
PATIENT = {"POLL_TIMEOUT_MS": "30000"}


def written(chat: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """Read the transcript that the server has kept."""
    return [(e["type"], e["from"]["type"], e.get("text")) for e in chat["transcript"]]


def assert_left(status: dict[str, Any], *, total: int = 1) -> None:
    assert (status["open"], status["total"], status["sessions"]) == (0, total, 0)


def assert_passed(journey: dict[str, Any], url: str) -> None:
    assert (journey["verdict"], journey["reason"]) == ("passed", "ok"), journey["message"]
    assert (journey["server"], journey["on_simulator"], journey["left"]) == (url, False, True)


def assert_heard(journey: dict[str, Any], chat: dict[str, Any]) -> None:
    """The customer has written down what the server has: each event once, and in order."""
    rows = [row for row in journey["transcript"] if row["index"] is not None]
    heard = [(row["index"], row["text"]) for row in rows]
    assert heard == [(event["index"], event.get("text") or "") for event in chat["transcript"]]
    assert not any(row["history"] for row in rows)


def kinds(journey: dict[str, Any]) -> Counter[str]:
    return Counter(row["kind"] for row in journey["transcript"])


# --- a network that fails ------------------------------------------------------------------------


class Line:
    """One connection through the proxy."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.polls = False
        self.is_socket = False
        self.is_cut = False
        self.swallowed = b""


def read(source: socket.socket) -> bytes:
    """Read what there is; nothing at the end, however it came."""
    try:
        return source.recv(65536)
    except OSError:
        return b""


def unmasked(frames: bytes) -> bytes:
    """Make what a WebSocket client sent readable; each frame is whole, for it is short."""
    text = b""
    while frames:
        length, start = frames[1] & 127, 2
        if length == 126:
            length, start = int.from_bytes(frames[2:4]), 4
        key, frames = frames[start : start + 4], frames[start + 4 :]
        text += bytes(byte ^ key[i % 4] for i, byte in enumerate(frames[:length]))
        frames = frames[length:]
    return text


def hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class CuttingProxy:
    """Passes bytes on, and can break the connection of the held poll on the client's side alone.

    What the server then writes into it is swallowed, as by a client whose network has gone away.
    Nothing else gets to the server until `let_in`.

    Attributes:
        url: what to give the client in place of the server's.
        passed_on: all that clients were given.
    """

    def __init__(self, server_port: str) -> None:
        self.passed_on = b""
        self._server = ("127.0.0.1", int(server_port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/cometd"
        self._lines: list[Line] = []
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._gate = threading.Event()
        self._gate.set()
        self._start(self._accept)

    def cut_the_poll(self) -> None:
        """Break the connection on which a connect is held; wait for one if there is none yet."""
        with self._changed:
            self._wait(lambda: self._held() is not None)
        # A line that is said in the very moment in which a connect arrives may wait for the next.
        time.sleep(HOLDING)
        with self._changed:
            self._wait(lambda: self._held() is not None)
            line = self._held()
            assert line is not None
            line.is_cut = True
            self._gate.clear()
        hang_up(line.client)

    def wait_swallowed(self, words: bytes) -> None:
        """Wait until the server has written this into the connection that was cut."""
        with self._changed:
            self._wait(lambda: any(words in line.swallowed for line in self._lines))

    def let_in(self) -> None:
        """Let clients reach the server again."""
        self._gate.set()

    def close(self) -> None:
        self._gate.set()
        hang_up(self._listener)
        self._threads[0].join(LIMIT)
        ends = [end for line in self._lines for end in (line.client, line.server)]
        hang_up(*ends)
        for thread in self._threads:
            thread.join(LIMIT)
        for end in (self._listener, *ends):
            end.close()

    def _wait(self, holds: Callable[[], bool]) -> None:
        assert self._changed.wait_for(holds, LIMIT)

    def _held(self) -> Line | None:
        return next((line for line in self._lines if line.polls and not line.is_cut), None)

    def _start(self, work: Callable[..., None], *arguments: Line) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._gate.wait()
            line = Line(client, socket.create_connection(self._server))
            self._lines.append(line)
            self._start(self._carry_up, line)
            self._start(self._carry_down, line)

    def _carry_up(self, line: Line) -> None:
        while data := read(line.client):
            self._gate.wait()
            if CONNECT in (unmasked(data) if line.is_socket else data):
                with self._changed:
                    line.polls = True
                    self._changed.notify_all()
            with suppress(OSError):
                line.server.sendall(data)
        if not line.is_cut:
            hang_up(line.server)

    def _carry_down(self, line: Line) -> None:
        while data := read(line.server):
            with self._changed:
                if line.is_cut:
                    line.swallowed += data
                    self._changed.notify_all()
                    continue
                line.is_socket = line.is_socket or data.startswith(b"HTTP/1.1 101 ")
                # On a WebSocket other things come while a connect is held.
                line.polls = line.polls and line.is_socket and CONNECT not in data
                self.passed_on += data
            with suppress(OSError):
                line.client.sendall(data)
        hang_up(line.client)


@pytest.fixture
def start_proxy() -> Iterator[Callable[[Any], CuttingProxy]]:
    """Put a proxy before a server."""
    with ExitStack() as proxies:

        def start(server: Any) -> CuttingProxy:
            return proxies.enter_context(closing(CuttingProxy(server.port)))

        yield start


# --- the chats -----------------------------------------------------------------------------------


@pytest.mark.parametrize("bot", ["whole.yaml", "whole.py"])
def test_a_whole_chat(bot, route, start_botkit, ada):
    server = route.server
    run = start_botkit(bot, server.url, *route.options).finish()
    assert run["exit_code"] == 0
    [journey] = run["journeys"]
    assert_passed(journey, server.url)
    assert journey["asserted"] >= 5
    assert kinds(journey)["interrupted"] == 0
    assert_left(server.status())
    [chat] = server.status()["chats"]
    assert (written(chat), chat["service"]) == (ada.chat(), "support")
    assert chat["userData"]["Segment"] == "gold"
    assert_heard(journey, chat)


def test_faye_refuses_the_subscribe_and_serves_the_chat(
    start_server, start_proxy, start_botkit, ada
):
    faye = start_server("faye")
    proxy = start_proxy(faye)
    run = start_botkit("whole.yaml", proxy.url).finish()
    assert b"403:/service/chatV2/support:Forbidden channel" in proxy.passed_on
    assert_passed(run["journeys"][0], proxy.url)
    assert written(faye.status()["chats"][0]) == ada.chat()
    assert_left(faye.status())


def assert_one_gap(
    run: dict[str, Any], url: str, status: dict[str, Any], expected: list[Any]
) -> None:
    """It was interrupted once, and neither side has lost or repeated a thing."""
    [journey], [chat] = run["journeys"], status["chats"]
    assert_passed(journey, url)
    assert (kinds(journey)["interrupted"], kinds(journey)["continued"]) == (1, 1)
    assert written(chat) == expected
    assert_heard(journey, chat)
    assert_left(status)


def test_a_forgotten_session_is_resumed_without_loss_or_repetition(route, start_botkit, ada):
    server = route.server
    run = start_botkit("gap.yaml", server.url, *route.options)
    run.wait_until_told("agent You said: message 1")
    assert server.forget(say=ada.QUESTION) == 1
    assert_one_gap(run.finish(), server.url, server.status(), ada.chat(asks=True))


def lose_a_line(route, proxy, run, ada, *, back_after: float = 0.0) -> None:
    """Break the connection in mid-chat, let Ada speak into it, and mend it later."""
    run.wait_until_told("agent You said: message 1")
    proxy.cut_the_poll()
    assert route.server.say(ada.QUESTION) == 1
    proxy.wait_swallowed(ada.QUESTION.encode())
    time.sleep(back_after)
    proxy.let_in()


@pytest.mark.parametrize("place", ROUTES, ids="-".join)
def test_what_was_written_into_a_dead_connection_is_asked_for_again(
    place, start_route, start_proxy, start_botkit, ada
):
    route = start_route(*place, **PATIENT)
    proxy = start_proxy(route.server)
    run = start_botkit("gap.yaml", proxy.url, *route.options)
    lose_a_line(route, proxy, run, ada)
    assert_one_gap(run.finish(), proxy.url, route.server.status(), ada.chat(asks=True))
    assert b'"ack"' not in proxy.passed_on


@pytest.mark.parametrize("place", ACKNOWLEDGING, ids="-".join)
def test_a_server_that_acknowledges_and_tells_the_time(
    place, start_route, start_proxy, start_botkit, ada
):
    route = start_route(*place, **PATIENT, EXTENSIONS="ack timesync")
    proxy = start_proxy(route.server)
    run = start_botkit("gap.yaml", proxy.url, *route.options)
    lose_a_line(route, proxy, run, ada)
    assert_one_gap(run.finish(), proxy.url, route.server.status(), ada.chat(asks=True))
    assert b'"ack"' in proxy.passed_on
    assert (b'"timesync"' in proxy.passed_on) is (route.server.name != "cometd-node")


@pytest.mark.parametrize("transport", ["long-polling", "websocket"])
def test_a_connection_that_is_away_for_longer_than_the_session_lives(
    transport, start_route, start_proxy, start_botkit, ada
):
    route = start_route("cometd-8", transport, MAX_INTERVAL_MS="1000")
    proxy = start_proxy(route.server)
    run = start_botkit("gap.yaml", proxy.url, *route.options)
    lose_a_line(route, proxy, run, ada, back_after=4.0)
    assert_one_gap(run.finish(), proxy.url, route.server.status(), ada.chat(asks=True))


@pytest.mark.parametrize("place", ROUTES, ids="-".join)
def test_twenty_chats_at_once(place, start_route, start_botkit, ada):
    # So quick an agent makes events overtake each other on their two connections.
    route = start_route(*place, AGENT_DELAY_MS="1")
    server = route.server
    run = start_botkit("crowd.yaml", server.url, "-n", "20", *route.options).finish()
    assert run["counts"] == {"passed": 20}
    status = server.status()
    assert_left(status, total=20)
    chats = {chat["chatId"]: chat for chat in status["chats"]}
    for journey in run["journeys"]:
        assert_passed(journey, server.url)
        chat = chats.pop(journey["session_id"])
        number = re.fullmatch(r"crowd\[(\d+)\]", journey["name"])[1]
        assert written(chat) == ada.chat(of=f" of {number}")
        assert_heard(journey, chat)


def test_a_signal_in_mid_chat_leaves_it(route, start_botkit):
    server = route.server
    run = start_botkit("gap.yaml", server.url, *route.options)
    run.wait_until_told("agent You said: message 1")
    run.process.send_signal(signal.SIGTERM)
    document = run.finish()
    assert (document["exit_code"], document["interrupted"]) == (2, True)
    [journey] = document["journeys"]
    assert (journey["verdict"], journey["left"]) == ("cancelled", True)
    assert_left(server.status())


RESTARTS = [
    ("cometd-8", "long-polling", 0.0),
    ("cometd-8", "websocket", 0.0),
    ("cometd-3.1", "websocket", 0.0),
    # Longer than the server would have kept the session.
    ("cometd-8", "websocket", 6.0),
]


@pytest.mark.parametrize(("name", "transport", "down_for"), RESTARTS)
def test_a_chat_outlives_the_server_it_goes_over(
    name, transport, down_for, start_route, start_botkit, ada, tmp_path
):
    kept = {"CHATS_FILE": str(tmp_path / "chats")}
    route = start_route(name, transport, **kept)
    url = route.server.url
    run = start_botkit("gap.yaml", url, *route.options)
    run.wait_until_told("agent You said: message 1")
    route.server.kill()
    run.wait_until_told("interrupted")
    time.sleep(down_for)
    reborn = start_route(name, transport, PORT=route.server.port, **kept).server
    assert reborn.url == url
    # While the customer is not back yet, or already is: it is heard once.
    assert reborn.say(ada.QUESTION) == 1
    assert_one_gap(run.finish(), url, reborn.status(), ada.chat(asks=True))


def test_a_server_that_starts_again_has_ended_the_chat(server, start_server, start_botkit):
    run = start_botkit("gap.yaml", server.url)
    run.wait_until_told("agent You said: message 1")
    server.kill()
    run.wait_until_told("interrupted")
    reborn = start_server(server.name, PORT=server.port)
    assert reborn.url == server.url
    document = run.finish()
    assert document["exit_code"] == 1
    [journey] = document["journeys"]
    # It is the service that has broken its promise: the server is back, and the chat is not.
    assert (journey["verdict"], journey["reason"]) == ("failed", "chat_ended")
    assert "by service: no open chat has this secureKey" in journey["message"]
    assert kinds(journey)["session_ended"] == kinds(journey)["interrupted"] == 1
    assert_left(reborn.status(), total=0)
