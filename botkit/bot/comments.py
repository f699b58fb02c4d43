"""The comments of a YAML text, which its parser passes over."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import yaml

from botkit.bot.source import LOADER, split_lines

BLOCK_STYLES = ("|", ">")
"""Of texts that go on for lines, below a sign."""

_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n]*", re.MULTILINE)


@dataclass(slots=True, kw_only=True)
class Comment:
    """A comment, from its ``#`` on.

    Attributes:
        begin: where it begins.
        column: how far to the right it begins, from 0.
        after: where the content before it ends, a comma left out.
        alone: there is nothing before it on its line.
        blank_before: there is an empty line above it.
    """

    text: str
    begin: int
    column: int
    after: int
    alone: bool
    blank_before: bool


def comments_in(text: str) -> list[Comment]:
    """Give all comments of a text, in order."""
    return list(CommentedText(text).comments())


class CommentedText:
    """A text, where its lines are, and the comments in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = split_lines(text)
        self._starts = list(accumulate((len(line) + 1 for line in self._lines), initial=0))

    def offset(self, mark: Any) -> int:
        """Find a mark of the parser, which may point behind the last line."""
        line: int = mark.line
        column: int = mark.column
        return min(self._starts[min(line, len(self._lines))] + column, len(self.text))

    def is_blank_above(self, offset: int) -> bool:
        """Whether the line above the one of a character is empty."""
        line = bisect_right(self._starts, offset) - 1
        return line > 0 and not self._lines[line - 1].strip()

    def comments(self) -> Iterator[Comment]:
        """Walk over the comments: they stand between what the parser makes something of."""
        end = after = 0
        for token in yaml.scan(self.text, Loader=LOADER):
            begin = self.offset(token.start_mark)
            yield from self._comments_between(end, begin, after)
            if isinstance(token, yaml.ScalarToken) and token.style in BLOCK_STYLES:
                # The comment behind the sign of a block of text is within its token.
                line_end = self.text.find("\n", begin)
                first_line = begin, line_end if line_end >= 0 else len(self.text)
                yield from self._comments_between(*first_line, after=begin)
            end = max(end, self.offset(token.end_mark))
            if begin < end and not isinstance(token, yaml.FlowEntryToken):
                after = end
        yield from self._comments_between(end, len(self.text), after)

    def _comments_between(self, begin: int, end: int, after: int) -> Iterator[Comment]:
        for found in _COMMENT.finditer(self.text, begin, max(begin, end)):
            left = self.text[self.text.rfind("\n", 0, found.start()) + 1 : found.start()]
            yield Comment(
                text=found[0].rstrip(),
                begin=found.start(),
                column=len(left),
                after=after,
                alone=not left.strip(),
                blank_before=self.is_blank_above(found.start()),
            )
