"""Times and foreign text on the page."""

from __future__ import annotations

import pytest

from botkit.monitor.web.words import lasting, machine_stamp, percent, shown, stamp


def test_what_cannot_be_seen_is_shown_as_an_escape() -> None:
    assert shown("a\u202ebc\x00") == "a\\u{202e}bc\\u{0}"
    assert shown("\x1b[31mred\x1b[0m") == "red"


def test_lines_and_scripts_stay_as_they_are() -> None:
    assert shown("one\r\ntwo\tthree") == "one\ntwo three"
    assert shown("مرحبا <b>") == "مرحبا <b>"


def test_long_text_is_cut_and_says_so() -> None:
    assert shown("x" * 100_000) == "x" * 4000 + " … (96,000 more characters)"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (7290, "2 h 1 min"), (200_000, "2 d 7 h")],
)
def test_lengths_have_their_two_largest_units(seconds: float, said: str) -> None:
    assert lasting(seconds) == said


@pytest.mark.parametrize(
    ("share", "said"), [(1, "100 %"), (0, "0 %"), (0.99999, "99.99 %"), (0.5, "50.00 %")]
)
def test_only_all_of_it_is_a_hundred_percent(share: float, said: str) -> None:
    assert percent(share) == said


def test_times_are_utc() -> None:
    assert stamp(1_767_268_800.9) == "2026-01-01 12:00:00 UTC"
    assert machine_stamp(1_767_268_800) == "2026-01-01T12:00:00+00:00"
