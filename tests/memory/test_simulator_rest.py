"""The simulator's door for GMS Chat over REST, call by call, in memory and on virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from botkit.simulator import Simulator
from botkit.simulator.faults import make_fault
from botkit.simulator.http import Reply, Request

Start = Callable[..., Awaitable[Simulator]]
FORM = "application/x-www-form-urlencoded"
SERVICE = "/genesys/2/chat/demo"


class Caller:
    """A customer who makes each call by hand.

    Attributes:
        known: what every call says about the caller; a test may change it.
        shown: the indexes and texts of the latest answer.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.known: dict[str, str] = {}
        self.chat_id = ""
        self.shown: list[tuple[int, str]] = []
        self.position = 1

    async def post(self, path: str, body: bytes, kind: str = FORM) -> Reply:
        headers = {"content-type": kind}
        return await self.simulator.handle(Request(path=path, headers=headers, body=body))

    async def call(self, segments: str, **fields: Any) -> dict[str, Any]:
        """Make a call, and see what is new since the last one."""
        form = {**self.known, "transcriptPosition": self.position, **fields}
        path = f"{SERVICE}/{self.chat_id}/{segments}" if segments else SERVICE
        reply = await self.post(path, urlencode(form).encode())
        assert reply.status == 200
        answer: dict[str, Any] = orjson.loads(reply.body)
        self.shown = [(event["index"], event.get("text", "")) for event in answer["messages"]]
        self.position = answer.get("nextPosition", self.position)
        if "alias" in answer:
            self.known["alias"] = answer["alias"]
        return answer

    async def open(self, **fields: str) -> dict[str, Any]:
        answer = await self.call("", nickname="Ada", **fields)
        self.chat_id = answer["chatId"]
        self.known = {name: answer[name] for name in ("userId", "secureKey", "alias")}
        return answer


async def test_a_chat_from_beginning_to_end(
    start_simulator: Start, autojump_clock: MockClock
) -> None:
    caller = Caller(await start_simulator())
    answer = await caller.open(subject="Bill", **{"userData[Tier]": "gold"})
    assert (answer["statusCode"], answer["chatEnded"], answer["nextPosition"]) == (0, False, 2)
    assert caller.shown == [(1, "")]
    await trio.sleep(1)
    await caller.call("refresh")
    assert caller.shown == [(2, ""), (3, "Hello, how can I help you?")]
    await caller.call("send", message="hi")
    assert caller.shown == [(4, "hi")]
    await trio.sleep(1)
    await caller.call("refresh")
    assert caller.shown == [(5, "You said: hi")]
    assert (await caller.call("disconnect"))["chatEnded"] is True
    again = await caller.call("disconnect")
    assert (again["statusCode"], again["chatEnded"]) == (0, True)
    refused = await caller.call("send", message="anybody?")
    assert (refused["statusCode"], refused["chatEnded"]) == (2, True)
    assert caller.simulator.status()["ended"] == {"customer": 1, "service": 0}


async def test_what_is_shown_is_what_is_asked_for(
    start_simulator: Start, autojump_clock: MockClock
) -> None:
    caller = Caller(await start_simulator())
    await caller.open()
    await trio.sleep(1)
    everything = await caller.call("refresh", transcriptPosition=1)
    assert [event["index"] for event in everything["messages"]] == [1, 2, 3]
    for position, indexes in {"2": [2, 3], "4": [], "9": [], "0": [], "": []}.items():
        answer = await caller.call("refresh", transcriptPosition=position)
        assert [event["index"] for event in answer["messages"]] == indexes
    receipt = await caller.call("readReceipt", transcriptPosition=2)
    assert receipt["messages"] == []
    assert caller.simulator.centre.open_chat_list()[0].read_up_to == 2


@pytest.mark.parametrize(
    ("change", "code", "is_removed"),
    [
        ({"secureKey": "guessed"}, 8210, True),
        ({"secureKey": ""}, 8210, True),
        ({"userId": "0"}, 8201, False),
        ({"alias": "1"}, 1, False),
        ({"alias": ""}, 1, False),
    ],
)
async def test_who_calls_is_checked(
    change: dict[str, str],
    code: int,
    is_removed: bool,
    start_simulator: Start,
    autojump_clock: MockClock,
) -> None:
    caller = Caller(await start_simulator())
    await caller.open()
    answer = await caller.call("send", message="hi", **change)
    assert (answer["statusCode"], answer["errors"][0]["code"]) == (2, code)
    assert answer["chatEnded"] is is_removed
    assert caller.simulator.status()["open"] == (not is_removed)


async def test_a_chat_that_does_not_exist(
    start_simulator: Start, autojump_clock: MockClock
) -> None:
    caller = Caller(await start_simulator())
    await caller.open()
    caller.chat_id = "0"
    answer = await caller.call("refresh")
    assert (answer["statusCode"], answer["chatEnded"]) == (2, True)


async def test_no_name_no_chat(start_simulator: Start, autojump_clock: MockClock) -> None:
    caller = Caller(await start_simulator())
    assert (await caller.call(""))["statusCode"] == 2
    assert (await caller.call("", firstName="Ada", lastName="King"))["statusCode"] == 0


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Request(path=SERVICE, headers={"content-type": "application/json"}, body=b"{}"), 415),
        (Request(path=SERVICE, body=b"nickname=Ada"), 415),
        (Request(method="GET", path=SERVICE, headers={"content-type": FORM}), 405),
        (Request(path=SERVICE, headers={"content-type": FORM}, body=b"\xff"), 400),
        (Request(path=f"{SERVICE}/1/nothing", headers={"content-type": FORM}), 404),
    ],
)
async def test_what_is_no_call_has_another_status(
    request_: Request, status: int, start_simulator: Start, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator()
    reply = await simulator.handle(request_)
    assert reply.status == status
    assert orjson.loads(reply.body)["code"] == 1


async def test_a_chat_may_be_requested_as_multipart(
    start_simulator: Start, autojump_clock: MockClock
) -> None:
    caller = Caller(await start_simulator())
    body = b'--x\r\nContent-Disposition: form-data; name="nickname"\r\n\r\nAda\r\n--x--\r\n'
    reply = await caller.post(SERVICE, body, "multipart/form-data; boundary=x")
    assert orjson.loads(reply.body)["statusCode"] == 0


async def test_who_does_not_call_is_dropped(
    start_simulator: Start, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator(poll_within=30.0)
    quiet, polling = Caller(simulator), Caller(simulator)
    await quiet.open()
    await polling.open()
    for _ in range(3):
        await trio.sleep(20)
        await polling.call("refresh")
    assert simulator.status()["ended"] == {"customer": 0, "service": 1}
    answer = await quiet.call("refresh")
    assert (answer["statusCode"], answer["errors"][0]["code"]) == (2, 8209)
    assert (await polling.call("send", message="hi"))["statusCode"] == 0


async def test_a_base_path_holds_for_rest_too(
    start_simulator: Start, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator(base="/gms/")
    headers = {"content-type": FORM}
    request = Request(path=f"/gms{SERVICE}", headers=headers, body=b"nickname=Ada")
    assert (await simulator.handle(request)).status == 200
    assert (await simulator.handle(Request(path=SERVICE, headers=headers))).status == 404


# --- faults --------------------------------------------------------------------------------------


async def meeting(start: Start, name: str, **fault: Any) -> Caller:
    """Open a chat, be greeted, and let a fault come."""
    caller = Caller(await start())
    await caller.open()
    await trio.sleep(1)
    await caller.call("refresh")
    caller.simulator.faults.change([make_fault(name, **fault)])
    return caller


async def test_a_lost_event_is_left_out_once(
    start_simulator: Start, autojump_clock: MockClock
) -> None:
    caller = await meeting(start_simulator, "lost_message", on="own", times=1)
    await caller.call("send", message="lost")
    assert (caller.shown, caller.position) == ([], 5)
    await caller.call("refresh", transcriptPosition=4)
    assert caller.shown[0] == (4, "lost")


async def test_an_event_comes_twice(start_simulator: Start, autojump_clock: MockClock) -> None:
    caller = await meeting(start_simulator, "duplicate_message", on="own", times=1)
    await caller.call("send", message="twice")
    assert caller.shown == [(4, "twice"), (4, "twice")]
    await caller.call("refresh", transcriptPosition=4)
    assert caller.shown[0] == (4, "twice")


async def test_a_late_event_holds_the_position(
    start_simulator: Start, autojump_clock: MockClock
) -> None:
    caller = await meeting(start_simulator, "delay_message", on="own", times=1, seconds=3.0)
    await caller.call("send", message="late")
    assert (caller.shown, caller.position) == ([], 4)
    await trio.sleep(1)
    await caller.call("refresh")
    assert (caller.shown, caller.position) == ([(5, "You said: late")], 4)
    await trio.sleep(3)
    await caller.call("refresh")
    assert caller.shown == [(4, "late"), (5, "You said: late")]
    assert caller.position == 6


async def test_an_event_comes_behind_its_successor(
    start_simulator: Start, autojump_clock: MockClock
) -> None:
    caller = await meeting(start_simulator, "reorder_messages", on="own", times=1, seconds=30.0)
    await caller.call("send", message="first")
    assert (caller.shown, caller.position) == ([], 4)
    await trio.sleep(1)
    await caller.call("refresh")
    assert caller.shown == [(5, "You said: first"), (4, "first")]
    assert caller.position == 6


async def test_the_end_of_a_chat_is_told_late_or_at_the_second_time(
    start_simulator: Start, autojump_clock: MockClock
) -> None:
    lost = await meeting(start_simulator, "lost_message", on="ended")
    assert (await lost.call("disconnect"))["chatEnded"] is False
    assert (await lost.call("refresh"))["chatEnded"] is True
    late = await meeting(start_simulator, "delay_message", on="ended", seconds=2.0)
    assert (await late.call("disconnect"))["chatEnded"] is False
    await trio.sleep(1)
    assert (await late.call("refresh"))["chatEnded"] is False
    await trio.sleep(1)
    assert (await late.call("refresh"))["chatEnded"] is True


async def test_a_goodbye_is_not_heard(start_simulator: Start, autojump_clock: MockClock) -> None:
    caller = await meeting(start_simulator, "no_chat_end")
    assert (await caller.call("disconnect"))["chatEnded"] is False
    assert caller.simulator.status()["open"] == 1


@pytest.mark.parametrize("option", ["not_done", "done"])
async def test_the_service_asks_to_come_again(
    option: str, start_simulator: Start, autojump_clock: MockClock
) -> None:
    caller = await meeting(start_simulator, "status_code_1", on="sendMessage", option=option)
    answer = await caller.call("send", message="hm")
    assert answer["statusCode"] == 1
    assert "secureKey" not in answer
    log = caller.simulator.centre.open_chat_list()[0].log
    assert any(entry.text == "hm" for entry in log) is (option == "done")


async def test_the_alias_of_before_counts_until_the_new_one_is_used(
    start_simulator: Start, autojump_clock: MockClock
) -> None:
    caller = await meeting(start_simulator, "alias_change", times=1)
    before = caller.known["alias"]
    answer = await caller.call("refresh")
    assert answer["alias"] != before
    assert (await caller.call("refresh", alias=before))["statusCode"] == 0
    assert (await caller.call("refresh"))["statusCode"] == 0
    assert (await caller.call("refresh", alias=before))["statusCode"] == 2


@pytest.mark.parametrize(("option", "ended"), [("chat_goes_on", False), ("chat_ended", True)])
async def test_a_customer_is_dropped(
    option: str, ended: bool, start_simulator: Start, autojump_clock: MockClock
) -> None:
    caller = await meeting(start_simulator, "session_dropped", option=option)
    answer = await caller.call("refresh")
    assert (answer["statusCode"], answer["chatEnded"]) == (2, ended)
    assert answer["errors"][0]["code"] == 8209


@pytest.mark.parametrize("name", ["http_500", "html", "truncated_json", "kill_connection"])
async def test_a_poll_suffers_what_a_connect_does(
    name: str, start_simulator: Start, autojump_clock: MockClock
) -> None:
    caller = await meeting(start_simulator, name, on="connect")
    body = urlencode(caller.known).encode()
    reply = await caller.post(f"{SERVICE}/{caller.chat_id}/refresh", body)
    assert {
        "http_500": reply.status == 500,
        "html": reply.body.startswith(b"<!DOCTYPE html>"),
        "truncated_json": reply.truncate_to is not None,
        "kill_connection": reply.abort,
    }[name]


@pytest.mark.parametrize(
    "name", ["unknown_session", "refused_handshake", "advice_none", "session_expiry"]
)
async def test_what_only_bayeux_has_does_not_strike_here(
    name: str, start_simulator: Start, autojump_clock: MockClock
) -> None:
    caller = await meeting(start_simulator, name)
    assert (await caller.call("refresh"))["statusCode"] == 0
    assert caller.simulator.faults.struck == {}


# --- rubbish -------------------------------------------------------------------------------------


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    segments=st.sampled_from(["", "/1/send", "/1/refresh", "/1/file", "/1/file/2/delete"]),
    kind=st.sampled_from([FORM, "multipart/form-data; boundary=x", "text/plain"]),
    body=st.binary(max_size=80)
    | st.from_regex(rb"(nickname|userData\[|transcriptPosition|message)=[^&]{0,9}", fullmatch=True),
)
def test_rubbish_is_answered(segments: str, kind: str, body: bytes) -> None:
    async def main() -> Reply:
        simulator = Simulator()
        async with trio.open_nursery() as nursery:
            await nursery.start(simulator.run)
            headers = {"content-type": kind}
            request = Request(path=f"{SERVICE}{segments}", headers=headers, body=body)
            reply = await simulator.handle(request)
            nursery.cancel_scope.cancel()
        return reply

    reply = trio.run(main)
    assert reply.status in (200, 400, 415)
    assert isinstance(orjson.loads(reply.body), dict)
