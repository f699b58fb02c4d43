"""A state to store, and the storages that botkit brings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from botkit.storage import FileStorage, MemoryStorage, SQLiteStorage

Storage = FileStorage | MemoryStorage | SQLiteStorage
Make = Callable[[], Storage]

STATE = {
    "connector": "gms-cometd",
    "server": "http://ada:hunter2@chat.example/genesys/cometd",
    "service": "support",
    "session_id": "chat-1",
    "secure_key": "0123456789abcdef",
    "position": 7,
    "userdata": {"Név": "Ödön \ud83d", "Empty": ""},
}


@pytest.fixture
def state() -> dict[str, Any]:
    return dict(STATE)


@pytest.fixture(params=["memory", "file", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Make one more storage of the same place."""
    makers: dict[str, Make] = {
        "memory": lambda: MemoryStorage(f"http://{tmp_path}", "support"),
        "file": lambda: FileStorage(tmp_path / "ada.json"),
        "sqlite": lambda: SQLiteStorage(tmp_path / "chats.db", "ada"),
    }
    return makers[request.param]


@pytest.fixture(params=["file", "sqlite"])
def make_on_disk(request: pytest.FixtureRequest) -> Callable[[Path], Storage]:
    """Make a storage of a path."""
    return {"file": FileStorage, "sqlite": SQLiteStorage}[request.param]
