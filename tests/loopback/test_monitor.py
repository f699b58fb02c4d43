"""``botkit monitor`` as an operator uses it: a process, signals, files, real sockets."""

from __future__ import annotations

import json
import os
import queue
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from botkit.monitor.history import History, latest
from botkit.results import Verdict

LIMIT = 30.0
BOT = """\
botkit: 1
bot: smoke
limits: {whole_chat: 5s}
steps:
  - wait_for: agent
  - say: Hello
  - expect: 'You said: Hello'
    within: 3s
"""
MONITORS = """\
botkit-monitors: 1
monitors:
  chat:
    bot: smoke.yaml
    connector: simulator
    every: 1s
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("BOTKIT_")]:
        monkeypatch.delenv(name)
    for name, text in {"botkit.toml": "", "smoke.yaml": BOT, "m.yaml": MONITORS}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Process:
    """A monitor that runs; what it says, on both streams, is read as it comes."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "botkit", "monitor", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.said = ""

    def wait_for(self, words: str, times: int = 1) -> None:
        """Read on until it has said this so often."""
        assert self._process.stdout is not None
        end = time.monotonic() + LIMIT
        while self.said.count(words) < times:
            ready, _, _ = select.select([self._process.stdout], [], [], end - time.monotonic())
            more = os.read(self._process.stdout.fileno(), 65536) if ready else b""
            assert more, f"it never said {words!r}, but: {self.said}"
            self.said += more.decode()

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it; gives the exit code."""
        self.send(number)
        rest, _ = self._process.communicate(timeout=LIMIT)
        self.said += rest.decode()
        return self._process.returncode

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate(timeout=LIMIT)


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(*arguments: str) -> Process:
        started.append(Process(*arguments))
        return started[-1]

    yield start
    for process in started:
        process.kill()


def kept(folder: Path) -> list[Verdict]:
    with closing(History(str(folder / "m.db"))) as history:
        return [entry.verdict for entry in history.ask(latest, "chat", limit=1000)]


def test_it_watches_until_it_is_told_to_stop(folder: Path, start: Callable[..., Process]) -> None:
    monitor = start("m.yaml")
    monitor.wait_for("PASSED chat: smoke", times=2)
    assert monitor.end() == 0
    assert "1 monitor at work" in monitor.said
    assert "on the simulator" in monitor.said
    assert len(kept(folder)) == monitor.said.count("PASSED chat")
    assert set(kept(folder)) == {Verdict.PASSED}
    assert "Traceback" not in monitor.said


def test_a_file_is_read_again_and_a_broken_one_is_refused(
    folder: Path, start: Callable[..., Process]
) -> None:
    monitor = start("m.yaml")
    monitor.wait_for("PASSED chat")
    (folder / "m.yaml").write_text(MONITORS.replace("every", "evry"))
    monitor.send(signal.SIGHUP)
    monitor.wait_for("the old file is kept")
    assert "m.yaml:6:5: unknown key 'evry' of a monitor; did you mean 'every'?" in monitor.said
    before = monitor.said.count("PASSED chat")
    monitor.wait_for("PASSED chat", times=before + 1)
    (folder / "m.yaml").write_text(
        MONITORS + "  second: {bot: smoke.yaml, connector: simulator, every: 1s}\n"
    )
    monitor.send(signal.SIGHUP)
    monitor.wait_for("SIGHUP: 2 monitors at work")
    monitor.wait_for("PASSED second")
    assert monitor.end(signal.SIGINT) == 0


def test_what_is_wrong_with_the_service_is_told_and_kept(
    folder: Path, start: Callable[..., Process]
) -> None:
    (folder / "smoke.yaml").write_text(BOT.replace("You said: Hello", "nobody says this"))
    (folder / "m.yaml").write_text(MONITORS + "    retest: {after: 100ms}\n")
    monitor = start("m.yaml", "--quiet")
    monitor.wait_for("played again")
    assert monitor.end() == 0
    assert "FAILED chat: smoke" in monitor.said
    assert Verdict.FAILED in kept(folder)


def test_a_killed_monitor_has_kept_what_it_told(
    folder: Path, start: Callable[..., Process]
) -> None:
    monitor = start("m.yaml")
    monitor.wait_for("PASSED chat", times=2)
    monitor.kill()
    again = start("m.yaml")
    again.wait_for("PASSED chat")
    assert again.end() == 0
    assert len(kept(folder)) >= 3


def test_chats_are_left_when_it_stops(
    folder: Path, start: Callable[..., Process], simulator: str
) -> None:
    (folder / "smoke.yaml").write_text(BOT + "  - pause: 4s\n")
    text = MONITORS.replace("connector: simulator", f"server: {simulator}")
    (folder / "m.yaml").write_text(text)
    status = simulator.replace("/genesys/cometd", "/simulator/status")
    monitor = start("m.yaml")
    end = time.monotonic() + LIMIT
    while not httpx.get(status).json()["open"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert monitor.end() == 0
    assert httpx.get(status).json()["open"] == 0


@pytest.fixture
def simulator() -> Iterator[str]:
    """Serve one from a process of its own; gives its Bayeux URL."""
    command = [sys.executable, "-m", "botkit", "simulate", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        yield process.stdout.readline().decode().split()[1]
        process.terminate()


def test_people_are_told_once_and_again_when_it_is_over(
    folder: Path, start: Callable[..., Process]
) -> None:
    told = folder / "told"
    program = f"import sys; open({str(told)!r}, 'a').write(sys.stdin.read() + chr(10))"
    (folder / "m.yaml").write_text(
        MONITORS.replace("every: 1s", "every: 500ms")
        + "alerts:\n  to:\n    ops:\n      sink: command\n"
        + f"      with: {{run: [{sys.executable}, -c, {json.dumps(program)}]}}\n"
    )
    (folder / "smoke.yaml").write_text(BOT.replace("You said: Hello", "nobody says this"))
    bad = (folder / "smoke.yaml").read_text().replace("within: 3s", "within: 100ms")
    (folder / "smoke.yaml").write_text(bad)
    monitor = start("m.yaml")
    monitor.wait_for("FAILED chat", times=4)
    (folder / "smoke.yaml").write_text(BOT)
    monitor.send(signal.SIGHUP)
    monitor.wait_for("PASSED chat", times=4)
    assert monitor.end() == 0
    down, up = (json.loads(line) for line in told.read_text().splitlines())
    assert (down["status"], up["status"]) == ("firing", "resolved")
    assert down["monitor"] == "chat"
    assert "nobody says this" in json.dumps(down)


class Receiver(ThreadingHTTPServer):
    """Takes requests."""

    def __init__(self, port: int = 0) -> None:
        self.came: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        super().__init__(("127.0.0.1", port), Taking)


class Taking(BaseHTTPRequestHandler):
    """Keeps the path and the body of what comes."""

    server: Receiver

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.came.put((self.path, body))

    def log_message(self, format: str, *args: object) -> None:
        """Be silent."""


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    with Receiver(port) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_dead_sink_did_not_take_is_delivered_after_the_next_start(
    end: signal.Signals, folder: Path, start: Callable[..., Process]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "m.yaml").write_text(
        MONITORS.replace("every: 1s", "every: 200ms")
        + "alerts:\n  to:\n    ops:\n      sink: pagerduty\n"
        + f"      with: {{url: 'http://127.0.0.1:{port}/', routing_key: k}}\n"
    )
    broken = BOT.replace("You said: Hello", "nobody says this").replace(
        "within: 3s", "within: 0.1s"
    )
    (folder / "smoke.yaml").write_text(broken)
    monitor = start("m.yaml")
    kept, state = folder / "m.undelivered", folder / "m.state"
    limit = time.monotonic() + LIMIT
    while not (kept.exists() and '"told": [{' in state.read_text()):
        assert time.monotonic() < limit
        time.sleep(0.05)
    monitor.end(end)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with receiving(port) as receiver:
        again = start("m.yaml")
        _, body = receiver.came.get(timeout=LIMIT)
        assert again.end() == 0
    event = json.loads(body)
    assert (event["event_action"], event["dedup_key"]) == ("trigger", "botkit/chat")
    summary, details = event["payload"]["summary"], event["payload"]["custom_details"]
    assert re.search(r"chat is down: .* \(told \d+ s late\)$", summary)
    assert "nobody says this" in details["text"]
    assert receiver.came.empty(), "people are told once"
    assert not kept.exists()


@pytest.fixture
def switch(folder: Path) -> Iterator[Receiver]:
    """A dead-man switch that the file of monitors names."""
    with receiving() as receiver:
        url = f"http://127.0.0.1:{receiver.server_port}/uuid"
        beat = f"heartbeat: {{url: '{url}', every: 100ms, stuck_after: 1s}}\n"
        (folder / "m.yaml").write_text(MONITORS.replace("every: 1s", "every: 300ms") + beat)
        yield receiver


def last_words(receiver: Receiver) -> tuple[str, str]:
    """Read on until something else than a sign of life comes."""
    while (came := receiver.came.get(timeout=LIMIT)) == ("/uuid", ""):
        pass
    return came


def is_silent(receiver: Receiver) -> bool:
    """Tell whether nothing comes any more but what was on its way."""
    with suppress(queue.Empty):
        receiver.came.get(timeout=0.1)
    with suppress(queue.Empty):
        return not receiver.came.get(timeout=1)
    return True


def test_a_monitor_gives_signs_of_life_until_it_is_stopped(
    start: Callable[..., Process], switch: Receiver
) -> None:
    monitor = start("m.yaml")
    for _ in range(3):
        assert switch.came.get(timeout=LIMIT) == ("/uuid", "")
    assert monitor.end() == 0
    path, text = last_words(switch)
    assert (path, text.partition(";")[0]) == ("/uuid/log", "botkit monitor was stopped")
    assert is_silent(switch)


def test_a_monitor_that_is_killed_gives_no_signs_of_life(
    start: Callable[..., Process], switch: Receiver
) -> None:
    monitor = start("m.yaml")
    for _ in range(3):
        assert switch.came.get(timeout=LIMIT) == ("/uuid", "")
    monitor.kill()
    while not switch.came.empty():
        assert switch.came.get() == ("/uuid", "")
    assert is_silent(switch)


def test_a_monitor_that_is_stuck_says_so_and_gives_no_signs_of_life(
    folder: Path, start: Callable[..., Process], switch: Receiver
) -> None:
    (folder / "smoke.yaml").write_text(BOT.replace("5s", "60s") + "  - pause: 50s\n")
    monitor = start("m.yaml")
    assert switch.came.get(timeout=LIMIT) == ("/uuid", "")
    path, text = last_words(switch)
    assert (path, text.partition(":")[0]) == ("/uuid/fail", "chat is stuck")
    assert is_silent(switch)
    assert monitor.end() == 0
    assert "no sign of life is sent: chat is stuck" in monitor.said


HOLDING = """\
import time

import botkit


@botkit.bot()
class Holding:
    async def run(self, session):
        print("held", flush=True)
        time.sleep(60)
"""


def test_a_loop_that_is_held_gives_no_signs_of_life(
    folder: Path, start: Callable[..., Process], switch: Receiver
) -> None:
    text = (folder / "m.yaml").read_text()
    (folder / "m.yaml").write_text(text.replace("smoke.yaml", "holding.py"))
    (folder / "holding.py").write_text(HOLDING)
    monitor = start("m.yaml")
    monitor.wait_for("held")
    while not switch.came.empty():
        assert switch.came.get() == ("/uuid", "")
    assert is_silent(switch)
    monitor.kill()


def test_its_page_and_its_metrics_are_served(
    folder: Path, start: Callable[..., Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "a-token-for-this-test")
    page = "page: {port: 0, token: '${secret.TOKEN}'}\n"
    (folder / "m.yaml").write_text(MONITORS.replace("every: 1s", "every: 1h") + page)
    monitor = start("m.yaml")
    monitor.wait_for("PASSED chat")
    (url,) = re.findall(r"status page at (\S+)/,", monitor.said)
    shown = httpx.get(f"{url}/")
    assert shown.status_code == 200
    assert "chat" in shown.text
    scraped = httpx.get(f"{url}/metrics").text
    assert 'botkit_check_success{location="",monitor="chat"} 1.0' in scraped
    refused = httpx.post(f"{url}/api/monitors/chat/run")
    assert refused.status_code in {401, 403}
    bearer = {"Authorization": "Bearer a-token-for-this-test"}
    asked = httpx.post(f"{url}/api/monitors/chat/run", headers=bearer)
    assert asked.is_success, asked.text
    monitor.wait_for("PASSED chat", times=2)
    assert monitor.end() == 0
    assert "Traceback" not in monitor.said


def test_steps_that_are_gone_after_a_reading_are_told_of_no_more(
    folder: Path, start: Callable[..., Process]
) -> None:
    (folder / "m.yaml").write_text(f"{MONITORS}page: {{port: 0}}\nprobe: {{}}\n")
    monitor = start("m.yaml")
    monitor.wait_for("PASSED chat")
    (url,) = re.findall(r"status page at (\S+)/,", monitor.said)
    assert 'step="steps[2]:expect"' in httpx.get(f"{url}/metrics").text
    (folder / "smoke.yaml").write_text(BOT.replace("  - say", "  - note: here\n  - say"))
    monitor.send(signal.SIGHUP)
    monitor.wait_for("SIGHUP: 1 monitor at work")
    end = time.monotonic() + LIMIT
    while 'step="steps[2]:expect"' in (told := httpx.get(f"{url}/metrics").text):
        assert time.monotonic() < end, told
        time.sleep(0.05)
    assert 'step="steps[3]:expect"' in told
    assert "probe_success 1.0" in httpx.get(f"{url}/probe?module=chat").text
    assert monitor.end() == 0
    assert "Traceback" not in monitor.said


def test_a_port_that_is_taken_is_told(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (folder / "m.yaml").write_text(MONITORS + f"page: {{port: {port}}}\n")
        command = [sys.executable, "-m", "botkit", "monitor", "m.yaml"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 4
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_can_be_validated_without_playing(
    folder: Path, start: Callable[..., Process]
) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "botkit", "monitor", "--validate", "m.yaml"],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
    )
    assert said.stdout == "1 monitor, no problems\n"
    assert not (folder / "m.db").exists()


def test_beside_bots_it_is_no_problem_and_by_name_it_is_told_where_it_belongs(
    folder: Path,
) -> None:
    command = [sys.executable, "-m", "botkit", "check"]
    beside = subprocess.run([*command, "."], capture_output=True, text=True, check=False)
    assert (beside.returncode, beside.stderr) == (0, "")
    named = subprocess.run([*command, "m.yaml"], capture_output=True, text=True, check=False)
    assert named.returncode == 4
    assert "botkit monitor --validate m.yaml" in named.stdout + named.stderr
