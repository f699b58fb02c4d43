"""The JSON file: one document with all the evidence of one run, for programs.

::

    {"botkit_result": 1,          version of this form; new members may come without a new version
     "botkit": "0.1.0",           version of botkit
     "run_id": "4f1c...", "started_utc": 1767225600.0, "duration": 12.3,
     "interrupted": false, "faults": [], "exit_code": 1, "counts": {"passed": 3, "failed": 1},
     "journeys": [
       {"journey_id", "bot", "name", "title", "file", "tags",
        "verdict": "failed", "reason": "timeout", "message",
        "step",                   the step that decided (as in "steps"), or null
        "started_utc", "duration", "connector", "server", "on_simulator", "session_id",
        "left", "asserted", "notes", "measurements": {name: seconds},
        "captured": {name: text}, what the bot's variables stood for at the end
        "warnings",
        "by_hand",                a person stepped through it
        "steps": [
          {"number", "path", "verb", "text", "file", "line", "verdict", "reason", "started",
           "duration", "expected", "received", "took", "passed_over", "message", "asserts",
           "seq",                 the number of the event that it took, or null
           "came",                of an expectation that was not met: what came, and why it did
                                  not count: [{"seq", "line", "why"}], 100 at most
           "closest"}],           of these the one most like what was wanted, or null:
                                  {"seq", "line", "why", "percent", "wanted", "marked"}
        "transcript": [
          {"at", "who", "party", "kind", "text", "index", "utc", "history", "seq"}],
        "frames": [               what went over the wire, with --record-frames; else empty
          {"at", "direction": "sent" or "received", "what", "text",
           "cut"}]}]}             more stood in it than "text"

Durations are seconds; ``started`` of a step, ``at`` of a row and of a frame are seconds since the
journey began; ``*_utc`` are seconds since 1970. Verdicts and reasons are the words of
``botkit.results``.
Members always come in this order, journeys in the order of their plans. A number that JSON cannot
hold (a measured infinity) is null. ``exit_code`` does not know of reporters that fail at the end.
Text is as the server sent it; characters that would command a terminal or turn the direction of
reading are written as escapes.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from botkit.chat import Row
from botkit.interfaces import Reporter
from botkit.report.files import write_whole
from botkit.report.passing import Account, Closest, Passed, account_of_miss, accounts
from botkit.report.rounding import DIGITS, rounded_journey
from botkit.report.text import INVISIBLE
from botkit.results import Frame, JourneyResult, RunResult, StepResult, Verdict, exit_code
from botkit.version import __version__

VERSION = 1
STDOUT = Path("-")

MAX_CAME = 100
"""Events that are listed with a miss; the transcript has them all."""


class JsonReporter(Reporter):
    """Writes a JSON document when a run is over.

    Args:
        path: the file, which is replaced whole; ``-`` is what standard output is now.
        fail_on_degraded: of the run, for the exit code.
    """

    def __init__(self, path: Path, *, fail_on_degraded: bool = False) -> None:
        self._path = path
        self._stdout = sys.stdout
        self._fail_on_degraded = fail_on_degraded

    def run_finished(self, run: RunResult) -> None:
        """Write the document.

        Raises:
            OSError: it could not be written.
        """
        code = exit_code(run, fail_on_degraded=self._fail_on_degraded)
        data = encode({**document(run), "exit_code": int(code)})
        if self._path == STDOUT:
            # Not sys.stdout of this moment: a live view puts itself in its place.
            self._stdout.buffer.write(data)
            self._stdout.flush()
        else:
            write_whole(self._path, data)


def encode(document: dict[str, Any]) -> bytes:
    """Write a document as JSON, in UTF-8, with a line end."""
    return _written(json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False))


def encode_line(document: dict[str, Any]) -> bytes:
    """Write a document as one line of JSON, in UTF-8, with its end."""
    return _written(json.dumps(document, ensure_ascii=False, allow_nan=False))


def _written(text: str) -> bytes:
    # What the pattern finds besides line ends can only stand inside of strings.
    return f"{INVISIBLE.sub(_escape, text)}\n".encode()


def journey_document(journey: JourneyResult) -> bytes:
    """Write one journey alone, as it stands in the document of a run."""
    return encode(_journey(rounded_journey(journey)))


def document(run: RunResult) -> dict[str, Any]:
    """Put a run into the form that the docstring of this module tells."""
    return {
        "botkit_result": VERSION,
        "botkit": __version__,
        **run_members(run),
        "journeys": [_journey(rounded_journey(journey)) for journey in run.journeys],
    }


def run_members(run: RunResult) -> dict[str, Any]:
    """Put a run into the form of the document, without its journeys."""
    counts = Counter(journey.verdict for journey in run.journeys)
    return {
        "run_id": run.run_id,
        "started_utc": run.started_utc,
        "duration": number(run.duration),
        "interrupted": run.interrupted,
        "faults": list(run.faults),
        "exit_code": None,
        "counts": {verdict.value: counts[verdict] for verdict in Verdict if counts[verdict]},
    }


def _journey(journey: JourneyResult) -> dict[str, Any]:
    decisive = account_of_miss(journey, journey.step) if journey.step else None
    return {
        **journey_members(journey, _step(decisive) if decisive else None),
        "steps": [_step(account) for account in accounts(journey)],
        "transcript": [row_members(row, journey.began) for row in journey.transcript],
        "frames": [_frame(frame) for frame in journey.frames],
    }


def journey_members(journey: JourneyResult, step: dict[str, Any] | None) -> dict[str, Any]:
    """Put a journey into the form of the document, but for what it is made of.

    Args:
        step: the step that decided.
    """
    return {
        "journey_id": journey.journey_id,
        "bot": journey.bot,
        "name": journey.name,
        "title": journey.title,
        "file": journey.file,
        "tags": list(journey.tags),
        "verdict": journey.verdict.value,
        "reason": journey.reason.value,
        "message": journey.message,
        "step": step,
        "started_utc": journey.started_utc,
        "duration": number(journey.duration),
        "connector": journey.connector,
        "server": journey.server,
        "on_simulator": journey.on_simulator,
        "session_id": journey.session_id,
        "left": journey.left,
        "asserted": journey.asserted,
        "notes": list(journey.notes),
        "measurements": {name: number(value) for name, value in journey.measurements.items()},
        "captured": dict(journey.captured),
        "warnings": list(journey.warnings),
        "by_hand": journey.by_hand,
    }


def _step(account: Account) -> dict[str, Any]:
    return {
        **step_members(account.step),
        "came": [_passed(passed) for passed in account.passed[:MAX_CAME]] if account.missed else [],
        "closest": _closest(account.closest()),
    }


def step_members(step: StepResult) -> dict[str, Any]:
    """Put a step into the form of the document, as far as it is known when it finishes."""
    return {
        "number": step.number,
        "path": step.path,
        "verb": step.verb,
        "text": step.text,
        "file": step.file,
        "line": step.line,
        "verdict": step.verdict.value,
        "reason": step.reason.value,
        "started": number(step.started),
        "duration": number(step.duration),
        "expected": step.expected,
        "received": list(step.received),
        "took": step.took,
        "passed_over": list(step.passed_over),
        "message": step.message,
        "asserts": step.asserts,
        "seq": step.seq,
    }


def _passed(passed: Passed) -> dict[str, Any]:
    return {"seq": passed.seq, "line": passed.line, "why": passed.why}


def _closest(closest: Closest | None) -> dict[str, Any] | None:
    if closest is None:
        return None
    near = closest.likeness
    return {
        **_passed(closest.passed),
        "percent": near.percent,
        "wanted": near.wanted,
        "marked": near.marked,
    }


def row_members(row: Row, began: float) -> dict[str, Any]:
    """Put a row of a transcript into the form of the document."""
    return {
        "at": number(row.at - began),
        "who": row.who,
        "party": row.party.value if row.party else None,
        "kind": row.kind,
        "text": row.text,
        "index": row.index,
        "utc": row.utc,
        "history": row.history,
        "seq": row.seq,
    }


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "at": number(frame.at),
        "direction": frame.direction,
        "what": frame.what,
        "text": frame.text,
        "cut": frame.cut,
    }


def number(value: float) -> float | None:
    """Give a number as JSON can hold it."""
    return round(value, DIGITS) if math.isfinite(value) else None


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    if character == "\n":
        return "\n"
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + ((code - 0x10000) >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
