"""Whether a regular expression, or a text, is what its author meant.

Only what is certain about an expression is told of it: an expression that is no more than doubtful
is nobody's business. A text is doubted where it is spelled like an expression and ordinary prose,
markdown, smileys and paths of files are not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from botkit.bot.matcher_kinds import Matches
from botkit.interfaces import Match


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What is doubtful about a pattern or a text.

    Attributes:
        message: what, and why.
        hint: what to do.
        offset: where in it, in characters from 0.
    """

    message: str
    hint: str
    offset: int = 0


# --- what fits everything ------------------------------------------------------------------------

_LOOKS_BACK = re.compile(r"\^|\\[AbBGKmM]|\(\?<[=!]|\(\?\(|\(\?[a-z]*r")
_LOOKS_FURTHER = re.compile(r"[|^$]|\\[AbBGKmMzZ]|\(\?<?[=!]|\(\?\(|\(\?[a-z]*r")
_CLASS = re.compile(r"(?<!\\)\[(?:\\.|\^?\]|[^\]\\])(?:\\.|[^\]\\])*\]", re.DOTALL)
_WILDCARD = re.compile(r"(?:\(\?[is]+\))?\^?\.\*\??")


def fits_everything(pattern: str) -> bool:
    """Whether a regular expression surely is found in every text.

    What fits an empty text without looking back fits at the end of any text, and what fits it
    without looking further fits behind ``^``, at the beginning of any text.
    """
    if not isinstance(Matches(pattern).match(""), Match):
        return False
    shape = _CLASS.sub("x", pattern)
    if not _LOOKS_BACK.search(shape):
        return True
    return shape.startswith("^") and not _LOOKS_FURTHER.search(shape, 1)


def is_wildcard(pattern: str) -> bool:
    """Whether an expression says that everything will do, and nothing else."""
    return _WILDCARD.fullmatch(pattern) is not None


# --- what fits nothing ---------------------------------------------------------------------------

_TOKEN = re.compile(rf"\\.|{_CLASS.pattern}|.", re.DOTALL)
_ALLOWS_NONE = re.compile(r"[?*]|\{(?:0|,|[^}\d])")
_CHANGES_ANCHORS = re.compile(r"\(\?[a-zA-Z0-9]*[mxrV]|\(\?#|\(\*")


def fits_nothing(pattern: str) -> Doubt | None:
    """Find what can never be found: a character behind the end, or before the beginning.

    Only what every way through the expression comes to is looked at: nothing in brackets, and
    nothing where there is a choice.
    """
    if "|" in pattern or _CHANGES_ANCHORS.search(pattern):
        return None
    tokens = [(found[0], found.start()) for found in _TOKEN.finditer(pattern)]
    depth = 0
    for number, (token, offset) in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth or token not in ("^", "$"):
            continue
        behind = pattern[offset + 1 :]
        if token == "$" and behind[:1].isalnum() and not _ALLOWS_NONE.match(behind, 1):
            means = f"the end of the text, and '{behind[0]}' comes behind it"
            return _unreachable("$", means, offset)
        before = tokens[number - 1][0] if number else ""
        if token == "^" and before.isalnum() and not _ALLOWS_NONE.match(behind):
            means = f"the beginning of the text, and '{before}' comes before it"
            return _unreachable("^", means, offset)
    return None


def _unreachable(sign: str, means: str, offset: int) -> Doubt:
    return Doubt(
        message=f"this can never fit: '{sign}' is {means}",
        hint=f"write '\\{sign}' for the character itself",
        offset=offset,
    )


# --- prose that is taken for an expression -------------------------------------------------------

_EXPRESSION = re.compile(r"[\\\[\]{}|*+^$]|\(\?|\)[?]|\([^()]*\(")
"""Holds what nobody writes in prose; a pattern with one of these was meant as a pattern."""
_BRACKETS = re.compile(r"\(([^()]*\w[^()]*)\)")
_QUESTION = re.compile(r"(?<=\w)\?(?=\s+[^\Wa-z]|\s*\Z)")


def prose_as_regex(pattern: str) -> Doubt | None:
    """Find a plain text that was given to ``matches`` and means something else there."""
    if _EXPRESSION.search(pattern):
        return None
    if found := _BRACKETS.search(pattern):
        return Doubt(
            message=f"'{found[0]}' in a regular expression is '{found[1]}' without the brackets",
            hint=f"write '\\({found[1]}\\)' for them, or {{contains: ...}} for a plain text",
            offset=found.start(),
        )
    if " " in pattern and (found := _QUESTION.search(pattern)):
        letter = pattern[found.start() - 1]
        return Doubt(
            message=f"'?' in a regular expression makes the '{letter}' before it optional",
            hint="write '\\?' for a question mark, or {contains: ...} for a plain text",
            offset=found.start(),
        )
    return None


# --- an expression that is taken for prose -------------------------------------------------------

_PATH = re.compile(r"(?:^|[\s\"'(])(?:[A-Za-z]:\\|\\\\\w)")
_ESCAPE = re.compile(r"\\(?:[dDwWsSbB](?![A-Za-z_])[+*?]?|\$(?!\$?\{)|[.()\[\]?+*^|{}])")
_SIGNS = re.compile(
    r"""
      \(\?(?: P?<\w+> | P?<[=!] | [:=!](?=[^)\s]) | [aimsx]+\) )     # (?P<x>, (?:x, (?i)
    | \(\.[*+]\??\)                                              # (.*)
    | (?:^|(?<=\s))\.[*+]                                        # .* as a word of its own
    | \.[*+]\??(?=[\w\\(\[])                                     # hello.*world
    | \((?=\S)[^()|/]*\|[^()/]*(?<=[^\s|])\)                     # (a|b)
    | \[\^?[^\[\]\s]*\w-\w[^\[\]\s]*\](?:[+*]|\{\d+(?:,\d*)?\})  # [A-Z]+
    | \A\^(?=[A-Za-z(\[.\\$])(?!\w\^)                             # ^Hello, and no ^o^
    | (?<=[a-z]{4})\$\Z                                          # goodbye$
    """,
    re.VERBOSE,
)


def regex_as_text(what: str, text: str) -> Doubt | None:
    """Find a regular expression that was given to a matcher of texts.

    Args:
        what: names the matcher.
        text: as its author wrote it, with ``${...}`` for values.
    """
    escape = None if _PATH.search(text) else _ESCAPE.search(text)
    found = min(filter(None, (escape, _SIGNS.search(text))), key=re.Match.start, default=None)
    if found is None:
        return None
    return Doubt(
        message=f"{what} takes '{found[0]}' as it is spelled, not as a regular expression",
        hint="write {matches: ...} for one, with \\ before what is meant as it is spelled",
        offset=found.start(),
    )
