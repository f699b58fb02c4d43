from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botkit.bot.loader import load_file
from botkit.recording import Beat, Recording, bot_name, bot_text, place_of
from botkit.recording.writing import bot_of, rounded


def recording(*beats: Beat, **members: Any) -> Recording:
    ended = beats[-1].at if beats else 1.0
    return Recording(**{"name": "r", "beats": beats, "began": 0.0, "ended": ended, **members})


def said(at: float, text: str) -> Beat:
    return Beat(at=at, verb="say", value=text)


def heard(at: float, text: str) -> Beat:
    return Beat(at=at, verb="expect", value=text)


@pytest.mark.parametrize(
    ("seconds", "time"),
    [(0, "10s"), (10, "10s"), (16, "20s"), (46, "1m"), (61, "90s"), (4000, "2h"), (1e9, "24h")],
)
def test_times_are_rounded_up(seconds: float, time: str) -> None:
    assert rounded(seconds) == time


@pytest.mark.parametrize(
    ("beats", "within"),
    [
        ([said(1, "a"), heard(2, "b")], "10s"),
        ([said(1, "a"), heard(11, "b")], "30s"),
        # The person thought for a minute; the agent may have spoken by the clock.
        ([heard(1, "x"), said(61, "a"), heard(62, "b")], "90s"),
    ],
)
def test_a_step_waits_for_what_was_seen_and_more(beats: list[Beat], within: str) -> None:
    assert bot_of(recording(*beats))["steps"][-1]["within"] == within


def test_a_bot_that_heard_nothing_proves_its_goodbye() -> None:
    steps = bot_of(recording(said(1, "a")))["steps"]
    assert steps == [{"say": "a"}, "leave", {"wait_for": "ended", "within": "30s"}]


def test_a_marked_part_is_all_that_is_expected() -> None:
    beat = Beat(at=1, verb="expect", value="Your order 4711 ${x}", marked="${x}")
    assert bot_of(recording(beat))["steps"][0]["expect"] == {"contains": "$${x}"}


def test_the_head_tells_where_it_is_from_and_what_is_missing() -> None:
    text = bot_text(recording(said(1, "a"), about=("From\nhere.",), left_out=("reload (2)",)))
    assert text.startswith("# From here.\n# Left out: reload (2)\nbotkit: 1\n")


@pytest.mark.parametrize(("value", "connector"), [({"button": "Yes"}, "wss"), ("Yes", None)])
def test_a_wire_is_named_if_others_cannot_do_the_same(value: Any, connector: str | None) -> None:
    beat = Beat(at=1, verb="say", value=value)
    bot = bot_of(recording(beat, connector="wss", nickname="Ada"))
    assert bot["connect"].get("connector") == connector


def test_a_server_is_named_without_its_secrets() -> None:
    assert place_of("https://ada:pw@x.example:8/chat?key=1#f") == "https://x.example:8/chat"
    assert place_of("https://ada:p@w/x?y@x.example/chat") == "https://x.example/chat"
    assert place_of("https://ada:pw@[bad") == "https://[bad"


@pytest.mark.parametrize(
    ("text", "name"), [("smoke", "smoke"), ("a/b:c", "a-b-c"), ("..", "recorded"), ("", "recorded")]
)
def test_any_text_makes_a_name(text: str, name: str) -> None:
    assert bot_name(text) == name


TEXTS = st.text(min_size=1, max_size=60).filter(lambda text: text.strip())
KEYS = st.text("abcXYZ_09", min_size=1, max_size=8)
BEATS = st.one_of(
    st.builds(lambda t: ("say", t), TEXTS),
    st.builds(lambda t: ("say", {"button": t}), TEXTS),
    st.builds(lambda t: ("expect", t), TEXTS),
    st.builds(lambda t: ("note", t), TEXTS),
    st.builds(lambda d: ("set_userdata", d), st.dictionaries(KEYS, TEXTS, min_size=1, max_size=2)),
    st.builds(
        lambda d: ("expect_userdata", d), st.dictionaries(KEYS, TEXTS, min_size=1, max_size=2)
    ),
    st.just(("wait_for", "agent")),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.floats(0, 50), BEATS), max_size=6), TEXTS)
def test_whatever_was_said_the_bot_has_no_error(
    tmp_path: Path, things: list[tuple[float, tuple[str, Any]]], nickname: str
) -> None:
    beats, now = [], 0.0
    for wait, (verb, value) in things:
        now += wait
        beats.append(Beat(at=now, verb=verb, value=value))
    file = tmp_path / "r.yaml"
    file.write_text(bot_text(recording(*beats, nickname=nickname)), encoding="utf-8")
    loaded = load_file(file)
    assert not loaded.errors
    assert len(loaded.bots) == 1
