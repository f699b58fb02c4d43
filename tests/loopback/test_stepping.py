"""``botkit run --step`` as a person and as a pipe use it: processes, a terminal, real sockets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

STEP = [sys.executable, "-m", "botkit", "run", "--step"]
LIMIT = 30

BOT = """\
botkit: 1
bot: order
simulator: {agents: agents.yaml}
data: {rows: [{pin: "4711"}], mask: [pin]}
limits: {whole_chat: 5s}
steps:
  - wait_for: agent
  - say: my order ${row.pin}
  - expect: {matches: 'case (?P<case>\\d+)'}
    within: 5s
  - say: thanks for ${case}
  - expect: bye
"""
AGENTS = """\
botkit-agents: 1
agents:
  Eve:
    - say: "\\e[31mWelcome\\e[0m"
    - expect: my order
    - say: Your case 17
    - repeat:
        times: 5
        until: thanks
        do:
          - expect: {matches: '(?P<what>.+)'}
          - say: You said ${what}
    - say: bye
    - wait_for: ended
"""


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("BOTKIT_"):
            monkeypatch.delenv(name)
    for name, text in {"botkit.toml": "", "order.yaml": BOT, "agents.yaml": AGENTS}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)


def piped(*arguments: str, lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*STEP, *arguments], input=lines, capture_output=True, text=True, check=False, timeout=LIMIT
    )


def test_a_pipe_steps_through_a_bot_and_the_report_says_so() -> None:
    lines = "break 11\nuntil 10\nvars\nsay by hand\ninbox\ncontinue\n"
    done = piped("order.yaml", "--json", "out.json", "--junit", "out.xml", lines=lines)
    assert (done.returncode, done.stderr) == (0, "")
    heads = [line for line in done.stdout.splitlines() if line.startswith("-- ")]
    assert heads == [
        "-- order.yaml:7  steps[0]",
        "-- order.yaml:11  steps[3]",
    ]
    assert "    11    - say: thanks for ${case}" in done.stdout
    assert "     row.pin = ***\n     case = 17\n" in done.stdout
    assert "Eve: You said by hand" in done.stdout
    assert "  stepped by hand\n" in done.stdout
    assert "4711" not in done.stdout
    assert not {"\x1b", "\x07"} & set(done.stdout)
    (journey,) = json.loads(Path("out.json").read_bytes())["journeys"]
    assert (journey["verdict"], journey["by_hand"], journey["left"]) == ("passed", True, True)
    assert journey["notes"] == ["said by hand before order.yaml:11: by hand"]
    assert journey["warnings"][0].startswith("stepped by hand: paused 2 times")
    facts = {p.attrib["name"]: p.attrib["value"] for p in ET.parse("out.xml").iter("property")}
    assert facts["by_hand"] == "true"


def test_quitting_leaves_the_chat() -> None:
    done = piped("order.yaml", "--json", "out.json", lines="n\nq\nn\n")
    assert done.returncode == 2
    run = json.loads(Path("out.json").read_bytes())
    (journey,) = run["journeys"]
    assert (journey["verdict"], journey["reason"]) == ("cancelled", "cancelled")
    assert (journey["left"], run["interrupted"]) == (True, False)
    assert journey["message"] == "it was quit by hand before order.yaml:8"


def test_a_person_steps_while_messages_arrive(person: Any) -> None:
    with person(*STEP, "order.yaml") as ada:
        ada.sees("-- order.yaml:7  steps[0]")
        ada.sees("Eve: Welcome")
        ada.type("say my or")
        ada.type("der\r")
        ada.sees("Eve: Your case 17")
        ada.type("b 11")
        ada.type("\x7f0\r")
        ada.sees("stops before order.yaml:11")
        ada.type("c\r")
        ada.sees("-- order.yaml:11  steps[3]")
        ada.sees("unread")
        ada.type("\r")
        ada.sees("-- order.yaml:12  steps[4]")
        ada.type("e\r")
        ada.sees("PASSED")
        ada.sees("stepped by hand")
        assert ada.process.wait(LIMIT) == 0


@pytest.mark.parametrize("keys", ["\x04", "\x03", "quit\r"])
def test_a_person_leaves(person: Any, keys: str) -> None:
    with person(*STEP, "order.yaml", "--json", "out.json") as ada:
        ada.sees("-- order.yaml:7  steps[0]")
        ada.type(keys)
        ada.sees("CANCELLED")
        assert ada.process.wait(LIMIT) == 2
    (journey,) = json.loads(Path("out.json").read_bytes())["journeys"]
    assert journey["left"] is True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_chat(person: Any, number: signal.Signals) -> None:
    with person(*STEP, "order.yaml", "--json", "out.json") as ada:
        ada.sees("-- order.yaml:7  steps[0]")
        ada.process.send_signal(number)
        ada.sees("CANCELLED")
        assert ada.process.wait(LIMIT) == 2
    run = json.loads(Path("out.json").read_bytes())
    assert (run["interrupted"], run["journeys"][0]["reason"]) == (True, "signal")
    assert run["journeys"][0]["left"] is True
