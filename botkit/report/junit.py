"""The JUnit file: one run in the XML that CI servers read (xunit2).

Each journey is a test suite of one test case: Jenkins' schema gives properties to suites alone,
and every journey has its own (where it ran, why it ended, what was measured).

=========== ====================================================================================
verdict     in the file
=========== ====================================================================================
passed      a test case
degraded    a test case, with the properties ``verdict`` and ``reason``
failed      ``<failure>``
error       ``<error>``
cancelled   ``<error>``
skipped     ``<skipped>``
=========== ====================================================================================

What broke outside of any journey (a reporter, say) is a suite ``botkit`` of its own, with an
``<error>``: a CI server that reads only this file must not see it green.

A file that belongs to a journey stands in its ``<system-out>`` as ``[[ATTACHMENT|path]]``, in a
line of its own. A CI server takes any file that is named so from where the tests ran, so nothing
that a chat said may look like it.

Source: Jenkins xunit plugin, ``junit-10.xsd``; Jenkins JUnit Attachments plugin, README (its code
takes a path that is not absolute from the workspace); GitLab, "Unit test reports" (paths from the
root of the project, and the first of a test case alone).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from botkit.interfaces import Reporter
from botkit.report.evidence import because, evidence, whereabouts
from botkit.report.files import write_whole
from botkit.report.rounding import rounded
from botkit.report.text import xml_text
from botkit.results import JourneyResult, RunResult, Verdict

OUTCOME = {
    Verdict.FAILED: "failure",
    Verdict.ERROR: "error",
    Verdict.CANCELLED: "error",
    Verdict.SKIPPED: "skipped",
}
"""The element that says an outcome; a test case without any has passed."""

MAX_ROWS = 1_000
"""Rows of a transcript; the JSON file has them all."""

ATTACHMENT = re.compile(r"\[(?=\[ATTACHMENT\|)", re.IGNORECASE)

Attach = Callable[[RunResult, JourneyResult], Path | None]
"""Writes a file that belongs to a journey, and says where; None if there is none."""


class JUnitReporter(Reporter):
    """Writes a JUnit file when a run is over.

    Args:
        path: the file; it is replaced whole.
        attach: writes what belongs to a journey; None for nothing.
    """

    def __init__(self, path: Path, attach: Attach | None = None) -> None:
        self._path = path
        self._attach = attach or _nothing

    def run_finished(self, run: RunResult) -> None:
        """Write the file, and those that belong to it.

        Raises:
            OSError: one could not be written.
        """
        root = document(run, self._attach)
        ET.indent(root)
        write_whole(self._path, ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _nothing(_run: RunResult, _journey: JourneyResult) -> None:
    return None


def document(run: RunResult, attach: Attach = _nothing) -> ET.Element:
    """Put a run into the elements of a JUnit file."""
    run = rounded(run)
    suites = [_suite(journey, attach(run, journey)) for journey in run.journeys]
    if run.faults:
        suites.append(_faults(run))
    root = _element("testsuites", name="botkit", time=_time(run.duration))
    for counted in ("tests", "failures", "errors"):
        root.set(counted, str(sum(int(suite.get(counted, "0")) for suite in suites)))
    root.extend(suites)
    return root


def _suite(journey: JourneyResult, attached: Path | None) -> ET.Element:
    outcome = OUTCOME.get(journey.verdict)
    suite = _element(
        "testsuite",
        name=journey.name,
        tests="1",
        failures=str(int(outcome == "failure")),
        errors=str(int(outcome == "error")),
        skipped=str(int(outcome == "skipped")),
        time=_time(journey.duration),
        timestamp=_stamp(journey.started_utc),
    )
    if journey.file:
        suite.set("file", _harmless(journey.file))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(journey):
        properties.append(_element("property", name=name, value=value))
    suite.append(_case(journey, outcome, attached))
    return suite


def _case(journey: JourneyResult, outcome: str | None, attached: Path | None) -> ET.Element:
    case = _element(
        "testcase", name=journey.name, classname=journey.bot, time=_time(journey.duration)
    )
    story = _harmless("\n".join(line.text for line in evidence(journey, max_rows=MAX_ROWS)))
    if outcome is not None:
        why = _element(outcome, type=journey.reason.value, message=_message(journey))
        if outcome != "skipped":
            why.text = story
        case.append(why)
    output = ET.SubElement(case, "system-out")
    output.text = f"{story}\n[[ATTACHMENT|{attached}]]" if attached else story
    return case


def _message(journey: JourneyResult) -> str:
    where = " (on the simulator)" if journey.on_simulator else ""
    return f"{because(journey)}{where}"


def _properties(journey: JourneyResult) -> Iterator[tuple[str, str]]:
    yield "run_id", journey.run_id
    yield "journey_id", journey.journey_id
    yield "bot", journey.bot
    yield "verdict", journey.verdict.value
    yield "reason", journey.reason.value
    yield "on_simulator", _yes(journey.on_simulator)
    yield "by_hand", _yes(journey.by_hand)
    yield "connector", journey.connector
    yield "server", journey.server
    yield "session_id", journey.session_id or ""
    yield "chat", whereabouts(journey)
    yield "left", _yes(journey.left)
    yield "asserted", str(journey.asserted)
    yield "tags", ", ".join(journey.tags)
    for name, measured in journey.measurements.items():
        yield f"measured.{name}", f"{measured:.6f}"


def _faults(run: RunResult) -> ET.Element:
    suite = _element(
        "testsuite", name="botkit", tests="1", failures="0", errors="1", skipped="0", time="0.000"
    )
    case = _element("testcase", name="run", classname="botkit", time="0.000")
    error = _element("error", type="fault", message=run.faults[0])
    error.text = _harmless("\n".join(run.faults))
    case.append(error)
    suite.append(case)
    return suite


def _element(tag: str, **attributes: str) -> ET.Element:
    return ET.Element(tag, {name: _harmless(value) for name, value in attributes.items()})


def _harmless(text: str) -> str:
    """Make text fit for XML, and keep it from naming files to the CI server."""
    return ATTACHMENT.sub("[ ", xml_text(text))


def _time(duration: float) -> str:
    return f"{duration:.3f}"


def _stamp(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _yes(value: bool) -> str:
    return "true" if value else "false"
