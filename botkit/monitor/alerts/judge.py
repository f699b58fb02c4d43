"""What checks come to: whether a chat is up, and what people have to know.

Theory of operation: what is known is a record that never changes; each check makes the next one
from it. What people have to know is the difference between two of them. A retest takes the place of
the check that it repeats: the next record is made from the one before that check, so that a trouble
that the check began is gone again, and is told to be over.

There are two things that may be wrong at once: the chat (it is down, unstable or slow, the worst of
which counts) and the watching itself (botkit, the bot or its set-up is broken). The second says
nothing about the first.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from typing import Any, Self

from botkit.monitor.alerts.rules import Rules, Share
from botkit.monitor.contract import Check, Health
from botkit.results import Verdict


class Mark(enum.Enum):
    """What a check says."""

    GOOD = "good"
    SLOW = "slow"
    BAD = "bad"
    ERROR = "error"

    @property
    def works(self) -> bool:
        return self in {Mark.GOOD, Mark.SLOW}


MARKS = {
    Verdict.PASSED: Mark.GOOD,
    Verdict.DEGRADED: Mark.SLOW,
    Verdict.FAILED: Mark.BAD,
    Verdict.ERROR: Mark.ERROR,
}
"""The other verdicts say nothing."""


class Kind(enum.Enum):
    """What is wrong; of the first three the first that applies, and of the last two.

    The first three are found by looking at a chat, the last two by counting how it kept what is
    promised; one may be without the other, and both are told.
    """

    DOWN = "down"
    FLAPPING = "flapping"
    DEGRADED = "degraded"
    BROKEN = "broken"
    """Nobody knows, for botkit, the bot or the set-up does not work."""
    BURNING = "burning"
    """The error budget of its objective is spent so fast that somebody must look at once."""
    DRAINING = "draining"
    """It is spent faster than it may be, and there is time to look."""


GRAVITY = {
    Kind.DEGRADED: 1,
    Kind.FLAPPING: 2,
    Kind.DOWN: 3,
    Kind.BROKEN: 3,
    Kind.DRAINING: 1,
    Kind.BURNING: 2,
}
HEALTH = {
    Kind.DOWN: Health.DOWN,
    Kind.FLAPPING: Health.DEGRADED,
    Kind.DEGRADED: Health.DEGRADED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A check, as far as it matters."""

    mark: Mark
    utc: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something is wrong.

    Attributes:
        kind: what; may grow worse, and is not told again when it gets better.
        since_utc: when the first check that speaks of it began, epoch seconds.
    """

    kind: Kind
    since_utc: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What people have to know.

    Attributes:
        trouble: what is wrong, or was.
        firing: it is wrong now; False when it is over.
        worse: it was wrong before, and less so.
    """

    trouble: Trouble
    firing: bool
    worse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a chat.

    Attributes:
        chat: what the last checks said of it, oldest first; errors say nothing of it.
        checks: what the last checks said, errors too.
        trouble: what is wrong with the chat.
        broken: what is wrong with the watching.
    """

    chat: tuple[Seen, ...] = ()
    checks: tuple[Seen, ...] = ()
    trouble: Trouble | None = None
    broken: Trouble | None = None

    @property
    def health(self) -> Health:
        """Tell how the chat is, blips left out."""
        if self.trouble is not None:
            return HEALTH[self.trouble.kind]
        return Health.UP if any(seen.mark.works for seen in self.chat) else Health.UNKNOWN


class Judge:
    """Judges the checks of one monitor at one place.

    Args:
        rules: when people are paged.
        known: from before.
    """

    def __init__(self, rules: Rules | None = None, known: Known | None = None) -> None:
        self.rules = rules or Rules()
        self.known = known or Known()
        self._before = self.known

    def see(self, check: Check) -> tuple[Change, ...]:
        """Take a check; tells what people have to know."""
        mark = MARKS.get(check.result.verdict)
        if mark is None:
            return ()
        if not check.retest:
            self._before = self.known
        seen = Seen(mark=mark, utc=check.result.started_utc)
        earlier, self.known = self.known, _next(self._before, seen, self.rules)
        return _differences(earlier, self.known)

    @property
    def health(self) -> Health:
        """Tell how the chat is, blips left out."""
        return self.known.health

    def agree(self, trouble: Trouble | None, broken: Trouble | None) -> None:
        """Know of the troubles that people were told of, and of no other.

        One that they were told of and that is not known would never be over; one that is known and
        that they were not told of would never be told.
        """
        self.known = replace(
            self.known,
            trouble=trouble and (self.known.trouble or trouble),
            broken=broken and (self.known.broken or broken),
        )
        self._before = self.known

    def state(self) -> dict[str, Any]:
        """Write down what is known, as JSON has it."""
        known = self.known
        return {
            "chat": _seen_to_json(known.chat),
            "checks": _seen_to_json(known.checks),
            "trouble": _trouble_to_json(known.trouble),
            "broken": _trouble_to_json(known.broken),
        }

    @classmethod
    def restored(cls, state: Any, rules: Rules | None = None) -> Self:
        """Read what :meth:`state` has written; what is wrong is not known."""
        try:
            return cls(rules, _known_from_json(state))
        except (KeyError, TypeError, ValueError):
            return cls(rules)


# --- from one record to the next -----------------------------------------------------------------


def _next(known: Known, seen: Seen, rules: Rules) -> Known:
    checks = (*known.checks, seen)[-rules.longest :]
    known = replace(known, checks=checks, broken=_watching(known.broken, checks, rules))
    if seen.mark is Mark.ERROR:
        return known
    chat = (*known.chat, seen)[-rules.longest :]
    if known.trouble is not None and _is_over(known.trouble, chat, rules):
        # What is over must not count once more for the next trouble.
        return replace(known, chat=chat[-_needed(known.trouble, rules) :], trouble=None)
    return replace(known, chat=chat, trouble=_worse(known.trouble, _found(chat, rules)))


def _watching(broken: Trouble | None, checks: Sequence[Seen], rules: Rules) -> Trouble | None:
    if broken is not None:
        good = _in_a_row(checks, lambda mark: mark is not Mark.ERROR)
        return None if good >= rules.recover else broken
    return _trouble(Kind.BROKEN, checks, rules.broken, lambda mark: mark is Mark.ERROR)


def _is_over(trouble: Trouble, chat: Sequence[Seen], rules: Rules) -> bool:
    slow_is_bad = trouble.kind is Kind.DEGRADED
    good = _in_a_row(chat, lambda mark: mark is Mark.GOOD if slow_is_bad else mark.works)
    return good >= _needed(trouble, rules)


def _needed(trouble: Trouble, rules: Rules) -> int:
    if trouble.kind is Kind.FLAPPING and rules.flapping is not None:
        return max(rules.recover, rules.flapping.of)
    return rules.recover


def _found(chat: Sequence[Seen], rules: Rules) -> Trouble | None:
    """Find the worst that the last checks of a chat speak of."""
    return (
        _trouble(Kind.DOWN, chat, rules.fail, lambda mark: mark is Mark.BAD)
        or _flapping(chat, rules.flapping)
        or _trouble(Kind.DEGRADED, chat, rules.degraded, lambda mark: mark is not Mark.GOOD)
    )


def _trouble(
    kind: Kind, checks: Sequence[Seen], share: Share | None, speaks: Callable[[Mark], bool]
) -> Trouble | None:
    if share is None:
        return None
    speaking = [seen for seen in checks[-share.of :] if speaks(seen.mark)]
    if len(speaking) < share.times:
        return None
    return Trouble(kind=kind, since_utc=speaking[0].utc)


def _flapping(chat: Sequence[Seen], share: Share | None) -> Trouble | None:
    if share is None:
        return None
    last = chat[-share.of :]
    changes = sum(one.mark.works != other.mark.works for one, other in pairwise(last))
    if changes < share.times:
        return None
    return Trouble(
        kind=Kind.FLAPPING, since_utc=next(seen.utc for seen in last if seen.mark is Mark.BAD)
    )


def _worse(trouble: Trouble | None, found: Trouble | None) -> Trouble | None:
    if trouble is None or found is None:
        return trouble or found
    if GRAVITY[found.kind] <= GRAVITY[trouble.kind]:
        return trouble
    return replace(trouble, kind=found.kind)


def _in_a_row(checks: Sequence[Seen], good: Callable[[Mark], bool]) -> int:
    return sum(1 for _ in takewhile(lambda seen: good(seen.mark), reversed(checks)))


def _differences(earlier: Known, now: Known) -> tuple[Change, ...]:
    pairs = ((earlier.trouble, now.trouble), (earlier.broken, now.broken))
    changes = (_difference(one, other) for one, other in pairs)
    return tuple(change for change in changes if change is not None)


def _difference(earlier: Trouble | None, now: Trouble | None) -> Change | None:
    if now is None:
        return None if earlier is None else Change(trouble=earlier, firing=False)
    if earlier is None:
        return Change(trouble=now, firing=True)
    if GRAVITY[now.kind] > GRAVITY[earlier.kind]:
        return Change(trouble=now, firing=True, worse=True)
    return None


# --- JSON ----------------------------------------------------------------------------------------


def _seen_to_json(checks: Sequence[Seen]) -> list[list[Any]]:
    return [[seen.mark.value, seen.utc] for seen in checks]


def _seen_from_json(content: Any) -> tuple[Seen, ...]:
    return tuple(Seen(mark=Mark(mark), utc=float(utc)) for mark, utc in content)


def _trouble_to_json(trouble: Trouble | None) -> dict[str, Any] | None:
    if trouble is None:
        return None
    return {"kind": trouble.kind.value, "since_utc": trouble.since_utc}


def _trouble_from_json(content: Mapping[str, Any] | None) -> Trouble | None:
    if content is None:
        return None
    return Trouble(kind=Kind(content["kind"]), since_utc=float(content["since_utc"]))


def _known_from_json(content: Mapping[str, Any]) -> Known:
    return Known(
        chat=_seen_from_json(content["chat"]),
        checks=_seen_from_json(content["checks"]),
        trouble=_trouble_from_json(content["trouble"]),
        broken=_trouble_from_json(content["broken"]),
    )
