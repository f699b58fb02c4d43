"""Rows out of files."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botkit.bot.data import Table, load_table
from botkit.bot.diagnostics import Problems


def load(directory: Path, name: str, content: str | bytes) -> tuple[Table | None, list[str]]:
    file = directory / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    problems: dict[str, Problems] = {}
    table = load_table(file, problems)
    found = [str(problem) for told in problems.values() for problem in told.sorted()]
    return table, [text.removeprefix(f"{file}:").strip() for text in found]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "name,no\nAda,007\n\nBob,1.10\n"),
        ("a.csv", "\ufeffname;no\r\nAda;007\r\nBob;1.10\r\n"),
        ("a.CSV", 'name\tno\n"Ada"\t007\nBob\t1.10'),
        ("a.json", '[{"name": "Ada", "no": "007"}, {"name": "Bob", "no": 1.10}]'),
        ("a.yaml", "- {name: Ada, no: 007}\n- {name: Bob, no: 1.10}\n"),
        ("a.yml", "- name: Ada\n  no: 007\n- name: Bob\n  no: 1.10\n"),
    ],
)
def test_rows_keep_the_spelling_of_their_cells(tmp_path: Path, name: str, content: str) -> None:
    table, problems = load(tmp_path, name, content)

    assert problems == []
    assert table is not None
    assert table.columns == {"name", "no"}
    assert [dict(row) for row in table.rows] == [
        {"name": "Ada", "no": "007"},
        {"name": "Bob", "no": "1.10"},
    ]


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("a.csv", 'a,b\n"one\ntwo",x\n\n3,4\n', (2, 5)),
        ("a.json", '\n[ {"a": "[1,\\n"},\n\n{"a":\n2}\n,{"a": 3} ]\n', (2, 4, 6)),
        ("a.yaml", "# first\n- {a: 1}\n\n- a: 2\n", (2, 4)),
    ],
)
def test_each_row_knows_its_line(
    tmp_path: Path, name: str, content: str, lines: tuple[int, ...]
) -> None:
    table, problems = load(tmp_path, name, content)

    assert problems == []
    assert table is not None
    assert (table.file, table.lines) == (str(tmp_path / name), lines)


def test_words_of_json_are_texts(tmp_path: Path) -> None:
    table, _ = load(tmp_path, "a.json", '[{"a": true, "b": null, "c": 12}]')

    assert table is not None
    assert dict(table.rows[0]) == {"a": "true", "b": "", "c": "12"}


def test_cell_may_span_lines(tmp_path: Path) -> None:
    table, _ = load(tmp_path, "a.csv", 'a,b\n"one\ntwo",x\n')

    assert table is not None
    assert table.rows[0]["a"] == "one\ntwo"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "", "1:1: there are no rows in these data"),
        ("a.csv", "a,b\n", "1:1: there are no rows in these data"),
        ("a.csv", "a,b\n1,2\n3\n", "3:1: 1 cells in a table of 2 columns"),
        ("a.csv", 'a,b\n"x\ny",2\n3\n', "4:1: 1 cells in a table of 2 columns"),
        ("a.csv", "a,a\n1,2\n", "1:1: the column 'a' is there twice"),
        ("a.csv", "a,\n1,2\n", "1:1: a column has no name"),
        ("a.csv", 'a\n"x"y\n', "2:1: this is no CSV: ',' expected after '\"'"),
        ("a.csv", b"a\n\xff\n", "2:1: the byte 0xff is no UTF-8; save the file as UTF-8"),
        ("a.json", "[{", "1:3: this is no JSON: Expecting property name enclosed in double quotes"),
        ("a.json", "{}", "1:1: data in JSON are a list of objects, one for each row"),
        ("a.json", "[" * 100_000, "1:1: these data are nested too deeply"),
        ("a.json", '[{"a": [1]}]', "1:2: row 1 is no object of texts and numbers"),
        ("a.json", '[{"a": 1}, {"b": 1}]', "1:12: row 2 lacks the column 'a'"),
        ("a.json", '[{"a": 1},\n {"a": 1, "b": 1}]', "2:2: row 2 alone has the column 'b'"),
        ("a.yaml", "a: b\n", "1:1: data in YAML are a list of mappings, one for each row"),
        ("a.yaml", "- {a: 1}\n- {a: [1]}\n", "2:3: a row is a mapping from columns to texts"),
        ("a.yaml", "- {a: 1}\n- {b: 1}\n", "2:3: row 2 lacks the column 'a'"),
        ("a.xml", "<a/>", "data come from files that end with .csv, .json, .yaml, .yml"),
    ],
)
def test_wrong_data_are_told_of(
    tmp_path: Path, name: str, content: str | bytes, expected: str
) -> None:
    table, problems = load(tmp_path, name, content)

    assert table is None
    assert expected in problems


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["a.csv", "a.json", "a.yaml"]),
    content=st.binary() | st.text('a,;"\n[]{}:- 1\t\r').map(str.encode),
)
def test_any_content_is_a_table_or_a_problem(tmp_path: Path, name: str, content: bytes) -> None:
    table, problems = load(tmp_path, name, content)

    assert (table is None) == bool(problems)
