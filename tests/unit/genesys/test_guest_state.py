"""Which messages of a web messaging chat were seen, when not all can be remembered."""

from __future__ import annotations

from botkit.genesys.guest_state import REMEMBERED, SeenMessages


def test_what_is_older_than_all_that_is_remembered_counts_as_seen() -> None:
    seen = SeenMessages()
    for number in range(10 * REMEMBERED):
        seen.add(f"m{number}", float(number))

    assert len(seen.stamps) <= 2 * REMEMBERED
    assert ("m1", 1.0) in seen
    assert ("another", 1.0) in seen
    assert ("another", 10.0 * REMEMBERED - 1) not in seen


def test_of_one_moment_many_may_come_and_none_counts_as_seen_before() -> None:
    seen = SeenMessages()
    seen.add("before", 1.0)
    for number in range(5 * REMEMBERED):
        assert (f"m{number}", 2.0) not in seen
        seen.add(f"m{number}", 2.0)

    assert ("m0", 2.0) in seen
    assert ("before", 1.0) in seen
    for number in range(3 * REMEMBERED):
        seen.add(f"n{number}", 3.0 + number)
    assert len(seen.stamps) <= 10 * REMEMBERED
    assert ("m0", 2.0) in seen
