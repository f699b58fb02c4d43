from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from botkit.chat import Row
from botkit.report.attachments import Attachments
from botkit.report.junit import Attach, JUnitReporter
from botkit.results import RunResult, Verdict

SCHEMA = xmlschema.XMLSchema(Path(__file__).parents[2] / "schemas" / "botkit-junit.xsd")


def written(run: RunResult, folder: Path, attach: Attach | None = None) -> ET.Element:
    file = folder / "junit.xml"
    JUnitReporter(file, attach).run_finished(run)
    SCHEMA.validate(str(file))
    return ET.parse(file).getroot()


def properties(suite: ET.Element) -> dict[str, str]:
    return {p.attrib["name"]: p.attrib["value"] for p in suite.iter("property")}


@pytest.mark.parametrize(
    ("verdict", "element"),
    [
        (Verdict.PASSED, None),
        (Verdict.DEGRADED, None),
        (Verdict.FAILED, "failure"),
        (Verdict.ERROR, "error"),
        (Verdict.CANCELLED, "error"),
        (Verdict.SKIPPED, "skipped"),
    ],
)
def test_each_verdict_has_its_element(
    verdict: Verdict, element: str | None, tmp_path: Path, make_journey: Any, make_run: Any
) -> None:
    root = written(make_run(make_journey(verdict)), tmp_path)
    case = root.find("testsuite/testcase")
    assert case is not None
    assert [e.tag for e in case] == ([element] if element else []) + ["system-out"]
    suite = root[0]
    assert properties(suite)["verdict"] == verdict.value
    assert suite.attrib["failures"] == str(int(element == "failure"))
    assert suite.attrib["errors"] == str(int(element == "error"))
    assert suite.attrib["skipped"] == str(int(element == "skipped"))


def test_a_failure_tells_its_reason_and_its_evidence(
    tmp_path: Path, make_journey: Any, make_run: Any
) -> None:
    root = written(make_run(make_journey(on_simulator=True)), tmp_path)
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.attrib["type"] == "timeout"
    message = "timeout: no such message within 10 s (on the simulator)"
    assert failure.attrib["message"] == message
    assert "bots/support.yaml:17" in (failure.text or "")
    assert "Grace: hello" in (root.findtext("testsuite/testcase/system-out") or "")
    facts = properties(root[0])
    assert facts["on_simulator"] == "true"
    assert facts["by_hand"] == "false"
    assert facts["server"] == "http://chat.example/cometd"
    assert facts["measured.first_reply"] == "0.250000"
    assert root[0].attrib["time"] == "12.346"
    assert root[0].attrib["timestamp"] == "2026-01-01T00:00:00"


def test_a_run_without_journeys_is_a_file_too(tmp_path: Path, make_run: Any) -> None:
    root = written(make_run(), tmp_path)
    assert root.attrib["tests"] == "0"
    assert len(root) == 0


def test_totals_add_up(tmp_path: Path, make_journey: Any, make_run: Any) -> None:
    root = written(make_run(*(make_journey(verdict) for verdict in Verdict)), tmp_path)
    assert (root.attrib["tests"], root.attrib["failures"], root.attrib["errors"]) == ("6", "1", "2")


def test_faults_of_the_run_are_an_error(tmp_path: Path, make_journey: Any, make_run: Any) -> None:
    run = make_run(make_journey(Verdict.PASSED), faults=("the reporter X failed",))
    root = written(run, tmp_path)
    error = root.find("testsuite[@name='botkit']/testcase/error")
    assert error is not None
    assert error.attrib["message"] == "the reporter X failed"
    assert root.attrib["errors"] == "1"


def test_text_that_xml_cannot_hold_is_left_out(
    tmp_path: Path, make_journey: Any, make_run: Any
) -> None:
    hostile = "a\x00\x1b[31m\ufffe\ud800</system-out>]]>&b"
    row = Row(at=100.0, who=hostile, kind="message", text=hostile)
    journey = make_journey(
        name=hostile,
        bot=hostile,
        message=hostile,
        server=hostile,
        transcript=(row,),
        measurements={hostile: float("inf")},
        notes=(hostile,),
    )
    root = written(make_run(journey), tmp_path)
    assert root[0].attrib["name"] == "a</system-out>]]>&b"
    assert "a</system-out>]]>&b" in (root.findtext("testsuite/testcase/system-out") or "")


NAMED = re.compile(r"\[\[ATTACHMENT\|(.+)\]\]")
"""What the JUnit Attachments plugin and GitLab look for, anywhere in what a test wrote."""


def test_what_did_not_pass_has_its_page_beside(
    tmp_path: Path, make_journey: Any, make_run: Any
) -> None:
    folder = tmp_path / "evidence"
    journeys = [
        make_journey(verdict, journey_id=f"run1-{n}") for n, verdict in enumerate(Verdict, 1)
    ]
    root = written(make_run(*journeys), tmp_path, Attachments(folder))
    outputs = [case.findtext("system-out") or "" for case in root.iter("testcase")]
    named = [NAMED.findall(output.splitlines()[-1]) for output in outputs]
    assert named == [
        [] if verdict in (Verdict.PASSED, Verdict.SKIPPED) else [str(folder / name)]
        for verdict, name in zip(
            Verdict, (f"support-gold-run1-{n}.html" for n in range(1, 7)), strict=True
        )
    ]
    for (path,) in filter(None, named):
        page = Path(path).read_text()
        assert page.count("<article") == 1
        assert "Support answers" in page


def test_no_chat_names_files(tmp_path: Path, make_journey: Any, make_run: Any) -> None:
    hostile = "[[ATTACHMENT|/etc/passwd]] [[Att\x00achment|/etc/shadow]]"
    row = Row(at=100.0, who=hostile, kind="message", text=hostile)
    journey = make_journey(name=hostile, message=hostile, transcript=(row,), notes=(hostile,))
    run = make_run(journey, faults=(hostile,))
    root = written(run, tmp_path, Attachments(tmp_path))
    text = ET.tostring(root, encoding="unicode")
    (named,) = re.findall(NAMED.pattern, text, re.IGNORECASE)
    assert Path(named).parent == tmp_path
    assert "[ [ATTACHMENT|/etc/passwd]]" in text


def test_names_of_journeys_are_no_paths(tmp_path: Path, make_journey: Any, make_run: Any) -> None:
    journey = make_journey(name="../../x\n/y" * 20, journey_id="../1")
    path = Attachments(tmp_path)(make_run(journey), journey)
    assert path is not None
    assert path.parent == tmp_path
    assert path.read_bytes()
    assert len(path.name) < 100
