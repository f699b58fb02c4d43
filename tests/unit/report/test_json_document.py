from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.report.json_document import JsonReporter, encode
from botkit.report.text import INVISIBLE
from botkit.results import Frame, Verdict


def document(run: Any, *, fail_on_degraded: bool = False) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.json"
        JsonReporter(file, fail_on_degraded=fail_on_degraded).run_finished(run)
        return json.loads(file.read_bytes())


def test_a_dash_is_standard_output(
    capsysbinary: pytest.CaptureFixture[bytes], make_run: Any
) -> None:
    JsonReporter(Path("-")).run_finished(make_run())
    assert json.loads(capsysbinary.readouterr().out)["journeys"] == []


def test_a_document_has_all_the_evidence(make_journey: Any, make_run: Any) -> None:
    run = document(make_run(make_journey(), make_journey(Verdict.PASSED, on_simulator=True)))
    assert run["botkit_result"] == 1
    assert run["exit_code"] == 1
    assert run["counts"] == {"passed": 1, "failed": 1}
    failed, passed = run["journeys"]
    assert (failed["verdict"], failed["reason"]) == ("failed", "timeout")
    assert failed["step"] == failed["steps"][0]
    assert failed["step"]["line"] == 17
    assert failed["transcript"][1] == {
        "at": 1.0,
        "who": "Grace",
        "party": "agent",
        "kind": "message",
        "text": "hello",
        "index": None,
        "utc": None,
        "history": False,
        "seq": None,
    }
    assert failed["measurements"] == {"first_reply": 0.25}
    assert failed["captured"] == {"case_no": "CAS-000123"}
    assert (passed["on_simulator"], passed["by_hand"]) == (True, False)
    assert passed["step"] is None


def test_frames_stand_behind_the_transcript(make_journey: Any, make_run: Any) -> None:
    frame = Frame(at=0.25, direction="received", what="frame", text="[]", cut=True)
    (journey,) = document(make_run(make_journey(frames=(frame,))))["journeys"]
    assert journey["frames"] == [
        {"at": 0.25, "direction": "received", "what": "frame", "text": "[]", "cut": True}
    ]
    assert list(journey)[-2:] == ["transcript", "frames"]


def test_members_keep_their_order(make_journey: Any, make_run: Any) -> None:
    run = document(make_run(make_journey()))
    assert list(run) == [
        "botkit_result",
        "botkit",
        "run_id",
        "started_utc",
        "duration",
        "interrupted",
        "faults",
        "exit_code",
        "counts",
        "journeys",
    ]
    assert list(run["journeys"][0])[:9] == [
        "journey_id",
        "bot",
        "name",
        "title",
        "file",
        "tags",
        "verdict",
        "reason",
        "message",
    ]


def test_degraded_counts_as_the_run_was_asked(make_journey: Any, make_run: Any) -> None:
    run = make_run(make_journey(Verdict.DEGRADED))
    assert document(run)["exit_code"] == 0
    assert document(run, fail_on_degraded=True)["exit_code"] == 10


def test_a_number_that_json_cannot_hold_is_null(make_journey: Any, make_run: Any) -> None:
    run = document(make_run(make_journey(measurements={"never": float("inf")})))
    assert run["journeys"][0]["measurements"] == {"never": None}


@settings(max_examples=100)
@given(st.text(alphabet=st.characters(codec=None, exclude_categories=())))
def test_any_text_comes_back_and_commands_no_terminal(text: str) -> None:
    data = encode({"text": text})
    assert json.loads(data) == json.loads(json.dumps({"text": text}))
    assert INVISIBLE.search(data.decode().replace("\n", "")) is None
