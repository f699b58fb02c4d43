r"""How the values of keys look in a JSON Schema, for editors.

A schema sees a file after YAML was read, where ``yes`` or ``1.10`` may have become something else
than a text. botkit goes by the spelling, so wherever a text is meant numbers and booleans are
welcome, too; only nothing at all (``say:``) is null and never a text.

The patterns are understood alike by Python and by JavaScript with its flag ``u``, which is what
editors run: no ``\w``, no ``\Z``, no possessive quantifiers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botkit.bot.values import Scope

Schema = dict[str, Any]
Describe = Callable[[Any], Schema]

SCALAR = ["string", "number", "boolean"]
LONGEST_TEXT = 65_536

_WORD = "[A-Za-z_][A-Za-z0-9_]*"
_SCOPES = "|".join(s.value for s in Scope if s not in (Scope.ROW, Scope.TODAY, Scope.VARIABLE))
_REFERENCE = rf"\$\{{\s*(?:{_WORD}|(?:{_SCOPES})\.{_WORD}|row\.[^{{}}$\n]*[^{{}}$\s])\s*\}}"
_FILLED_IN = rf"(?:\$\$\{{|{_REFERENCE}|\$(?!\{{)|[^$])*"
_NOT_BLANK = r"(?=[\s\S]*\S)"
_PLAIN = r"(?![\s\S]*\$\{)"
_NUMBER = r"\d+(?:\.\d+)?"
_TIME = rf"(?=\s*\d)\s*(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?(?:{_NUMBER}ms)?\s*"
_PERCENT = r"^(?=[^1-9]*[1-9])\s*(?:100(?:\.0*)?|\d{1,2}(?:\.\d+)?)\s*$"
# Letters beyond ASCII are not told from other characters there.
_NAME_BEGINS, _NAME_GOES_ON = r"[^\x00-/:-@\[-^`{-\x7f]", r"[^\x00-\x1f!-,/:-@\[-^`{-\x7f]"


def ref(name: str) -> Schema:
    """Point to a part of the language that is put together elsewhere, in ``json_schema.py``."""
    return {"$ref": f"#/definitions/{name}"}


def list_of(items: Schema, *, at_least: int = 0) -> Schema:
    """Describe a list."""
    least = {"minItems": at_least} if at_least else {}
    return {"type": "array", "items": items, **least}


def without(*keys: str) -> Schema:
    """Describe a mapping that lacks some keys."""
    return {"properties": dict.fromkeys(keys, False)}


def text(*, pattern: str, **more: Any) -> Schema:
    """Describe a text that other scalars can be the spelling of."""
    return {"type": SCALAR, "pattern": f"^{pattern}", "maxLength": LONGEST_TEXT, **more}


@dataclass(frozen=True, slots=True)
class Or:
    """Annotates a type that something else may stand for."""

    other: Schema

    def __get_pydantic_json_schema__(self, core_schema: Any, describe: Describe) -> Schema:
        return {"anyOf": [self.other, describe(core_schema)]}


@dataclass(frozen=True, slots=True)
class OrOne:
    """Annotates a list whose only item may stand alone."""

    def __get_pydantic_json_schema__(self, core_schema: Any, describe: Describe) -> Schema:
        whole = describe(core_schema)
        return {"anyOf": [whole["items"], whole]}


TEMPLATE = text(pattern=f"{_NOT_BLANK}{_FILLED_IN}$")
"""A text that values may be filled into."""
PLAIN_TEXT = text(pattern=f"{_PLAIN}{_NOT_BLANK}")
CELL: Schema = {"type": [*SCALAR, "null"]}
"""A value of data, which may be empty."""
USUAL = text(pattern=f"(?:{_NOT_BLANK}{_FILLED_IN})?$", type=[*SCALAR, "null"])
"""What an argument is where nothing is given; it may be empty."""
KEY: Schema = {"type": "string", "pattern": f"^{_PLAIN}{_NOT_BLANK}"}
NAME = text(pattern=f"{_NAME_BEGINS}{_NAME_GOES_ON}{{0,99}}$", minimum=0)
MATCHED_TEXT: Schema = {**TEMPLATE, "examples": ["how can I help"]}
LIKE: Schema = {
    "if": {"type": "object"},
    "then": {
        "type": "object",
        "required": ["text"],
        "additionalProperties": False,
        "properties": {
            "text": {**MATCHED_TEXT, "description": "What the message is like."},
            "threshold": {
                "description": "The least likeness that fits, from 1 to 100.",
                "default": 80,
                "anyOf": [
                    {"type": "number", "exclusiveMinimum": 0, "maximum": 100},
                    {"type": "string", "pattern": _PERCENT},
                    {**TEMPLATE, "type": "string", "allOf": [{"pattern": _REFERENCE}]},
                ],
            },
        },
    },
    "else": TEMPLATE,
    "examples": ["how may I help", {"text": "how may I help", "threshold": 90}],
}
"""The value of the matcher ``like``."""
IDENTIFIER: Schema = {"type": ["string", "boolean"], "pattern": f"^(?!today$){_WORD}$"}
MEDIA_TYPE: Schema = {
    "type": "string",
    "pattern": "^[A-Za-z0-9_.+-]+/[A-Za-z0-9_.+-]+$",
    "examples": ["image/png"],
}

TIME: Schema = {"type": "string", "pattern": f"^{_TIME}$", "examples": ["500ms", "45s", "1m30s"]}
DURATION: Schema = {**TIME, "pattern": f"^(?=[^1-9]*[1-9]){_TIME}$"}
"""A time that is longer than nothing."""
TYPING: Schema = {
    "anyOf": [{"const": "human"}, DURATION],
    "examples": ["human", "2s"],
}
COUNT: Schema = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": 9_999_999},
        {"type": "string", "pattern": r"^\s*[1-9]\d{0,6}\s*$"},
    ],
    "examples": [3],
}
NUMBER: Schema = {
    "anyOf": [
        {"type": "integer", "minimum": -999_999_999, "maximum": 999_999_999},
        {"type": "string", "pattern": r"^\s*-?\d{1,9}\s*$"},
    ],
    "examples": [161],
}
YES_NO: Schema = {
    "anyOf": [
        {"type": "boolean"},
        {
            "type": "string",
            "pattern": "^([Tt][Rr][Uu][Ee]|[Yy][Ee][Ss]|[Ff][Aa][Ll][Ss][Ee]|[Nn][Oo])$",
        },
    ],
    "examples": [True],
}
NOTHING: Schema = {"enum": [None, ""]}
VERSION: Schema = {"enum": [1, "1"], "default": 1}

ARGUMENT: Schema = {
    "if": {"type": "object"},
    "then": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "propertyNames": {"pattern": IDENTIFIER["pattern"]},
        "additionalProperties": USUAL,
    },
    "else": IDENTIFIER,
    "examples": ["order", {"language": "en"}],
}

_NOT_RESTORED: Schema = {
    "required": ["outcome"],
    "properties": {"outcome": {"not": {"const": "restored"}}},
}
FITTING_OUTCOMES: list[Any] = [
    {"if": _NOT_RESTORED, "then": without("same_chat", "same_agent", "history")},
    {
        "if": {"properties": {"outcome": {"not": {"const": "failed"}}}},
        "then": without("code"),
    },
]
"""What may be asked of the outcomes of a reload."""
REACTION_STEPS = list_of(ref("reaction-step"), at_least=1)
