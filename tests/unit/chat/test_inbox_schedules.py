"""Ten thousand generated schedules on the pure inbox: nothing missed, nothing taken twice.

A schedule is a run of bursts with the customer's own echo, history and other events in between,
and a list of expectations that follow one another. What the inbox does is compared with a model
that knows all events beforehand, and with itself when the same events are dealt out differently.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from botkit.chat import AgentTyping, Event, Inbox, Message, Taken

SCHEDULES = 10_000
WORDS = "abc"
GAPS = (0.0, 0.0, 0.001, 0.01, 0.02, 0.05)
"""Seconds between bursts; exact ties with deadlines happen often."""
WITHIN = (0.0, 0.01, 0.02, 0.05, 0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one expectation came to: what it took and passed over, or nothing in time."""

    took: Event | None
    passed_over: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What happens.

    Attributes:
        events: in order.
        waits: which word is expected, and within how many seconds.
        sizes: how many events each poll reply carries.
    """

    events: tuple[Event, ...]
    waits: tuple[tuple[str, float], ...]
    sizes: tuple[int, ...]


def generate(rng: random.Random) -> Schedule:
    events: list[Event] = []
    at = 0.0
    for _ in range(rng.randint(1, 5)):
        at += rng.choice(GAPS)
        for _ in range(rng.randint(1, 5)):
            at += rng.choice((0.0, 0.0, 0.001))
            events.append(random_event(rng, at, len(events) + 1))
    waits = [(rng.choice(WORDS), rng.choice(WITHIN)) for _ in range(rng.randint(1, 6))]
    sizes = [rng.randint(1, 6) for _ in events]
    return Schedule(events=tuple(events), waits=tuple(waits), sizes=tuple(sizes))


def random_event(rng: random.Random, at: float, seq: int) -> Event:
    kind = rng.random()
    if kind < 0.1:
        return AgentTyping(at=at, seq=seq, is_typing=True)
    text = rng.choice(WORDS)
    return Message(at=at, seq=seq, text=text, own=kind < 0.25, history=kind > 0.95)


def dealt(schedule: Schedule) -> Iterator[Sequence[Event]]:
    rest: Sequence[Event] = schedule.events
    for size in schedule.sizes:
        piece, rest = rest[:size], rest[size:]
        if piece:
            yield piece


def play(schedule: Schedule, pieces: Iterator[Sequence[Event]]) -> tuple[list[Expected], Inbox]:
    """Play a schedule on an inbox, one piece after another; then let all time pass."""
    inbox = Inbox()
    outcomes: list[Expected] = []
    waits = iter(schedule.waits)
    started, now = 0.0, 0.0
    word, within = next(waits)
    wait = inbox.wait(saying(word), until=started + within)
    more = True
    for piece in (*pieces, ()):
        for event in piece:
            inbox.append(event)
        now = piece[-1].at if piece else float("inf")
        while more:
            taken = wait.poll()
            if taken is None and now <= started + within:
                break
            started = max(started, taken.event.at) if taken else started + within
            outcomes.append(outcome_of(taken))
            word, within = following = next(waits, ("", 0.0))
            more = following != ("", 0.0)
            wait = inbox.wait(saying(word), until=started + within)
    return outcomes, inbox


def saying(word: str):  # type: ignore[no-untyped-def]
    def fits(event: Event) -> bool:
        assert isinstance(event, Message)
        assert not event.own
        assert not event.history
        return event.text == word

    return fits


def outcome_of(taken: Taken | None) -> Expected:
    if taken is None:
        return Expected(took=None)
    return Expected(took=taken.event, passed_over=taken.passed_over)


def model(schedule: Schedule) -> tuple[list[Expected], tuple[Event, ...]]:
    """Say what must come of a schedule, and which messages stay unread."""
    unread = [
        event
        for event in schedule.events
        if isinstance(event, Message) and not event.own and not event.history
    ]
    outcomes: list[Expected] = []
    started = 0.0
    for word, within in schedule.waits:
        until = started + within
        fitting = [n for n, e in enumerate(unread) if e.text == word and e.at <= until]
        if fitting:
            first = fitting[0]
            outcomes.append(Expected(took=unread[first], passed_over=tuple(unread[:first])))
            started = max(started, unread[first].at)
            del unread[: first + 1]
        else:
            outcomes.append(Expected(took=None))
            started = until
    return outcomes, tuple(unread)


def test_ten_thousand_schedules_miss_nothing_and_take_nothing_twice() -> None:
    rng = random.Random(20_240_607)
    took = timed_out = ties = 0
    for _ in range(SCHEDULES):
        schedule = generate(rng)
        expected, unread = model(schedule)
        together, inbox = play(schedule, dealt(schedule))
        one_by_one, again = play(schedule, iter([[event] for event in schedule.events]))

        assert together == expected, schedule
        assert one_by_one == expected, schedule
        assert inbox.unread() == again.unread() == unread, schedule
        consumed = [e for outcome in together for e in (*outcome.passed_over, outcome.took) if e]
        assert len({event.seq for event in consumed}) == len(consumed), schedule
        took += sum(outcome.took is not None for outcome in expected)
        timed_out += sum(outcome.took is None for outcome in expected)
        ties += len({event.at for event in schedule.events}) < len(schedule.events)

    # The schedules are worth something: both ends happen often, and so do equal stamps.
    assert took > SCHEDULES
    assert timed_out > SCHEDULES
    assert ties > SCHEDULES / 2
