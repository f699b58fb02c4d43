from __future__ import annotations

import pytest

from botkit.bayeux.advice import (
    DEFAULT_ADVICE,
    JSON,
    Advice,
    Reconnect,
    format_advice,
    parse_advice,
)
from botkit.errors import RemoteProtocolError


def test_milliseconds_become_seconds_and_back() -> None:
    raw: JSON = {
        "reconnect": "retry",
        "interval": 2000,
        "timeout": 30000,
        "maxInterval": 10000,
        "multiple-clients": True,
    }
    advice = parse_advice(raw)
    assert advice == Advice(
        reconnect=Reconnect.RETRY,
        interval=2.0,
        timeout=30.0,
        max_interval=10.0,
        multiple_clients=True,
    )
    assert format_advice(advice) == raw


def test_what_is_unknown_is_ignored() -> None:
    assert parse_advice({"reconnect": "perhaps", "hosts": ["a"], "interval": None}) == Advice()


def test_new_advice_replaces_the_old_over_the_defaults() -> None:
    crowded = Advice(reconnect=Reconnect.RETRY, interval=2.0, multiple_clients=True)
    assert crowded.over(DEFAULT_ADVICE) == Advice(
        reconnect=Reconnect.RETRY, interval=2.0, timeout=60.0, multiple_clients=True
    )
    assert Advice(timeout=1.0).over(DEFAULT_ADVICE).multiple_clients is None


def test_advice_for_one_transport_wins_on_it_alone() -> None:
    raw: JSON = {"timeout": 30000, "interval": 5, "websocket": {"timeout": 60000}}
    advice = parse_advice(raw)
    assert advice.on("websocket").timeout == 60.0
    assert advice.on("websocket").interval == 0.005
    assert advice.on("long-polling").timeout == 30.0
    assert format_advice(advice) == raw


@pytest.mark.parametrize(
    "raw",
    [
        [],
        "retry",
        {"interval": "1"},
        {"timeout": True},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"maxInterval": 10**400},
        {"multiple-clients": "yes"},
        {"reconnect": 1},
        {"long-polling": {"interval": []}},
    ],
)
def test_wrong_types_are_the_peers_fault(raw: JSON) -> None:
    with pytest.raises(RemoteProtocolError, match="advice"):
        parse_advice(raw)
