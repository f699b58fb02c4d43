"""From the text of a YAML file to nodes that know where they stand.

Theory of operation. The events of the YAML parser are put together to a tree here, and nothing is
constructed from it: every scalar keeps its spelling. So the limits hold while the tree grows, and
not after it: size of the file, depth, and number of nodes, where what an alias repeats counts each
time. A limit that is hit and a broken syntax end the reading; everything else is noted, and the
reading goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from botkit.bot.diagnostics import Mark, Problems
from botkit.bot.matchers import PlainValue
from botkit.errors import ConfigError

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
MAX_NODES = 50_000

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser if this installation has it; the other one is ten times slower."""

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class SourceError(ConfigError):
    """A file cannot be read at all; the reading of it ends here."""

    def __init__(self, message: str, mark: Mark | None = None, *, hint: str = "") -> None:
        super().__init__(message)
        self.mark = mark
        self.hint = hint


# --- nodes ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A text, as it is spelled; ``style`` is its quote, ``|``, ``>``, or empty if it is plain."""

    mark: Mark
    text: str
    style: str = ""
    size: int = 1
    depth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A list."""

    mark: Mark
    items: list[Node] = field(default_factory=list)
    size: int = 1
    depth: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """A mapping; ``keys`` and ``values`` have the same keys in the same order."""

    mark: Mark
    keys: dict[str, Scalar] = field(default_factory=dict)
    values: dict[str, Node] = field(default_factory=dict)
    size: int = 1
    depth: int = 1


Node: TypeAlias = "Scalar | Items | Entries"
Trail: TypeAlias = "Sequence[str | int]"


def plain(node: Node) -> PlainValue:
    """Give the texts, lists and mappings of a node, without their places."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.values.items()}


def scalars(node: Node) -> Iterator[Scalar]:
    """Walk over the texts below a node; keys are left out."""
    if isinstance(node, Scalar):
        yield node
        return
    for child in node.items if isinstance(node, Items) else node.values.values():
        yield from scalars(child)


def find(node: Node, trail: Trail) -> Node:
    """Follow keys and indexes as far as they lead."""
    for step in trail:
        if isinstance(node, Entries) and isinstance(step, str) and step in node.values:
            node = node.values[step]
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return node
    return node


def get(node: Node, trail: Trail) -> Node | None:
    """Follow keys and indexes to their end; None if they lead nowhere."""
    for step in trail:
        below = find(node, (step,))
        if below is node:
            return None
        node = below
    return node


def find_key(node: Node, trail: Trail) -> Mark:
    """Give the place of the key that a trail ends with, or of what it leads to if that is none."""
    parent = find(node, trail[:-1])
    if trail and isinstance(parent, Entries) and trail[-1] in parent.keys:
        return parent.keys[str(trail[-1])].mark
    return find(node, trail).mark


# --- reading -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file that could be read.

    Attributes:
        file: as the user named it.
        lines: its text.
        root: its content.
    """

    file: str
    lines: Sequence[str]
    root: Node

    def place_in(self, scalar: Scalar, offset: int) -> Mark:
        """Find a character of a scalar in the file; the scalar's beginning if that is unknown."""
        lines = scalar.text.split("\n")
        before = scalar.text[:offset].split("\n")
        number, column = len(before) - 1, len(before[-1])
        if scalar.style == "|":
            line = scalar.mark.line + 1 + number
            shift = self._shift(line, lines[number])
        else:
            line = scalar.mark.line
            shift = self._shift(line, scalar.text, scalar.mark.column - 1)
        return scalar.mark if shift is None else Mark(line, shift + column + 1)

    def _shift(self, line: int, text: str, begin: int = 0) -> int | None:
        """Find where in a line of the file a text stands as it is."""
        found = self.lines[line - 1].find(text, begin) if 0 < line <= len(self.lines) else -1
        return None if found < 0 else found


def read_text(path: Path, *, limit: int = MAX_BYTES) -> str:
    """Read a file of text.

    Raises:
        SourceError: there is none, or it is no text, or too much.
    """
    try:
        if path.is_dir():
            raise SourceError("this is a directory; a file is needed")
        if path.exists() and not path.is_file():
            raise SourceError("this is no ordinary file")
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except FileNotFoundError as error:
        raise SourceError("there is no such file") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise SourceError(f"the file cannot be read: {reason or error}") from error
    if len(content) > limit:
        raise SourceError(f"the file is larger than {limit:,} bytes; that is not accepted")
    return decode(content)


def decode(content: bytes) -> str:
    """Take bytes for the text that they are.

    Raises:
        SourceError: they are none.
    """
    if b"\0" in content:
        raise SourceError("this is a binary file; a text in UTF-8 is needed", Mark())
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig")
        message = f"the byte 0x{content[error.start]:02x} is no UTF-8; save the file as UTF-8"
        raise SourceError(message, _mark_of(before)) from error


def _mark_of(before: str) -> Mark:
    lines = _LINE_BREAK.split(before)
    return Mark(len(lines), len(lines[-1]) + 1)


def split_lines(text: str) -> list[str]:
    """Split a text where YAML sees the end of a line."""
    return _LINE_BREAK.split(text)


def parse_yaml(text: str, problems: Problems) -> Node | None:
    """Read YAML.

    Args:
        text: the whole of a file.
        problems: takes what is wrong and does not end the reading.

    Returns:
        The content; None if there is none.

    Raises:
        SourceError: it is no YAML, or more of it than is accepted.
    """
    if forbidden := _FORBIDDEN.search(text):
        mark = _mark_of(text[: forbidden.start()])
        code = f"U+{ord(forbidden[0]):04X}"
        raise SourceError(f"the character {code} is not allowed in a file", mark)
    try:
        return _Builder(problems).document(iter(yaml.parse(text, Loader=LOADER)))
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text) from error
    except yaml.YAMLError as error:
        raise SourceError(f"this is no YAML: {error}", Mark()) from error


_EXPLANATIONS = (
    ("cannot start any token", "a text that begins with a special character needs quotes"),
    ("mapping values are not allowed", "a text with ': ' in it needs quotes"),
    ("did not find expected ',' or", "a text with ${...} inside of {...} or [...] needs quotes"),
    ("did not find expected key", "look at the indentation and the quotes here and above"),
    ("could not find expected ':'", "a key is followed by a colon and a space"),
    ("unexpected end of stream", "the quote that begins here is never closed"),
    ("did not find expected '-' indicator", "look at the indentation of this list"),
)


def _syntax_error(error: yaml.MarkedYAMLError, text: str) -> SourceError:
    unclosed = "end of stream" in (error.problem or "") and error.context_mark
    mark = error.context_mark if unclosed else error.problem_mark or error.context_mark
    place = Mark(mark.line + 1, mark.column + 1) if mark else Mark()
    # At the end of the file the parser points behind its last line.
    lines = split_lines(text)
    if place.line > len(lines):
        place = Mark(len(lines), len(lines[-1]) + 1)
    what = error.problem or error.context or "syntax error"
    hint = next((hint for part, hint in _EXPLANATIONS if part in what), "")
    if "cannot start any token" in what and lines[place.line - 1][place.column - 1 :][:1] == "\t":
        hint = "indent with spaces; a tab is not allowed there"
    return SourceError(f"this is no YAML: {what}", place, hint=hint)


class _Builder:
    """Puts the parser's events together to a tree."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._anchors: dict[str, Node | None] = {}
        self._nodes = 0

    def document(self, events: Iterator[Any]) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._problems.add(
                        _place(event), "a file holds one document; move the second to its own file"
                    )
                    return root
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event, events, 0)
        return root

    def _node(self, event: Any, events: Iterator[Any], level: int) -> Node:
        mark = _place(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, mark, level)
        self._count(1, level, mark)
        if event.tag is not None:
            self._problems.add(mark, f"the tag {event.tag!r} is not accepted; texts need none")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        node = self._content(event, mark, events, level)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _content(self, event: Any, mark: Mark, events: Iterator[Any], level: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(mark=mark, text=event.value, style=event.style or "")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(mark, events, level)
        return self._entries(mark, events, level)

    def _items(self, mark: Mark, events: Iterator[Any], level: int) -> Items:
        items = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, level + 1))
        return Items(mark=mark, items=items, size=_size(items), depth=_depth(items))

    def _entries(self, mark: Mark, events: Iterator[Any], level: int) -> Entries:
        keys: dict[str, Scalar] = {}
        values: dict[str, Node] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, level + 1)
            value = self._node(next(events), events, level + 1)
            if not isinstance(key, Scalar):
                self._problems.add(key.mark, "a key is a text, not a list or a mapping")
            elif key.text == "<<" and not key.style:
                self._problems.add(key.mark, "merge keys ('<<') are not accepted")
            elif key.text in keys:
                first = keys[key.text].mark.line
                self._problems.add(
                    key.mark, f"the key {key.text!r} is already there, in line {first}"
                )
            else:
                keys[key.text], values[key.text] = key, value
        children = list(values.values())
        return Entries(
            mark=mark,
            keys=keys,
            values=values,
            size=_size(children) + len(keys),
            depth=_depth(children),
        )

    def _alias(self, event: Any, mark: Mark, level: int) -> Node:
        if event.anchor not in self._anchors:
            raise SourceError(f"there is no anchor {event.anchor!r} above", mark)
        node = self._anchors[event.anchor]
        if node is None:
            raise SourceError(f"the alias {event.anchor!r} stands inside of itself", mark)
        self._count(node.size, level + node.depth, mark)
        return node

    def _count(self, nodes: int, level: int, mark: Mark) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise SourceError(f"the file holds more than {MAX_NODES:,} values", mark)
        if level > MAX_DEPTH:
            raise SourceError(f"the file is nested deeper than {MAX_DEPTH} levels", mark)


def _place(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _size(children: Sequence[Node]) -> int:
    return 1 + sum(child.size for child in children)


def _depth(children: Sequence[Node]) -> int:
    return 1 + max((child.depth for child in children), default=0)


def load_document(path: Path, problems_of: dict[str, Problems]) -> Document | None:
    """Read a YAML file with its problems.

    Args:
        path: as the user named it.
        problems_of: is given the file's problems, by its name.

    Returns:
        The document; None if it cannot be read or is empty, which then is a problem.
    """
    file = str(path)
    problems = problems_of[file] = Problems(file)
    try:
        text = read_text(path)
        lines = split_lines(text)
        problems.show(lines)
        root = parse_yaml(text, problems)
    except SourceError as error:
        problems.add(error.mark, error.message, hint=error.hint)
        return None
    if root is None:
        problems.add(Mark(), "the file is empty")
        return None
    return Document(file=file, lines=lines, root=root)
