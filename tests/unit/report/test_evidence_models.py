from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from botkit.chat import PartyKind, Row
from botkit.report.evidence_models import evidence_schema
from botkit.report.json_document import document, encode
from botkit.results import Frame, RunResult, Verdict

SCHEMA = evidence_schema()


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Give all objects with members of their own in a schema."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Give a schema that takes no member which it does not tell of."""
    made = copy.deepcopy(schema)
    for found in objects(made):
        found["additionalProperties"] = False
    return made


CLOSED = jsonschema.Draft202012Validator(closed(SCHEMA))
"""What is written is told of in full: else writer and schema would drift apart."""


def read(run: RunResult) -> Any:
    return json.loads(encode({**document(run), "exit_code": 1}))


def full(make_journey: Any, make_run: Any) -> Any:
    """Give a document in which no list is empty and every member that may be null is not."""
    rows = tuple(
        Row(at=101.0, who=kind.value, kind="message", text="hello case", party=kind, seq=n)
        for n, kind in enumerate(PartyKind, 1)
    )
    rows += (Row(at=102.0, who="", kind="x", text="", index=1, utc=1.5, history=True, seq=9),)
    journey = make_journey(transcript=rows, frames=(Frame(at=0.0, direction="sent", what="x"),))
    step = replace(journey.step, seq=None, took="x", passed_over=("y",))
    journey = replace(journey, step=step, steps=(step,), notes=("a",))
    run = read(make_run(journey, *map(make_journey, Verdict), faults=("a fault",)))
    assert run["journeys"][0]["step"]["came"]
    assert run["journeys"][0]["step"]["closest"]
    return run


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_all_that_is_written_is_told(make_journey: Any, make_run: Any) -> None:
    CLOSED.validate(full(make_journey, make_run))
    CLOSED.validate(read(make_run()))
    CLOSED.validate(read(make_run(make_journey(measurements={"never": float("inf")}))))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the places of all objects of a document."""
    if isinstance(value, dict):
        yield path
    for key, inner in (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    ):
        yield from places(inner, (*path, key))


OPEN = {"measurements", "captured", "counts"}
"""What has names of its own for members."""


def test_each_object_refuses_what_is_not_told_and_misses_what_is_not_there(
    make_journey: Any, make_run: Any
) -> None:
    run = full(make_journey, make_run)
    checked = set()
    for path in places(run):
        if path and path[-1] in OPEN:
            continue
        kind = tuple(key for key in path if isinstance(key, str))
        if kind in checked:
            continue
        checked.add(kind)
        more = copy.deepcopy(run)
        at(more, path)["surprise"] = 1
        with pytest.raises(jsonschema.ValidationError, match="surprise"):
            CLOSED.validate(more)
        jsonschema.validate(more, SCHEMA)
        for name in at(run, path):
            less = copy.deepcopy(run)
            del at(less, path)[name]
            with pytest.raises(jsonschema.ValidationError, match=f"'{name}' is a required"):
                jsonschema.validate(less, SCHEMA)
    assert len(checked) == 10


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value
