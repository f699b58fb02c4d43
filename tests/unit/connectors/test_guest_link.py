"""Answers find their requests, with a tracing id or without one."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import trio
import trio.testing

from botkit.connectors.guest_link import GuestLink, answer_of, new_id
from botkit.errors import ConnectorError, RemoteProtocolError
from botkit.genesys.guest_failures import GuestRefusal
from botkit.genesys.web_records import Frame, Jwt, Request, SessionInfo

JWT = '{"class":"JwtResponse","code":200,"body":{"jwt":"j","exp":1}%s}'


def is_jwt(frame: Frame) -> bool:
    return isinstance(frame.body, Jwt)


def never(frame: Frame) -> bool:
    return False


class Wire:
    """A WebSocket whose other end is the test."""

    close_code: int | None = None
    close_reason = ""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.broken: ConnectorError | None = None
        self.push, self._texts = trio.open_memory_channel[str](math.inf)

    async def send(self, text: str) -> None:
        await trio.lowlevel.checkpoint()
        if self.broken is not None:
            raise self.broken
        self.sent.append(json.loads(text))

    async def receive(self) -> str:
        try:
            return await self._texts.receive()
        except trio.EndOfChannel:
            raise ConnectorError("cut", kind="lost") from None

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


class Linked:
    """A link on a wire, and what it hands on."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, bool]] = []
        self.rubbish: list[str] = []
        self.wire = Wire()
        self.link = GuestLink(
            lambda frame, answers: self.frames.append((frame.name, answers)),
            lambda error: self.rubbish.append(str(error)),
        )
        self.link.attach(self.wire)

    async def say(self, text: str) -> None:
        self.wire.push.send_nowait(text)
        await trio.testing.wait_all_tasks_blocked()


@pytest.fixture
async def linked(nursery: trio.Nursery) -> Linked:
    linked = Linked()

    async def read() -> None:
        try:
            await linked.link.read()
        except ConnectorError as error:
            linked.link.detach(error)

    nursery.start_soon(read)
    return linked


class Asking:
    """A request under way, and what came of it."""

    def __init__(self, linked: Linked, answers: Any, **members: Any) -> None:
        self.outcome: Any = None
        self._linked = linked
        self._answers = answers
        self._members = members
        self.id = new_id()

    @property
    def is_done(self) -> bool:
        return self.outcome is not None

    async def run(self) -> None:
        request = Request(action="getJwt", token="t", tracing_id=self.id)
        try:
            self.outcome = await self._linked.link.call(request, self._answers, **self._members)
        except (ConnectorError, GuestRefusal) as error:
            self.outcome = error


async def asking(
    nursery: trio.Nursery, linked: Linked, answers: Any = is_jwt, **members: Any
) -> Asking:
    asked = Asking(linked, answers, **members)
    nursery.start_soon(asked.run)
    await trio.testing.wait_all_tasks_blocked()
    return asked


async def test_a_tracing_id_leads_to_the_request(nursery: trio.Nursery, linked: Linked) -> None:
    first, second = await asking(nursery, linked), await asking(nursery, linked)
    await linked.say(JWT % f',"tracingId":"{second.id}"')
    assert first.outcome is None
    assert answer_of(second.outcome, Jwt).jwt == "j"
    assert [one["tracingId"] for one in linked.wire.sent] == [first.id, second.id]
    nursery.cancel_scope.cancel()


async def test_without_one_the_first_that_fits_is_answered(
    nursery: trio.Nursery, linked: Linked
) -> None:
    other, first = await asking(nursery, linked, never), await asking(nursery, linked)
    await linked.say(JWT % "")
    assert (other.outcome, first.outcome.name) == (None, "JwtResponse")
    await linked.say('{"class":"string","code":404,"body":"no"}')
    with pytest.raises(GuestRefusal, match="no"):
        answer_of(other.outcome, Jwt)


async def test_an_error_without_anybody_is_news(linked: Linked, nursery: trio.Nursery) -> None:
    await linked.say('{"class":"string","code":404,"body":"no"}')
    await linked.say(JWT % ',"tracingId":"unknown"')
    assert linked.frames == [("string", False), ("JwtResponse", False)]
    nursery.cancel_scope.cancel()


async def test_news_of_a_file_are_no_answer_to_something_else(
    nursery: trio.Nursery, linked: Linked
) -> None:
    asked = await asking(nursery, linked)
    failed = '{"class":"UploadFailureEvent","code":200,"body":{"attachmentId":"f","errorCode":1}}'
    await linked.say(failed)
    assert asked.outcome is None
    nursery.cancel_scope.cancel()


async def test_one_answer_is_for_one_request(nursery: trio.Nursery, linked: Linked) -> None:
    """Two answers come before the task that waits for the first has run."""
    with linked.link.expecting(is_jwt) as first, linked.link.expecting(is_jwt) as second:
        linked.wire.push.send_nowait(JWT % "")
        linked.wire.push.send_nowait(JWT % "")
        assert await first.outcome() is not None
        assert await second.outcome() is not None
    nursery.cancel_scope.cancel()


async def test_what_waits_when_the_connection_is_lost_has_lost_it(
    nursery: trio.Nursery, linked: Linked
) -> None:
    asked = await asking(nursery, linked)
    line = await asking(nursery, linked, line="hi")
    linked.wire.push.close()
    await trio.testing.wait_all_tasks_blocked()
    assert isinstance(asked.outcome, ConnectorError)
    assert not line.is_done
    (doubt,) = linked.link.lines()
    assert (doubt.line, doubt.in_doubt) == ("hi", True)
    doubt.settle(None)
    await trio.testing.wait_all_tasks_blocked()
    assert line.outcome.name == ""
    assert linked.link.lines() == []
    with pytest.raises(ConnectorError) as caught:
        await linked.link.call(Request(action="getJwt"), never)
    assert not caught.value.sent


@pytest.mark.parametrize("sent", [True, False])
async def test_a_line_whose_sending_broke_may_have_left(
    nursery: trio.Nursery, linked: Linked, sent: bool
) -> None:
    linked.wire.broken = ConnectorError("broke", kind="lost", sent=sent)
    line = await asking(nursery, linked, line="hi")
    assert bool(linked.link.lines()) is sent
    assert line.is_done is not sent
    nursery.cancel_scope.cancel()


async def test_an_answer_that_does_not_come_is_not_awaited_for_ever(
    nursery: trio.Nursery, linked: Linked, autojump_clock: trio.testing.MockClock
) -> None:
    asked = Asking(linked, never)
    await asked.run()
    assert isinstance(asked.outcome, ConnectorError)
    assert asked.outcome.kind == "timeout"
    nursery.cancel_scope.cancel()


async def test_rubbish_is_handed_on(nursery: trio.Nursery, linked: Linked) -> None:
    for text in ("<html>", "[]", '{"class":"SessionResponse","body":{}}', "{}"):
        await linked.say(text)
    assert len(linked.rubbish) == 4
    assert linked.frames == []
    nursery.cancel_scope.cancel()


def test_an_answer_of_another_kind_is_nonsense() -> None:
    frame = Frame(name="SessionResponse", body=SessionInfo())
    with pytest.raises(RemoteProtocolError, match="no answer"):
        answer_of(frame, Jwt)
