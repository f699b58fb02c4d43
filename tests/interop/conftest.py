"""Foreign servers and clients: found or installed once, started and stopped for each test.

Botkit is beside them as a program of its own, started as a user starts it.

Everything is installed from the pinned manifests beside this file into `.botkit/interop/`, which
git ignores, and again only when a manifest changes. A missing tool skips the test and says which
one; where CI=true it fails instead, for there nothing may be skipped.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

HERE = Path(__file__).resolve().parent
INSTALL_LIMIT = 600
START_LIMIT = 60
CHAT_LIMIT = 60

# Short, so that a client whose first connect is held loses little time, and long enough that a
# busy machine loses no session.
TIMES = {"POLL_TIMEOUT_MS": "1000", "MAX_INTERVAL_MS": "5000"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.interop)


# --- tools and installations ----------------------------------------------------------------------


def missing(what: str) -> NoReturn:
    """Give up the test for want of a tool: loudly in CI, by its name elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"needs {what}, and CI skips nothing", pytrace=False)
    # Beyond Python nothing is required of a developer's machine.
    pytest.skip(f"needs {what}")


def tool(command: str, name: str) -> str:
    """Find a command on the PATH."""
    return shutil.which(command) or missing(name)


@pytest.fixture
def missing_tool() -> Callable[[str], NoReturn]:
    """Give up a test for want of what it needs; see :func:`missing`."""
    return missing


def install(command: list[str | Path], folder: Path) -> None:
    """Run one installing command; its output is shown only if it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALL_LIMIT,
        check=False,
    )
    if done.returncode:
        # Mostly the package registry that cannot be reached, which is a missing tool as well.
        missing(f"what `{' '.join(map(str, command))}` installs; it said:\n{done.stdout[-4000:]}")


@contextmanager
def installation(cache: Path, name: str, manifests: list[Path]) -> Iterator[tuple[Path, bool]]:
    """Hold the lock of one installation; gives its folder, and whether it has to be made.

    The stamp is written when the block is left without an error, so that an installation that was
    interrupted is made again.
    """
    folder = cache / name
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in manifests)).hexdigest()
    stamp = folder / "installed"
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stale = not stamp.exists() or stamp.read_text() != digest
        stamp.unlink(missing_ok=True) if stale else None
        yield folder, stale
        stamp.write_text(digest)


@pytest.fixture(scope="session")
def cache(request: pytest.FixtureRequest) -> Path:
    folder = request.config.rootpath / ".botkit" / "interop"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def node_folder(cache: Path) -> Path:
    """The Node scripts beside the packages they import."""
    tool("node", "Node.js")
    npm = tool("npm", "Node.js (npm)")
    with installation(cache, "node", [HERE / "package.json"]) as (folder, stale):
        if stale:
            shutil.copy(HERE / "package.json", folder)
            options = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
            install([npm, "install", *options], folder)
        for part in ("servers", "clients"):
            shutil.copytree(
                HERE / part,
                folder / part,
                ignore=shutil.ignore_patterns("java", "*.py", "*.txt", "__pycache__"),
                dirs_exist_ok=True,
            )
    return folder


@pytest.fixture(scope="session")
def java_folder(cache: Path) -> Path:
    """The compiled Java servers, each with its libraries beside it."""
    tool("java", "Java 17 (java)")
    tool("javac", "a Java 17 development kit (javac)")
    mvn = tool("mvn", "Maven (mvn)")
    source = HERE / "servers" / "java"
    manifests = sorted(p for p in source.rglob("*") if p.suffix in {".xml", ".java"})
    with installation(cache, "java", manifests) as (folder, stale):
        if stale:
            shutil.copytree(source, folder, dirs_exist_ok=True)
            install([mvn, "-q", "-B", "clean", "package"], folder)
    return folder


@pytest.fixture(scope="session")
def alerts_judge(cache: Path) -> Path:
    """The program that reads bodies of alerts; Go knows by itself what has changed."""
    # Where its own archives are unpacked is not always on the PATH.
    path = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/local/go/bin"
    go = shutil.which("go", path=path) or missing("Go")
    program = cache / "alerts-judge"
    install([go, "build", "-mod=readonly", "-o", program, "."], HERE / "judges" / "alerts")
    return program


@pytest.fixture(scope="session")
def aiocometd_python(cache: Path) -> Path:
    """The interpreter of an environment that has aiocometd-ng."""
    requirements = HERE / "clients" / "requirements.txt"
    with installation(cache, "aiocometd", [requirements]) as (folder, stale):
        python = folder / "venv" / "bin" / "python"
        if stale:
            install([sys.executable, "-m", "venv", "--clear", folder / "venv"], folder)
            install([python, "-m", "pip", "install", "-q", "-r", requirements], folder)
    return python


@pytest.fixture(scope="session")
def jenkins_schema(cache: Path) -> Path:
    """Jenkins' schema of JUnit files, out of a package that carries it."""
    requirements = HERE / "schema" / "requirements.txt"
    with installation(cache, "schema", [requirements]) as (folder, stale):
        schema = folder / "junit-10.xsd"
        if stale:
            source = ["download", "-q", "--no-deps", "--no-binary", "pytest", "-r", requirements]
            install([sys.executable, "-m", "pip", *source, "-d", folder], folder)
            [archive] = folder.glob("pytest-*.tar.gz")
            with tarfile.open(archive) as files:
                [name] = [name for name in files.getnames() if name.endswith(f"/{schema.name}")]
                found = files.extractfile(name)
                assert found is not None
                schema.write_bytes(found.read())
            archive.unlink()
    return schema


# --- servers --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignServer:
    """A running server: its Bayeux URL, its side door and its process."""

    name: str
    url: str
    process: subprocess.Popen[str]

    def _door(self, method: str, path: str, **params: str) -> Any:
        with httpx.Client(trust_env=False) as client:
            base = self.url.removesuffix("/cometd")
            answer = client.request(method, f"{base}/{path}", params=params)
        return answer.raise_for_status().json()

    def status(self) -> dict[str, Any]:
        """Chats with their transcripts, open and total count, number of Bayeux sessions."""
        status: dict[str, Any] = self._door("GET", "status")
        return status

    def forget(self, *, say: str) -> int:
        """Drop all Bayeux sessions; the agents say a line meanwhile. Gives how many there were."""
        return int(self._door("POST", "forget", all="1", say=say)["forgotten"])

    def say(self, text: str) -> int:
        """Let the agents say a line. Gives how many customers may have heard it."""
        return int(self._door("POST", "say", text=text)["heard"])

    @property
    def port(self) -> str:
        return str(httpx.URL(self.url).port)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait()


def java_command(folder: Path, module: str, main: str) -> list[str]:
    target = folder / module / "target"
    path = f"{target / 'classes'}{os.pathsep}{target / 'lib'}/*"
    # The light compiler alone: these processes live for seconds.
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", path, f"botkit.interop.{main}"]


@contextmanager
def running(
    name: str, command: list[str], log: Path, settings: Mapping[str, str]
) -> Iterator[ForeignServer]:
    """Start a server, wait for its `ready URL`, and stop it at the end."""
    with (
        log.open("a") as errors,
        subprocess.Popen(
            command,
            env={**os.environ, **TIMES, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            if not select.select([process.stdout], [], [], START_LIMIT)[0]:
                pytest.fail(f"{name} did not start:\n{log.read_text()}", pytrace=False)
            word, _, url = process.stdout.readline().strip().partition(" ")
            if word != "ready":
                pytest.fail(f"{name} did not start:\n{log.read_text()}", pytrace=False)
            yield ForeignServer(name=name, url=url, process=process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


NODE_SERVERS = {"cometd-node": "cometd_node.js", "faye": "faye_node.js"}
JAVA_SERVERS = {"cometd-8": ("cometd8", "CometD8"), "cometd-3.1": ("cometd31", "CometD31")}
SERVERS = [*NODE_SERVERS, *JAVA_SERVERS]


@pytest.fixture
def start_server(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., ForeignServer]]:
    """Start a foreign server by its name, with settings for it; it stops with the test."""
    with ExitStack() as servers:

        def start(name: str, **settings: str) -> ForeignServer:
            if name in NODE_SERVERS:
                folder = request.getfixturevalue("node_folder")
                command = ["node", str(folder / "servers" / NODE_SERVERS[name])]
            else:
                command = java_command(request.getfixturevalue("java_folder"), *JAVA_SERVERS[name])
            log = tmp_path / f"{name}.log"
            return servers.enter_context(running(name, command, log, settings))

        yield start


@pytest.fixture(params=SERVERS)
def server(
    request: pytest.FixtureRequest, start_server: Callable[..., ForeignServer]
) -> ForeignServer:
    """Each of the four foreign servers in turn."""
    return start_server(request.param)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A way for botkit to chat: a running server, and what to reach it over."""

    server: ForeignServer
    transport: str

    @property
    def options(self) -> tuple[str, str]:
        """What `botkit run` is given beside the URL."""
        return ("--option", f"transport={self.transport}")


ROUTES = [
    ("cometd-node", "long-polling"),
    *((name, way) for name in ("faye", *JAVA_SERVERS) for way in ("long-polling", "websocket")),
]


@pytest.fixture
def start_route(start_server: Callable[..., ForeignServer]) -> Callable[..., Route]:
    """Start a foreign server by its name and that of a transport, with settings for it."""

    def start(name: str, transport: str, **settings: str) -> Route:
        return Route(server=start_server(name, **settings), transport=transport)

    return start


@pytest.fixture(params=ROUTES, ids="-".join)
def route(request: pytest.FixtureRequest, start_route: Callable[..., Route]) -> Route:
    """Each foreign server over each transport that it has."""
    return start_route(*request.param)


# --- what is said ---------------------------------------------------------------------------------

Said = tuple[str, str, str | None]
"""Type, party and text of one event."""


class Ada:
    """The agent of all servers: greets, answers each line, and may ask in between."""

    QUESTION = "Are you still there?"

    def chat(self, *, asks: bool = False, of: str = "") -> list[Said]:
        """Give a whole chat with three messages, as it is written down on either side.

        Args:
            asks: Ada has put her question after her first answer.
            of: what the customer appends to each line.
        """
        said: list[Said] = [
            ("ParticipantJoined", "Client", None),
            ("ParticipantJoined", "Agent", None),
            ("Message", "Agent", "Hello, how can I help?"),
        ]
        for number in (1, 2, 3):
            line = f"message {number}{of}"
            said += [("Message", "Client", line), ("Message", "Agent", f"You said: {line}")]
            if asks and number == 1:
                said.append(("Message", "Agent", self.QUESTION))
        return [*said, ("ParticipantLeft", "Client", None)]


@pytest.fixture(scope="session")
def ada() -> Ada:
    return Ada()


# --- clients --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientReport:
    """What a foreign client's script has printed about its chat.

    Attributes:
        late: events that came after one with a higher index.
        replayed: events that came again.
        subscribed: what came of the subscribe: True, the error, or None if there was none.
        client_ids: of the handshakes, also of those that the reload extension has replayed.
        batches: the numbers of the acknowledgement extension.
        time_answers: how often the server told its time.
        time_offset: milliseconds between the clocks, as the client has worked it out.
        meta_errors: what the server refused.
        errors: why the chat failed.
    """

    events: list[dict[str, Any]]
    late: int
    replayed: int
    rehandshakes: int
    subscribed: bool | str | None
    client_ids: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    time_answers: int = 0
    time_offset: int | None = None
    meta_errors: list[dict[str, Any]]
    errors: list[dict[str, Any]]

    def assert_whole(self, expected: list[Said]) -> None:
        assert self.errors == []
        assert [(event["type"], event["from"], event["text"]) for event in self.events] == expected
        assert [event["index"] for event in self.events] == list(range(1, len(expected) + 1))


def in_snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignClient:
    """A foreign client's script, which holds one whole chat and reports on it."""

    command: list[str]

    def chat(
        self,
        url: str,
        *options: str,
        service: str = "support",
        messages: int = 3,
        forget: Callable[[], object] | None = None,
    ) -> ClientReport:
        """Hold a chat.

        Args:
            url: of the Bayeux server.
            options: of the script, such as `--subscribe`.
            service: the chat service to ask for.
            messages: how many the customer sends, each after the answer to the last.
            forget: makes the server forget its sessions, called after the first answer; the
                client must then have shaken hands again and resumed.
        """
        arguments = [*self.command, url, service, str(messages), *options]
        if forget:
            arguments.append("--expect-rehandshake")
        with subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            try:
                if forget and process.stderr.readline() == "forget me\n":
                    forget()
                out, err = process.communicate(timeout=CHAT_LIMIT)
            except BaseException:
                process.kill()
                raise
        if not out:
            pytest.fail(f"the client printed no report:\n{err}", pytrace=False)
        report = json.loads(out)
        assert process.returncode == (0 if report.pop("ok") else 1), err
        return ClientReport(**{in_snake_case(name): value for name, value in report.items()})


@pytest.fixture(scope="session")
def js_client(node_folder: Path) -> ForeignClient:
    """CometD's JavaScript client."""
    return ForeignClient(command=["node", str(node_folder / "clients" / "cometd_chat.mjs")])


@pytest.fixture(scope="session")
def aiocometd_client(aiocometd_python: Path) -> ForeignClient:
    """aiocometd-ng."""
    script = HERE / "clients" / "aiocometd_chat.py"
    return ForeignClient(command=[str(aiocometd_python), str(script)])


@pytest.fixture(params=["js_client", "aiocometd_client"])
def client(request: pytest.FixtureRequest) -> ForeignClient:
    """Each of the two foreign clients in turn."""
    found: ForeignClient = request.getfixturevalue(request.param)
    return found


# --- botkit ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def botkit_command() -> list[str]:
    return [sys.executable, "-m", "botkit"]


@pytest.fixture
def botkit_environment() -> dict[str, str]:
    """Give the environment without what a developer may have set for botkit."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOTKIT_")}
    return {**kept, "NO_PROXY": "127.0.0.1", "PYTHONPATH": str(HERE.parent.parent)}


@dataclass(frozen=True, slots=True, kw_only=True)
class BotkitRun:
    """A `botkit run` under way, which tells what it sees (plugins/telling.py)."""

    process: subprocess.Popen[str]
    json: Path
    errors: Path

    def wait_until_told(self, what: str) -> None:
        """Wait for a line of plugins/telling.py, such as `agent Hello`."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line == f"told {what}\n":
                return
        pytest.fail(f"{what!r} was not told: {''.join(lines)}\n{self.errors.read_text()}")

    def finish(self) -> dict[str, Any]:
        """Wait for the end; gives the document of `--json`."""
        out, _ = self.process.communicate()
        if not self.json.exists():
            pytest.fail(f"botkit wrote no result:\n{out}\n{self.errors.read_text()}")
        document: dict[str, Any] = json.loads(self.json.read_bytes())
        assert self.process.returncode == document["exit_code"]
        return document


@pytest.fixture
def start_botkit(
    tmp_path: Path, botkit_command: list[str], botkit_environment: dict[str, str]
) -> Iterator[Callable[..., BotkitRun]]:
    """Start `botkit run` with a bot of bots/ against a server; None is the simulator."""
    with ExitStack() as runs:

        def start(bot: str | Path, url: str | None, *options: str | Path) -> BotkitRun:
            result, errors = tmp_path / "result.json", tmp_path / "stderr"
            where = ["--server", url] if url is not None else []
            arguments = [*where, "--json", result, "--plugins", HERE / "plugins"]
            process = runs.enter_context(
                subprocess.Popen(
                    [*botkit_command, "run", HERE / "bots" / bot, *arguments, *options],
                    cwd=tmp_path,
                    env=botkit_environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=runs.enter_context(errors.open("w")),
                    text=True,
                )
            )
            runs.callback(process.kill)
            # What hangs is ended, and then seen by whoever reads its output.
            limit = threading.Timer(CHAT_LIMIT, process.kill)
            runs.callback(limit.cancel)
            limit.start()
            return BotkitRun(process=process, json=result, errors=errors)

        yield start


# --- Prometheus -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def programs() -> dict[str, str]:
    """Find Prometheus and its tool, or install Debian's package where that is allowed."""
    if shutil.which("prometheus") is None and shutil.which("apt-get") and os.geteuid() == 0:
        command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "prometheus"]
        subprocess.run(command, check=False, capture_output=True, timeout=300)
    return {name: tool(name, f"Prometheus ({name})") for name in ("prometheus", "promtool")}


@pytest.fixture(scope="session")
def shipped(botkit_command: list[str]) -> Callable[[str], str]:
    """Give what ``botkit monitor --print`` writes: ``rules`` or ``dashboard``."""

    def shipped(what: str) -> str:
        command = [*botkit_command, "monitor", "--print", what]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    return shipped
