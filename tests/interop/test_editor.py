"""What an author sees in an editor: `botkit schema` in yaml-language-server, over its protocol."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from botkit.bot.fields import EVENT_WORDS
from botkit.bot.matchers import BUILT_IN_MATCHERS, LANGUAGE_MATCHERS
from botkit.bot.models import BotModel
from botkit.bot.step_models import STEP_MODELS

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 60
MODELINE = "# yaml-language-server: $schema={kind}.schema.json\n"
KINDS = {"botkit": "bot", "botkit-agents": "agents", "botkit-steps": "steps"}


def kind_of(text: str) -> str | None:
    """Tell what a file holds by its first key; None if it is nothing of botkit's."""
    document = yaml.safe_load(text)
    return KINDS.get(next(iter(document))) if isinstance(document, dict) else None


FILES = [
    path
    for folder in ("bots", "botkit/templates", "tests/interop/bots")
    for path in sorted((ROOT / folder).rglob("*.yaml"))
    if kind_of(path.read_text())
]


@dataclass(slots=True, kw_only=True)
class Editor:
    """An editor: it opens files, and asks what is known at a place of them.

    Attributes:
        server: the language server, which speaks the protocol over its standard streams.
        settings: what the author has set for YAML.
    """

    server: subprocess.Popen[bytes]
    settings: dict[str, Any]
    _sent: int = 0
    _told: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def start(self, folder: Path) -> None:
        wants = {"workspace": {"configuration": True}}
        self.ask("initialize", processId=None, rootUri=folder.as_uri(), capabilities=wants)
        self._send({"method": "initialized", "params": {}})

    def ask(self, method: str, **params: Any) -> Any:
        """Ask the server, and wait for its answer."""
        self._sent += 1
        number = self._sent
        self._send({"id": number, "method": method, "params": params})
        while (message := self._receive()).get("id") != number or "method" in message:
            self._take(message)
        assert "error" not in message, message
        return message["result"]

    def open(self, file: Path) -> list[dict[str, Any]]:
        """Open a file; gives what the server tells of it."""
        uri = file.as_uri()
        item = {"uri": uri, "languageId": "yaml", "version": 1, "text": file.read_text()}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
        while uri not in self._told:
            self._take(self._receive())
        return self._told[uri]

    def at(self, method: str, file: Path, place: tuple[int, int]) -> Any:
        """Ask about a place, a line and a column from 0."""
        line, column = place
        return self.ask(
            f"textDocument/{method}",
            textDocument={"uri": file.as_uri()},
            position={"line": line, "character": column},
        )

    def _take(self, message: dict[str, Any]) -> None:
        """Do with a message that is no answer what editors do."""
        method = message.get("method")
        if method == "textDocument/publishDiagnostics":
            self._told[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif method == "workspace/configuration":
            wanted = [item.get("section") for item in message["params"]["items"]]
            found = [self.settings if section == "yaml" else None for section in wanted]
            self._send({"id": message["id"], "result": found})
        elif "id" in message:
            self._send({"id": message["id"], "result": None})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.server.stdin is not None
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.server.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        stream = self.server.stdout
        assert stream is not None
        length = 0
        while (line := stream.readline().strip()) or not length:
            if not line and self.server.poll() is not None:
                pytest.fail("the language server has ended")
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: dict[str, Any] = json.loads(stream.read(length))
        return message


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory, botkit_command: list[str]) -> dict[str, str]:
    """What `botkit schema` writes, by the kinds of files."""
    return {
        kind: subprocess.run(
            [*botkit_command, "schema", "--kind", kind, "--plugins", ROOT / "plugins"],
            cwd=tmp_path_factory.mktemp("anywhere"),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for kind in KINDS.values()
    }


@pytest.fixture
def folder(tmp_path: Path, schemas: dict[str, str]) -> Path:
    """An author's folder, with the schemas beside the bots."""
    for kind, schema in schemas.items():
        (tmp_path / f"{kind}.schema.json").write_text(schema)
    return tmp_path


@pytest.fixture
def start_editor(node_folder: Path, folder: Path) -> Iterator[Callable[..., Editor]]:
    """Start an editor with its language server in the author's folder, with settings for YAML."""
    program = node_folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    with ExitStack() as opened:

        def start(**settings: Any) -> Editor:
            server = opened.enter_context(
                subprocess.Popen(
                    ["node", program, "--stdio"],
                    cwd=folder,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
            )
            opened.callback(server.kill)
            # What hangs is ended, and then seen by whoever reads its output.
            limit = threading.Timer(LIMIT, server.kill)
            opened.callback(limit.cancel)
            limit.start()
            # Without the store of schemas nothing is fetched from anywhere.
            wanted = {"schemaStore": {"enable": False}, "completion": True, "hover": True}
            editor = Editor(server=server, settings={**wanted, "validate": True, **settings})
            editor.start(folder)
            return editor

        yield start


@pytest.fixture
def editor(start_editor: Callable[..., Editor]) -> Editor:
    return start_editor()


def write(folder: Path, text: str) -> tuple[Path, tuple[int, int]]:
    """Write a bot that names its schema; gives the file, and the place that `^` marks in it."""
    text = MODELINE.format(kind="bot") + text
    before, _, after = text.partition("^")
    file = folder / "bot.yaml"
    file.write_text(before + after)
    return file, (before.count("\n"), len(before.rpartition("\n")[2]))


def completed(editor: Editor, folder: Path, text: str) -> dict[str, str]:
    """Give what an editor offers at `^`: by its label, what it says of it."""
    file, place = write(folder, text)
    editor.open(file)
    items = editor.at("completion", file, place)["items"]
    return {item["label"]: str(item.get("documentation")) for item in items}


def test_the_verbs_are_offered_in_a_step(editor: Editor, folder: Path) -> None:
    offered = completed(editor, folder, "botkit: 1\nsteps:\n  - ^\n")
    assert set(offered) == set(STEP_MODELS)
    assert offered["pause"] == "Wait for a time."


def test_the_modifiers_of_a_verb_are_offered_beside_it(editor: Editor, folder: Path) -> None:
    offered = completed(editor, folder, "botkit: 1\nsteps:\n  - expect: hello\n    ^\n")
    assert set(offered) == set(STEP_MODELS["expect"].modifiers())


def test_steps_below_a_step_are_steps(editor: Editor, folder: Path) -> None:
    text = "botkit: 1\nsteps:\n  - repeat:\n      times: 2\n      do:\n        - ^\n"
    assert set(completed(editor, folder, text)) == set(STEP_MODELS)


def test_the_keys_of_a_file_are_offered(editor: Editor, folder: Path) -> None:
    offered = completed(editor, folder, "botkit: 1\n^\nsteps: [leave]\n")
    assert set(offered) == set(BotModel.model_fields) - {"botkit", "steps"}


def test_the_events_are_offered_in_a_reaction(editor: Editor, folder: Path) -> None:
    offered = completed(editor, folder, "botkit: 1\nwhenever:\n  - ^\nsteps: [leave]\n")
    assert set(offered) == set(EVENT_WORDS)


def test_the_matchers_are_offered_with_those_of_plugins(editor: Editor, folder: Path) -> None:
    offered = completed(editor, folder, "botkit: 1\nsteps:\n  - expect:\n      co^\n")
    assert set(offered) >= {*BUILT_IN_MATCHERS, *LANGUAGE_MATCHERS, "amount"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("botkit: 1\nsteps:\n  - pau^se: 2s\n", "Wait for a time."),
        ("botkit: 1\nsteps:\n  - expect: x\n    with^in: 2s\n", "How long to wait at most"),
        ("botkit: 1\nsteps:\n  - expect: {con^tains: x}\n", "whatever the case"),
        ("botkit: 1\nlim^its: {whole_chat: 3m}\nsteps: [leave]\n", "What bounds the chat."),
    ],
)
def test_a_key_says_what_it_is(editor: Editor, folder: Path, text: str, told: str) -> None:
    file, place = write(folder, text)
    assert editor.open(file) == []
    assert told in editor.at("hover", file, place)["contents"]["value"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("botkit: 1\n^limit: {}\nsteps: [leave]\n", "limit is not allowed"),
        ("botkit: 1\nsteps:\n  - leave\n  - ^sya: hello\n", "sya is not allowed"),
        ("botkit: 1\nsteps:\n  - expect: x\n    ^withn: 3s\n", "withn is not allowed"),
        ("botkit: 1\nsteps:\n  - expect: {^contain: x}\n", "contain is not allowed"),
        ("botkit: 1\nsteps:\n  - wait_for: ^agnt\n", "Value is not accepted"),
        ("botkit: 1\nsteps:\n  - pause: ^3\n", "Incorrect type"),
        ("botkit: 1\nsteps:\n  - ^leav\n", "Value is not accepted"),
    ],
)
def test_a_mistake_is_told_at_its_place(
    editor: Editor, folder: Path, text: str, message: str
) -> None:
    file, (line, column) = write(folder, text)
    [told] = editor.open(file)
    assert message in told["message"]
    assert told["range"]["start"] == {"line": line, "character": column}


def test_nothing_is_wrong_with_what_is_right(editor: Editor, folder: Path) -> None:
    assert len(FILES) >= 8
    wrong = {}
    for number, path in enumerate(FILES):
        file = folder / f"{number}.yaml"
        text = path.read_text()
        file.write_text(MODELINE.format(kind=kind_of(text)) + text)
        wrong[path.name] = [problem["message"] for problem in editor.open(file)]
    assert {name: told for name, told in wrong.items() if told} == {}


def test_schemas_that_the_settings_name(start_editor: Callable[..., Editor], folder: Path) -> None:
    """As bots/README.md shows them."""
    bot, agents = ((folder / f"{kind}.schema.json").as_uri() for kind in ("bot", "agents"))
    editor = start_editor(
        schemas={bot: ["bots/*.yaml", "!bots/agents.yaml"], agents: "bots/agents.yaml"}
    )
    (folder / "bots").mkdir()
    told = {}
    for path in (ROOT / "bots" / "smoke.yaml", ROOT / "bots" / "agents.yaml"):
        file = folder / "bots" / path.name
        file.write_text(f"wrong: 1\n{path.read_text()}")
        told[path.name] = [problem["message"] for problem in editor.open(file)]
    wrong = ["Property wrong is not allowed."]
    assert told == {"smoke.yaml": wrong, "agents.yaml": wrong}
