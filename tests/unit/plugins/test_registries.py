"""Looking up what a user has named."""

from __future__ import annotations

import pytest

from botkit.errors import ConfigError
from botkit.plugins import Registry


@pytest.fixture
def connectors() -> Registry[int]:
    registry: Registry[int] = Registry("connector", "register_connectors")
    registry.add("mine", "gms-cometd", 1)
    registry.add("mine", "simulator", 2)
    return registry


def test_it_is_a_mapping_in_the_order_of_registration(connectors: Registry[int]) -> None:
    assert dict(connectors) == {"gms-cometd": 1, "simulator": 2}
    assert connectors.find("simulator") == 2


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gms-comet", "did you mean gms-cometd?"),
        ("pigeon", "there are: gms-cometd, simulator"),
    ],
)
def test_a_name_that_is_not_there(connectors: Registry[int], name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        connectors.find(name, key="connector")
    assert str(caught.value) == f"there is no connector {name!r}; {hint}"
    assert caught.value.key == "connector"


def test_nothing_is_there() -> None:
    empty: Registry[int] = Registry("bot", "register_bots")
    with pytest.raises(ConfigError, match="there is no bot 'x'; there are: none"):
        empty.find("x")
