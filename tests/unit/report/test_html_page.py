from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from botkit.chat import PartyKind, Row
from botkit.report.html_page import HtmlReporter, page, shown
from botkit.results import RunResult, Verdict

VOID = {"meta", "input", "path"}


class Read(HTMLParser):
    """The tags of a page, its text, and the text by the class of what it stands in."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[tuple[str, str]] = []
        self.by_class: dict[str, list[str]] = {}
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1][1]:
            self.by_class.setdefault(self.open[-1][1], []).append(data)


def test_a_failure_names_step_expected_and_received(
    tmp_path: Path, make_journey: Any, make_run: Any
) -> None:
    file = tmp_path / "page.html"
    HtmlReporter(file).run_finished(make_run(make_journey()))
    read = Read(file.read_text("utf-8"))
    assert read.open == []
    assert read.by_class["step"] == [
        'bots/support.yaml:17: expect a message containing "case number"'
    ]
    assert read.by_class["expected"] == ['a message containing "case number"']
    assert read.by_class["received"] == ['Grace: hello (does not contain "case number")']


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x onerror=a()>'])
def test_what_was_said_is_never_markup(hostile: str, make_journey: Any, make_run: Any) -> None:
    row = Row(at=101.0, who=hostile, kind="message", text=hostile, party=PartyKind.AGENT)
    step = replace(make_journey().step, text=hostile, expected=hostile, received=(hostile,))
    journey = make_journey(
        name=hostile, message=hostile, step=step, steps=(step,), transcript=(row,), notes=(hostile,)
    )
    plain = Read(page(make_run(make_journey(transcript=(row,), notes=("a",)))))
    read = Read(page(make_run(journey, faults=(hostile,))))
    assert {tag for tag, _ in read.tags} == {tag for tag, _ in plain.tags}
    assert not [name for _, attrs in read.tags for name in attrs if name.startswith("on")]
    assert read.by_class["received"] == [hostile]


def test_the_page_loads_nothing_and_its_policy_admits_its_style(make_run: Any) -> None:
    source = page(make_run())
    assert not {"href", "src"} & {name for _, attrs in Read(source).tags for name in attrs}
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'"
    assert [a["content"] for _, a in Read(source).tags if "http-equiv" in a] == [policy]


def test_what_cannot_be_seen_is_shown_as_escapes() -> None:
    assert shown("a\x00b\u202ec\ud800") == r"a\u{0}b\u{202e}c\u{d800}"


def test_a_long_text_is_cut_and_says_so() -> None:
    assert shown("x" * 100_000) == "x" * 600 + "... (99400 more characters)"


def hundred(make_journey: Any, make_run: Any, *, rows: int, text: str) -> RunResult:
    journey = make_journey()
    transcript = tuple(
        Row(at=100 + i / 100, who="Grace", kind="message", text=text, party=PartyKind.AGENT, seq=i)
        for i in range(rows)
    )
    steps = tuple(replace(journey.step, number=i, started=i / 10) for i in range(rows // 2))
    run: RunResult = make_run(*[replace(journey, transcript=transcript, steps=steps)] * 100)
    return run


@pytest.mark.parametrize("rows", [20, 60])
def test_a_hundred_journeys_are_under_a_megabyte(
    rows: int, make_journey: Any, make_run: Any
) -> None:
    run = hundred(make_journey, make_run, rows=rows, text="Your case number is 4711. " * 2)
    assert len(page(run).encode()) < 1_000_000


def test_each_verdict_can_be_filtered(make_journey: Any, make_run: Any) -> None:
    source = page(make_run(*(make_journey(verdict) for verdict in Verdict)))
    offered = {a.get("id") for tag, a in Read(source).tags if tag == "input"}
    assert offered == {"show-all", *(f"show-{verdict.value}" for verdict in Verdict)}
    for verdict in Verdict:
        assert f"#show-{verdict.value}:checked) article:not(.{verdict.value})" in source


def test_a_line_stands_beside_the_step_that_waited(make_journey: Any, make_run: Any) -> None:
    row = Row(at=130.0, who="Grace", kind="message", text="too late", party=PartyKind.AGENT)
    journey = make_journey(transcript=(*make_journey().transcript, row))
    items = page(make_run(journey)).split("<li>")[1:]
    assert ["hello" in item for item in items] == [True, False]
    assert "too late" in items[1]
    assert "after the last step" in items[1]
