"""The action of ``plugins/crm_case.py`` against a CRM over sockets, in chats and by itself."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import trio

from botkit.errors import BotkitError
from botkit.interfaces import ActionContext
from botkit.plugins import Plugins
from botkit.results import Reason, Verdict
from botkit.simulator.http import Reply, Request
from botkit.testing import play

Serve = Callable[[Any], Any]
Load = Callable[[str], Plugins]
NO_CONTEXT = cast(ActionContext, None)
BOT = """\
botkit: 1
bot: promised-case
steps:
  - wait_for: agent
  - call: crm_case
    with: {url: "${env.CRM_URL}/cases", token: "${secret.CRM_TOKEN}", subject: Bill, tier: gold}
    as: case
  - call: crm_case
    with: {url: "${env.CRM_URL}/cases", token: "${secret.CRM_TOKEN}", id: "${case}", give: status}
    as: status
  - say: My case ${case} is ${status}
  - expect: my case cas/1 is open
"""


class Crm:
    """Keeps cases; answers with what was queued first."""

    def __init__(self, *queued: Reply) -> None:
        self.queued = list(queued)
        self.asked: list[Request] = []
        self.cases: dict[str, dict[str, str]] = {}
        self.silent = False

    async def answer(self, request: Request) -> Reply:
        await trio.lowlevel.checkpoint()
        self.asked.append(request)
        if self.silent:
            await trio.sleep_forever()
        if self.queued:
            return self.queued.pop(0)
        if request.headers.get("authorization") != "Bearer s3cret":
            return Reply(status=401, body=b"who are you, with this s3cret?")
        if request.method == "POST":
            name = f"CAS/{len(self.cases) + 1}"
            self.cases[name] = {**json.loads(request.body), "id": name, "status": "open"}
            return Reply(status=201, body=json.dumps(self.cases[name]).encode())
        case = self.cases.get(request.path.removeprefix("/cases/"))
        return Reply(status=404) if case is None else Reply(body=json.dumps(case).encode())


@pytest.fixture
def action(load: Load) -> Any:
    """The action, quick to try again."""
    kind = type(load("crm_case").actions["crm_case"])
    return kind(first_pause=0.001, patience=5.0, rng=random.Random(1))


def plugin_module(load: Load) -> object:
    return sys.modules[type(load("crm_case").actions["crm_case"]).__module__]


async def test_a_bot_opens_a_case_and_reads_it(serve: Serve, load: Load, tmp_path: Path) -> None:
    crm = Crm()
    bot = tmp_path / "bot.yaml"
    bot.write_text(BOT)
    (result,) = await play(
        bot,
        plugins={"crm_case": plugin_module(load)},
        variables={"CRM_URL": await serve(crm.answer), "CRM_TOKEN": "s3cret"},
    )
    assert result.verdict is Verdict.PASSED, result.message
    assert crm.cases == {
        "CAS/1": {"subject": "Bill", "tier": "gold", "id": "CAS/1", "status": "open"}
    }
    assert [(request.method, request.path) for request in crm.asked] == [
        ("POST", "/cases"),
        ("GET", "/cases/CAS/1"),
    ]


async def test_a_refusal_breaks_the_step_and_shows_no_secret(
    serve: Serve, load: Load, tmp_path: Path
) -> None:
    crm = Crm()
    bot = tmp_path / "bot.yaml"
    bot.write_text(BOT)
    url = (await serve(crm.answer)).replace("//", "//probe:pa55@")
    (result,) = await play(
        bot,
        plugins={"crm_case": plugin_module(load)},
        variables={"CRM_URL": url, "CRM_TOKEN": "wr0ng"},
    )
    assert (result.verdict, result.reason) == (Verdict.ERROR, Reason.ACTION)
    assert "POST http://127.0.0.1:" in result.message
    assert "/cases: the CRM answered 401" in result.message
    assert len(crm.asked) == 1
    for secret in ("s3cret", "wr0ng", "pa55"):
        assert secret not in repr(result)


async def test_trouble_is_tried_again_with_the_same_key(serve: Serve, action: Any) -> None:
    crm = Crm(
        Reply(status=503), Reply(abort=True), Reply(status=429, headers=(("Retry-After", "0"),))
    )
    url = await serve(crm.answer)
    assert await action(NO_CONTEXT, url=url, token="s3cret", subject="Bill") == "CAS/1"
    keys = [request.headers["idempotency-key"] for request in crm.asked]
    assert len(keys) == 4
    assert len(set(keys)) == 1
    await action(NO_CONTEXT, url=url, token="s3cret", subject="Bill")
    assert crm.asked[-1].headers["idempotency-key"] != keys[0]


async def test_lasting_trouble_is_told_after_the_last_attempt(serve: Serve, action: Any) -> None:
    crm = Crm(*[Reply(status=503)] * 9)
    url = await serve(crm.answer)
    with pytest.raises(BotkitError, match=rf"^POST {url}/?: the CRM answered 503 .*\(4 attempts\)"):
        await action(NO_CONTEXT, url=url)
    assert len(crm.asked) == 4


async def test_a_crm_that_is_away(serve: Serve, action: Any) -> None:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    await listeners[0].aclose()
    with pytest.raises(BotkitError, match=r"ConnectError: .*\(4 attempts\)"):
        await action(NO_CONTEXT, url=f"http://127.0.0.1:{port}/cases")


async def test_a_crm_that_does_not_answer(serve: Serve, action: Any) -> None:
    crm = Crm()
    crm.silent = True
    hasty = type(action)(attempts=2, first_pause=0.001, patience=0.05)
    with pytest.raises(BotkitError, match=r"no answer within 0.05 s \(2 attempts\)"):
        await hasty(NO_CONTEXT, url=await serve(crm.answer))


async def test_a_crm_that_wants_more_patience_than_there_is(serve: Serve, action: Any) -> None:
    crm = Crm(Reply(status=503, headers=(("Retry-After", "3600"),)))
    with pytest.raises(BotkitError, match="asks to wait for 3600 s"):
        await action(NO_CONTEXT, url=await serve(crm.answer))
    assert len(crm.asked) == 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<html>", "something that is not JSON"),
        (b"[]", "no text or number called 'id'"),
        (b'{"id": {}}', "no text or number called 'id'"),
    ],
)
async def test_nonsense(serve: Serve, action: Any, body: bytes, told: str) -> None:
    crm = Crm(Reply(body=body))
    with pytest.raises(BotkitError, match=told):
        await action(NO_CONTEXT, url=await serve(crm.answer))


@pytest.mark.parametrize("url", ["crm.example/cases", "ftp://crm.example", "http://crm:x/", ""])
async def test_what_is_no_url_is_not_tried_again(action: Any, url: str) -> None:
    with pytest.raises(BotkitError) as caught:
        await action(NO_CONTEXT, url=url, token="s3cret\n")
    assert "attempts" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_pauses(action: Any) -> None:
    plain = type(action)(first_pause=1.0, longest_pause=4.0, rng=random.Random(1))
    pauses = [plain.pause(attempt, {}) for attempt in range(5)]
    for pause, longest in zip(pauses, (1.0, 2.0, 4.0, 4.0, 4.0), strict=True):
        assert longest / 2 <= pause <= longest
    assert plain.pause(0, {"Retry-After": "7"}) == 7.0
    dates = {
        "Date": "Wed, 21 Oct 2015 07:28:00 GMT",
        "Retry-After": "Wed, 21 Oct 2015 07:28:05 GMT",
    }
    assert plain.pause(0, dates) == 5.0
    assert plain.pause(0, {**dates, "Retry-After": "Wed, 21 Oct 2015 07:00:00 GMT"}) == 0.0
    assert 0.5 <= plain.pause(0, {**dates, "Retry-After": "soon"}) <= 1.0
