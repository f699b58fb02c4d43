from __future__ import annotations

import pytest

from botkit.monitor.contract import Maintenance
from botkit.monitor.maintenance import Maintenances, Window

ALL = Window(begin=100, end=200, because="release")
ONE = Window(begin=150, end=300, monitors=frozenset({"smoke"}), because="router")


@pytest.mark.parametrize(
    ("name", "now", "because"),
    [
        ("smoke", 99, None),
        ("smoke", 100, "release"),
        ("smoke", 150, "router"),
        ("smoke", 299.9, "router"),
        ("smoke", 300, None),
        ("other", 150, "release"),
        ("other", 200, None),
    ],
)
def test_windows_of_the_file_hold_from_beginning_to_end(
    name: str, now: float, because: str | None
) -> None:
    found = Maintenances([ALL, ONE]).of(name, now)
    assert (found and found.because) == because


def test_one_that_was_begun_by_hand_ends_by_hand_or_by_itself() -> None:
    kept = Maintenances()
    kept.begin(Maintenance(monitor=None, until_utc=500, because="fire drill"))
    assert kept.of("smoke", 499) is not None
    assert kept.of("smoke", 500) is None
    kept.begin(Maintenance(monitor="smoke", until_utc=900))
    kept.end("smoke")
    assert kept.of("smoke", 600) is None
    with pytest.raises(KeyError):
        kept.end("smoke")


def test_what_was_begun_before_the_process_goes_on() -> None:
    before = Maintenance(monitor="smoke", until_utc=900)
    kept = Maintenances(by_hand=[before, Maintenance(monitor="other", until_utc=10)])
    assert kept.going_on(500) == [before]
    assert kept.by_hand(500) == [before]


def test_a_window_for_several_is_shown_for_each() -> None:
    both = Window(begin=0, end=10, monitors=frozenset({"b", "a"}))
    assert [m.monitor for m in Maintenances([both]).going_on(5)] == ["a", "b"]
