"""A JSON Schema of the language, for editors: made of the models that validate files.

Theory of operation. Each model describes itself to pydantic, and what stands behind its keys is
described where it is read (``fields.py``, ``field_schemas.py``). What no model has is added here,
as definitions that those descriptions point to: that a step is one verb and its own modifiers, that
a reaction is one event, that a matcher is a text or one of the registered kinds. All of it is made
of the tables that the compiler goes by, so a verb that is added appears by itself.

Draft-07, which editors understand best. The files of bots, of agents and of steps differ in little:
who speaks, and what agents do not do.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from botkit.bot import field_schemas as schemas
from botkit.bot.field_schemas import Schema, list_of, ref
from botkit.bot.fields import EVENT_WORDS, Vocabulary
from botkit.bot.matchers import MatcherFactory, MatcherRegistry
from botkit.bot.models import AgentModel, AgentsModel, BotModel, Model, StepsFileModel
from botkit.bot.sides import CUSTOMER_VERBS
from botkit.bot.step_models import (
    REACTION_VERBS,
    STEP_MODELS,
    StepModel,
    WheneverModel,
)
from botkit.chat import Event, Message, Notice

DIALECT = "http://json-schema.org/draft-07/schema#"
TEMPLATE = "#/definitions/{model}"


class Kind(enum.Enum):
    """What a file holds."""

    BOT = "bot"
    AGENTS = "agents"
    STEPS = "steps"


ROOTS: Mapping[Kind, type[Model]] = {
    Kind.BOT: BotModel,
    Kind.AGENTS: AgentsModel,
    Kind.STEPS: StepsFileModel,
}


def json_schema(
    kind: Kind = Kind.BOT,
    vocabulary: Vocabulary | None = None,
    verbs: Mapping[str, type[StepModel]] = STEP_MODELS,
) -> Schema:
    """Describe the files of a kind.

    Args:
        kind: what they hold.
        vocabulary: what plugins add to the language.
        verbs: the shapes of steps, by their verbs.

    Returns:
        A JSON Schema, draft-07, complete in itself.
    """
    vocabulary = vocabulary or Vocabulary()
    root = ROOTS[kind]
    definitions = _described([root, AgentModel, WheneverModel, *verbs.values()])
    definitions |= _steps(kind, verbs, definitions)
    definitions |= _reactions(definitions)
    definitions |= _matchers(vocabulary.matchers)
    definitions |= {
        "action": _action(vocabulary.actions),
        "agent": _agent(),
        "line": _line(kind),
        "sender": _sender(kind),
    }
    document = definitions.pop(root.__name__)
    used = _reachable(document, definitions)
    return {
        "$schema": DIALECT,
        **document,
        "definitions": {name: used[name] for name in sorted(used)},
    }


# --- what the models say of themselves -----------------------------------------------------------


class _Described(GenerateJsonSchema):
    """Describes what is written in a file, and not what becomes of it."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: Any) -> Schema:
        described = super().model_schema(schema)
        described.pop("title", None)
        return described

    def handle_ref_overrides(self, json_schema: Schema) -> Schema:
        """Keep what is said beside a reference; some lead to definitions that are added later."""
        return json_schema

    def nullable_schema(self, schema: Any) -> Schema:
        """Leave null away: that a key was left out is None, and never what stands behind it."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> Schema:
        described = super().default_schema(schema)
        default = described.get("default")
        if default is None or default == "":
            described.pop("default", None)
        elif isinstance(default, float):
            # All that is a number with a fraction in a model is a time in the file.
            described["default"] = f"{default:g}s"
        return described

    def dict_schema(self, schema: Any) -> Schema:
        """Say what keys are like, where pydantic's own would let all others pass."""
        described: Schema = {"type": "object"}
        if "keys_schema" in schema:
            described["propertyNames"] = self.generate_inner(schema["keys_schema"])
        if "values_schema" in schema:
            described["additionalProperties"] = self.generate_inner(schema["values_schema"])
        if "min_length" in schema:
            described["minProperties"] = schema["min_length"]
        return described


def _described(models: Iterable[type[Model]]) -> dict[str, Schema]:
    """Let models describe themselves, and those that they are made of, by their names."""
    inputs: list[Any] = [(model, "validation") for model in models]
    _, whole = models_json_schema(inputs, ref_template=TEMPLATE, schema_generator=_Described)
    definitions: dict[str, Schema] = whole["$defs"]
    return definitions


# --- steps and reactions -------------------------------------------------------------------------


def _decided_by(branches: Mapping[str, Schema]) -> Schema:
    """Describe a mapping in which one key decides what else there may be.

    The branches are no list of alternatives: so an editor tells what is wrong with the verb that is
    there, and not what each of the others would have wanted.
    """
    # Where nothing is written yet there is no mapping and so no key: the type matters.
    chosen = {key: {"type": "object", "required": [key]} for key in branches}
    cases = [{"if": chosen[key], "then": branch} for key, branch in branches.items()]
    none = {"not": {"anyOf": list(chosen.values())}}
    missing = {
        "properties": {key: branch["properties"][key] for key, branch in branches.items()},
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {"type": "object", "allOf": [*cases, {"if": none, "then": missing}]}


def _steps(
    kind: Kind, verbs: Mapping[str, type[StepModel]], described: Mapping[str, Schema]
) -> dict[str, Schema]:
    closed = () if kind is Kind.BOT else ("start",)
    if kind is Kind.AGENTS:
        closed = (*closed, *CUSTOMER_VERBS)
    branches = {
        verb: _branch(verb, described[model.__name__])
        for verb, model in verbs.items()
        if verb not in closed
    }
    bare = [verb for verb in branches if verbs[verb].bare]
    in_reactions = {
        # A reaction does not wait, so it shows no typing.
        verb: {
            **branch,
            "properties": {k: v for k, v in branch["properties"].items() if k != "typing"},
        }
        for verb, branch in branches.items()
        if verb in REACTION_VERBS
    }
    return {
        "step": {
            "description": "One verb with its own modifiers.",
            "if": {"type": "string"},
            "then": {"enum": bare},
            "else": _decided_by(branches),
        },
        "reaction-step": {
            "description": "One verb, of those that do not wait.",
            **_decided_by(in_reactions),
        },
    }


def _branch(verb: str, described: Schema) -> Schema:
    """Describe the steps of a verb; what the step does is said of the verb itself."""
    properties = described["properties"]
    told = {**properties[verb], "description": described["description"]}
    return {**described, "properties": {**properties, verb: told}, "required": [verb]}


def _reactions(described: Mapping[str, Schema]) -> dict[str, Schema]:
    beside = described[WheneverModel.__name__]["properties"]
    branches = {}
    for word, event in EVENT_WORDS.items():
        keys = {key: beside[key] for key in beside if key != "from" or event is Message}
        branches[word] = {
            "properties": {word: _event(event), **keys},
            "additionalProperties": False,
            "required": [word, "do"],
        }
    return {
        "reaction": {
            "description": "One event, and what is done whenever it happens.",
            **_decided_by(branches),
        }
    }


def _event(event: type[Event]) -> Schema:
    """Describe what stands behind an event: what its text is like, if it has one."""
    nothing: Schema = {"type": "null"}
    text = [ref("matcher")] if event in (Message, Notice) else []
    # An editor that completes a lone null writes it out, and "null" would be a text.
    return {"description": _first_line(event), "anyOf": [nothing, *text]}


# --- matchers ------------------------------------------------------------------------------------

_MATCHERS = list_of(ref("matcher"), at_least=1)
_OF_LANGUAGE: Mapping[str, Schema] = {
    "matches": {
        **schemas.TEMPLATE,
        "description": "A regular expression is found; its named groups become variables.",
        "examples": ["order (?P<order>[0-9]+)"],
    },
    "json": {
        "type": "object",
        "description": "The message is JSON, and what each JSON Pointer leads to fits.",
        "minProperties": 1,
        "propertyNames": {"pattern": "^(/|$)"},
        "additionalProperties": ref("matcher"),
        "examples": [{"/order/state": {"equals": "open"}}],
    },
    "any_of": {**_MATCHERS, "description": "The first of several matchers that fits decides."},
    "all_of": {**_MATCHERS, "description": "All of several matchers fit."},
    "none_of": {**_MATCHERS, "description": "None of several matchers fits."},
}


def _matchers(registry: MatcherRegistry) -> dict[str, Schema]:
    """Describe matchers, and the two places where something else may stand beside or for one."""
    registered = {name: _registered(factory) for name, factory in registry.factories.items()}
    kinds = {name: {**registered, **_OF_LANGUAGE}[name] for name in registry.names}
    one_kind = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": kinds,
    }
    sent = {**one_kind, "properties": {**kinds, "from": ref("sender")}}
    event = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"event": {"enum": list(EVENT_WORDS), "description": "The event's name."}},
    }
    return {
        "matcher": {
            "description": "What a message is like: a text in it, or one kind of matcher.",
            **_text_or(one_kind),
        },
        "guard": {
            "description": "What no message may be like; 'from' narrows whose.",
            **_text_or(
                {
                    "if": {"required": ["from"]},
                    "then": {**sent, "minProperties": 2, "maxProperties": 2},
                    "else": sent,
                }
            ),
        },
        "case": {
            "description": "A matcher, or {event: NAME}.",
            "if": {"type": "object", "required": ["event"]},
            "then": event,
            "else": ref("matcher"),
        },
    }


def _text_or(mapping: Schema) -> Schema:
    return {"if": {"type": "object"}, "then": mapping, "else": schemas.TEMPLATE}


def _registered(factory: MatcherFactory) -> Schema:
    described: Mapping[str, Any] = getattr(factory, "json_schema", {})
    return {"description": _first_line(factory), **described}


# --- who speaks ----------------------------------------------------------------------------------


def _line(kind: Kind) -> Schema:
    """Describe the value of ``say``: customers press buttons, agents offer them."""
    text, button = schemas.TEMPLATE, {**schemas.TEMPLATE, "examples": ["Yes"]}
    press = {
        "type": "object",
        "additionalProperties": False,
        "required": ["button"],
        "properties": {"button": {**button, "description": "The button that is pressed."}},
    }
    offer = {
        "type": "object",
        "additionalProperties": False,
        "required": ["text", "buttons"],
        "properties": {
            "text": {**text, "description": "What is said.", "examples": ["Pick one"]},
            "buttons": {
                **list_of(button, at_least=1),
                "description": "The buttons that are offered.",
                "examples": [["Yes", "No"]],
            },
        },
    }
    either = {"if": {"required": ["button"]}, "then": press, "else": offer}
    mapping = {Kind.BOT: press, Kind.AGENTS: offer, Kind.STEPS: either}[kind]
    return {"description": "A text, or buttons.", **_text_or(mapping)}


def _sender(kind: Kind) -> Schema:
    """Describe ``from``; a bot never hears its own customer."""
    heard = (
        schemas.PLAIN_TEXT
        if kind is not Kind.BOT
        else {
            **schemas.PLAIN_TEXT,
            "not": {"const": "customer"},
        }
    )
    return {
        "description": "Whose messages count: the kind of party, or a name.",
        **heard,
        "examples": ["agent", "external"],
    }


def _agent() -> Schema:
    return {
        "description": "A list of steps, or a mapping with reactions and guards besides.",
        "if": {"type": "array"},
        "then": list_of(ref("step"), at_least=1),
        "else": ref(AgentModel.__name__),
    }


def _action(names: Iterable[str]) -> Schema:
    """Describe the name of an action: one of those that plugins have registered."""
    known = sorted(names)
    return {"enum": known} if known else {"not": {}, "description": "No plugin has registered any."}


# --- putting it together -------------------------------------------------------------------------


def _reachable(document: Schema, definitions: Mapping[str, Schema]) -> dict[str, Schema]:
    """Keep the definitions that something points to."""
    found: dict[str, Schema] = {}
    waiting = list(_references(document))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = definitions[name]
            waiting += _references(found[name])
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(pointer := value.get("$ref"), str):
            yield pointer.rpartition("/")[2]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0].replace("``", "`")
