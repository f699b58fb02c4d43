"""The schema that editors get: complete, of the models alone, and known to the language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import pytest
from jsonschema import Draft7Validator
from pydantic import Field

from botkit.bot.field_schemas import DURATION, TEMPLATE
from botkit.bot.fields import EVENT_WORDS, Duration, TextTemplate, Vocabulary
from botkit.bot.json_schema import Kind, json_schema
from botkit.bot.matchers import BUILT_IN_MATCHERS, LANGUAGE_MATCHERS, Contains, MatcherRegistry
from botkit.bot.sides import CUSTOMER_VERBS
from botkit.bot.step_models import REACTION_VERBS, STEP_MODELS, StepModel

Schema = dict[str, Any]


@pytest.fixture(scope="module", params=Kind, ids=lambda kind: kind.value)
def schema(request: pytest.FixtureRequest) -> Schema:
    return json_schema(request.param, Vocabulary(actions=frozenset({"look_up"})))


@pytest.fixture(scope="module")
def bot() -> Schema:
    return json_schema(Kind.BOT)


def resolved(schema: Schema, part: Schema) -> Schema:
    """Follow references; what stands beside one goes first."""
    if "$ref" not in part:
        return part
    name = part["$ref"].rpartition("/")[2]
    return {**resolved(schema, schema["definitions"][name]), **part}


def parts(value: Any) -> Iterator[Schema]:
    """Walk over all schemas in a schema, and whatever else is a mapping."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from parts(item)
    elif isinstance(value, list):
        for item in value:
            yield from parts(item)


def keys(schema: Schema) -> Iterator[tuple[str, Schema, Schema]]:
    """Walk over all keys that are described, each with its owner and its own schema."""
    for part in parts({name: value for name, value in schema.items() if name != "examples"}):
        if "properties" in part and part.get("additionalProperties") is False:
            for name, described in part["properties"].items():
                if isinstance(described, dict):
                    yield name, part, resolved(schema, described)


def accepts(schema: Schema, document: Any) -> bool:
    return Draft7Validator(schema).is_valid(document)


def with_step(step: Any) -> Schema:
    return {"botkit": 1, "steps": [step]}


def test_it_is_a_schema(schema: Schema) -> None:
    Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_nothing_points_nowhere_and_nothing_is_left_over(schema: Schema) -> None:
    pointers = {part["$ref"] for part in parts(schema) if isinstance(part.get("$ref"), str)}
    assert pointers == {f"#/definitions/{name}" for name in schema["definitions"]}


def test_every_key_says_what_it_is(schema: Schema) -> None:
    assert [name for name, _, described in keys(schema) if not described.get("description")] == []


def test_every_key_shows_what_to_write(schema: Schema) -> None:
    """By examples, words to choose from, its default, or because more keys stand below it."""
    shown = {"examples", "default", "enum", "properties", "items", "if"}
    bare = {name for name, _, d in keys(schema) if not shown.intersection(d)}
    # Behind an event stands nothing, or a matcher; behind a bare verb nothing.
    assert bare <= {*EVENT_WORDS, "start", "leave"}


def test_every_example_and_every_default_is_right(schema: Schema) -> None:
    definitions = schema["definitions"]
    shown = [
        (name, owner, example)
        for name, owner, described in keys(schema)
        for example in (*described.get("examples", ()), *default_of(described))
    ]
    wrong = [
        (name, example)
        for name, owner, example in shown
        if not accepts({"allOf": [owner["properties"][name]], "definitions": definitions}, example)
    ]
    assert len(shown) > 20
    assert wrong == []


def default_of(described: Schema) -> list[Any]:
    return [described["default"]] if "default" in described else []


def test_every_verb_is_a_step_of_a_bot(bot: Schema) -> None:
    assert set(step_verbs(bot, "step")) == set(STEP_MODELS)
    assert set(step_verbs(bot, "reaction-step")) == set(REACTION_VERBS)


def test_what_agents_do_not_do_is_no_step_of_theirs() -> None:
    verbs = step_verbs(json_schema(Kind.AGENTS), "step")
    assert set(verbs) == set(STEP_MODELS) - {"start", *CUSTOMER_VERBS}
    assert set(step_verbs(json_schema(Kind.STEPS), "step")) == set(STEP_MODELS) - {"start"}


def step_verbs(schema: Schema, name: str) -> list[str]:
    step = schema["definitions"][name]
    cases = step.get("else", step)["allOf"]
    return [case["if"]["required"][0] for case in cases if "required" in case["if"]]


def test_a_verb_that_is_added_appears() -> None:
    class WaveModel(StepModel):
        """Wave to the agent."""

        verb: ClassVar[str] = "wave"
        wave: TextTemplate
        lasting: Annotated[Duration, Field(description="How long.")] = 2.0

    schema = json_schema(verbs={**STEP_MODELS, "wave": WaveModel})
    found = {name: described for name, _, described in keys(schema)}
    assert found["wave"] == {**TEMPLATE, "description": "Wave to the agent."}
    assert found["lasting"] == {**DURATION, "description": "How long.", "default": "2s"}
    assert accepts(schema, with_step({"wave": "hello", "lasting": "5s"}))
    assert not accepts(schema, with_step({"wave": "hello", "within": "5s"}))
    assert not accepts(schema, with_step({"wave": "hello", "say": "hello"}))
    assert not accepts(schema, with_step("wave"))


def test_every_matcher_is_there_with_those_of_plugins() -> None:
    def shout(value: Any) -> Contains:
        """The message is loud.

        More about it.
        """
        return Contains(str(value).upper())

    shout.json_schema = {"type": "string"}  # type: ignore[attr-defined]
    registry = MatcherRegistry({**BUILT_IN_MATCHERS, "shout": shout})
    schema = json_schema(vocabulary=Vocabulary(matchers=registry))
    kinds = schema["definitions"]["matcher"]["then"]["properties"]
    assert set(kinds) == {*BUILT_IN_MATCHERS, *LANGUAGE_MATCHERS, "shout"}
    assert kinds["shout"] == {"description": "The message is loud.", "type": "string"}
    assert accepts(schema, with_step({"expect": {"none_of": [{"shout": "x"}, "y"]}}))
    assert not accepts(schema, with_step({"expect": {"none_of": [{"shout": 1}]}}))
    assert not accepts(json_schema(), with_step({"expect": {"shout": "x"}}))


def test_a_plugins_matcher_may_say_nothing_of_itself() -> None:
    registry = MatcherRegistry({**BUILT_IN_MATCHERS, "odd": lambda value: Contains(str(value))})
    schema = json_schema(vocabulary=Vocabulary(matchers=registry))
    assert accepts(schema, with_step({"expect": {"odd": {"anything": ["at all"]}}}))


def test_the_actions_of_plugins_are_those_that_may_be_called() -> None:
    schema = json_schema(vocabulary=Vocabulary(actions=frozenset({"look_up"})))
    assert accepts(schema, with_step({"call": "look_up"}))
    assert not accepts(schema, with_step({"call": "look_down"}))
    assert not accepts(json_schema(), with_step({"call": "look_up"}))


def test_every_event_may_have_a_reaction(bot: Schema) -> None:
    for word in EVENT_WORDS:
        reaction = {word: None, "do": [{"say": "Yes"}]}
        assert accepts(bot, {"botkit": 1, "whenever": [reaction], "steps": ["leave"]})


@pytest.mark.parametrize("text", ["yes", True, 12, 1.10, "12:30", "${row.x}", "$${", "5 $", "€"])
def test_a_text_may_be_spelled_like_something_else(bot: Schema, text: Any) -> None:
    assert accepts(bot, with_step({"say": text}))


@pytest.mark.parametrize("text", [None, "", " \n", [], {}, "${", "${row.}", "${a b}", "${x.y}"])
def test_what_is_no_text(bot: Schema, text: Any) -> None:
    assert not accepts(bot, with_step({"say": text}))
