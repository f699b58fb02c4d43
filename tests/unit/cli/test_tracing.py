from __future__ import annotations

import sys
from typing import Any

import pytest

from botkit.cli import main

MONITORS = "botkit-monitors: 1\nmonitors: {chat: {bot: smoke, connector: simulator, every: 1m}}\n"


@pytest.fixture
def uninstalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed, OpenTelemetry is not."""
    monkeypatch.delitem(sys.modules, "botkit.telemetry.otlp", raising=False)
    for name in [name for name in sys.modules if name.startswith("opentelemetry")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)


@pytest.mark.usefixtures("uninstalled")
@pytest.mark.parametrize("command", ["run", "monitor"])
def test_without_the_extra_it_says_what_to_install(
    command: str, write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bot = write_bot()
    monitors = bot.parent / "m.yaml"
    monitors.write_text(MONITORS.replace("smoke", "smoke.yaml"))
    file = bot if command == "run" else monitors
    assert main([command, str(file), "--otel", "http://127.0.0.1:4318"]) == 4
    told = capsys.readouterr()
    assert "--otel needs opentelemetry: pip install 'botkit[otel]'" in told.err
    assert "PASSED" not in told.out


@pytest.mark.parametrize(
    "url",
    ["", "bots/", "127.0.0.1:4318", "ftp://127.0.0.1/CANARY", "http://", "http://[CANARY/"],
)
def test_what_is_no_receiver_is_refused(
    url: str, write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot()
    assert main(["run", "--otel", url]) == 4
    told = capsys.readouterr().err
    assert "--otel" in told
    assert "CANARY" not in told


@pytest.mark.parametrize(
    "url", ["http://me:CANARY@127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces?key=CANARY"]
)
def test_secrets_go_elsewhere(url: str, write_bot: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write_bot()
    assert main(["run", "--otel", url]) == 4
    told = capsys.readouterr().err
    assert "OTEL_EXPORTER_OTLP_HEADERS" in told
    assert "CANARY" not in told


@pytest.mark.parametrize(
    ("name", "value"),
    [("TIMEOUT", "soon"), ("HEADERS", "Bearer CANARY"), ("COMPRESSION", "rather")],
)
def test_a_variable_that_makes_no_sense_is_told(
    name: str,
    value: str,
    write_bot: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_bot()
    monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)
    assert main(["run", "--otel", "http://127.0.0.1:4318"]) == 4
    told = capsys.readouterr()
    assert "spans cannot be sent: " in told.err
    assert "CANARY" not in told.err
    assert "PASSED" not in told.out
