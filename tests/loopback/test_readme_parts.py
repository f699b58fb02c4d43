"""Every part of a file that the READMEs show is played, and every command that they show is run.

What a part leaves open, such as what its agent says, is told here; a part, a command or a kind of
block that is not known here fails.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from botkit.cli import main

ROOT = Path(__file__).parents[2]
READMES = sorted(
    str(path.relative_to(ROOT))
    for path in (
        ROOT / "README.md",
        ROOT / "bots" / "README.md",
        ROOT / "plugins" / "README.md",
        *(ROOT / "tests").glob("*/README.md"),
    )
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KINDS = {"", "json", "python", "sh", "yaml"}


def blocks(file: str, *kinds: str) -> list[str]:
    text = (ROOT / file).read_text(encoding="utf-8")
    return [code for kind, code in FENCE.findall(text) if kind in kinds]


def test_all_blocks_are_of_a_known_kind() -> None:
    kinds = {kind for file in READMES for kind, _ in FENCE.findall((ROOT / file).read_text())}
    assert kinds <= KINDS


# --- the world around ----------------------------------------------------------------------------


@contextmanager
def answering(answer: Callable[[str, str, Any], Any]) -> Iterator[str]:
    """Serve JSON: given the method, the path and the body, ``answer`` says what."""

    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            content = json.dumps(answer(self.command, self.path, body)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = reply

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def crm(method: str, path: str, body: Any) -> Any:
    return {**(body or {}), "id": "CAS-7", "status": "open"}


def rasa(method: str, path: str, body: Any) -> Any:
    if method == "GET":
        return {"status": "ok"}
    return [{"recipient_id": body["sender"], "text": f"hello, {body['message']}"}]


@contextmanager
def simulator(folder: Path) -> Iterator[str]:
    """Serve one from a process of its own; gives its Bayeux URL."""
    command = [sys.executable, "-m", "botkit", "simulate", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().decode().split()[1]
        finally:
            process.terminate()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that parts name, and nothing of the environment's settings."""
    for name in [name for name in os.environ if name.startswith("BOTKIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "botkit.toml").write_text("")
    (tmp_path / "customers.csv").write_text("segment,language,email\ngold,en,a@example.com\n")
    return tmp_path


def run(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """Play; gives the journeys, which all have passed."""
    results = folder / "results.json"
    plugins = str(ROOT / "plugins")
    code = main(["run", *arguments, "--json", str(results), "--plugins", plugins])
    assert code == 0, results.read_text() if results.exists() else "nothing was started"
    journeys: list[dict[str, Any]] = json.loads(results.read_text())["journeys"]
    assert journeys
    assert {journey["verdict"] for journey in journeys} == {"passed"}
    return journeys


# --- parts of files ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Part:
    """How a part of a file is made whole.

    Attributes:
        of: words that stand in it and in no other.
        before: what stands above it in the whole bot.
        after: what stands below it.
        agent: what the agent does; empty for the one of the simulator, who answers every line.
        edit: replaces in its text what is a placeholder for readers.
        elsewhere: the test that plays it, if it is not played here.
    """

    of: str
    before: str = "botkit: 1\n"
    after: str = ""
    agent: str = ""
    edit: dict[str, str] = field(default_factory=dict)
    elsewhere: str = ""


HELLO = "steps: [expect: hello]\n"
ROW = "data: {rows: [{order: '4711'}]}\n"
PARTS = (
    Part(of="bot: hello", before=""),
    Part(of="bot: order-status", before=""),
    Part(of="title: Somebody joins and answers\n", elsewhere="the tutorial"),
    Part(of="title: Somebody joins and finds", elsewhere="the tutorial"),
    Part(of="- say: Your refund for order", elsewhere="the tutorial"),
    Part(of="botkit-steps: 1", elsewhere="the bot that uses it"),
    Part(of="use: parts/ask.yaml", before=f"botkit: 1\n{ROW}"),
    Part(
        of="reload: {away_for",
        before="botkit: 1\nsteps:\n  - wait_for: agent\n",
        edit={"away_for: 8s": "away_for: 200ms"},
    ),
    Part(of="file: customers.csv", after=HELLO),
    Part(of="botkit-agents: 1\nrouting", elsewhere="its own test"),
    Part(of="botkit-monitors: 1", elsewhere="its own test"),
    Part(of="metrics_path: /probe", elsewhere="a real Prometheus, in tests/interop"),
    Part(of="yaml-language-server", before="", after=HELLO),
    Part(of="bot: close-an-order", elsewhere="the persona's tests"),
    Part(of="this is Grace", elsewhere="the persona's tests"),
    Part(
        of="amount: {currency",
        before="botkit: 1\nsimulator: {agents: agents.yaml}\ndata: {rows: [{price: '45.90'}]}\n",
        agent="[{say: It costs 45.90 EUR}, {expect: euros}, {say: You have paid 45.90 EUR}]",
    ),
    Part(of="call: crm_case"),
    Part(of="connector: rasa-rest", after=HELLO),
)


def all_parts() -> list[Any]:
    return [
        pytest.param(code, id=f"{file}-{number}")
        for file in READMES
        for number, code in enumerate(blocks(file, "yaml"))
    ]


@pytest.mark.parametrize("code", all_parts())
def test_a_part_of_a_file_is_played(
    code: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (part,) = (part for part in PARTS if part.of in code)
    if part.elsewhere:
        return
    for file in blocks("bots/README.md", "yaml"):
        if named := re.match(r"# (parts/\S+\.yaml)\n", file):
            (folder / named[1]).parent.mkdir(exist_ok=True)
            (folder / named[1]).write_text(file)
    if part.agent:
        (folder / "agents.yaml").write_text(f"botkit-agents: 1\nagents:\n  Grace: {part.agent}\n")
    for old, new in part.edit.items():
        assert old in code
        code = code.replace(old, new)
    with answering(crm) as crm_url, answering(rasa) as rasa_url, simulator(folder) as chat_url:
        monkeypatch.setenv("CHAT_URL", chat_url)
        monkeypatch.setenv("CRM_URL", crm_url)
        monkeypatch.setenv("CRM_TOKEN", "t0ken-of-the-crm")
        code = code.replace("http://127.0.0.1:5005", rasa_url)
        (folder / "part.yaml").write_text(f"{part.before}{code}{part.after}")
        run(folder, "part.yaml")


def test_each_part_is_there_once() -> None:
    codes = [param.values[0] for param in all_parts()]
    for part in PARTS:
        assert sum(part.of in str(code) for code in codes) == 1, part.of


def test_the_agents_with_a_routing_do_what_they_say(folder: Path) -> None:
    (agents,) = (code for code in blocks("bots/README.md", "yaml") if "\nrouting" in code)
    (folder / "agents.yaml").write_text(agents)
    (folder / "part.yaml").write_text(
        "botkit: 1\nsimulator: {agents: agents.yaml}\n"
        "connect: {service: support, userdata: {Segment: gold}}\n"
        "steps:\n"
        "  - wait_for: agent\n"
        "  - expect_userdata:\n"
        "      SurveyURL: {matches: '^https://survey.example.com/[0-9a-f-]{36}.lang=en$'}\n"
        "  - say: order A1\n"
        "  - expect: {contains: CAS-000123}\n"
    )
    (journey,) = run(folder, "part.yaml")
    assert "Grace" in {row["who"] for row in journey["transcript"]}


def test_the_monitors_are_at_work(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = (c for c in blocks("bots/README.md", "yaml") if "botkit-monitors: 1" in c)
    # When these tests run is not known.
    whole = re.sub(r"  open: .*", "  open: 00:00-24:00", code).replace("2026-12", "2020-12")
    assert whole != code
    (project / "m.yaml").write_text(whole.replace("jitter: 30s", "jitter: 1s"))
    with simulator(project) as url:
        monkeypatch.setenv("CHAT_URL", url)
        command = [sys.executable, "-m", "botkit", "monitor", "m.yaml"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            process.terminate()
            process.communicate(timeout=30)
    assert "PASSED login: smoke" in line
    assert process.returncode == 0


# --- what a miss looks like ----------------------------------------------------------------------


def test_a_miss_is_explained_as_it_is_shown(folder: Path) -> None:
    (shown,) = (code for code in blocks("bots/README.md", "") if "closest:" in code)
    (folder / "agents.yaml").write_text(
        "botkit-agents: 1\nagents:\n  Alex: [{expect: please}, {say: Your case nummber is 4711}]\n"
    )
    (folder / "part.yaml").write_text(
        "botkit: 1\nsimulator: {agents: agents.yaml}\nconnect: {nickname: Ada}\nsteps:\n"
        "  - wait_for: agent\n  - say: my case number please\n"
        "  - expect: {contains: case number is}\n    within: 200ms\n"
    )
    told = io.StringIO()
    with redirect_stdout(told):
        assert main(["run", "part.yaml"]) == 1
    number = re.compile(r"#\d+")
    lines = [number.sub("#", line.strip()) for line in told.getvalue().splitlines()]
    for line in shown.splitlines():
        assert number.sub("#", line.strip()) in lines


# --- commands ------------------------------------------------------------------------------------

NOT_RUN = {
    "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/botkit run bots/": (
        "it sets a machine up; .ci/run pastes it"
    ),
    "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]' && .venv/bin/pytest": (
        "it sets a machine up and runs these tests; .ci/run pastes it"
    ),
    "pytest tests/interop": "all tests are run, these among them",
    "pytest tests/matrix": "all tests are run, these among them",
}
TUTORIAL = "the tutorial"
"""Its commands are run in their order by ``test_readmes.py``."""


def all_commands() -> list[Any]:
    found = []
    for file in READMES:
        text = (ROOT / file).read_text(encoding="utf-8")
        tutorial = text.partition("\n## From nothing to")[2].partition("\n## ")[0]
        for kind, code in FENCE.findall(text):
            is_shown_session = code.startswith("$ ") or "closest:" in code
            if kind in ("", "sh") and not is_shown_session and code not in tutorial:
                found += [line for line in code.splitlines() if line.strip()]
    return [pytest.param(line, id=line.partition("#")[0].strip()) for line in found]


def test_what_is_not_run_is_still_there() -> None:
    lines = {param.values[0].partition("#")[0].strip() for param in all_commands()}
    assert lines >= NOT_RUN.keys()


@pytest.fixture
def project(folder: Path) -> Path:
    """A folder as a user has it who follows the README."""
    (folder / "botkit.toml").write_text(f"plugins = ['{ROOT / 'plugins'}']\n")
    (folder / "bots").symlink_to(ROOT / "bots")
    (hello,) = blocks("README.md", "yaml")
    (folder / "hello.yaml").write_text(hello)
    return folder


@pytest.mark.parametrize("line", all_commands())
def test_a_command_does_what_it_says(line: str, project: Path) -> None:
    words = shlex.split(line, comments=True)
    if shlex.join(words) in {shlex.join(shlex.split(command)) for command in NOT_RUN}:
        return
    target = words.pop() if ">" in words else None
    words = [word for word in words if word != ">"]
    program, *arguments = words
    if program == "python":
        done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True)
        assert done.returncode == 0, done.stderr
        return
    assert Path(program).name == "botkit", line
    if arguments[0] == "simulate":
        assert_it_serves(arguments)
        return
    told = io.StringIO()
    with simulator(project) as url, redirect_stdout(told):
        if arguments[0] == "report":
            # Each line is run by itself; the line above it writes this file.
            assert main(["run", "bots/smoke.yaml", "--json", arguments[1]]) == 0
        named = [word for word in arguments if word.startswith("https://chat.example.com")]
        assert main([url if word in named else word for word in arguments]) == 0
    if target is not None:
        assert json.loads(told.getvalue())


def assert_it_serves(arguments: list[str]) -> None:
    port = arguments.index("--port") + 1
    command = [*arguments[:port], "0", *arguments[port + 1 :]]
    with subprocess.Popen(
        [sys.executable, "-m", "botkit", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().decode() for _ in range(3)]
        process.terminate()
    assert [line.split()[0] for line in lines] == ["gms-cometd", "gms-rest", "genesys-cloud"]


# --- the settings of an editor -------------------------------------------------------------------


def test_the_settings_of_an_editor_find_schemas_that_fit_the_files(project: Path) -> None:
    """Each schema that they name is one that the commands above them write, and judges files."""
    (settings,) = (json.loads(code) for code in blocks("bots/README.md", "json"))
    (commands,) = (code for code in blocks("bots/README.md", "") if "botkit schema >" in code)
    written = {}
    for line in commands.splitlines():
        *words, _, target = shlex.split(line, comments=True)
        told = io.StringIO()
        with redirect_stdout(told):
            assert main(words[1:]) == 0
        written[f"./{target}"] = json.loads(told.getvalue())
    schemas = settings["yaml.schemas"]
    assert schemas.keys() <= written.keys()
    for name, patterns in schemas.items():
        patterns = [patterns] if isinstance(patterns, str) else patterns
        without = {p.removeprefix("!") for p in patterns if p.startswith("!")}
        files = {
            str(path.relative_to(project))
            for pattern in patterns
            if not pattern.startswith("!")
            for path in project.glob(pattern)
        } - without
        assert files
        for file in files:
            jsonschema.validate(yaml.safe_load((project / file).read_text()), written[name])
