"""A project of one's own: a folder with bots, and nothing of the surroundings."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SMOKE = """\
botkit: 1
bot: {name}
tags: [{tags}]
steps:
  - wait_for: agent
  - say: hello
  - expect: hello
"""

WriteBot = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("BOTKIT_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "botkit.toml").write_text("")
    return tmp_path


@pytest.fixture
def write_bot(project: Path) -> WriteBot:
    def write(name: str = "smoke", text: str = SMOKE, tags: str = "smoke") -> Path:
        file = project / "bots" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text.replace("{name}", name).replace("{tags}", tags))
        return file

    return write


@pytest.fixture
def dead_url() -> Iterator[str]:
    """A URL where nobody listens, for as long as the test runs."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/cometd"
