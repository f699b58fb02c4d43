"""The matcher of ``plugins/amount.py``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from trio.testing import MockClock

from botkit.errors import ConfigError
from botkit.interfaces import Match, Matcher, Miss
from botkit.plugins import Plugins
from botkit.results import Verdict
from botkit.testing import ScriptedConnector, play

Load = Callable[[str], Plugins]
Make = Callable[[object], Matcher]
BOT = """\
botkit: 1
bot: bill
steps:
  - expect: {amount: {currency: EUR, at_least: 40}}
    within: 5s
  - say: So ${amount} it is
"""


@pytest.fixture
def make(load: Load) -> Make:
    return load("amount").matchers["amount"]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("You owe us 45.90 EUR.", "45.90"),
        ("Sie schulden uns 45,90 €, bitte", "45.90"),
        ("EUR 1,234.56", "1234.56"),
        ("1.234,56 EUR", "1234.56"),
        ("1'234.56 EUR", "1234.56"),
        ("1\u202f234,56\u00a0€", "1234.56"),
        ("1 234 567 EUR", "1234567"),
        ("1.234 EUR", "1234"),
        ("(€12)", "12"),
        ("12.5eur", "12.5"),
        ("refund: -3.00 EUR", "-3.00"),
        ("from 10-20 EUR", "20"),
        ("Order 4711, 12 USD or 11 EUR", "11"),
        ("7 EUR", "7"),
    ],
)
def test_amounts(make: Make, text: str, amount: str) -> None:
    assert make({"currency": "EUR"}).match(text) == Match(captures={"amount": amount})


@pytest.mark.parametrize(
    "text", ["", "hello", "order 4711", "12 USD", "12 EURO", "3.14159 EUR", "EUR", "1.2.3 EUR"]
)
def test_no_amounts(make: Make, text: str) -> None:
    assert make({"currency": "EUR"}).match(text) == Miss(why="it names no amount in EUR")


@pytest.mark.parametrize(
    ("wanted", "text", "why"),
    [
        ("45.90 EUR", "45.91 EUR", "it names 45.91 EUR, not 45.90"),
        ({"at_least": "10"}, "9.99 EUR", "it names 9.99 EUR, not at least 10"),
        (
            {"at_least": "10", "at_most": "20"},
            "9 EUR or 21 EUR",
            "it names 9, 21 EUR, not at least 10 and at most 20",
        ),
        ({"at_most": "-5"}, "4 EUR", "it names 4 EUR, not at most -5"),
    ],
)
def test_a_miss_says_why(make: Make, wanted: object, text: str, why: str) -> None:
    if isinstance(wanted, Mapping):
        wanted = {"currency": "EUR", **wanted}
    assert make(wanted).match(text) == Miss(why=why)


def test_the_first_that_fits(make: Make) -> None:
    matcher = make({"currency": "EUR", "at_least": "10", "at_most": "20"})
    assert matcher.match("5 EUR, 12.00 EUR, 13 EUR") == Match(captures={"amount": "12.00"})
    assert make("45.90 EUR").match("45,9 €") == Match(captures={"amount": "45.9"})


def test_in_words(make: Make) -> None:
    assert str(make("45.90 EUR")) == "a message naming 45.90 EUR"
    assert str(make({"currency": "EUR", "at_least": "3"})) == "a message naming at least 3 EUR"
    assert str(make({"currency": "EUR"})) == "a message naming an amount EUR"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("45.90", "'45.90' is no amount"),
        ("", "'' is no amount"),
        ("x EUR", "at_least: 'x' is no number"),
        ("1,50 EUR", "'1,50' is no number"),
        ("5 euros", "three capitals"),
        ({}, "got None"),
        ({"currency": "EUR", "atleast": "1"}, "unknown key 'atleast'"),
        ({"currency": "EUR", "at_least": "2", "at_most": "1"}, "no amount is at least 2"),
        (["45.90 EUR"], "three capitals"),
    ],
)
def test_what_it_refuses(make: Make, value: object, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make(value)


async def bill(agent: ScriptedConnector) -> None:
    agent.say("One moment please, it is 7 EUR or so")
    agent.say("No, it is 1.045,90 €")


async def test_a_bot_uses_it(load: Load, tmp_path: Path, autojump_clock: MockClock) -> None:
    module = sys.modules[load("amount").matchers["amount"].__module__]
    bot = tmp_path / "bot.yaml"
    bot.write_text(BOT)
    connector = ScriptedConnector(bill)
    (result,) = await play(bot, connector=connector, plugins={"amount": module})
    assert result.verdict is Verdict.PASSED, result.message
    assert result.steps[0].passed_over == (
        "Ada: One moment please, it is 7 EUR or so - it names 7 EUR, not at least 40",
    )
    assert getattr(connector.commands[0], "text", "") == "So 1045.90 it is"


async def test_a_mistake_is_shown_at_its_line(load: Load, tmp_path: Path) -> None:
    module = sys.modules[load("amount").matchers["amount"].__module__]
    bot = tmp_path / "bot.yaml"
    bot.write_text(BOT.replace("EUR", "euro"))
    with pytest.raises(ConfigError, match=r"bot.yaml:4:\d+: .*three capitals"):
        await play(bot, connector=ScriptedConnector(), plugins={"amount": module})
