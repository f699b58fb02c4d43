from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from botkit.errors import StateError
from botkit.storage import SQLiteStorage, sqlite

WRITES_ON = """
import sys
from botkit.storage import SQLiteStorage

storage = SQLiteStorage(sys.argv[1])
state = storage.read() or {"position": 0}
while True:
    position = state["position"] + 1
    state = {"position": position, "filler": f"{position:08}" * 20_000}
    storage.write(state)
    print(position, flush=True)
"""


def test_a_kill_at_any_point_leaves_a_whole_state(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    for kill in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", WRITES_ON, path], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            for _ in range(kill + 1):
                last = int(writer.stdout.readline())
            writer.kill()
            last = max([last, *map(int, writer.stdout.read().split())])
        state = SQLiteStorage(path).read()
        assert state is not None
        # What was told as written is there; one more may be, that was not told any more.
        assert state["position"] in (last, last + 1)
        assert state["filler"] == f"{state['position']:08}" * 20_000


def test_many_chats_in_one_database(tmp_path: Path, state: dict[str, Any]) -> None:
    path = tmp_path / "chats.db"
    ada, bob = SQLiteStorage(path, "ada"), SQLiteStorage(path, "bob")
    ada.write(state)
    assert bob.read() is None
    bob.write(state | {"session_id": "chat-2", "server": "http://elsewhere.example"})
    ada.write({})
    assert ada.read() is None
    assert (bob.read() or {})["session_id"] == "chat-2"
    assert os.listdir(tmp_path) == ["chats.db"]


def test_its_journal_is_for_its_owner_alone(tmp_path: Path, state: dict[str, Any]) -> None:
    path = tmp_path / "chats.db"
    before = os.umask(0)
    try:
        SQLiteStorage(path).write(state)
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("BEGIN")
            database.execute("UPDATE states SET name = 'x'")
            journal = tmp_path / "chats.db-journal"
            assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("PRAGMA application_id = 7", "the database of another program"),
        ("PRAGMA user_version = 2", "of a later botkit: format 2, this one knows 1"),
        ("DROP TABLE states", "broken or no database of botkit: no such table"),
        ("UPDATE states SET envelope = 'text'", "no state of botkit"),
        ("UPDATE states SET envelope = x'00'", "broken or no state of botkit"),
    ],
)
def test_what_cannot_be_used_is_kept(
    tmp_path: Path, state: dict[str, Any], change: str, why: str
) -> None:
    path = tmp_path / "chats.db"
    SQLiteStorage(path).write(state)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(change)
    before = path.read_bytes()
    for attempt in (SQLiteStorage(path).read, lambda: SQLiteStorage(path).write(state)):
        with pytest.raises(StateError, match=f"{why}.*; it is kept as it is"):
            attempt()
    assert path.read_bytes() == before


def test_a_torn_database_is_told(tmp_path: Path, state: dict[str, Any]) -> None:
    path = tmp_path / "chats.db"
    SQLiteStorage(path).write(state | {"filler": "x" * 100_000})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StateError, match="broken or no database"):
        SQLiteStorage(path).read()


def test_somebody_who_does_not_stop_to_write_is_told(
    tmp_path: Path, state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY", 0.01)
    path = tmp_path / "chats.db"
    SQLiteStorage(path).write(state)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StateError, match=r"chats\.db \(default\): somebody else has been"):
            SQLiteStorage(path).write(state)
    assert SQLiteStorage(path).read() == state
