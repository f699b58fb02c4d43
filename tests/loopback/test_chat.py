"""``botkit chat`` as a person and as a pipe use it: processes, a pseudo terminal, real sockets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from botkit.cli import main

CHAT = [sys.executable, "-m", "botkit", "chat"]
LIMIT = 30

AGENTS = """\
botkit-agents: 1
routing:
  - attach: {Survey: "https://x.example/${unique.uuid}"}
    to: [Eve]
agents:
  Eve:
    - say: "\\e[31mRed\\e[0m and \\abell"
    - show_typing: 1ms
    - say: {text: Pick one, buttons: [Yes, No]}
    - wait_for: ended
"""


CHOOSING = """\
botkit-agents: 1
agents:
  Eve:
    - say: {text: Pick one, buttons: [Yes, No]}
    - expect: {equals: Yes}
    - say: Well chosen
    - wait_for: ended
"""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("BOTKIT_"):
            monkeypatch.delenv(name)
    (tmp_path / "botkit.toml").write_text("")
    monkeypatch.chdir(tmp_path)


def piped(*arguments: str, lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CHAT, *arguments],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )


def test_a_pipe_says_line_after_line_and_its_recording_passes(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("hello")
    lines = "Hello\n/userdata Case=4711\n/file note.txt\n/expect my order\nmy order ${x}\n"
    done = piped("--record", "bot.yaml", "--userdata", "Segment=gold", lines=lines)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("Alex: ")]
    assert said == [
        "Alex: Hello, how can I help you?",
        "Alex: You said: Hello",
        "Alex: You said: my order ${x}",
    ]
    text = Path("bot.yaml").read_text()
    assert text.startswith("# Recorded on ")
    assert "Segment: gold" in text
    assert "contains: my order\n" in text
    assert main(["check", "bot.yaml"]) == 0
    assert main(["run", "bot.yaml"]) == 0


def test_what_the_server_says_does_not_command_the_terminal() -> None:
    Path("agents.yaml").write_text(AGENTS)
    done = piped("--agents", "agents.yaml", "--record", "bot.yaml", lines="")
    assert "Eve: Red and bell\n" in done.stdout
    assert "[Eve is typing]" in done.stdout
    assert "[user data] Survey=https://x.example/" in done.stdout
    assert not {"\x1b", "\x07"} & set(done.stdout + done.stderr)
    assert done.returncode == 0
    assert main(["run", "bot.yaml"]) == 0


def test_a_wrong_command_is_told_and_the_chat_goes_on() -> None:
    lines = "/nonsense\n/file nowhere\n/userdata x\n/1\n/note\n/help\n//stroke\n"
    done = piped(lines=lines)
    assert done.returncode == 0
    complaints = [line for line in done.stdout.splitlines() if line.startswith("! ")]
    assert [c.split()[-1] for c in complaints] == ["is", "file", "K=V", "offered", "text"]
    assert "Alex: You said: /stroke" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--record", "there.yaml"], 4, "there.yaml exists"),
        (["--record", "no/where.yaml"], 4, "no folder"),
        (["--connector", "pigeon"], 4, "pigeon"),
        (["--connector", "simulator", "--server", "http://127.0.0.1:9"], 4, "server of its own"),
        (["--server", "http://127.0.0.1:9/cometd", "--record", "new.yaml"], 1, "could not be held"),
    ],
)
def test_what_cannot_be(arguments: list[str], code: int, words: str) -> None:
    Path("there.yaml").write_text("mine")
    done = piped(*arguments, lines="hello\n")
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert Path("there.yaml").read_text() == "mine"
    assert not Path("new.yaml").exists()


@pytest.mark.parametrize("goodbye", ["\x04", "\x03", "/leave\r"])
def test_a_person_types_while_messages_arrive(goodbye: str, person: Any) -> None:
    with person(*CHAT, "--record", "bot.yaml") as ada:
        ada.sees("Alex: Hello, how can I help you?")
        ada.type("Hi")
        ada.type(" there\r")
        ada.sees("Alex: You said: Hi there")
        ada.type(goodbye)
        ada.sees("The chat is over (customer).")
        ada.sees("bot.yaml: written")
        assert ada.process.wait(LIMIT) == 0
    assert main(["run", "bot.yaml"]) == 0


def test_buttons_typing_and_user_data_are_shown_on_a_terminal(person: Any) -> None:
    Path("agents.yaml").write_text(AGENTS)
    with person(*CHAT, "--agents", "agents.yaml") as ada:
        ada.sees("[user data] Survey=")
        ada.sees("Eve: Pick one")
        ada.type("/leave\r")
        assert ada.process.wait(LIMIT) == 0


def test_a_signal_leaves_the_chat_and_keeps_the_recording(person: Any) -> None:
    with person(*CHAT, "--record", "bot.yaml") as ada:
        ada.sees("Alex: Hello, how can I help you?")
        ada.process.send_signal(signal.SIGTERM)
        ada.sees("The chat is over (customer).")
        assert ada.process.wait(LIMIT) == 2
    assert main(["check", "bot.yaml"]) == 0


def test_a_button_that_was_pressed_is_pressed_again() -> None:
    Path("agents.yaml").write_text(CHOOSING)
    simulate = [sys.executable, "-m", "botkit", "simulate", "--port", "0", "--agents"]
    with subprocess.Popen(
        [*simulate, "agents.yaml"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as simulator:
        try:
            assert simulator.stdout is not None
            urls = dict(simulator.stdout.readline().split() for _ in range(3))
            there = ["--server", urls["genesys-cloud"], "--connector", "genesys-cloud"]
            done = piped(*there, "--record", "bot.yaml", lines="/1\n")
            assert "  /1  Yes\n  /2  No\nEve: Well chosen\n" in done.stdout
            assert main(["check", "bot.yaml"]) == 0
            assert main(["run", "bot.yaml", *there, "--json", "results.json"]) == 0
            assert main(["convert", "results.json", "-o", "again.yaml"]) == 0
            assert "button: 'Yes'" in Path("again.yaml").read_text()
            assert main(["run", "again.yaml", *there]) == 0
        finally:
            simulator.kill()
