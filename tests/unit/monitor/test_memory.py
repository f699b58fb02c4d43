from __future__ import annotations

import json
from pathlib import Path

import pytest

from botkit.monitor.contract import Health, Maintenance
from botkit.monitor.memory import (
    Memory,
    known_from_json,
    known_to_json,
    maintenance_to_json,
    maintenances_from_json,
    recent_from_json,
)
from botkit.monitor.slo import Counted
from botkit.monitor.watch import Known

KNOWN = Known(last_due=12.5, health=Health.DOWN, since_utc=10.0, turn=7, dropped=1)


def test_what_was_saved_is_there_again(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "new" / "m.state")
    assert memory.load() == {}
    memory.save({"monitors": {"smoke": known_to_json(KNOWN)}})
    memory.save({"monitors": {"smoke": known_to_json(KNOWN)}, "more": 1})
    content = memory.load()
    assert known_from_json(content["monitors"]["smoke"]) == KNOWN
    assert content["more"] == 1
    assert [path.name for path in memory.path.parent.iterdir()] == ["m.state"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"botkit_monitor": 99}', b"\xff"])
def test_what_cannot_be_read_is_put_aside_and_told(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "m.state"
    path.write_bytes(content)
    assert Memory(path).load() == {}
    assert (tmp_path / "m.state.unreadable").read_bytes() == content
    assert "is put aside" in caplog.text


def test_a_failed_save_leaves_what_was_there(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "m.state")
    memory.save({"a": 1})
    with pytest.raises(TypeError):
        memory.save({"a": object()})
    assert memory.load()["a"] == 1
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("content", [None, [], {}, {"health": "purple"}, {"last_due": "soon"}])
def test_what_is_wrong_is_not_known(content: object) -> None:
    assert known_from_json(content) == Known()


def test_counts_are_remembered() -> None:
    counts = [Counted(300.0, 2, 1), Counted(600.0, 0, 3)]
    assert recent_from_json(json.loads(json.dumps(counts))) == counts


@pytest.mark.parametrize("content", [None, 3, "ab", [[1, 2]], [["soon", 1, 1]], [[1, 1e999, 1]]])
def test_of_wrong_counts_nothing_is_known(content: object) -> None:
    assert recent_from_json(content) == []


def test_maintenances_are_remembered_one_by_one() -> None:
    kept = Maintenance(monitor=None, until_utc=9.0, because="x")
    written: list[object] = [maintenance_to_json(kept), {"monitor": "a"}, 3]
    assert maintenances_from_json(written) == [kept]
    assert maintenances_from_json("nonsense") == []
