"""What must not be shown leaves ``botkit monitor`` nowhere: a real one, with all that it writes.

Its bot fails, its agent says every canary, its file holds the keys to everything around it. Then
all that came out is searched: streams, history, spool, memory, pages, metrics, alerts of all sinks.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

LIMIT = 60.0
SAID = {
    "email": "ada.lovelace+chat@example.com",
    "card": "4111 1111 2222 3333",
    "name": "Jürgen Müßiggänger",
    "secret": "hunter2!Winter",
    "capture": "ORD/2026/000123",
    "user data": "s3ssion-of-ada",
    "monitor's user data": "m0nitor-data",
}
"""Of the bot, and said by its agent, in parts as well."""
KEYS = {
    "server": "srv-pa55w0rd",
    "parameter": "prm-0099aa",
    "page": "page-t0ken-1",
    "database": "pg-pa55-word",
    "path of a webhook": "/services/T0AAA/xyz123",
    "query of a webhook": "sig=0a1b2c3d",
    "HMAC key": "hmac-9f8e7d6c",
    "header": "hdr-55aa66bb",
    "routing key": "rk-112233445566",
    "mail password": "ma1l-pa55",
    "argument": "arg-t0k3n-7",
    "plugin": "plg-5ecret-8",
}
"""Of the file of monitors."""
CANARIES = SAID | KEYS
BOT = """\
botkit: 1
bot: canaries
connect:
  server: ${env.SERVER}
  nickname: ${row.name}
  userdata: {Email: "${row.email}", SessionToken: s3ssion-of-ada}
limits: {whole_chat: 8s}
data:
  name: ${row.name}
  mask: [email, card, name]
  rows: [ROW]
steps:
  - wait_for: agent
  - say: my secret is ${secret.PIN}, ${row.email}
  - expect: {matches: 'order=(?P<order>.*);;'}
    mask: [order]
  - note: "${order} ${row.card}"
  - say: go
  - expect: that was all
  - expect: {contains: "never ${row.email}"}
    within: 500ms
"""
PAGE_TOKEN = "page-t0ken-1"
MONITORS = """\
botkit-monitors: 1
location: here
history: HISTORY
page: {host: 127.0.0.1, port: 0, token: page-t0ken-1, url: "https://status.example.com"}
probe: {targets: []}
alerts:
  rules: {fail: 1 of 1}
  to:
    hook:
      sink: webhook
      with:
        url: RECEIVER/services/T0AAA/xyz123?sig=0a1b2c3d
        secret: hmac-9f8e7d6c
        headers: {X-Api-Key: hdr-55aa66bb}
    chat: {sink: slack, with: {url: "RECEIVER/services/T0AAA/xyz123"}}
    duty: {sink: pagerduty, with: {routing_key: rk-112233445566, url: "RECEIVER/enqueue"}}
    mail:
      sink: email
      with: {host: 127.0.0.1, port: "MAIL", security: none, to: [b@example.com],
             sender: a@example.com}
    lost:
      sink: email
      with: {host: 127.0.0.1, port: "NOBODY", to: [b@example.com], sender: a@example.com,
             username: ada, password: ma1l-pa55}
    call: {sink: command, with: {run: [PYTHON, keep.py, "--token=arg-t0k3n-7"]}}
    refused: {sink: webhook, with: {url: "http://127.0.0.1:NOBODY/services/T0AAA/xyz123"}}
    leaky: {sink: leaky, with: {key: plg-5ecret-8}}
monitors:
  chat:
    bot: bot.yaml
    every: 1h
    userdata: {Note: "${secret.NOTE}"}
"""
PLUGIN = '''\
"""A sink and hooks that tell whatever they know."""

import logging

from botkit import Alert, hookimpl

log = logging.getLogger("leaky")
logging.basicConfig(level=logging.DEBUG)


class Leaky:
    def __init__(self, key: str) -> None:
        self.key = key

    async def deliver(self, alert: Alert) -> None:
        try:
            raise RuntimeError(f"nobody takes {self.key}")
        except RuntimeError:
            log.exception("with %s", self.key)
            raise


@hookimpl
def register_alert_sinks(register):
    register("leaky", Leaky)


@hookimpl
def on_message(journey, event):
    journey.note(f"heard {event.text}")
    log.info("heard %s", event.text)
'''
KEEP = """\
import json, os, sys
own = {k: v for k, v in os.environ.items() if k.startswith("BOTKIT_ALERT_")}
open("command.json", "w").write(sys.stdin.read() + json.dumps(own, ensure_ascii=False))
"""


def spellings(canary: str) -> Iterator[str]:
    yield canary
    yield quote(canary)
    yield json.dumps(canary)[1:-1]
    yield base64.b64encode(canary.encode()).decode()
    yield html.escape(canary)


def agents() -> str:
    """Write an agent who says all canaries, in parts at last."""
    steps: list[object] = [
        {"expect": "my secret"},
        {"say": f"order={SAID['capture']};;"},
        {"expect": {"equals": "go"}},
    ]
    for canary in CANARIES.values():
        steps += [{"say": f"it is <{spelled}>"} for spelled in spellings(canary)]
        third = len(canary) // 3
        parts = (f"in {canary[:third]}", canary[third : 2 * third], f"{canary[2 * third :]} parts")
        steps += [{"say": part} for part in parts]
    steps.append({"say": "that was all"})
    return "botkit-agents: 1\n" + json.dumps({"agents": {"Grace": steps}}, ensure_ascii=False)[1:-1]


class Outside:
    """The servers around a monitor: they keep what reaches them."""

    def __init__(self) -> None:
        self.posted: list[str] = []
        self.mails: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content.decode())
        return "250 taken"

    @contextmanager
    def receiver(self) -> Iterator[str]:
        posted = self.posted

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                posted.append(self.rfile.read(length).decode())
                self.send_response(202)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_address[1]}"
            server.shutdown()
            thread.join()

    @contextmanager
    def post_office(self) -> Iterator[int]:
        port = free_port()
        controller = Controller(self, hostname="127.0.0.1", port=port)
        controller.start()
        yield port
        controller.stop()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Command:
    """A command of botkit at work, and what it says."""

    def __init__(self, folder: Path, *arguments: str, **environ: str) -> None:
        self._said = folder / f"said-{arguments[0]}.txt"
        with self._said.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "botkit", *arguments],
                stdout=out,
                stderr=out,
                cwd=folder,
                env={**os.environ, "BOTKIT_DEBUG": "1", **environ},
            )

    @property
    def said(self) -> str:
        return self._said.read_text(encoding="utf-8")

    def wait_until(self, what: Callable[[], bool]) -> None:
        """Wait until something holds; the process says when, so it is asked now and then."""
        end = time.monotonic() + LIMIT
        while not what():
            assert time.monotonic() < end, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.02)

    def find(self, pattern: str) -> str:
        """Wait until it has said something like this; give the first group."""
        self.wait_until(lambda: re.search(pattern, self.said) is not None)
        found = re.search(pattern, self.said)
        assert found is not None
        return found[1]

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(LIMIT)


@contextmanager
def command(folder: Path, *arguments: str, **environ: str) -> Iterator[Command]:
    running = Command(folder, *arguments, **environ)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    row = json.dumps({name: SAID[name] for name in ("email", "card", "name")}, ensure_ascii=False)
    (tmp_path / "plugins").mkdir()
    files = {
        "botkit.toml": "",
        "agents.yaml": agents(),
        "bot.yaml": BOT.replace("ROW", row),
        "keep.py": KEEP,
        "plugins/leaky.py": PLUGIN,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def write_monitors(folder: Path, history: str, receiver: str, mail: int) -> None:
    text = MONITORS.replace("HISTORY", history).replace("RECEIVER", receiver)
    text = text.replace("MAIL", str(mail)).replace("NOBODY", str(free_port()))
    (folder / "m.yaml").write_text(text.replace("PYTHON", json.dumps(sys.executable)))


def read(client: httpx.Client, path: str) -> str:
    """Read a page, for sure the one that is meant."""
    reply = client.get(path)
    assert reply.status_code == 200, reply.text[-500:]
    return reply.text


def pages(url: str) -> Iterator[tuple[str, str]]:
    """Read all that the status page has, as a browser and as a program."""
    with httpx.Client(base_url=url, trust_env=False, timeout=LIMIT) as client:
        overview = client.get("/")
        journeys = sorted(
            set(re.findall(r'"(/journeys/[^"?#]+)"', client.get("/monitors/chat").text))
        )
        for path in ("/monitors/chat", "/api/monitors", "/metrics"):
            yield path, read(client, path)
        yield "/", overview.text
        # While the store is down there are no journeys to be read.
        for journey in journeys[:1]:
            path = journey.removesuffix("/evidence.json")
            yield "journey", read(client, path)
            yield "evidence", read(client, f"{path}/evidence.json")
        yield "/healthz", client.get("/healthz").text
        client.headers["Authorization"] = f"Bearer {PAGE_TOKEN}"
        yield "debug of a probe", read(client, "/probe?module=chat&debug=true")
        yield "probe", read(client, "/probe?module=chat")


def leaks(text: str, searched: Mapping[str, str], *, parts: bool = True) -> list[str]:
    """Name what stands in a text that must not."""
    texts = (text, html.unescape(text))
    return [
        name
        for name, canary in searched.items()
        for spelled in (*spellings(canary), *first_part(canary, parts))
        if any(spelled in text for text in texts)
    ]


def first_part(canary: str, wanted: bool) -> Iterator[str]:
    if wanted:
        yield f"in {canary[: len(canary) // 3]}"


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_a_monitor_tells_no_canary(store: str, folder: Path) -> None:
    outside = Outside()
    environ = {"PIN": SAID["secret"], "NOTE": SAID["monitor's user data"], "PYTHONUTF8": "1"}
    down = f"{{url: 'postgresql://botkit:{KEYS['database']}@127.0.0.1:{free_port()}/botkit'}}"
    with (
        outside.receiver() as receiver,
        outside.post_office() as mail,
        command(folder, "simulate", "--port", "0", "--agents", "agents.yaml") as centre,
    ):
        server = centre.find(r"gms-cometd (\S+)")
        login = f"//ada:{KEYS['server']}@"
        environ["SERVER"] = f"{server.replace('//', login)}?token={KEYS['parameter']}"
        write_monitors(folder, "{}" if store == "sqlite" else down, receiver, mail)
        with command(folder, "monitor", "m.yaml", "--plugins", "plugins", **environ) as monitor:
            url = monitor.find(r"status page at (http://[^/\s]+)")
            monitor.find(r"(FAILED) ")
            monitor.wait_until(lambda: len(outside.posted) >= 3 and len(outside.mails) >= 1)
            monitor.find(r"(nobody takes)")
            monitor.wait_until((folder / "command.json").exists)
            told = dict(pages(url))
            files = {
                path.name: path.read_bytes()
                for path in [*folder.glob("m.*"), *folder.glob("m.*/*")]
                if path.is_file() and path.suffix != ".yaml"
            }
            assert monitor.end() == 0

    told |= {name: content.decode("utf-8", "replace") for name, content in files.items()}
    told["alert of a command"] = (folder / "command.json").read_text(encoding="utf-8")
    told |= {f"mail {number}": text for number, text in enumerate(outside.mails)}
    # Without PostgreSQL nobody told it of a password for it.
    searched = {k: v for k, v in CANARIES.items() if k != "database" or store != "sqlite"}
    found = {name: leaks(text, searched) for name, text in told.items()}
    # A plugin logs the first part before the second has come.
    found["what it said"] = leaks(monitor.said, searched, parts=False)
    del searched["routing key"]  # It is in the body of what its sink posts, and nowhere else.
    found["posts"] = leaks("".join(outside.posted), searched)
    assert {name: leaked for name, leaked in found.items() if leaked} == {}
    assert "heard it is <***>" in monitor.said
    assert "never ***" in monitor.said
    if store == "sqlite":
        assert {"m.db", "m.db-wal"} <= files.keys()
        assert "evidence" in told
    else:
        assert "postgresql://botkit:***@127.0.0.1" in monitor.said
        assert any(name.endswith(".journey") for name in files)
