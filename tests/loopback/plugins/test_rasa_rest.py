"""The wire of ``plugins/rasa_rest.py`` against a server that answers as Rasa does, over sockets.

What the server answers is as in ``rasa/core/channels/rest.py`` and ``channel.py`` of Rasa 3.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trio

import botkit
from botkit import EndedBy, NetworkSettings, SessionEnded
from botkit.cli import main
from botkit.errors import ConfigError, ConnectorError, RemoteProtocolError
from botkit.interfaces import Connector
from botkit.plugins import Plugins
from botkit.simulator.http import Reply, Request

PLUGINS = str(Path(__file__).parents[3] / "plugins")
Serve = Callable[[Any], Any]
Load = Callable[[str], Plugins]

BOT = """\
botkit: 1
bot: pizza
connect:
  connector: rasa-rest
  server: ${env.RASA}
  nickname: Ada
  userdata: {Segment: gold}
  options: {hello: /session_start, goodbye: /restart, assistant: Sara}
limits: {whole_chat: 10s}
steps:
  - wait_for: agent
  - expect: {equals: Hi there}
  - set_userdata: {Order: "4711"}
  - say: A pizza, please
    typing: 1ms
  - expect: {contains: Which size}
  - say: {button: large}
  - expect: {json: {/image: {starts_with: http}}}
  - expect: {equals: "One large pizza for 4711"}
"""


def rest_channel(line: str, metadata: dict[str, str]) -> list[dict[str, Any]]:
    """Be the assistant."""
    match line:
        case "/session_start":
            return [{"text": "Hi there"}]
        case "A pizza, please":
            buttons = [{"title": size, "payload": f"/size_{size}"} for size in ("Small", "Large")]
            return [{"text": "Which size?", "buttons": buttons}]
        case "/size_Large":
            order = metadata.get("Order")
            return [
                {"image": "http://example.com/pizza.jpg"},
                {"text": f"One large pizza for {order}"},
            ]
    return []


@dataclass
class Rasa:
    """A server; what is in ``instead`` is answered before the assistant is asked."""

    instead: dict[str, Reply] = field(default_factory=dict)
    health: Reply = field(default_factory=lambda: Reply(body=b'{"status":"ok"}'))
    silent_at: str = ""
    posted: list[dict[str, Any]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    async def answer(self, request: Request) -> Reply:
        await trio.lowlevel.checkpoint()
        self.requests.append(request)
        if (request.method, request.path) == ("GET", "/webhooks/rest/"):
            return self.health
        if (request.method, request.path) != ("POST", "/webhooks/rest/webhook"):
            return Reply(status=404, body=b"no such route")
        body = json.loads(request.body)
        self.posted.append(body)
        if body["message"] == self.silent_at:
            await trio.sleep_forever()
        if body["message"] in self.instead:
            return self.instead[body["message"]]
        told = rest_channel(body["message"], body["metadata"])
        answer = [{"recipient_id": body["sender"], **item} for item in told]
        return Reply(body=json.dumps(answer).encode())

    @property
    def lines(self) -> list[str]:
        return [body["message"] for body in self.posted]


@pytest.fixture
def connector(load: Load) -> Connector:
    return load("rasa_rest").connectors["rasa-rest"]()


@pytest.fixture
def run(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Play the bot as users do, by ``botkit run``; gives the exit code and the journey."""

    async def run(rasa: Rasa | str, *changes: tuple[str, str]) -> tuple[int, dict[str, Any]]:
        url = rasa if isinstance(rasa, str) else f"{await serve(rasa.answer)}/webhooks/rest/webhook"
        bot, results = tmp_path / "bot.yaml", tmp_path / "results.json"
        text = BOT
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        bot.write_text(text)
        command = [sys.executable, "-m", "botkit", "run", str(bot), "--plugins", PLUGINS]
        command += ["--var", f"RASA={url}", "--json", str(results), "-q"]
        done = await trio.run_process(
            command, check=False, capture_stderr=True, capture_stdout=True
        )
        assert results.exists(), done.stderr.decode()
        (journey,) = json.loads(results.read_text())["journeys"]
        return done.returncode, journey

    return run


async def test_a_journey_passes(run: Any) -> None:
    rasa = Rasa()
    code, journey = await run(rasa)
    assert (code, journey["verdict"]) == (0, "passed"), journey["message"]
    assert journey["connector"] == "rasa-rest"
    assert journey["left"]
    assert rasa.lines == ["/session_start", "A pizza, please", "/size_Large", "/restart"]
    assert {body["sender"] for body in rasa.posted} == {journey["session_id"]}
    first, last = rasa.posted[0]["metadata"], rasa.posted[-1]["metadata"]
    assert first["Segment"] == "gold"
    assert first["BotkitSynthetic"].startswith("pizza/")
    assert "Order" not in first
    assert last["Order"] == "4711"
    assert all("(+synthetic)" in request.headers["user-agent"] for request in rasa.requests)


HTML = Reply(body=b"<html>Bad gateway</html>")
BROKEN = Reply(status=500, body=b"oops")


@pytest.mark.parametrize(
    ("rasa", "reason", "told"),
    [
        (Rasa(health=BROKEN), "unreachable", "/webhooks/rest/ answered 500: b'oops'"),
        (Rasa(instead={"/session_start": HTML}), "protocol", "not JSON: b'<html>"),
        (Rasa(instead={"A pizza, please": BROKEN}), "lost", "webhook answered 500: b'oops'"),
    ],
)
async def test_failures_are_the_verdict(run: Any, rasa: Rasa, reason: str, told: str) -> None:
    code, journey = await run(rasa)
    assert (journey["verdict"], journey["reason"]) == ("failed", reason), journey["message"]
    assert told in journey["message"]
    assert code == (12 if reason == "unreachable" else 1)
    assert "/restart" not in rasa.lines


@pytest.mark.parametrize(
    ("rasa", "kind", "told"),
    [
        (Rasa(health=HTML), RemoteProtocolError, "/webhooks/rest/ answered with .* not JSON"),
        (Rasa(health=Reply(abort=True)), RemoteProtocolError, "/webhooks/rest/: .*disconnected"),
        (Rasa(instead={"hello": BROKEN}), ConnectorError, "webhook answered 500: b'oops'"),
        (Rasa(instead={"hello": Reply(body=b"{}")}), RemoteProtocolError, "no list of messages"),
        (Rasa(instead={"hello": Reply(body=b"[1]")}), RemoteProtocolError, "no list of messages"),
        (
            Rasa(instead={"hello": Reply(body=b" " * 500_000)}),
            RemoteProtocolError,
            "than 4096 bytes",
        ),
    ],
)
async def test_what_is_no_channel_opens_no_chat(
    serve: Serve, connector: Connector, rasa: Rasa, kind: type[Exception], told: str
) -> None:
    url = f"{await serve(rasa.answer)}/webhooks/rest/webhook"
    network = NetworkSettings(max_reply_bytes=4096)
    with pytest.raises(kind, match=told):
        async with botkit.start_session(
            url, connector=connector, network=network, options={"hello": "hello"}
        ):
            pytest.fail("it was opened")


@pytest.mark.parametrize("answer", [BROKEN, HTML, Reply(abort=True), Reply(body=b"[1]")])
async def test_a_line_that_is_lost_ends_the_chat(
    serve: Serve, connector: Connector, answer: Reply
) -> None:
    rasa = Rasa(instead={"hello": answer})
    url = f"{await serve(rasa.answer)}/webhooks/rest/webhook"
    async with botkit.start_session(
        url, connector=connector, options={"goodbye": "/restart"}
    ) as session:
        await session.send_message("hello")
        ended = await session.wait_for(SessionEnded)
        assert ended.by is EndedBy.LOST
        assert ended.description.startswith(url)
    assert rasa.lines == ["hello"]


async def test_nobody_listens(run: Any) -> None:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    await listeners[0].aclose()
    code, journey = await run(f"http://probe:pa55@127.0.0.1:{port}/webhooks/rest/webhook?token=t0p")
    assert (code, journey["verdict"], journey["reason"]) == (12, "failed", "unreachable")
    assert f"http://127.0.0.1:{port}/webhooks/rest/: " in journey["message"]
    assert "pa55" not in repr(journey)
    assert "t0p" not in repr(journey)


async def test_a_slow_assistant_breaks_the_promise_of_the_step(run: Any) -> None:
    rasa = Rasa(silent_at="A pizza, please")
    slow = ("{contains: Which size}", "{contains: Which size}\n    within: 200ms")
    code, journey = await run(rasa, slow)
    assert (code, journey["verdict"], journey["reason"]) == (1, "failed", "timeout")
    assert journey["left"]
    assert rasa.lines[-1] == "/restart"


async def test_a_slow_server_is_unreachable(serve: Serve, connector: Connector) -> None:
    rasa = Rasa(silent_at="/session_start")
    url = f"{await serve(rasa.answer)}/webhooks/rest/webhook"
    with pytest.raises(ConnectorError, match=r"webhook did not answer within 0\.2 s"):
        async with botkit.start_session(
            url, connector=connector, options={"hello": "/session_start"}, open_within=0.2
        ):
            pytest.fail("it was opened")


async def test_a_goodbye_that_is_not_heard(run: Any) -> None:
    code, journey = await run(Rasa(instead={"/restart": BROKEN}))
    assert (code, journey["verdict"], journey["reason"]) == (1, "failed", "not_left")
    assert not journey["left"]


async def test_without_words_of_its_own_it_posts_what_is_said(
    serve: Serve, connector: Connector
) -> None:
    rasa = Rasa(health=Reply(status=404))
    url = f"{await serve(rasa.answer)}/webhooks/rest/webhook?token=t0p"
    async with botkit.start_session(url, connector=connector, options={"probe": "no"}) as session:
        await session.send_message("A pizza, please")
        said = await session.expect(botkit.contains("size"))
        await session.delete_userdata("Segment")
        with pytest.raises(ConfigError, match="lines and nothing else"):
            await session.push_url("https://example.com")
    assert [button.payload for button in said.buttons] == ["/size_Small", "/size_Large"]
    assert rasa.lines == ["A pizza, please"]
    assert [request.query for request in rasa.requests] == ["token=t0p"]


async def test_a_chat_is_reloaded(serve: Serve, connector: Connector) -> None:
    rasa = Rasa()
    url = f"{await serve(rasa.answer)}/webhooks/rest/webhook"
    async with botkit.start_session(url, connector=connector) as session:
        await session.send_message("A pizza, please")
        await session.expect(botkit.contains("size"))
        await session.reload()
        await session.send_message("/size_Large")
        await session.expect(botkit.contains("One large pizza"))
    assert len({body["sender"] for body in rasa.posted}) == 1


@pytest.mark.parametrize("cut", [False, True])
async def test_it_says_goodbye_on_every_path(serve: Serve, connector: Connector, cut: bool) -> None:
    rasa = Rasa(silent_at="wait")
    url = f"{await serve(rasa.answer)}/webhooks/rest/webhook"
    with trio.CancelScope() as scope:
        async with botkit.start_session(
            url, connector=connector, options={"goodbye": "/restart"}
        ) as session:
            await session.send_message("wait")
            if cut:
                scope.cancel()
                await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught is cut
    assert rasa.lines[-1] == "/restart"


def test_what_it_cannot_do_is_told_before_anything_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RASA", "http://127.0.0.1:5005/webhooks/rest/webhook")
    bot = tmp_path / "bot.yaml"
    bot.write_text(BOT.replace("  - set_userdata", "  - push_url: https://e.com\n  - set_userdata"))
    arguments = ["check", str(bot), "--plugins", PLUGINS]
    assert main(arguments) == 4
    told = capsys.readouterr()
    line = bot.read_text().splitlines().index("  - push_url: https://e.com") + 1
    assert f"{bot}:{line}:5: 'push_url' cannot be done over rasa-rest" in told.out
    bot.write_text(BOT.replace("hello:", "hallo:"))
    assert main(arguments) == 4
    told = capsys.readouterr()
    assert f"{bot}:8:13: rasa-rest has no option 'hallo'" in told.out
    bot.write_text(BOT)
    assert main(arguments) == 0
    assert main([*arguments, "--server", "wss://127.0.0.1"]) == 4
