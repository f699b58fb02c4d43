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
from botkit.report.html_page import MAX_CAPTURED, MAX_FRAMES, HtmlReporter, page, readable, shown
from botkit.results import Frame, JourneyResult, Verdict

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


def test_what_was_captured_is_shown_up_to_a_bound(make_journey: Any, make_run: Any) -> None:
    source = page(make_run(make_journey()))
    assert "<dt>case_no</dt><dd>CAS-000123</dd>" in source
    many = page(make_run(make_journey(captured={f"v{n}": "<b>" for n in range(40)})))
    assert many.count("&lt;b&gt;") == MAX_CAPTURED
    assert "and 10 more" in many
    assert "Captured" not in page(make_run(make_journey(captured={})))


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


LINES = (
    "Hello, how can I help you today?",
    "Please close my order A-4711, it was never delivered to me.",
    "One moment please, I am looking that up for you. It may take a minute.",
    "Thank you for waiting. Your case number is CAS-000123, is there anything else?",
)


def realistic(make_journey: Any, verdict: Verdict, *, steps: int, frames: int) -> JourneyResult:
    """Make a journey of some steps, with a line for each and frames."""
    base = make_journey()
    rows = tuple(
        Row(
            at=100 + number,
            who="Ada" if number % 2 else "Grace",
            kind="message",
            text=LINES[number % 4],
            party=PartyKind.CUSTOMER if number % 2 else PartyKind.AGENT,
            seq=number,
        )
        for number in range(steps + 4)
    )
    done = tuple(
        replace(
            base.step,
            number=number,
            path=f"steps[{number}]",
            verdict=Verdict.PASSED,
            started=float(number),
            duration=0.9,
            seq=None if number % 2 else number,
            took=None if number % 2 else str(rows[number]),
            expected="" if number % 2 else base.step.expected,
            received=(),
        )
        for number in range(steps)
    )
    wire = tuple(
        Frame(at=number / 10, direction="received", what="200", text=f'{{"text":"{LINES[1]}"}}' * 9)
        for number in range(frames)
    )
    if verdict is Verdict.PASSED:
        return make_journey(verdict, steps=done, transcript=rows, frames=wire)
    return make_journey(steps=(*done, base.step), transcript=rows, frames=wire)


def test_a_hundred_realistic_journeys_are_whole_and_under_a_megabyte(
    make_journey: Any, make_run: Any
) -> None:
    passed = realistic(make_journey, Verdict.PASSED, steps=10, frames=60)
    failed = realistic(make_journey, Verdict.FAILED, steps=10, frames=60)
    source = page(make_run(*[passed] * 90, *[failed] * 10))
    assert len(source.encode()) < 1_000_000
    assert "earlier steps and lines are not shown" not in source
    assert source.count('<p class="bubble') == 100 * 14
    # All is folded but the picture of what went wrong.
    assert source.count("<details open>") == 10


def test_of_a_hundred_long_journeys_the_page_shows_what_fits(
    make_journey: Any, make_run: Any
) -> None:
    journey = realistic(make_journey, Verdict.FAILED, steps=60, frames=500)
    source = page(make_run(*[journey] * 100))
    assert len(source.encode()) < 1_000_000
    assert source.count("earlier steps and lines are not shown") == 100


def test_the_wire_is_folded_and_bounded(make_journey: Any, make_run: Any) -> None:
    source = page(make_run(realistic(make_journey, Verdict.FAILED, steps=1, frames=500)))
    assert "500 frames" in source
    assert f"The latest {MAX_FRAMES} are shown." in source
    assert source.count("<code>") == MAX_FRAMES + 1
    before, _, wire = source.partition('<ol class="wire">')
    assert before.count("<details") > before.count("</details>")
    assert wire.count('<li class="received">') == MAX_FRAMES


def test_what_was_measured_is_told(make_journey: Any, make_run: Any) -> None:
    assert "<b>Measured</b> first_reply 0.25 s" in page(make_run(make_journey()))


def test_quotes_stand_as_they_are_between_tags_and_nothing_else_does() -> None:
    assert readable("""<b> & "it's" """) == """&lt;b&gt; &amp; "it's" """


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
