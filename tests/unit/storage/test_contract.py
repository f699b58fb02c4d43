"""What every storage that botkit brings does."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from botkit.errors import ConfigError, LocalProtocolError, StateError
from botkit.storage import FileStorage, MemoryStorage, SQLiteStorage

Storage = FileStorage | MemoryStorage | SQLiteStorage
Make = Callable[[], Storage]
MakeOnDisk = Callable[[Path], Storage]


def test_what_was_written_last_is_read(make: Make, state: dict[str, Any]) -> None:
    assert make().read() is None
    make().write(state)
    assert make().read() == state
    make().write(state | {"position": 8})
    assert make().read() == state | {"position": 8}


def test_an_empty_state_means_that_nothing_is_stored(make: Make, state: dict[str, Any]) -> None:
    storage = make()
    storage.write(state)
    storage.write({})
    assert storage.read() is make().read() is None
    storage.write(state | {"session_id": "chat-2"})
    assert make().read() == state | {"session_id": "chat-2"}


def test_later_changes_of_a_mapping_are_not_stored(make: Make, state: dict[str, Any]) -> None:
    make().write(state)
    state["position"] = 9
    assert make().read() == state | {"position": 7}


def test_the_first_write_may_replace_a_chat_that_nobody_asked_for(
    make: Make, state: dict[str, Any]
) -> None:
    make().write(state)
    make().write(state | {"session_id": "chat-2"})
    assert make().read() == state | {"session_id": "chat-2"}


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"bytes"], ids=str)
def test_what_json_cannot_hold_is_refused_and_nothing_is_lost(
    make: Make, state: dict[str, Any], value: object
) -> None:
    make().write(state)
    with pytest.raises(LocalProtocolError, match="JSON cannot hold the state"):
        make().write(state | {"more": value})
    assert make().read() == state


def test_what_is_too_large_is_refused_and_nothing_is_lost(
    make: Make, state: dict[str, Any]
) -> None:
    make().write(state)
    with pytest.raises(StateError, match=r"the state has 1,000,\d+ bytes; at most 1,000,000"):
        make().write(state | {"more": "x" * 1_000_000})
    assert make().read() == state


# --- on disk -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["connector", "server", "service"])
def test_a_chat_of_somewhere_else_is_kept(
    make_on_disk: MakeOnDisk, tmp_path: Path, state: dict[str, Any], key: str
) -> None:
    path = tmp_path / "ada"
    make_on_disk(path).write(state)
    storage = make_on_disk(path)
    assert storage.read() == state  # and even so it is not to be lost
    with pytest.raises(StateError, match=f"holds a chat of another {key}") as caught:
        storage.write(state | {key: "another"})
    assert "hunter2" not in str(caught.value)
    assert storage.read() == state


def test_two_who_write_different_chats_find_out(
    make_on_disk: MakeOnDisk, tmp_path: Path, state: dict[str, Any]
) -> None:
    one, two = make_on_disk(tmp_path / "ada"), make_on_disk(tmp_path / "ada")
    one.write(state)
    two.write(state | {"session_id": "chat-2"})
    for late in (state, {}):
        with pytest.raises(StateError, match="somebody else writes there, too"):
            one.write(late)
    assert two.read() == state | {"session_id": "chat-2"}


def test_two_may_write_the_same_chat(
    make_on_disk: MakeOnDisk, tmp_path: Path, state: dict[str, Any]
) -> None:
    one, two = make_on_disk(tmp_path / "ada"), make_on_disk(tmp_path / "ada")
    one.write(state)
    two.write(two.read() or {})
    one.write(state | {"position": 8})
    assert two.read() == state | {"position": 8}


def test_it_is_for_its_owner_alone(
    make_on_disk: MakeOnDisk, tmp_path: Path, state: dict[str, Any]
) -> None:
    before = os.umask(0)
    try:
        make_on_disk(tmp_path / "ada").write(state)
        make_on_disk(tmp_path / "ada").write({})
    finally:
        os.umask(before)
    assert [stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()] == [0o600]


def test_what_others_could_read_they_cannot_any_more(
    make_on_disk: MakeOnDisk, tmp_path: Path, state: dict[str, Any]
) -> None:
    make_on_disk(tmp_path / "ada").write(state)
    (tmp_path / "ada").chmod(0o644)
    make_on_disk(tmp_path / "ada").write(state)
    assert stat.S_IMODE((tmp_path / "ada").stat().st_mode) == 0o600


def test_an_empty_file_holds_nothing(
    make_on_disk: MakeOnDisk, tmp_path: Path, state: dict[str, Any]
) -> None:
    (tmp_path / "ada").touch()
    assert make_on_disk(tmp_path / "ada").read() is None
    make_on_disk(tmp_path / "ada").write(state)
    assert make_on_disk(tmp_path / "ada").read() == state


def test_a_file_of_something_else_is_kept(
    make_on_disk: MakeOnDisk, tmp_path: Path, state: dict[str, Any]
) -> None:
    path = tmp_path / "ada"
    path.write_text("Dear diary, my secret is hunter2")
    before = path.read_bytes()
    storage = make_on_disk(path)
    for attempt in (storage.read, lambda: storage.write(state), lambda: storage.write({})):
        with pytest.raises(StateError, match=r"broken or no .* it is kept as it is") as caught:
            attempt()
        assert str(path) in str(caught.value)
        assert "hunter2" not in str(caught.value)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["ada"]


def refused(storage: Storage, state: dict[str, Any], why: str) -> None:
    """See a path refused for reading and for writing."""
    for attempt in (storage.read, lambda: storage.write(state)):
        with pytest.raises(ConfigError, match=why) as caught:
            attempt()
        assert caught.value.key == "storage"


def test_a_folder_that_is_missing(
    make_on_disk: MakeOnDisk, tmp_path: Path, state: dict[str, Any]
) -> None:
    path = tmp_path / "missing" / "ada"
    refused(make_on_disk(path), state, f"stored in {path}: there is no folder")
    assert not path.parent.exists()


def test_a_folder_that_must_not_be_written(
    make_on_disk: MakeOnDisk,
    tmp_path: Path,
    state: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As root every folder may be written, so the system is asked in its place.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    refused(make_on_disk(tmp_path / "ada"), state, "must not be written by this user")


def test_a_file_in_the_place_of_the_folder(
    make_on_disk: MakeOnDisk, tmp_path: Path, state: dict[str, Any]
) -> None:
    (tmp_path / "file").touch()
    refused(make_on_disk(tmp_path / "file" / "ada"), state, "there is no folder|Not a directory")


def test_a_folder_in_the_place_of_the_file(
    make_on_disk: MakeOnDisk, tmp_path: Path, state: dict[str, Any]
) -> None:
    (tmp_path / "ada").mkdir()
    refused(make_on_disk(tmp_path / "ada"), state, "no ordinary file|Is a directory")


def test_a_pipe_is_not_waited_for(
    make_on_disk: MakeOnDisk, tmp_path: Path, state: dict[str, Any]
) -> None:
    os.mkfifo(tmp_path / "ada")
    refused(make_on_disk(tmp_path / "ada"), state, "no ordinary file")


@pytest.mark.parametrize("target", ["there", "nowhere"])
def test_a_link_is_not_followed(
    make_on_disk: MakeOnDisk, tmp_path: Path, state: dict[str, Any], target: str
) -> None:
    make_on_disk(tmp_path / "there").write(state)
    before = (tmp_path / "there").read_bytes()
    (tmp_path / "ada").symlink_to(tmp_path / target)
    refused(make_on_disk(tmp_path / "ada"), state, "it is a link")
    assert (tmp_path / "there").read_bytes() == before
    assert not (tmp_path / "nowhere").exists()


def test_it_stays_the_same_file_in_another_folder(
    make_on_disk: MakeOnDisk,
    tmp_path: Path,
    state: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    storage = make_on_disk(Path("ada"))
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    storage.write(state)
    assert make_on_disk(tmp_path / "ada").read() == state
