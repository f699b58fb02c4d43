"""The JSON document of a run as models: what is published as its schema, and read back.

``json_document`` writes it and tells what its members mean. Tests hold the two together: a member
that is written and not told here, or the other way round, is an error there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema

from botkit.chat import PartyKind
from botkit.report.json_document import VERSION
from botkit.results import Reason, Verdict

__all__ = ["FrameModel", "JourneyModel", "RowModel", "RunModel", "StepModel", "evidence_schema"]

LAST_STAMP = 253_402_300_799
"""The end of the year 9999: what calendars can hold."""

Seconds = Annotated[float, Field(allow_inf_nan=False)]
Stamp = Annotated[float, Field(ge=0, le=LAST_STAMP, allow_inf_nan=False)]
# These are strings there, and nothing but their own values.
VerdictWord = Annotated[Verdict, Field(strict=False)]
ReasonWord = Annotated[Reason, Field(strict=False)]
PartyWord = Annotated[PartyKind, Field(strict=False)]


class Model(BaseModel):
    """What members have in common: each is of its own type, and others may come beside them."""

    model_config = ConfigDict(strict=True, frozen=True, use_attribute_docstrings=True)


class PassedModel(Model):
    """An event that a step passed over."""

    seq: int | None
    line: str
    why: str


class ClosestModel(PassedModel):
    """The event that was most like what was wanted."""

    percent: int
    wanted: str
    marked: str


class StepModel(Model):
    """What became of one step."""

    number: int
    path: str
    verb: str
    text: str
    file: str | None
    line: int | None
    verdict: VerdictWord
    reason: ReasonWord
    started: Seconds
    """Seconds since the journey began."""
    duration: Seconds
    expected: str
    received: list[str]
    took: str | None
    passed_over: list[str]
    message: str
    asserts: bool
    seq: int | None
    came: list[PassedModel]
    """Of an expectation that was not met: what came, and why it did not count."""
    closest: ClosestModel | None


class RowModel(Model):
    """A line of the chat."""

    at: Seconds
    """Seconds since the journey began."""
    who: str
    party: PartyWord | None
    kind: str
    text: str
    index: int | None
    utc: Seconds | None
    history: bool
    seq: int | None


class FrameModel(Model):
    """What went over the wire at one moment."""

    at: Seconds
    """Seconds since the journey began."""
    direction: Literal["sent", "received"]
    what: str
    text: str
    cut: bool
    """More stood in it than ``text`` holds."""


class JourneyModel(Model):
    """One bot played once through one session."""

    journey_id: str
    """Empty if it was never started."""
    bot: str
    name: str
    title: str
    file: str | None
    tags: list[str]
    verdict: VerdictWord
    reason: ReasonWord
    message: str
    step: StepModel | None
    """The step that decided."""
    started_utc: Stamp
    duration: Seconds
    connector: str
    server: str
    on_simulator: bool
    session_id: str | None
    left: bool
    asserted: int
    notes: list[str]
    measurements: dict[str, Seconds | None]
    captured: dict[str, str] = {}
    """What the bot's variables stood for at the end; files of older versions are without it."""
    warnings: list[str]
    by_hand: bool
    steps: list[StepModel]
    transcript: list[RowModel]
    frames: list[FrameModel]


class RunModel(Model):
    """The evidence of a run. Members may be added without a new version: ignore unknown ones."""

    botkit_result: Literal[VERSION]  # type: ignore[valid-type]  # It has one value only.
    botkit: str
    """The version of botkit."""
    run_id: str
    started_utc: Stamp
    duration: Seconds
    interrupted: bool
    faults: list[str]
    exit_code: int
    counts: dict[VerdictWord, int]
    journeys: list[JourneyModel]


class Untitled(GenerateJsonSchema):
    """Leaves out titles that repeat the names of members."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def evidence_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of what ``botkit run --json`` writes."""
    # Of what is written all members are there; who reads files of older versions knows which.
    made = RunModel.model_json_schema(mode="serialization", schema_generator=Untitled)
    made["$defs"]["JourneyModel"]["required"] = list(JourneyModel.model_fields)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": f"The evidence of a run of botkit, version {VERSION}",
    }
