"""Prints the fault matrix as Markdown: ``python tests/matrix/show.py``.

The part of the README between the two marks is this very text, and ``test_document.py`` sees to it;
``--write`` puts it there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from fault_table import SECTIONS
from matrix_model import COLUMNS, Cell, NotHere, Row
from network_rows import NETWORK_SECTIONS, Ending, Network

from botkit.results import Reason, Verdict

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- begin: python tests/matrix/show.py -->", "<!-- end -->"
ABSENT = "n/a"


def table() -> str:
    """Write all rows, section by section, with what is to be known about them below each."""
    lines = ["## Faults of the service\n"]
    for title, rows in SECTIONS.items():
        lines += section(title, rows)
    lines.append("## Bad networks\n")
    for title, networks in NETWORK_SECTIONS.items():
        lines += section(title, networks)
    return "\n".join(lines)


def section(title: str, rows: Sequence[Row | Network]) -> Iterator[str]:
    notes: list[str] = []
    yield f"### {title}\n"
    yield "| fault | " + " | ".join(column.title for column in COLUMNS) + " |"
    yield "|---" * (len(COLUMNS) + 1) + "|"
    for row in rows:
        cells = (shown(row.cells[column.key], notes) for column in COLUMNS)
        yield f"| {row.what} | " + " | ".join(cells) + " |"
    yield ""
    yield from (f"{number}. {note}" for number, note in enumerate(notes, 1))
    yield ""


def shown(cell: Cell | Ending | NotHere, notes: list[str]) -> str:
    """Write a cell, and point to its note."""
    text = ABSENT if isinstance(cell, NotHere) else "; ".join(outcome(cell))
    return f"{text} ({note_of(cell.why, notes)})" if cell.why else text


def note_of(why: str, notes: list[str]) -> int:
    if why not in notes:
        notes.append(why)
    return notes.index(why) + 1


def outcome(cell: Cell | Ending) -> Iterator[str]:
    """Say how a journey ends, and what the service and plugins see of the fault."""
    reason = "" if cell.reason is Reason.OK else f" `{cell.reason.value}`"
    yield f"**{cell.verdict.value}**{reason} {int(cell.code)}"
    if isinstance(cell, Cell):
        yield from details(cell)
    else:
        yield f"within {cell.within:g} s"


def details(cell: Cell) -> Iterator[str]:
    yield from connection(cell)
    if cell.verdict is Verdict.PASSED and cell.handshakes:
        yield f"{cell.handshakes} handshake{'s' if cell.handshakes > 1 else ''}"
    if cell.verdict is Verdict.PASSED and cell.rebinds:
        yield f"{cell.rebinds} re-bind"
    if cell.not_left:
        yield "chat not left"


def connection(cell: Cell) -> Iterator[str]:
    if cell.interrupted is None:
        yield "lost more than once" if cell.verdict is not Verdict.PASSED else "lost and back"
    elif cell.interrupted and cell.continued == cell.interrupted:
        yield "lost and back once"
    elif cell.interrupted:
        yield "lost once"


def page(text: str) -> str:
    """Put the tables into a page, between its marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n\n{table()}\n{end}{after}"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        README.write_text(page(README.read_text()))
    else:
        print(table())
