from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from botkit.errors import ConfigError
from botkit.persona.settings import READERS, Settings, read_settings

LEAST = {"persona": "Ada", "goal": "a refund", "url": "https://llm.example/v1/", "model": "m"}


def test_every_setting_has_a_reader() -> None:
    assert READERS.keys() == {field.name for field in fields(Settings)}


def test_the_least_that_is_needed() -> None:
    settings = read_settings(LEAST, {})
    assert settings == Settings(
        persona="Ada", goal="a refund", url="https://llm.example/v1", model="m"
    )


def test_all_of_them() -> None:
    more = {
        "key": "sk-1",
        "begins": "customer",
        "turns": "3",
        "tokens": "1000",
        "cost": "0.05",
        "price_in": "0.15",
        "price_out": "2",
        "characters": "80",
        "temperature": "0.0",
        "seed": "-7",
        "settle": "250ms",
        "reply_within": "1m30s",
        "model_within": "10s",
        "record": "here.jsonl",
        "replay": "there.jsonl",
        "drift": "go_on",
    }
    assert {*LEAST, *more} == set(READERS)
    assert read_settings({**LEAST, **more}, {}) == Settings(
        persona="Ada",
        goal="a refund",
        url="https://llm.example/v1",
        model="m",
        key="sk-1",
        begins="customer",
        turns=3,
        tokens=1000,
        cost=0.05,
        price_in=0.15,
        price_out=2.0,
        characters=80,
        temperature=0.0,
        seed=-7,
        settle=0.25,
        reply_within=90.0,
        model_within=10.0,
        record=Path("here.jsonl"),
        replay=Path("there.jsonl"),
        drift="go_on",
    )


def test_the_environment_gives_what_the_bot_does_not() -> None:
    environ = {
        "BOTKIT_LLM_URL": "http://127.0.0.1:8000/v1",
        "BOTKIT_LLM_MODEL": "theirs",
        "BOTKIT_LLM_KEY": "sk-1 ",
        "BOTKIT_LLM_REPLAY": "",
    }
    settings = read_settings({"persona": "Ada", "goal": "a refund", "model": "mine"}, environ)
    assert (settings.url, settings.model) == ("http://127.0.0.1:8000/v1", "mine")
    assert settings.key == "sk-1"
    assert settings.replay is None


def test_a_replay_needs_no_endpoint() -> None:
    environ = {"BOTKIT_LLM_REPLAY": "there.jsonl"}
    assert read_settings({"persona": "Ada", "goal": "x"}, environ).replay == Path("there.jsonl")


def test_the_key_is_not_shown() -> None:
    assert "sk-1" not in repr(read_settings({**LEAST, "key": "sk-1"}, {}))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"persona": " "}, "persona: persona is empty"),
        ({"url": ""}, "persona: url is no address like"),
        ({"url": "llm.example"}, "persona: url is no address like"),
        ({"url": "https://probe:pa55@llm.example"}, "persona: url is no address like"),
        ({"url": "https://llm.example/v1?key=pa55"}, "persona: url is no address like"),
        ({"key": "pa55 word"}, "persona: key has characters in it that no key has"),
        ({"key": "pa55\nX: y"}, "persona: key has characters in it that no key has"),
        ({"begins": "agents"}, "persona: begins is agent or customer, not 'agents'"),
        ({"turns": "0"}, "persona: turns is a whole number from 1 on, not '0'"),
        ({"turns": "many"}, "persona: turns is a whole number from 1 on, not 'many'"),
        ({"seed": "1.5"}, "persona: seed is a whole number, not '1.5'"),
        ({"temperature": "nan"}, "persona: temperature is a number like 0.5, not 'nan'"),
        ({"settle": "2"}, "persona: settle is a time: a time needs a unit: write 2s"),
        ({"cost": "1"}, "persona: cost needs price_in and price_out"),
        ({"cost": "1", "price_in": "1"}, "persona: cost needs price_in and price_out"),
        ({"drift": "on"}, "persona: drift is error or go_on, not 'on'"),
        ({"turn": "3"}, "persona: turn is no setting; did you mean 'turns'?"),
        ({"prompt_injection": "3"}, "persona: prompt_injection is no setting"),
    ],
)
def test_what_does_not_work(given: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings({**LEAST, **given}, {})
    assert str(caught.value).startswith(told)
    assert "pa55" not in str(caught.value)
    assert caught.value.key == told.split()[1]


@pytest.mark.parametrize("name", LEAST)
def test_what_is_missing(name: str) -> None:
    given = {key: value for key, value in LEAST.items() if key != name}
    with pytest.raises(ConfigError, match=rf"^persona: {name} is missing: write it under with"):
        read_settings(given, {})
