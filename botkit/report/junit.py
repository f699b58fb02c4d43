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

Source: Jenkins xunit plugin, ``junit-10.xsd``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from botkit.interfaces import Reporter
from botkit.report.evidence import because, evidence, whereabouts
from botkit.report.files import write_whole
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


class JUnitReporter(Reporter):
    """Writes a JUnit file when a run is over.

    Args:
        path: the file; it is replaced whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def run_finished(self, run: RunResult) -> None:
        """Write the file.

        Raises:
            OSError: it could not be written.
        """
        root = document(run)
        ET.indent(root)
        write_whole(self._path, ET.tostring(root, encoding="utf-8", xml_declaration=True))


def document(run: RunResult) -> ET.Element:
    """Put a run into the elements of a JUnit file."""
    suites = [_suite(journey) for journey in run.journeys]
    if run.faults:
        suites.append(_faults(run))
    root = _element("testsuites", name="botkit", time=_time(run.duration))
    for counted in ("tests", "failures", "errors"):
        root.set(counted, str(sum(int(suite.get(counted, "0")) for suite in suites)))
    root.extend(suites)
    return root


def _suite(journey: JourneyResult) -> ET.Element:
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
        suite.set("file", xml_text(journey.file))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(journey):
        properties.append(_element("property", name=name, value=value))
    suite.append(_case(journey, outcome))
    return suite


def _case(journey: JourneyResult, outcome: str | None) -> ET.Element:
    case = _element(
        "testcase", name=journey.name, classname=journey.bot, time=_time(journey.duration)
    )
    story = "\n".join(line.text for line in evidence(journey, max_rows=MAX_ROWS))
    if outcome is not None:
        why = _element(outcome, type=journey.reason.value, message=_message(journey))
        if outcome != "skipped":
            why.text = xml_text(story)
        case.append(why)
    output = ET.SubElement(case, "system-out")
    output.text = xml_text(story)
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
    error.text = xml_text("\n".join(run.faults))
    case.append(error)
    suite.append(case)
    return suite


def _element(tag: str, **attributes: str) -> ET.Element:
    return ET.Element(tag, {name: xml_text(value) for name, value in attributes.items()})


def _time(duration: float) -> str:
    return f"{duration:.3f}"


def _stamp(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _yes(value: bool) -> str:
    return "true" if value else "false"
