"""The built-in matchers: one class per idea, each saying in words what it wants and why not.

Most look at a text and nothing else. ``json`` looks into the structured content of a message, and
what is made of other matchers asks each of them about the whole message, so that ``none_of`` sees
the buttons too.

``str()`` of each is ``a message containing "hello"``; :func:`in_words` leaves the first two words
away, for where something else than a message is matched.
"""

from __future__ import annotations

import functools
import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import regex

from botkit.chat import Message
from botkit.chat.transcript import text_of
from botkit.errors import ConfigError
from botkit.interfaces import Match, Matcher, Miss, match_message

REGEX_TIMEOUT = 0.1
"""Seconds that a regular expression may take on one text."""
REGEX_INPUT = 4096
"""Characters of a text that a regular expression sees."""
LIKE_THRESHOLD = 80.0
REGEX_LENGTH = 2048
"""Characters that a regular expression may have."""
SHOWN = 200
"""Characters of a text that an explanation quotes."""
SUBJECT = "a message "

# A ready encoder: json.dumps makes a new one for each text, and every miss quotes two.
_in_quotes = json.JSONEncoder(ensure_ascii=False).encode
_MATCH = Match()
_Ask = Callable[[Matcher], Match | Miss]


class MatcherError(ConfigError):
    """A matcher is written wrongly, or cannot decide.

    Attributes:
        path: keys and indexes that lead to the wrong part of the matcher's definition.
        at_key: the last key of ``path`` is wrong, and not what stands behind it.
        offset: where in that part's text, in characters from 0.
        hint: what may have been meant; empty if nothing comes to mind.
    """

    def __init__(
        self,
        message: str,
        *,
        path: tuple[str | int, ...] = (),
        at_key: bool = False,
        offset: int | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.path = path
        self.at_key = at_key
        self.offset = offset
        self.hint = hint

    def below(self, *keys: str | int) -> MatcherError:
        """Give the same error as seen from further up in the definition."""
        return MatcherError(
            self.message,
            path=(*keys, *self.path),
            at_key=self.at_key,
            offset=self.offset,
            hint=self.hint,
        )


def in_words(matcher: Matcher) -> str:
    """Say what is expected without saying of what: ``containing "hello"``."""
    return str(matcher).removeprefix(SUBJECT)


def fold(text: str) -> str:
    """Make texts comparable that differ only in case, or in how accents are encoded."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text).casefold()


def quote(text: str) -> str:
    """Show a text in an explanation, on one line and bounded."""
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    return _in_quotes(shown)


@dataclass(frozen=True, slots=True)
class Contains:
    """The text is somewhere in the message, whatever the case."""

    text: str
    _folded: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        refuse_empty(self.text)
        object.__setattr__(self, "_folded", fold(self.text))

    def match(self, text: str) -> Match | Miss:
        if self._folded in fold(text):
            return _MATCH
        return Miss(why=f"{quote(text)} does not contain {quote(self.text)}")

    def __str__(self) -> str:
        return f"{SUBJECT}containing {quote(self.text)}"


@dataclass(frozen=True, slots=True)
class Equals:
    """The message is exactly the text."""

    text: str

    def __post_init__(self) -> None:
        refuse_empty(self.text)

    def match(self, text: str) -> Match | Miss:
        if text == self.text:
            return _MATCH
        why = f"{quote(text)} is not {quote(self.text)}"
        if fold(text.strip()) == fold(self.text.strip()):
            why += " (they differ only in case or in the space around them)"
        return Miss(why=why)

    def __str__(self) -> str:
        return f"{SUBJECT}that is exactly {quote(self.text)}"


@dataclass(frozen=True, slots=True)
class StartsWith:
    """The message begins with the text, whatever the case."""

    text: str

    def __post_init__(self) -> None:
        refuse_empty(self.text)

    def match(self, text: str) -> Match | Miss:
        if fold(text).startswith(fold(self.text)):
            return _MATCH
        return Miss(why=f"{quote(text)} does not start with {quote(self.text)}")

    def __str__(self) -> str:
        return f"{SUBJECT}starting with {quote(self.text)}"


@dataclass(frozen=True, slots=True)
class Matches:
    """A regular expression is found in the message; its named groups are captured.

    A named group that took no part in the match is captured as an empty text. Only the first 4,096
    characters of a message are looked at.
    """

    pattern: str
    _compiled: regex.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        refuse_empty(self.pattern)
        object.__setattr__(self, "_compiled", compile_regex(self.pattern))

    @property
    def captures(self) -> frozenset[str]:
        """The names of its groups."""
        return frozenset(self._compiled.groupindex)

    def match(self, text: str) -> Match | Miss:
        """Look for the expression.

        Raises:
            MatcherError: it took too long. That is no miss: a guard would pass for it.
        """
        try:
            found = self._compiled.search(text[:REGEX_INPUT], timeout=REGEX_TIMEOUT)
        except TimeoutError as error:
            raise MatcherError(
                f"the regular expression {self.pattern!r} took longer than {REGEX_TIMEOUT} s"
                f" on a text of {len(text)} characters"
            ) from error
        if found is None:
            return Miss(why=f"{quote(text)} does not match {self.pattern}")
        if not self._compiled.groupindex:
            return _MATCH
        return Match(captures={name: text or "" for name, text in found.groupdict().items()})

    def __str__(self) -> str:
        return f"{SUBJECT}matching {self.pattern}"


@dataclass(frozen=True, slots=True)
class Like:
    """The message, or a part of it, is nearly the text.

    Case, punctuation and the space around words do not count. ``threshold`` is the least likeness
    that fits, from 0 to 100, where 100 is the same text.
    """

    text: str
    threshold: float = LIKE_THRESHOLD

    def __post_init__(self) -> None:
        refuse_empty(self.text)
        if not 0 < self.threshold <= 100:
            raise MatcherError(
                f"the threshold goes from 1 to 100, not {self.threshold:g}", path=("threshold",)
            )

    def match(self, text: str) -> Match | Miss:
        likeness = self._likeness(text)
        if likeness >= self.threshold:
            return _MATCH
        why = f"{quote(text)} is {likeness:.0f} % like {quote(self.text)}"
        return Miss(why=f"{why}, less than {self.threshold:g} %")

    def _likeness(self, text: str) -> float:
        # Imported late: it takes 20 ms, and few bots use it.
        from rapidfuzz import fuzz, utils

        wanted, given = utils.default_process(self.text), utils.default_process(text)
        if not wanted or not given:
            return 0.0
        # A part of the message may be enough, a part of what was wanted is not.
        compare = fuzz.partial_ratio if len(given) >= len(wanted) else fuzz.ratio
        return float(compare(wanted, given))

    def __str__(self) -> str:
        return f"{SUBJECT}like {quote(self.text)} ({self.threshold:g} % or more)"


@dataclass(frozen=True, slots=True)
class Json:
    """The message is JSON, and what each JSON Pointer leads to fits its matcher.

    Texts are matched as they are, everything else as JSON spells it (``1.10``, ``true``, ``null``).

    Source: RFC 6901.
    """

    parts: Mapping[str, Matcher]

    def __post_init__(self) -> None:
        if not self.parts:
            raise MatcherError("it names no JSON Pointer")
        for pointer in self.parts:
            if pointer and not pointer.startswith("/"):
                raise MatcherError(
                    f"{pointer!r} is no JSON Pointer: one begins with '/'",
                    path=(pointer,),
                    at_key=True,
                )

    def match(self, text: str) -> Match | Miss:
        try:
            document = _parse_json(text)
        except (ValueError, RecursionError):
            return Miss(why=f"{quote(text)} is no JSON")
        captures: dict[str, str] = {}
        for pointer, matcher in self.parts.items():
            found, value = _follow(pointer, document)
            if not found:
                return Miss(why=f"{quote(text)} has no {pointer}")
            result = matcher.match(_json_text(value))
            if isinstance(result, Miss):
                return Miss(why=f"{pointer}: {result.why}")
            captures.update(result.captures)
        return Match(captures=captures)

    def match_message(self, message: Message) -> Match | Miss:
        """Look into the structured content, or into the text where there is none."""
        return self.match(message.content or message.text)

    def __str__(self) -> str:
        parts = (f"{p or 'the whole'} {in_words(m)}" for p, m in self.parts.items())
        return f"{SUBJECT}of JSON with {' and '.join(parts)}"


class _Number(str):
    """A number as it was spelled; ``1.10`` stays ``1.10``."""

    __slots__ = ()


def _parse_json(text: str) -> Any:
    return json.loads(text, parse_float=_Number)


def _json_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _follow(pointer: str, document: Any) -> tuple[bool, Any]:
    """Walk a JSON Pointer; the first item tells whether it leads anywhere."""
    value = document
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return False, None
    return True, value


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The first of several matchers that fits decides."""

    matchers: Sequence[Matcher]

    def __post_init__(self) -> None:
        refuse_no_matchers(self.matchers)

    def match(self, text: str) -> Match | Miss:
        return self._decide(lambda matcher: matcher.match(text))

    def match_message(self, message: Message) -> Match | Miss:
        """Ask each of them about the whole message."""
        return self._decide(lambda matcher: match_message(matcher, message))

    def _decide(self, ask: _Ask) -> Match | Miss:
        misses = []
        for matcher in self.matchers:
            result = ask(matcher)
            if isinstance(result, Match):
                return result
            misses.append(result.why)
        return Miss(why="; ".join(misses))

    def __str__(self) -> str:
        return SUBJECT + " or ".join(_bracketed(m) for m in self.matchers)


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of several matchers fit; their captures come together."""

    matchers: Sequence[Matcher]

    def __post_init__(self) -> None:
        refuse_no_matchers(self.matchers)

    def match(self, text: str) -> Match | Miss:
        return self._decide(lambda matcher: matcher.match(text))

    def match_message(self, message: Message) -> Match | Miss:
        """Ask each of them about the whole message."""
        return self._decide(lambda matcher: match_message(matcher, message))

    def _decide(self, ask: _Ask) -> Match | Miss:
        captures: dict[str, str] = {}
        for matcher in self.matchers:
            result = ask(matcher)
            if isinstance(result, Miss):
                return result
            captures.update(result.captures)
        return Match(captures=captures)

    def __str__(self) -> str:
        return SUBJECT + " and ".join(_bracketed(m) for m in self.matchers)


@dataclass(frozen=True, slots=True)
class NoneOf:
    """None of several matchers fits; nothing is captured."""

    matchers: Sequence[Matcher]

    def __post_init__(self) -> None:
        refuse_no_matchers(self.matchers)

    def match(self, text: str) -> Match | Miss:
        return self._decide(lambda matcher: matcher.match(text), text)

    def match_message(self, message: Message) -> Match | Miss:
        """Ask each of them about the whole message: none may fit its text, nor any button."""
        return self._decide(lambda matcher: match_message(matcher, message), text_of(message))

    def _decide(self, ask: _Ask, shown: str) -> Match | Miss:
        for matcher in self.matchers:
            if isinstance(ask(matcher), Match):
                return Miss(why=f"{quote(shown)} is {in_words(matcher)}")
        return _MATCH

    def __str__(self) -> str:
        return f"{SUBJECT}neither " + " nor ".join(_bracketed(m) for m in self.matchers)


def _bracketed(matcher: Matcher) -> str:
    words = in_words(matcher)
    composite = isinstance(matcher, AnyOf | AllOf | NoneOf) and len(matcher.matchers) > 1
    return f"({words})" if composite else words


def refuse_empty(text: str) -> None:
    """Refuse a matcher without content: it would fit everything."""
    if not text.strip():
        raise MatcherError("an empty matcher fits everything; say what the message must be like")


def refuse_no_matchers(matchers: Sequence[Matcher]) -> None:
    """Refuse a composition of nothing."""
    if not matchers:
        raise MatcherError("it has no matchers in it")


@functools.lru_cache(maxsize=1024)
def compile_regex(pattern: str) -> regex.Pattern[str]:
    """Compile a regular expression.

    Raises:
        MatcherError: it is malformed; ``offset`` tells where.
    """
    if len(pattern) > REGEX_LENGTH:
        raise MatcherError(f"a regular expression has at most {REGEX_LENGTH:,} characters")
    try:
        return regex.compile(pattern)
    except (RecursionError, OverflowError, MemoryError) as error:
        raise MatcherError("this regular expression is nested too deeply, or too big") from error
    except regex.error as error:
        # Its type stubs do not know these two attributes.
        what, offset = getattr(error, "msg", str(error)), getattr(error, "pos", None)
        message = f"this is no regular expression: {what}"
        raise MatcherError(message, offset=offset) from error
