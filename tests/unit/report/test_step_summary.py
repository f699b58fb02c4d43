from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from botkit.report.step_summary import MAX_SUMMARY, StepSummaryReporter, summary
from botkit.results import Verdict

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OF_THE_PAGE = {"h3", "ul", "li", "p", "table", "thead", "tbody", "tr", "th", "td"}
FOLDED = {"details", "summary", "pre"}


class Seen(HTMLParser):
    """Counts the elements of a page and keeps its cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert all(name == "style" for name, _ in attrs)
        self.tags.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def test_a_table_with_the_worst_first_and_what_failed_folded(
    make_journey: Any, make_run: Any
) -> None:
    run = make_run(make_journey(Verdict.PASSED, name="fine"), make_journey(), faults=("no *disk*",))
    seen = Seen(MARKDOWN.render(summary(run)))
    assert set(seen.tags) <= OF_THE_PAGE | FOLDED
    assert [seen.tags.count(tag) for tag in ("tr", "td", "li", "details", "pre")] == [
        3,
        10,
        1,
        1,
        1,
    ]
    assert [cell.strip() for cell in seen.cells[:5]] == [
        "failed",
        "support[gold]",
        "timeout: no such message within 10 s",
        'bots/support.yaml:17: expect a message containing "case number"',
        "12.3 s",
    ]
    assert "Grace: hello" in seen.cells[-1]


HOSTILE = st.one_of(
    st.sampled_from(
        [
            "::error::x",
            "a | b \\| c",
            "`code` ```\n# head",
            "</pre></details><script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "[click](http://evil.example) ![x](y)",
            "&lt;b&gt; &#124; &amp;",
            "\n\n| - | - |\n\n---\n> quote\n- item\n1. one",
            "_:_ *a* _b_ ~~c~~ <!-- d --> $e$",
        ]
    ),
    st.text(alphabet="|`<>\\*_~[]()!#-+=&;:/\n\r abc", max_size=60),
    st.text(max_size=60),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=HOSTILE, name=HOSTILE)
def test_no_text_means_anything(said: str, name: str, make_journey: Any, make_run: Any) -> None:
    journey = make_journey(name=name, message=said, title=said, notes=(said,))
    rows = tuple(replace(row, text=said, who=name) for row in journey.transcript)
    step = replace(journey.step, text=said, received=(said,), file=name)
    run = make_run(replace(journey, transcript=rows, step=step), faults=(said,))
    seen = Seen(MARKDOWN.render(summary(run)))
    assert set(seen.tags) <= OF_THE_PAGE | FOLDED
    assert [seen.tags.count(tag) for tag in ("tr", "td", "details", "pre")] == [2, 5, 1, 1]


def test_what_has_no_room_is_counted(make_journey: Any, make_run: Any) -> None:
    run = make_run(*(make_journey(name=f"journey {n}") for n in range(300)))
    text = summary(run, 10_000)
    assert len(text.encode()) <= 10_000
    shown = text.count("| failed | ")
    assert f"... and {300 - shown} more, which have no room here" in text
    assert summary(run, 100) == ""


def test_it_is_appended_as_long_as_a_step_has_room(
    tmp_path: Path, make_journey: Any, make_run: Any
) -> None:
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    StepSummaryReporter(file).run_finished(make_run(make_journey()))
    written = file.read_text()
    assert written == "before\n" + summary(make_run(make_journey()))
    file.write_bytes(b"x" * (MAX_SUMMARY - 300))
    StepSummaryReporter(file).run_finished(make_run(make_journey()))
    assert file.stat().st_size <= MAX_SUMMARY


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, make_run: Any) -> None:
    with pytest.raises(OSError, match="no-such"):
        StepSummaryReporter(tmp_path / "no-such" / "summary.md").run_finished(make_run())
