"""The one way in which a bot file is laid out, and the proof that it means what it meant.

Blocks are indented by two spaces, lists too. What its author wrote in brackets on one line stays
there if it fits; steps, guards and reactions always stand one below the other. Quotes go where
plain words stand in them, and the spelling of a text is never touched. Empty lines are kept, one at
a time. The keys at the top are sorted if no comment and no anchor stands between them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import yaml

from botkit.bot.comments import BLOCK_STYLES, Comment, comments_in
from botkit.bot.diagnostics import Problems
from botkit.bot.layout import (
    INDENT,
    Alias,
    Block,
    Content,
    Entry,
    Text,
    indent_of,
    read_layout,
)
from botkit.bot.models import AgentsModel, BotModel, Model, StepsFileModel
from botkit.bot.source import LOADER, Entries, Items, Node, Scalar, SourceError, parse_yaml
from botkit.bot.yaml_file import AGENTS_KEY, BOT_KEY, STEPS_KEY
from botkit.errors import BotkitError

WIDTH = 100
"""Characters of a line; what stands in brackets and is longer is laid out in lines."""

IN_LINES = frozenset(
    {"steps", "never", "whenever", "do", "otherwise", "choose", "routing", "agents"}
)
"""Keys of lists whose items stand one below the other."""

_WORDS = re.compile(r"[^\W\d_](?:[\w .,!?'()/@%+-]*[\w.!?)])?")
_BRACKETS = re.compile(r"[,\[\]{}]")
_RESOLVER: Any = yaml.resolver.Resolver()
_TEXT_TAG = "tag:yaml.org,2002:str"


class FormattingError(BotkitError):
    """A file would not mean what it meant; it is to be left as it is."""


def format_text(text: str) -> str:
    """Lay out a file.

    Args:
        text: that ``source.parse_yaml`` finds no fault with.

    Raises:
        FormattingError: something of it would be lost. That is a mistake here, and harmless.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    layout = read_layout(text)
    writer = Writer()
    if layout.explicit:
        writer.lines.append("---")
    for comment in layout.head:
        writer.comment(comment, 0)
    if isinstance(layout.root, Block):
        if layout.root.anchor:
            writer.lines.append(layout.root.anchor)
        layout.root.entries = _sorted_entries(layout.root)
        writer.block(layout.root, 0)
    for comment in layout.tail:
        writer.comment(comment, 0)
    done = "\n".join(writer.lines) + "\n"
    refuse_losses(text, done)
    return done


class Writer:
    """Writes entries line by line.

    Attributes:
        lines: what was written so far.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._begins = True
        """Nothing was written yet into the file, or into a block: it begins with no empty line."""
        self._open = False
        """Empty lines would belong to the block of text above."""

    def comment(self, comment: Comment, column: int) -> None:
        """Write a comment on a line of its own."""
        self._blank(wanted=comment.blank_before)
        self._line(" " * column + comment.text)

    def block(
        self, block: Block, column: int, lead: str | None = None, *, in_lines: bool = False
    ) -> None:
        """Write a block of entries.

        Args:
            column: where its entries begin.
            lead: what stands before the first one instead of spaces.
            in_lines: what its entries hold is not left on one line.
        """
        for entry in block.entries:
            head = " " * column if lead is None else lead
            for comment in entry.before:
                self.comment(comment, indent_of(head))
            self._blank(wanted=entry.blank_before)
            named = _key(entry) in IN_LINES
            self._entry(
                entry,
                column,
                head,
                here=named or in_lines,
                below=named or (in_lines and not block.is_list),
            )
            lead = None
        for comment in block.tail:
            self.comment(comment, column)

    def _entry(self, entry: Entry, column: int, lead: str, *, here: bool, below: bool) -> None:
        head = lead + ("-" if entry.key is None else _spelled_key(entry.key))
        value = entry.value
        inline = _inline(value)
        fits = inline is not None and len(f"{head} {inline}") <= WIDTH
        if isinstance(value, Block) and value.entries and (here or not fits):
            self._entry_of_block(entry, value, column, head, in_lines=below)
        elif isinstance(value, Text) and len(value.lines) > 1:
            self._entry_of_lines(entry, value, column, head)
        else:
            self._line(" ".join(filter(None, (head, inline))), entry.behind)

    def _entry_of_block(
        self, entry: Entry, value: Block, column: int, head: str, *, in_lines: bool
    ) -> None:
        below = column + INDENT
        if value.anchor or entry.key is not None:
            self._line(" ".join(filter(None, (head, value.anchor))), entry.behind)
            self._begins = True
            self.block(value, below, in_lines=in_lines)
            return
        if entry.behind:
            self._line(" " * indent_of(head) + entry.behind)
        self._begins = True
        self.block(value, below, f"{head} ", in_lines=in_lines)

    def _entry_of_lines(self, entry: Entry, value: Text, column: int, head: str) -> None:
        first, *rest = value.lines
        is_block = value.style in BLOCK_STYLES
        self._line(
            " ".join(filter(None, (head, value.anchor, first))), entry.behind if is_block else ""
        )
        indent = " " * (column + INDENT)
        self.lines += [indent + line if line else "" for line in rest]
        self._open = is_block and ("+" in first or not rest[-1:] or not rest[-1].strip())
        if entry.behind and not is_block:
            self.lines[-1] += f"  {entry.behind}"

    def _blank(self, *, wanted: bool) -> None:
        if wanted and not self._begins and not self._open:
            self.lines.append("")

    def _line(self, line: str, behind: str = "") -> None:
        self.lines.append(f"{line}  {behind}" if behind else line)
        self._begins = self._open = False


# --- parts of a line -----------------------------------------------------------------------------


def _spelled(leaf: Text | Alias, *, in_brackets: bool = False) -> str:
    """Spell what is no longer than a line, without quotes if plain words stand in them."""
    if isinstance(leaf, Alias):
        return leaf.name
    text = leaf.lines[0]
    if _needs_no_quotes(leaf) and not (in_brackets and _BRACKETS.search(leaf.value)):
        text = leaf.value
    return " ".join(filter(None, (leaf.anchor, text)))


def _spelled_key(key: Text | Alias, *, in_brackets: bool = False) -> str:
    # To other programs the colon could be a part of an alias.
    colon = " :" if isinstance(key, Alias) else ":"
    return _spelled(key, in_brackets=in_brackets) + colon


def _needs_no_quotes(text: Text) -> bool:
    """Whether quotes stand around words that nobody, other programs included, takes for else."""
    if text.style not in ("'", '"') or text.lines[0][1:-1] != text.value:
        return False
    tag = _RESOLVER.resolve(yaml.ScalarNode, text.value, (True, False))
    return tag == _TEXT_TAG and _WORDS.fullmatch(text.value) is not None


def _inline(value: Content, *, in_brackets: bool = False) -> str | None:
    """Write a value on one line; None if that cannot be, or was not wanted."""
    if isinstance(value, Alias):
        return value.name
    if isinstance(value, Text):
        return _spelled(value, in_brackets=in_brackets) if len(value.lines) == 1 else None
    if value.entries and not (value.flow and value.one_line):
        return None
    parts = [_inline_entry(entry) for entry in value.entries]
    if value.tail or None in parts:
        return None
    left, right = "[]" if value.is_list else "{}"
    inside = ", ".join(part for part in parts if part is not None)
    return " ".join(filter(None, (value.anchor, f"{left}{inside}{right}")))


def _inline_entry(entry: Entry) -> str | None:
    value = _inline(entry.value, in_brackets=True)
    if value is None or entry.before or entry.behind:
        return None
    if entry.key is None:
        return value
    if _key(entry) in IN_LINES and isinstance(entry.value, Block) and entry.value.entries:
        return None
    key = _spelled_key(entry.key, in_brackets=True)
    return f"{key} {value}" if value else key.removesuffix(":").rstrip()


# --- the order of keys ---------------------------------------------------------------------------


def _keys_of(model: type[Model]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


ORDERS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        BOT_KEY: _keys_of(BotModel),
        AGENTS_KEY: _keys_of(AgentsModel),
        STEPS_KEY: _keys_of(StepsFileModel),
    }
)
"""The order of the keys at the top, by the key that says what a file is."""


def _sorted_entries(root: Block) -> list[Entry]:
    """Sort the keys of a file, unless that would part a comment or an anchor from its place."""
    keys = {_key(entry) for entry in root.entries}
    order = next((order for kind, order in ORDERS.items() if kind in keys), ())
    commented = root.tail or any(entry.before for entry in root.entries)
    if commented or not keys <= set(order) or _has_anchors(root):
        return root.entries
    first = root.entries[0]
    done = sorted(root.entries, key=lambda entry: order.index(_key(entry)))
    # The empty line below the head of a file stays there.
    blank, first.blank_before = first.blank_before, False
    done[0].blank_before = blank
    return done


def _key(entry: Entry) -> str:
    return entry.key.value if isinstance(entry.key, Text) else ""


def _has_anchors(value: Content | None) -> bool:
    if isinstance(value, Block):
        below = ((entry.key, entry.value) for entry in value.entries)
        return bool(value.anchor) or any(_has_anchors(part) for pair in below for part in pair)
    return isinstance(value, Alias) or (value is not None and bool(value.anchor))


# --- the proof -----------------------------------------------------------------------------------


def refuse_losses(before: str, after: str) -> None:
    """Refuse a layout that loses anything; the order of the keys at the top means nothing.

    Raises:
        FormattingError: saying of what kind it is.
    """
    try:
        old, new = (parse_yaml(text, Problems("")) for text in (before, after))
        same = old is not None and new is not None and _same(old, new, sort=True)
        kept = _notes(before) == _notes(after)
    except SourceError as error:
        raise FormattingError("it could not be read any more if it were laid out") from error
    if not same:
        raise FormattingError("it would not mean the same any more if it were laid out")
    if not kept:
        raise FormattingError("a comment or an anchor would be lost if it were laid out")


def _same(old: Node, new: Node, *, sort: bool = False) -> bool:
    """Whether two nodes mean the same; ``sort``: whatever the order of their keys."""
    if isinstance(old, Scalar) and isinstance(new, Scalar):
        # An empty text in quotes is a text, and one without is nothing.
        return old.text == new.text and (bool(old.text) or bool(old.style) == bool(new.style))
    if isinstance(old, Items) and isinstance(new, Items):
        return len(old.items) == len(new.items) and all(map(_same, old.items, new.items))
    if isinstance(old, Entries) and isinstance(new, Entries):
        keys = [list(node.values) for node in (old, new)]
        if (sorted(keys[0]) != sorted(keys[1])) if sort else (keys[0] != keys[1]):
            return False
        return all(_same(value, new.values[key]) for key, value in old.values.items())
    return False


def _notes(text: str) -> tuple[list[str], list[str | None]]:
    """Give what a text says besides its meaning: comments, and names of anchors in order."""
    named = (yaml.AliasEvent, yaml.ScalarEvent, yaml.CollectionStartEvent)
    anchors = [
        event.anchor for event in yaml.parse(text, Loader=LOADER) if isinstance(event, named)
    ]
    comments = sorted(comment.text for comment in comments_in(text))
    return comments, anchors if any(anchors) else []
