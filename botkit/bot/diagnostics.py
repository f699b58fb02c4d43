"""What is wrong in a file, with its place, and how it is shown to people and to machines."""

from __future__ import annotations

import difflib
import enum
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from botkit.masking import assigned_secrets, without_password
from botkit.workflow_commands import workflow_command

EXCERPT_WIDTH = 120
"""Characters of a source line that are shown around the place."""
LONGEST_LINE = 10_000
"""Characters of a line that has an excerpt."""
MAX_PROBLEMS = 100
"""Problems of one file that are told; whoever has more repairs these first."""


class Severity(enum.Enum):
    """Whether a file can be played in spite of it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file; both count from 1."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        file: as the user named it.
        mark: where; None if it is about the file as a whole.
        message: what is wrong and what to do, one sentence.
        hint: what may have been meant; may be empty.
        source: the line of the file, for the excerpt; may be empty, as for a line with a secret.
    """

    file: str
    mark: Mark | None
    message: str
    severity: Severity = Severity.ERROR
    hint: str = ""
    source: str = ""

    @property
    def text(self) -> str:
        """The message with the hint, one line."""
        whole = f"{self.message}; {self.hint}" if self.hint else self.message
        return " ".join(whole.split())

    def __str__(self) -> str:
        place = f"{self.file}:{self.mark.line}:{self.mark.column}" if self.mark else self.file
        warning = "warning: " if self.severity is Severity.WARNING else ""
        return f"{place}: {warning}{self.text}"


_LAST = Mark(sys.maxsize, 1)


class Problems:
    """Collects what is wrong in one file.

    Attributes:
        file: as the user named it.
        found: the problems, in the order in which they were noticed.
    """

    def __init__(self, file: str, lines: Sequence[str] = ()) -> None:
        self.file = file
        self.found: list[Problem] = []
        self._known: set[tuple[Mark | None, str]] = set()
        self._lines = lines

    def show(self, lines: Sequence[str]) -> None:
        """Give the text of the file, for the problems that follow."""
        self._lines = lines

    def add(
        self,
        mark: Mark | None,
        message: str,
        *,
        hint: str = "",
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Note a problem; the same one at the same place is noted once."""
        if (mark, message) in self._known or self.full:
            return
        self._known.add((mark, message))
        if len(self.found) == MAX_PROBLEMS:
            mark, message, hint = None, f"there are more than {MAX_PROBLEMS} problems", ""
        self.found.append(
            Problem(
                file=self.file,
                mark=mark,
                message=message,
                severity=severity,
                hint=hint,
                source=_unless_secret(self._line(mark)),
            )
        )

    @property
    def full(self) -> bool:
        """So much is wrong that nothing more is noted."""
        return len(self.found) > MAX_PROBLEMS

    def warn(self, mark: Mark | None, message: str, *, hint: str = "") -> None:
        """Note what is no reason to refuse the file."""
        self.add(mark, message, hint=hint, severity=Severity.WARNING)

    def begin_of(self, line: int) -> Mark:
        """Give the place of the first character of a line that is no space."""
        text = self._line(Mark(line))
        return Mark(line, len(text) - len(text.lstrip()) + 1 if text.strip() else 1)

    @property
    def has_errors(self) -> bool:
        """Whether anything was found that forbids to play the file."""
        return any(problem.severity is Severity.ERROR for problem in self.found)

    def sorted(self) -> list[Problem]:
        """Give the problems in the order of their places."""
        return sorted(self.found, key=lambda problem: problem.mark or _LAST)

    def _line(self, mark: Mark | None) -> str:
        return self._lines[mark.line - 1] if mark and mark.line <= len(self._lines) else ""


def _unless_secret(line: str) -> str:
    """Give a line that people may see; problems are pasted into tickets and logs of builds."""
    if len(line) > LONGEST_LINE or any(assigned_secrets(line)) or without_password(line) != line:
        return ""
    return line


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Offer the known word that is closest; empty if none is close."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def format_text(problem: Problem) -> str:
    """Show a problem to a person: its line, and below it the source with a caret."""
    if problem.mark is None or not problem.source.strip():
        return str(problem)
    begin = max(0, problem.mark.column - 1 - EXCERPT_WIDTH // 2)
    source = problem.source[begin : begin + EXCERPT_WIDTH]
    before = source[: problem.mark.column - 1 - begin]
    # Tabs stay, so that the caret stands below its character whatever their width.
    indent = "".join(c if c == "\t" else " " for c in before)
    return f"{problem}\n    {_printable(source)}\n    {indent}^"


def format_github(problem: Problem) -> str:
    """Write a problem as an annotation of GitHub's workflows."""
    properties = {"file": problem.file}
    if problem.mark is not None:
        properties |= {"line": str(problem.mark.line), "col": str(problem.mark.column)}
    return workflow_command(problem.severity.value, problem.text, **properties)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else "?" for c in text)
