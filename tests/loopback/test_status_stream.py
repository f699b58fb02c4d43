"""The stream of checks over a real connection."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from status_site import Site, check_of, result_of

from botkit.monitor.history import History
from botkit.monitor.web import StatusPage, live, serve
from botkit.results import Verdict

LIMIT = 20
HOST = "127.0.0.1"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    history = History(str(tmp_path / "history.db"))
    yield Site(history, tmp_path)
    history.close()


class Listener:
    """Somebody who listens to the stream, and no more than that."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream, self._heard = stream, b""

    async def hears(self, text: bytes) -> bytes:
        """Wait for a text; gives all before it that is new."""
        while (before := self._heard.partition(text))[1] == b"":
            piece = await self._stream.receive_some()
            assert piece, f"{text!r} did not come, but {self._heard!r}"
            self._heard += piece
        self._heard = before[2]
        return before[0]

    async def told(self) -> dict[str, Any]:
        """Wait for the next check."""
        await self.hears(b"event: checked\ndata: ")
        check: dict[str, Any] = json.loads(await self.hears(b"\n\n"))
        return check


@asynccontextmanager
async def served(app: StatusPage) -> AsyncIterator[int]:
    """Serve the page; gives the port."""
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            url = await nursery.start(serve, app, HOST, 0)
            yield int(url.rpartition(":")[2])
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def listening(port: int) -> AsyncIterator[Listener]:
    async with await trio.open_tcp_stream(HOST, port) as stream:
        await stream.send_all(b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        listener = Listener(stream)
        await listener.hears(b"HTTP/1.1 200")
        await listener.hears(b"content-type: text/event-stream\r\n")
        await listener.hears(b"retry: 2000\n\n")
        yield listener


async def test_all_who_listen_hear_of_a_check(site: Site) -> None:
    app = site.app()
    message = "line\nbreak \u2028 <b>"
    bad = result_of("bad", verdict=Verdict.FAILED, message=message)
    async with served(app) as port, listening(port) as one, listening(port) as other:
        app.checked(check_of(bad))
        for listener in (one, other):
            told = await listener.told()
            assert (told["monitor"], told["journey_id"]) == ("smoke", "bad")
            assert (told["verdict"], told["message"]) == ("failed", message)


async def test_no_more_listen_than_may_and_who_is_gone_is_forgotten(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MAX_LISTENERS", 1)
    async with served(site.app()) as port:
        async with listening(port):
            assert await status_of_one_more(port) == b"503"
        while await status_of_one_more(port) == b"503":
            await trio.lowlevel.checkpoint()


async def status_of_one_more(port: int) -> bytes:
    async with await trio.open_tcp_stream(HOST, port) as stream:
        await stream.send_all(b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        return (await stream.receive_some())[9:12]


async def test_who_does_not_keep_up_is_hung_up_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MAX_WAITING", 2)
    app = site.app()
    async with served(app) as port, listening(port) as listener:
        # All at once: nothing is sent in between.
        for n in range(5):
            app.checked(check_of(result_of(f"one-{n}")))
        told = await listener.hears(b"\r\n0\r\n\r\n")
        # What may wait, and the one that it may have been waiting for.
        assert told.count(b"event: checked") in {2, 3}


async def test_a_stream_that_is_quiet_says_that_it_is_there(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT", 0.01)
    async with served(site.app()) as port, listening(port) as listener:
        await listener.hears(b": still here\n\n")
