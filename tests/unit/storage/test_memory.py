from __future__ import annotations

from typing import Any

from botkit.storage import MemoryStorage
from botkit.storage.memory import Memory


def test_sessions_share_it_by_server_and_service(state: dict[str, Any]) -> None:
    MemoryStorage("http://one.example", "support").write(state)
    assert MemoryStorage("http://one.example", "support").read() == state
    assert MemoryStorage("http://one.example", "billing").read() is None
    assert MemoryStorage("http://two.example", "support").read() is None
    assert MemoryStorage().read() is None


def test_without_a_server_it_is_a_place_of_its_own(state: dict[str, Any]) -> None:
    storage = MemoryStorage()
    storage.write(state)
    assert storage.read() == state
    assert MemoryStorage().read() is None


def test_what_was_not_written_for_longest_is_forgotten() -> None:
    memory = Memory(limit=2)
    memory.put(("a", ""), b"1")
    memory.put(("b", ""), b"2")
    memory.put(("a", ""), b"3")
    memory.put(("c", ""), b"4")
    assert [memory.get((key, "")) for key in "abc"] == [b"3", b"", b"4"]


def test_what_is_over_takes_no_room() -> None:
    memory = Memory()
    memory.put(("a", ""), b"1")
    memory.put(("a", ""), None)
    assert len(memory) == 0
