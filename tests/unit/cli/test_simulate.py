from __future__ import annotations

import socket
from pathlib import Path

import pytest

from botkit.cli import main
from botkit.cli.simulate import settings_for


def test_a_port_in_use(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["simulate", "--port", str(port)]) == 4
    message = f"botkit: 127.0.0.1 port {port} cannot be listened on: "
    assert capsys.readouterr().err.startswith(message)


@pytest.mark.parametrize("option", ["agents", "faults"])
def test_a_wrong_file(option: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "wrong.yaml").write_text("nonsense: 1\n")
    assert main(["simulate", f"--{option}", "wrong.yaml", "--port", "0"]) == 4
    assert "wrong.yaml" in capsys.readouterr().err


def test_a_personality_that_does_not_exist(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", "--personality", "nice"]) == 4
    assert "cometd" in capsys.readouterr().err


@pytest.mark.parametrize("extensions", [(), ("ack",), ("timesync", "ack")])
def test_a_server_agrees_to_the_extensions_that_were_named(extensions: tuple[str, ...]) -> None:
    personality = settings_for(None, None, None, "faye", extensions).personality
    agreed = {name for name in ("ack", "timesync") if getattr(personality, name)}
    assert agreed == set(extensions)
    assert personality.name == "faye"


@pytest.mark.parametrize(("said", "seed"), [(None, 7), (3, 3)])
def test_a_seed_that_was_said_wins_over_the_file(
    said: int | None, seed: int, project: Path
) -> None:
    file = project / "faults.yaml"
    file.write_text("seed: 7\nfaults:\n  - {name: http_500, probability: 0.1}\n")
    assert settings_for(None, file, said, "cometd", ()).seed == seed
