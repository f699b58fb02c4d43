"""The rows that a bot is played with: from CSV, JSON or YAML files, or written in the bot's file.

A row maps columns to texts. Numbers keep their spelling, true and false are words, null is empty.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from botkit.bot.diagnostics import Mark, Problems
from botkit.bot.source import (
    Entries,
    Items,
    Node,
    Scalar,
    SourceError,
    parse_yaml,
    read_text,
    split_lines,
)

MAX_BYTES = 20_000_000
MAX_ROWS = 100_000
DELIMITERS = ",;\t"

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows that all have the same columns.

    Attributes:
        file: where the rows are written.
        lines: where in it each row begins, from 1.
    """

    columns: frozenset[str]
    rows: tuple[Row, ...]
    file: str
    lines: tuple[int, ...]


def make_table(
    rows: Sequence[tuple[Mark, Row]], problems: Problems, mark: Mark | None = None
) -> Table | None:
    """Put rows together.

    Args:
        rows: each with its place in the file.
        problems: takes what is wrong with them.
        mark: where the rows begin, if they are a part of a file.

    Returns:
        The table; None if something is wrong.
    """
    if not rows:
        problems.add(mark or Mark(), "there are no rows in these data")
        return None
    if len(rows) > MAX_ROWS:
        problems.add(None, f"there are {len(rows):,} rows; {MAX_ROWS:,} are accepted")
        return None
    columns = list(rows[0][1])
    complete = True
    for number, (place, row) in enumerate(rows, 1):
        if row.keys() != rows[0][1].keys():
            complete = False
            wrong = [c for c in columns if c not in row] or [c for c in row if c not in columns]
            verb = "lacks" if wrong[0] in columns else "alone has"
            problems.add(place, f"row {number} {verb} the column {wrong[0]!r}")
    if not complete:
        return None
    frozen = tuple(MappingProxyType(dict(row)) for _, row in rows)
    lines = tuple(place.line for place, _ in rows)
    return Table(columns=frozenset(columns), rows=frozen, file=problems.file, lines=lines)


def load_table(path: Path, problems_of: dict[str, Problems]) -> Table | None:
    """Read a file of data.

    Args:
        path: where it is; its ending says what it holds.
        problems_of: is given the file's problems, by its name.
    """
    problems = problems_of[str(path)] = Problems(str(path))
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        problems.add(None, f"data come from files that end with {', '.join(READERS)}")
        return None
    try:
        text = read_text(path, limit=MAX_BYTES)
        problems.show(split_lines(text))
        rows = reader(text, problems)
    except SourceError as error:
        problems.add(error.mark, error.message, hint=error.hint)
        return None
    return make_table(rows, problems) if rows is not None else None


Rows = list[tuple[Mark, Row]]


def _read_csv(text: str, problems: Problems) -> Rows | None:
    header, _, _ = text.partition("\n")
    delimiter = max(DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: Rows = []
    columns: list[str] = []
    begin = 1
    try:
        for cells in reader:
            if not columns:
                columns = [cell.strip() for cell in cells]
                _check_columns(columns, problems)
            elif cells:
                if len(cells) != len(columns):
                    message = f"{len(cells)} cells in a table of {len(columns)} columns"
                    problems.add(Mark(begin, 1), message)
                rows.append((Mark(begin, 1), dict(zip(columns, cells, strict=False))))
            begin = reader.line_num + 1
    except csv.Error as error:
        problems.add(Mark(max(reader.line_num, 1), 1), f"this is no CSV: {error}")
    return None if problems.found else rows


def _check_columns(columns: Sequence[str], problems: Problems) -> None:
    for column in columns:
        if not column:
            problems.add(Mark(), "a column has no name")
        elif columns.count(column) > 1:
            problems.add(Mark(), f"the column {column!r} is there twice")


def _read_json(text: str, problems: Problems) -> Rows | None:
    try:
        content = json.loads(text, parse_float=str, parse_int=str)
    except json.JSONDecodeError as error:
        problems.add(Mark(error.lineno, error.colno), f"this is no JSON: {error.msg}")
        return None
    except RecursionError:
        problems.add(Mark(), "these data are nested too deeply")
        return None
    if not isinstance(content, list):
        problems.add(Mark(), "data in JSON are a list of objects, one for each row")
        return None
    rows: Rows = []
    for number, (mark, item) in enumerate(zip(_json_marks(text), content, strict=True), 1):
        if not isinstance(item, dict) or any(isinstance(v, list | dict) for v in item.values()):
            problems.add(mark, f"row {number} is no object of texts and numbers")
            return None
        rows.append((mark, {key: _json_cell(value) for key, value in item.items()}))
    return rows


def _json_marks(text: str) -> list[Mark]:
    """Tell where the items of a valid list begin."""
    decoder, marks, end = json.JSONDecoder(), [], text.index("[") + 1
    line, line_begin, counted = 1, 0, 0
    while text[begin := end_of_blank(text, end)] != "]":
        line += text.count("\n", counted, begin)
        line_begin = max(line_begin, text.rfind("\n", counted, begin) + 1)
        marks.append(Mark(line, begin - line_begin + 1))
        counted = begin
        _, end = decoder.raw_decode(text, begin)
    return marks


def end_of_blank(text: str, position: int) -> int:
    """Skip what JSON has between the items of a list."""
    while text[position] in " \t\r\n,":
        position += 1
    return position


def _json_cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _read_yaml(text: str, problems: Problems) -> Rows | None:
    root = parse_yaml(text, problems)
    if root is None:
        return []
    if not isinstance(root, Items):
        problems.add(root.mark, "data in YAML are a list of mappings, one for each row")
        return None
    return rows_of(root, problems)


def rows_of(node: Items, problems: Problems) -> Rows | None:
    """Read the rows of a list of mappings."""
    rows: Rows = []
    for item in node.items:
        row = _row_of(item)
        if row is None:
            problems.add(item.mark, "a row is a mapping from columns to texts")
            return None
        rows.append((item.mark, row))
    return rows


def _row_of(node: Node) -> Row | None:
    if not isinstance(node, Entries):
        return None
    row = {k: value.text for k, value in node.values.items() if isinstance(value, Scalar)}
    return row if len(row) == len(node.values) else None


READERS: Mapping[str, Callable[[str, Problems], Rows | None]] = MappingProxyType(
    {".csv": _read_csv, ".json": _read_json, ".yaml": _read_yaml, ".yml": _read_yaml}
)
"""What reads data, by the ending of the file's name."""
