"""The spool: whole files in order, bounded, and nothing holds it up."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from botkit.errors import HistoryError
from botkit.monitor.history import Finished, Spool

MakeFinished = Callable[..., Finished]


def names(spool: Spool) -> list[str]:
    return [waiting.journey.entry.journey_id for waiting in spool.oldest()]


def test_journeys_come_out_in_order_and_whole(spool: Spool, make: MakeFinished) -> None:
    journeys = [make("b", message="Ödön\n"), make("a", measurements={"x": 1.5}), make("c")]
    for journey in journeys:
        spool.put(journey)
    assert [waiting.journey for waiting in spool.oldest()] == journeys
    assert len(spool) == 3


def test_they_wait_for_the_next_process(spool: Spool, tmp_path: Path, make: MakeFinished) -> None:
    for name in "abc":
        spool.put(make(name))
    spool.remove(spool.oldest()[0].name)
    later = Spool(tmp_path / "spool")
    later.put(make("d"))
    assert names(later) == ["b", "c", "d"]


def test_what_was_begun_and_not_finished_is_nothing(tmp_path: Path, make: MakeFinished) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    (folder / ".000000000000-aa.journey.part").write_bytes(b"{")
    (folder / "README").write_text("not ours")
    spool = Spool(folder)
    assert (len(spool), names(spool)) == (0, [])
    assert [path.name for path in folder.iterdir()] == ["README"]


def test_a_batch_is_bounded_in_number_and_size(spool: Spool, make: MakeFinished) -> None:
    for n in range(5):
        spool.put(make(str(n), evidence=os.urandom(10_000)))
    assert len(spool.oldest(journeys=2)) == 2
    assert len(spool.oldest(size=25_000)) == 2
    assert len(spool.oldest(size=1)) == 1


@pytest.mark.parametrize("limits", [{"max_journeys": 2}, {"max_bytes": 25_000}])
def test_a_full_spool_says_so_and_keeps_what_it_has(
    tmp_path: Path, make: MakeFinished, limits: dict[str, int]
) -> None:
    spool = Spool(tmp_path / "spool", **limits)
    for n in range(2):
        spool.put(make(str(n), evidence=os.urandom(10_000)))
    with pytest.raises(HistoryError, match=r"is full: 2 journeys \(0 MB\) wait for the history"):
        spool.put(make("2", evidence=os.urandom(10_000)))
    assert names(spool) == ["0", "1"]
    spool.remove(spool.oldest()[0].name)
    spool.put(make("2", evidence=os.urandom(10_000)))
    assert names(spool) == ["1", "2"]


@pytest.mark.parametrize("cut", [0, 10, -5])
def test_a_damaged_file_is_set_aside_and_holds_nobody_up(
    spool: Spool, tmp_path: Path, make: MakeFinished, cut: int
) -> None:
    spool.put(make("a", evidence=os.urandom(100)))
    spool.put(make("b"))
    [first, _] = sorted((tmp_path / "spool").glob("*.journey"))
    first.write_bytes(first.read_bytes()[:cut])
    assert names(spool) == ["b"]
    assert (len(spool), spool.aside) == (1, 1)
    assert (tmp_path / "spool" / "set-aside" / first.name).exists()


def test_a_file_that_somebody_removed_is_not_waited_for(
    spool: Spool, tmp_path: Path, make: MakeFinished
) -> None:
    spool.put(make("a"))
    for path in (tmp_path / "spool").glob("*.journey"):
        path.unlink()
    assert names(spool) == []
    assert len(spool) == 0


def test_a_folder_that_cannot_be_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HistoryError, match=r"the spool .* cannot be used"):
        Spool(tmp_path / "file")


def test_a_disk_that_takes_nothing_is_said(
    spool: Spool, tmp_path: Path, make: MakeFinished
) -> None:
    (tmp_path / "spool").rmdir()
    with pytest.raises(HistoryError, match="cannot be used: No such file"):
        spool.put(make("a"))
    assert len(spool) == 0


def test_chats_are_for_the_owner_alone(spool: Spool, tmp_path: Path, make: MakeFinished) -> None:
    spool.put(make("a"))
    for path in [tmp_path / "spool", *(tmp_path / "spool").iterdir()]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077
