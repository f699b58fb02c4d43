"""Results to report: one journey of each kind, and a builder for others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from botkit.chat import PartyKind, Row
from botkit.results import JourneyResult, Reason, RunResult, StepResult, Verdict

MakeJourney = Callable[..., JourneyResult]
MakeRun = Callable[..., RunResult]

STEP = StepResult(
    number=3,
    path="steps[2]",
    verb="expect",
    text='expect a message containing "case number"',
    file="bots/support.yaml",
    line=17,
    verdict=Verdict.FAILED,
    reason=Reason.TIMEOUT,
    started=1.5,
    duration=10.0,
    expected='a message containing "case number"',
    received=('Grace: hello (does not contain "case number")',),
    asserts=True,
)

ROWS = (
    Row(at=100.5, who="Grace", kind="agent_connected", text="", party=PartyKind.AGENT),
    Row(at=101.0, who="Grace", kind="message", text="hello", party=PartyKind.AGENT),
)

FAILED = JourneyResult(
    run_id="run1",
    journey_id="run1-1",
    bot="support",
    name="support[gold]",
    title="Support answers",
    file="bots/support.yaml",
    tags=("nightly",),
    verdict=Verdict.FAILED,
    reason=Reason.TIMEOUT,
    message="no such message within 10 s",
    step=STEP,
    started_utc=1_767_225_600.0,
    began=100.0,
    duration=12.3456,
    steps=(STEP,),
    transcript=ROWS,
    connector="gms-cometd",
    server="http://chat.example/cometd",
    session_id="chat-1",
    asserted=1,
    measurements={"first_reply": 0.25},
    captured={"case_no": "CAS-000123"},
    warnings=("slow start",),
)


@dataclass(frozen=True)
class Info:
    """A journey as reporters are told of it."""

    journey_id: str
    name: str = "support"
    bot: str = "support"
    run_id: str = "run1"
    began: float = 100.0
    on_simulator: bool = False


def make(verdict: Verdict = Verdict.FAILED, **changes: object) -> JourneyResult:
    if verdict is Verdict.FAILED:
        return replace(FAILED, **changes)
    reason = {
        Verdict.PASSED: Reason.OK,
        Verdict.DEGRADED: Reason.SLOW,
        Verdict.ERROR: Reason.BOT,
        Verdict.SKIPPED: Reason.NOT_STARTED,
        Verdict.CANCELLED: Reason.SIGNAL,
    }[verdict]
    plain = replace(FAILED, verdict=verdict, reason=reason, message="", step=None, steps=())
    return replace(plain, **changes)


def run_of(*journeys: JourneyResult, **changes: object) -> RunResult:
    run = RunResult(
        run_id="run1", started_utc=1_767_225_600.0, duration=12.5, journeys=tuple(journeys)
    )
    return replace(run, **changes)


@pytest.fixture
def make_journey() -> MakeJourney:
    return make


@pytest.fixture
def make_run() -> MakeRun:
    return run_of


@pytest.fixture
def info() -> type[Info]:
    return Info
