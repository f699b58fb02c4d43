"""No secret of a bot or of an option is told by a command, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from botkit.cli import main

PASSWORD = "s3rver:pass/w0rd@x#yz"
KEY = "k3y-1234\nsecond"
AT_ALL_COSTS = ("s3rver", "pass/", "w0rd", "k3y-", "second", "opt10n", "hunter2")
"""Parts of them that no output may hold."""
HEAD = "botkit: 1\nbot: b\n"
STEPS = "steps: [{expect: x, within: 100ms}]\n"


def connect(what: str) -> str:
    return f"{HEAD}connect: {{{what}}}\n{STEPS}"


BOTS = {
    "a password in the server's URL": connect('server: "http://ada:${secret.PW}@127.0.0.1:1/x"'),
    "no URL of the wire": connect(
        'connector: gms-cometd, server: "ftp://ada:${secret.PW}@127.0.0.1:1/x"'
    ),
    "a guest's URL": connect(
        'connector: genesys-cloud, server: "ws://ada:${secret.PW}@127.0.0.1:1/x"'
    ),
    "a REST URL": connect('connector: gms-rest, server: "x://ada:${secret.PW}@127.0.0.1:1/x"'),
    "an option": connect(
        'connector: gms-rest, server: "http://127.0.0.1:1", options: {poll_longest: "${secret.PW}"}'
    ),
    "a header": connect('server: "http://127.0.0.1:1/x", headers: {X-Env: "${secret.KEY}"}'),
    "a proxy": connect('server: "http://127.0.0.1:1/x", proxy: "http://u:${secret.PW}@127.0.0.1"'),
    "a proxy of a socket": connect(
        'server: "http://127.0.0.1:1/x", proxy: "http://u:${secret.PW}@127.0.0.1",'
        " options: {transport: websocket}"
    ),
    "a server for the simulator": connect(
        'connector: simulator, server: "http://ada:${secret.PW}@127.0.0.1:1/x"'
    ),
    "a matcher": f'{HEAD}steps: [{{expect: {{equals: "${{secret.PW}}"}}, within: 100ms}}]\n',
    "a word of the customer": HEAD + 'steps: [{say: "${secret.PW}"}, {expect: zzz, within: 1s}]',
}


FILES = ("--json", "run.json", "--events", "run.ndjson", "--html", "run.html", "--junit", "run.xml")


def written_files() -> Iterator[Path]:
    yield from (path for path in Path().glob("run.*") if path.is_file())
    yield from Path().glob("run.*/*")


@pytest.mark.parametrize(
    "command",
    [
        ["run", "-v", *FILES, "--junit-attachments", "run.pages"],
        ["run", "--explain"],
        ["run", "--format", "nagios"],
        ["run", "--format", "github"],
        ["check"],
    ],
    ids=lambda command: " ".join(command[:3]),
)
@pytest.mark.parametrize("text", BOTS.values(), ids=BOTS)
def test_no_command_tells_a_secret(
    text: str,
    command: list[str],
    write_bot: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_bot(text=text)
    monkeypatch.setenv("PW", PASSWORD)
    monkeypatch.setenv("KEY", KEY)
    monkeypatch.setenv("BOTKIT_DEBUG", "1")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "run.md")

    code = main([*command, "bots"])

    told = "".join(capsys.readouterr())
    told += "".join(file.read_text(encoding="utf-8") for file in written_files())
    assert code != 0 or command == ["check"]
    assert told
    assert [part for part in AT_ALL_COSTS if part in told] == []


@pytest.mark.parametrize(
    "options",
    [
        ["--server", "http://ada:hunter2@127.0.0.1:1/x"],
        ["--server", "http://ada:hunter2@127.0.0.1:1/x", "--connector", "simulator"],
        ["--server", "http://127.0.0.1:1/x", "--proxy", "http://u:hunter2@127.0.0.1:1"],
        ["--server", "http://127.0.0.1:1/x", "--auth", "u:hunter2"],
        ["--server", "http://127.0.0.1:1/x", "--header", "Authorization: Bearer hunter2\x01"],
        ["--server", "http://ada:hunter2@127.0.0.1:1/x", "--faults", "hunter2.yaml"],
    ],
    ids=lambda options: " ".join(options[2:]) or "server",
)
def test_no_option_is_told(
    options: list[str], write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot()
    assert main(["run", "-v", *options]) != 0
    told = "".join(capsys.readouterr()).replace("hunter2.yaml", "")
    assert "hunter2" not in told
