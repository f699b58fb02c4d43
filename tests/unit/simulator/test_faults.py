"""Which fault strikes where; pure."""

import random

import pytest

from botkit.simulator.faults import (
    COMETD,
    GUEST,
    GUEST_HTTP,
    KINDS,
    MAX_COUNTED,
    ON,
    Faults,
    Point,
    make_fault,
)


def make(*faults: tuple[str, dict[str, object]], seed: int = 1) -> Faults:
    return Faults([make_fault(name, **settings) for name, settings in faults],
                  rng=random.Random(seed))  # fmt: skip


def connects(faults: Faults, count: int, *, customer: str = "a") -> str:
    """Say for each of some connects whether it was struck."""
    struck = (faults.strike(Point.REQUEST, ["connect"], customer=customer) for _ in range(count))
    return "".join("x" if fault else "." for fault in struck)


def test_without_faults_nothing_strikes() -> None:
    faults = make()
    assert not faults.any_at(Point.REQUEST)
    assert connects(faults, 3) == "..."


def test_a_fault_strikes_every_time_unless_told_otherwise() -> None:
    assert connects(make(("http_500", {})), 3) == "xxx"


def test_after_and_times_bound_it() -> None:
    assert connects(make(("http_500", {"after": 2, "times": 3})), 8) == "..xxx..."


def test_only_what_it_waits_for_counts() -> None:
    faults = make(("http_500", {"on": "sendMessage", "after": 1}))
    assert connects(faults, 3) == "..."
    words = ("publish", "sendMessage")
    assert faults.strike(Point.REQUEST, words) is None
    assert faults.strike(Point.REQUEST, words) is not None


def test_a_service_narrows_it() -> None:
    faults = make(("refuse_chat", {"service": "closed"}))
    for service, strikes in (("open", False), (None, False), ("closed", True)):
        fault = faults.strike(Point.OPERATION, ("requestChat",), service=service)
        assert (fault is not None) is strikes


def test_a_session_narrows_it_to_the_nth_customer() -> None:
    faults = make(("http_500", {"session": 2}))
    struck = [connects(faults, 1, customer=customer) for customer in "abcab"]
    assert struck == [".", "x", ".", ".", "x"]


def test_a_fault_of_one_wire_does_not_strike_on_another() -> None:
    faults = make(("rate_limited", {"on": "any"}), ("http_500", {"on": "any", "after": 1}))
    on = ("onMessage", "connect")
    assert faults.strike(Point.REQUEST, on) is None
    struck = [faults.strike(Point.REQUEST, on, wire=wire) for wire in (GUEST, GUEST_HTTP, COMETD)]
    assert [fault and fault.name for fault in struck] == ["rate_limited", "http_500", "http_500"]


def test_who_has_no_name_yet_is_the_next_customer() -> None:
    faults = make(("refused_handshake", {"session": 2}))

    def handshake() -> bool:
        return faults.strike(Point.REQUEST, ["handshake"]) is not None

    assert not handshake()
    connects(faults, 1, customer="a")
    assert handshake()


def test_customers_are_counted_together_or_apart() -> None:
    together = make(("http_500", {"times": 1}))
    apart = make(("http_500", {"times": 1, "each_session": True}))
    for faults, expected in ((together, ["x.", ".."]), (apart, ["x.", "x."])):
        assert [connects(faults, 2, customer=customer) for customer in "ab"] == expected


def test_chance_repeats_with_its_seed() -> None:
    settings = {"probability": 0.5}
    runs = [connects(make(("http_500", settings), seed=seed), 50) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    assert 10 < runs[0].count("x") < 40


@pytest.mark.parametrize(("probability", "expected"), [(0.0, "..."), (1.0, "xxx")])
def test_chance_at_its_ends(probability: float, expected: str) -> None:
    assert connects(make(("http_500", {"probability": probability})), 3) == expected


def test_the_first_fault_that_strikes_decides() -> None:
    faults = make(("http_500", {"times": 1}), ("html", {"times": 1}))
    names = []
    for _ in range(3):
        fault = faults.strike(Point.REQUEST, ["connect"])
        names.append(fault.name if fault else None)
    assert names == ["http_500", "html", None]
    assert faults.struck == {"http_500": 1, "html": 1}


def test_other_faults_begin_to_count_again() -> None:
    faults = make(("http_500", {"times": 1}))
    connects(faults, 1)
    faults.change(faults.active)
    assert connects(faults, 2) == "x."


def test_only_so_many_customers_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_COUNTED >= 10_000
    monkeypatch.setattr("botkit.simulator.faults.MAX_COUNTED", 2)
    faults = make(("http_500", {"times": 1, "each_session": True}))
    assert [connects(faults, 1, customer=customer) for customer in "abca"] == ["x"] * 4


@pytest.mark.parametrize("name", KINDS)
def test_the_place_of_each_kind_is_one_that_exists(name: str) -> None:
    kind = KINDS[name]
    assert kind.on in ON[kind.point]
    assert set(kind.only_on) <= set(ON[kind.point])
    assert not kind.only_on or kind.on in kind.only_on
