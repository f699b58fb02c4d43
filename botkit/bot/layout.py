"""The text of a bot file as its author laid it out: with comments, anchors, quotes and blank lines.

Theory of operation. ``source.py`` reads what a file means and throws away how it was written. Here
the same parser's events are put together to another tree, of which nothing is thrown away: every
scalar keeps its spelling, and every comment is given to an entry. A comment on a line of its own
belongs to what follows it; at the end of a block it belongs to the block, unless it stands further
to the left. A comment behind something stays behind it.

Positions are offsets in characters from the beginning of the text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from botkit.bot.comments import BLOCK_STYLES, Comment, CommentedText
from botkit.bot.source import LOADER

_ANCHOR = re.compile(r"&[\w-]+(?:\s+(?:#[^\n]*)?)*")
INDENT = 2
"""Spaces by which a block stands further to the right than what it belongs to."""


@dataclass(slots=True, kw_only=True)
class Text:
    """A scalar.

    Attributes:
        lines: how it is spelled, without indentation; of a block of text, first its sign.
        value: what it means.
        style: its quote, ``|``, ``>``, or empty if it is plain.
        anchor: with its ``&``; empty if it has none.
    """

    lines: Sequence[str]
    value: str
    style: str = ""
    anchor: str = ""


@dataclass(slots=True, kw_only=True)
class Alias:
    """``*name``."""

    name: str


@dataclass(slots=True, kw_only=True)
class Entry:
    """A pair of a mapping, or an item of a list, which has no key.

    Attributes:
        before: the comments above it.
        behind: the comment on its line; with what is longer than a line, behind its key.
        blank_before: there is an empty line above it, below its comments.
    """

    value: Content
    key: Text | Alias | None = None
    before: list[Comment] = field(default_factory=list)
    behind: str = ""
    blank_before: bool = False


@dataclass(slots=True, kw_only=True)
class Block:
    """A list or a mapping.

    Attributes:
        is_list: whether it is a list.
        flow: it stands in brackets.
        one_line: it stands on one line.
        tail: the comments below its last entry.
        anchor: with its ``&``; empty if it has none.
    """

    is_list: bool
    flow: bool
    one_line: bool = False
    entries: list[Entry] = field(default_factory=list)
    tail: list[Comment] = field(default_factory=list)
    anchor: str = ""


Content: TypeAlias = "Text | Alias | Block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A whole file.

    Attributes:
        root: its content.
        explicit: it begins with ``---``.
        head: the comments above its content.
        tail: the comments below it.
    """

    root: Content
    explicit: bool
    head: Sequence[Comment]
    tail: Sequence[Comment]


def read_layout(text: str) -> Layout:
    """Read a text that ``source.parse_yaml`` finds no fault with.

    Args:
        text: with ``\\n`` at the ends of its lines, and not empty.
    """
    return _Reader(text).read()


class _Reader:
    """Puts the parser's events together to entries and gives each its comments."""

    def __init__(self, text: str) -> None:
        self._source = CommentedText(text)
        self._comments = deque(self._source.comments())
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=LOADER))
        self._end = 0
        """Where the content ends that was read last."""
        self._column = -1
        """Where the block begins that is read."""

    def read(self) -> Layout:
        explicit = False
        for event in self._events:
            explicit = explicit or bool(getattr(event, "explicit", False))
            if isinstance(event, yaml.NodeEvent):
                break
        head = self._take_before(self._begin(event))
        root = self._content(event)
        return Layout(root=root, explicit=explicit, head=head, tail=list(self._comments))

    # --- entries ---

    def _entry(self, event: Any, *, is_pair: bool = False) -> Entry:
        begin = self._begin(event)
        entry = Entry(value=Alias(name=""), before=self._take_before(begin))
        entry.blank_before = self._source.is_blank_above(begin)
        if is_pair:
            key = self._leaf(event)
            entry.key = key
            event = next(self._events)
            self._take_above_value(entry, event)
        self._take_behind_anchor(entry, event)
        entry.value = self._content(event)
        self._take_behind(entry)
        return entry

    def _content(self, event: Any) -> Content:
        if isinstance(event, yaml.CollectionStartEvent):
            return self._block(event)
        return self._leaf(event)

    def _block(self, event: Any) -> Block:
        is_list = isinstance(event, yaml.SequenceStartEvent)
        anchor = f"&{event.anchor}" if event.anchor else ""
        block = Block(is_list=is_list, flow=bool(event.flow_style), anchor=anchor)
        first: Any = event.end_mark  # behind its anchor
        around, self._column = self._column, first.column
        # A list need not stand further to the right than its key, but what belongs to it does.
        leftmost = max(first.column, around + 1)
        while not isinstance(event := next(self._events), yaml.CollectionEndEvent):
            block.entries.append(self._entry(event, is_pair=not is_list))
        last: Any = event.end_mark
        block.one_line = first.line == last.line
        end = self._begin(event)
        while (comment := self._next_comment(end)) and (block.flow or comment.column >= leftmost):
            block.tail.append(self._comments.popleft())
        if block.flow:
            self._end = self._source.offset(event.end_mark)
        self._column = around
        return block

    def _leaf(self, event: Any) -> Text | Alias:
        self._end = self._source.offset(event.end_mark)
        if isinstance(event, yaml.AliasEvent):
            return Alias(name=f"*{event.anchor}")
        begin = self._begin(event)
        source, anchor = self._source.text[begin : self._end], ""
        if event.anchor is not None:
            anchor, source = f"&{event.anchor}", _ANCHOR.sub("", source, count=1)
        style = event.style or ""
        if style in BLOCK_STYLES:
            lines = _spelled_block(source, event.value)
            # The comment of a block of text stands behind its sign.
            self._end = self._source.text.index(style, begin)
        else:
            lines = _spelled(source)
        return Text(lines=lines, value=event.value, style=style, anchor=anchor)

    # --- comments ---

    def _next_comment(self, end: int) -> Comment | None:
        return self._comments[0] if self._comments and self._comments[0].begin < end else None

    def _take_before(self, begin: int) -> list[Comment]:
        taken = []
        while self._next_comment(begin):
            taken.append(self._comments.popleft())
        return taken

    def _take_above_value(self, entry: Entry, event: Any) -> None:
        """Take what stands between a key and its value, unless it belongs to what is below."""
        begin = self._begin(event)
        comment = self._next_comment(begin)
        if comment is not None and not comment.alone:
            entry.behind = self._comments.popleft().text
        if not isinstance(event, yaml.CollectionStartEvent):
            entry.before += self._take_before(begin)

    def _take_behind_anchor(self, entry: Entry, event: Any) -> None:
        if isinstance(event, yaml.CollectionStartEvent) and event.anchor and not entry.behind:
            self._end = self._begin(event) + len(f"&{event.anchor}")
            self._take_behind(entry)

    def _take_behind(self, entry: Entry) -> None:
        """Take the comment behind a value, or within the first line of a block of text."""
        comment = self._comments[0] if self._comments else None
        if comment is None or comment.alone or comment.after != self._end:
            return
        self._comments.popleft()
        if entry.behind:
            entry.before.append(comment)
        else:
            entry.behind = comment.text

    # --- places ---

    def _begin(self, event: Any) -> int:
        return self._source.offset(event.start_mark)


def _spelled(source: str) -> list[str]:
    """Give the lines of a plain or quoted text; the space around line ends means nothing."""
    first, *rest = source.split("\n")
    return [_right_stripped(first), *(_right_stripped(line.lstrip(" \t")) for line in rest)]


def _right_stripped(line: str) -> str:
    stripped = line.rstrip(" \t")
    return line if stripped.endswith("\\") else stripped  # it may escape the space behind it


def _spelled_block(source: str, value: str) -> list[str]:
    """Give the first line of a block of text, without indentation, and the lines below it."""
    header, *lines = source.split("\n")
    sign = header[0] + "".join(char for char in header.partition("#")[0] if char in "+-")
    content = value.lstrip("\n")
    if not content:
        return [sign, *[""] * (len(value) if "+" in sign else 0)]
    if not value.endswith("\n"):
        sign = f"{sign[0]}-"  # it may also be that the file ends within its last line
    if content.startswith(" "):
        sign = f"{sign[0]}{INDENT}{sign[1:]}"
    first = next(line for line in lines if line.strip(" "))
    indent = indent_of(first) - indent_of(content)
    spelled = [line[indent:] for line in lines]
    while not spelled[-1]:
        spelled.pop()
    kept = len(value) - len(value.rstrip("\n")) - 1 if "+" in sign else 0
    return [sign, *spelled, *[""] * kept]


def indent_of(line: str) -> int:
    """Count the spaces that a line begins with."""
    return len(line) - len(line.lstrip(" "))
