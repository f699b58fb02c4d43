from __future__ import annotations

import json

import pytest

from botkit.errors import ConfigError
from botkit.recording import recording_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "no JSON"),
        ("[1]", "no evidence of botkit"),
        ('{"botkit": "1"}', "no evidence of botkit"),
        ('{"botkit_result": 0, "journeys": []}', "the form 0"),
        ('{"botkit_result": 1, "journeys": 3}', "no list of journeys"),
        ('{"botkit_result": 1, "journeys": []}', "without journeys"),
        ('{"botkit_result": 1, "journeys": [{"name": "a"}, {"name": "b"}]}', "one of 'a', 'b'"),
        ('{"botkit_result": 1, "journeys": [{"name": "a"}]}', "is damaged"),
        (
            '{"botkit_result": 1, "journeys": [{"name": "a", "transcript": [], "steps": []}]}',
            "no chat was opened",
        ),
    ],
)
def test_what_cannot_be_converted_is_told(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        recording_of(text)


@pytest.mark.parametrize(("wanted", "words"), [("c", "no journey 'c'"), ("b", "2 journeys")])
def test_a_journey_is_named(wanted: str, words: str) -> None:
    journeys = [{"name": f"b[{n}]", "bot": "b", "journey_id": f"x-{n}"} for n in (1, 2)]
    with pytest.raises(ConfigError, match=words):
        recording_of(json.dumps({"botkit_result": 1, "journeys": journeys}), wanted)
