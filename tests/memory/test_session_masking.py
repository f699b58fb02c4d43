"""What opens the door stays inside when a program uses a session by itself."""

from __future__ import annotations

import logging
import traceback

import httpx
import pytest
import trio
from trio.testing import MockClock

from botkit.api import restore_session, start_session
from botkit.bot.matchers import contains
from botkit.errors import BotkitError, ExpectationFailed, NoStoredSession
from botkit.interfaces import NetworkSettings
from botkit.storage import MemoryStorage
from botkit.testing import simulator_in

SECRETS = ("s3rver-pa55", "prm-0099aa", "hdr-8a61f0c2", "brr-6c1d77", "b4sic-pass", "s3ssion-9")
URL = "http://ada:s3rver-pa55@127.0.0.1:9/genesys/cometd?token=prm-0099aa"
NETWORK = NetworkSettings(
    headers={"X-Api-Key": "hdr-8a61f0c2", "Authorization": "Bearer brr-6c1d77"},
    auth=("ada", "b4sic-pass"),
)
TOKEN = "s3ssion-9"
USERDATA = {"SessionToken": TOKEN, "Segment": "gold"}
log = logging.getLogger("somebody")


class Talkative(httpx.AsyncBaseTransport):
    """A network that is down, and tells all that it was given."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        told = f"{request.url} {request.headers} {SECRETS}"
        log.warning("no way to %s", told)
        raise httpx.ConnectError(f"no way to {told}")


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


def secrets_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


async def test_an_error_of_the_network_tells_no_secret(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(BotkitError) as caught:
        async with start_session(URL, network=NETWORK, userdata=USERDATA, transport=Talkative()):
            pytest.fail("there is no such server")

    assert "no way to" in caplog.text
    assert (secrets_in(shown(caught.value)), secrets_in(caplog.text)) == ([], [])


async def test_a_block_that_breaks_tells_no_secret(
    nursery: trio.Nursery, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    connector = await simulator_in(nursery)

    async def converse() -> None:
        async with start_session(connector=connector, userdata=USERDATA) as session:
            await session.send_message("my token is s3ssion-9")
            log.warning("we sent s3ssion-9")
            await session.expect(contains(f"never {TOKEN}"), within=5)

    with pytest.raises(ExpectationFailed) as caught:
        await converse()

    assert "never ***" in str(caught.value)
    assert secrets_in(shown(caught.value)) == []
    assert "we sent ***" in caplog.text


async def test_what_a_program_raises_itself_is_left_alone(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await simulator_in(nursery)

    with pytest.raises(ValueError, match="s3ssion-9"):
        async with start_session(connector=connector, userdata=USERDATA):
            raise ValueError("my own s3ssion-9")


async def test_that_nothing_is_stored_tells_no_secret(autojump_clock: MockClock) -> None:
    with pytest.raises(NoStoredSession) as caught:
        async with restore_session(
            URL, network=NETWORK, storage=MemoryStorage("s3rver-pa55", "demo")
        ):
            pytest.fail("nothing is stored")

    assert secrets_in(shown(caught.value)) == []
