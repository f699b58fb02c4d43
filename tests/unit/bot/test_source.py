"""From text to nodes with places, and what is refused on the way."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.bot.diagnostics import Mark, Problems
from botkit.bot.source import (
    Document,
    Entries,
    Node,
    Scalar,
    SourceError,
    find,
    find_key,
    get,
    load_document,
    parse_yaml,
    plain,
    read_text,
    scalars,
    split_lines,
)


def parse(text: str) -> Node:
    problems = Problems("f", split_lines(text))
    root = parse_yaml(text, problems)
    assert root is not None
    assert problems.found == []
    return root


@pytest.mark.parametrize(
    "spelling",
    [
        "yes",
        "no",
        "on",
        "1.10",
        "12:30",
        "007",
        "0x1F",
        "null",
        "~",
        "2025-01-31",
        "1e3",
        "=",
        "é😀",
    ],
)
def test_scalars_keep_their_spelling(spelling: str) -> None:
    assert plain(parse(f"say: {spelling}")) == {"say": spelling}


def test_nothing_is_an_empty_text() -> None:
    assert plain(parse("a:\nb: ''")) == {"a": "", "b": ""}


def test_anchors_are_allowed() -> None:
    assert plain(parse("a: &x [1, 2]\nb: *x")) == {"a": ["1", "2"], "b": ["1", "2"]}


def test_nodes_know_their_places() -> None:
    root = parse("steps:\n  - say: é hello\n    typing: {a: b}\n")

    assert find(root, ("steps", 0)).mark == Mark(2, 5)
    assert find(root, ("steps", 0, "say")).mark == Mark(2, 10)
    assert find_key(root, ("steps", 0, "typing")) == Mark(3, 5)
    assert find_key(root, ("steps", 0, "nothing")) == Mark(2, 5)
    assert get(root, ("steps", 1)) is None
    assert get(root, ("steps", 0, "say", 0)) is None
    assert [scalar.text for scalar in scalars(root)] == ["é hello", "b"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("say: ab ${x}", Mark(1, 9)),
        ("say: 'ab ${x}'", Mark(1, 10)),
        ('say: "ab ${x}"', Mark(1, 10)),
        ("say: |\n  ab\n  c ${x}\n", Mark(3, 5)),
        ("say: |-\n    ${x}\n", Mark(2, 5)),
        ('say: "\\tab ${x}"', Mark(1, 6)),
        ("say: >\n  ab\n  c ${x}\n", Mark(1, 6)),
        ("say: ab\n  c ${x}\n", Mark(1, 6)),
    ],
)
def test_place_in_a_text_is_found_or_its_beginning_is_taken(text: str, place: Mark) -> None:
    root = parse(text)
    scalar = find(root, ("say",))
    assert isinstance(scalar, Scalar)
    document = Document(file="f", lines=split_lines(text), root=root)

    assert document.place_in(scalar, scalar.text.index("${")) == place


def test_windows_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: b\r\nc: d\r\n")
    document = load_document(file, {})

    assert document is not None
    assert plain(document.root) == {"a": "b", "c": "d"}
    assert find(document.root, ("c",)).mark == Mark(2, 4)


@pytest.mark.parametrize(
    ("content", "message", "mark"),
    [
        (b"a: \x00", "binary file", Mark(1, 1)),
        (b"\x89PNG\r\n\x1a\n\x00", "binary file", Mark(1, 1)),
        (b"a: b\nc: \xff", "the byte 0xff is no UTF-8", Mark(2, 4)),
        (b"a" * 1_000_001, "larger than 1,000,000 bytes", None),
    ],
)
def test_what_is_no_text(tmp_path: Path, content: bytes, message: str, mark: Mark | None) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(content)

    with pytest.raises(SourceError) as caught:
        read_text(file)
    assert message in caught.value.message
    assert caught.value.mark == mark


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.yaml", "there is no such file"),
        (".", "this is a directory"),
        ("/dev/null", "no ordinary file"),
        ("a\0b", "cannot be read"),
        ("x" * 5000, "cannot be read"),
    ],
)
def test_what_is_no_file(tmp_path: Path, path: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_text(tmp_path / path)


def trees() -> st.SearchStrategy[str]:
    """YAML out of its own building blocks, mostly wrong."""
    pieces = st.sampled_from(
        ["a", "b: ", ": ", "- ", "[", "]", "{", "}", ", ", "\n", "  ", "&x ", "*x", "!t ", "'", '"']
        + ["|", ">", "#", "? ", "<<: ", "---\n", "...\n", "%YAML", "\t", "${", "}", "@", "\\", "é"]
    )
    return st.lists(pieces, max_size=60).map("".join)


@settings(deadline=None)
@given(st.one_of(st.text(), trees()))
def test_any_text_is_a_node_or_a_problem_with_a_place(text: str) -> None:
    lines = split_lines(text)
    problems = Problems("f", lines)
    try:
        parse_yaml(text, problems)
    except SourceError as error:
        problems.add(error.mark, error.message)
    for problem in problems.found:
        assert problem.mark is not None
        assert 1 <= problem.mark.line <= len(lines)


def test_wide_mapping_with_one_key_is_refused_quickly() -> None:
    problems = Problems("f")

    with pytest.raises(SourceError, match="more than 50,000 values"):
        parse_yaml("{" + "a: b, " * 100_000, problems)
    assert len(problems.found) == 101


def test_entries_without_order_lost() -> None:
    root = parse("b: 1\na: 2")
    assert isinstance(root, Entries)
    assert list(root.values) == ["b", "a"]
