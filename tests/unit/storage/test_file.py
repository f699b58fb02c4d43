from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from botkit.errors import StateError
from botkit.storage import FileStorage
from botkit.storage.file import STALE

KILLED_AT = """
import json, os, signal, sys
from botkit.storage import FileStorage

path, call, state = sys.argv[1:]
original = getattr(os, call)

def killed(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(os, call, killed)
FileStorage(path).write(json.loads(state))
"""


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_kill_in_the_middle_leaves_what_was_there(
    tmp_path: Path, state: dict[str, Any], call: str
) -> None:
    path = tmp_path / "ada.json"
    FileStorage(path).write(state)
    new = json.dumps(state | {"position": 99})
    done = subprocess.run([sys.executable, "-c", KILLED_AT, path, call, new], check=False)
    assert done.returncode == -signal.SIGKILL
    assert FileStorage(path).read() == state
    assert len(os.listdir(tmp_path)) == 2


def test_what_a_killed_process_began_is_removed_later(
    tmp_path: Path, state: dict[str, Any]
) -> None:
    old, young, foreign = (
        tmp_path / name
        for name in (".ada.json.old.part", ".ada.json.young.part", ".bob.json.old.part")
    )
    for path in (old, young, foreign):
        path.touch()
    now = young.stat().st_mtime
    for path in (old, foreign):
        os.utime(path, (now - 2 * STALE, now - 2 * STALE))
    FileStorage(tmp_path / "ada.json").write(state)
    assert (old.exists(), young.exists(), foreign.exists()) == (False, True, True)


def test_a_full_disk_is_told_and_nothing_is_lost(
    tmp_path: Path, state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ada.json"
    FileStorage(path).write(state)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateError, match=r"could not be stored in .*ada\.json: No space left"):
        FileStorage(path).write(state | {"position": 8})
    assert FileStorage(path).read() == state
    assert os.listdir(tmp_path) == ["ada.json"]


def test_a_disk_that_fails_to_read_is_told(
    tmp_path: Path, state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    FileStorage(tmp_path / "ada.json").write(state)

    def broken(path: str, flags: int) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "open", broken)
    with pytest.raises(StateError, match="Input/output error"):
        FileStorage(tmp_path / "ada.json").read()
