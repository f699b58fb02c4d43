"""One definition of a journey, all wires: the same bots over each connector that is registered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from botkit.cli import main
from botkit.interfaces import SIMULATOR
from botkit.plugins import load_plugins
from botkit.report.evidence_models import evidence_schema
from botkit.report.json_document import document as written
from botkit.report.reading import read_file

ROOT = Path(__file__).parents[2]
VARIANTS = {"gms-cometd": ("", "transport=websocket", "transport=auto")}
"""Options that make another wire of a connector."""


def wires() -> list[tuple[str, str]]:
    """Give each connector that is registered, with each of its variants."""
    plugins = load_plugins(folders=[], environ={"BOTKIT_LOAD_PLUGINS": ""})
    try:
        return [
            (name, option) for name in plugins.connectors for option in VARIANTS.get(name, ("",))
        ]
    finally:
        plugins.close()


@contextmanager
def simulate(*arguments: str) -> Iterator[Mapping[str, str]]:
    """Serve a simulator as people do; gives the URL of each wire."""
    process = subprocess.Popen(
        [sys.executable, "-m", "botkit", "simulate", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        told = [process.stdout.readline().split() for _ in range(len(SERVED))]
        yield dict(told)
    finally:
        process.terminate()
        process.communicate(timeout=10)


SERVED = ("gms-cometd", "gms-rest", "genesys-cloud")
"""What ``botkit simulate`` tells of, a line each."""


@pytest.fixture(scope="module")
def served() -> Iterator[Mapping[str, str]]:
    """A simulator, for all tests here."""
    with simulate() as urls:
        yield urls


def reaching(wire: str, option: str, urls: Mapping[str, str]) -> list[str]:
    """Give the options that lead over a wire."""
    server = [] if wire == SIMULATOR else ["--server", urls[wire]]
    return ["--connector", wire, *server, *(("--option", option) if option else ())]


def journeys(*arguments: str, folder: Path) -> tuple[int, list[dict[str, Any]]]:
    """Run a command in this process; gives its exit code and the journeys."""
    out, page = folder / "out.json", folder / "out.html"
    code = main(["run", *arguments, "--json", str(out), "--html", str(page), "-q"])
    if not out.exists():
        return code, []
    document = json.loads(out.read_text())
    jsonschema.validate(document, evidence_schema())
    # Whatever is made of the file later is what the run itself made.
    again = folder / "again.html"
    assert main(["report", str(out), "--html", str(again), "-q"]) == code
    assert again.read_bytes() == page.read_bytes()
    code_of_file = {"exit_code": document["exit_code"]}
    assert {**written(read_file(out)), **code_of_file} == document
    return code, document["journeys"]


@pytest.mark.parametrize("bot", ["smoke", "restore"])
@pytest.mark.parametrize(("wire", "option"), wires())
def test_a_bot_passes_over_every_wire(
    wire: str, option: str, bot: str, served: Mapping[str, str], tmp_path: Path
) -> None:
    file = str(ROOT / "bots" / f"{bot}.yaml")
    assert main(["check", file, *reaching(wire, option, served)]) == 0
    code, (journey,) = journeys(file, *reaching(wire, option, served), folder=tmp_path)
    assert (code, journey["verdict"], journey["left"]) == (0, "passed", True), journey["message"]
    assert journey["connector"] == wire


@pytest.mark.parametrize(("wire", "option"), wires())
def test_frames_are_evidence_on_every_wire(
    wire: str,
    option: str,
    served: Mapping[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIN", 'se"c\u00e9t/4711')
    bot = tmp_path / "secretive.yaml"
    bot.write_text(SECRETIVE)
    reach = reaching(wire, option, served)
    header = ("--header", "Authorization: Bearer of-bad-news")
    code, (journey,) = journeys(str(bot), *reach, *header, "--record-frames", folder=tmp_path)
    assert code == 0, journey["message"]
    frames = journey["frames"]
    assert {frame["direction"] for frame in frames} == {"sent", "received"}
    assert any(frame["what"].startswith(("POST /", "GET /")) for frame in frames)
    (said,) = (f for f in frames if f["direction"] == "sent" and "My+pin" in plussed(f))
    heard = next(f for f in frames if f["direction"] == "received" and "My+pin" in plussed(f))
    assert 0 < said["at"] <= heard["at"] <= journey["duration"]
    assert "***" in said["text"]
    assert "***" in heard["text"]
    evidence = json.dumps(frames)
    for hidden in ("4711", "Authorization", "of-bad-news", "Cookie"):
        assert hidden not in evidence
    _, (journey,) = journeys(str(bot), *reach, folder=tmp_path)
    assert journey["frames"] == []


SECRETIVE = """botkit: 1
bot: secretive
steps:
  - wait_for: agent
  - say: My pin is ${secret.PIN}
  - expect: {contains: My pin}
"""


def plussed(frame: Mapping[str, Any]) -> str:
    """Give the text of a frame with blanks as forms have them."""
    return str(frame["text"]).replace("%20", "+").replace(" ", "+")


BUTTONS = """\
botkit: 1
bot: buttons
steps:
  - say: hello
  - expect: {json: {/0/quickReply/text: Tea}}
  - wait_for: agent
  - say: {button: coffee}
  - expect: {matches: 'Here is your (?P<drink>\\w+)'}
  - send_file: receipt.txt
  - wait_for: file
  - expect: {equals: "Thank you, ${drink}!"}
"""
AGENTS = """\
botkit-agents: 1
agents:
  Grace:
    - expect: hello
    - say: {text: What may I bring?, buttons: [Tea, Coffee]}
    - expect: {equals: Coffee}
    - say: Here is your Coffee
    - wait_for: file
    - send_file: receipt.txt
    - say: {text: "Thank you, Coffee!", buttons: [Bye]}
    - wait_for: ended
"""


def test_buttons_where_there_are_some(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {"b.yaml": BUTTONS, "a.yaml": AGENTS, "receipt.txt": "paid"}.items():
        (tmp_path / name).write_text(text)
    file = str(tmp_path / "b.yaml")
    with simulate("--agents", str(tmp_path / "a.yaml")) as urls:
        for wire in ("gms-cometd", "gms-rest"):
            code, played = journeys(file, *reaching(wire, "", urls), folder=tmp_path)
            assert (code, played) == (4, [])
            assert f"b.yaml:7:5: 'say' cannot be done over {wire}: " in capsys.readouterr().err
        code, (journey,) = journeys(file, *reaching("genesys-cloud", "", urls), folder=tmp_path)
    assert (code, journey["verdict"]) == (0, "passed"), journey
    lines = [row["text"] for row in journey["transcript"] if row["kind"] == "message"]
    assert "What may I bring? [Tea] [Coffee]" in lines


def test_no_wire_is_missing() -> None:
    assert sorted(wires()) == [
        ("genesys-cloud", ""),
        ("gms-cometd", ""),
        ("gms-cometd", "transport=auto"),
        ("gms-cometd", "transport=websocket"),
        ("gms-rest", ""),
        (SIMULATOR, ""),
    ]
