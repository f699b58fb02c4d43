"""Recordings from the evidence of a run: the JSON document of ``botkit run --json``.

What was said and what came is told by the transcript; who has set user data, and which line was a
button, is told by the steps alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from botkit.chat import (
    AgentConnected,
    AgentDisconnected,
    EndedBy,
    Event,
    File,
    Message,
    Notice,
    Party,
    PartyKind,
    PushedUrl,
    SessionEnded,
    Userdata,
)
from botkit.errors import ConfigError
from botkit.recording.beats import Recording
from botkit.recording.recorder import Recorder
from botkit.recording.writing import place_of
from botkit.report.reading import document_of

NOT_CONVERTED = ("reload", "delete_userdata", "call")
"""Verbs whose effect the evidence does not hold in full."""

DONE_BY_CUSTOMER = {"message": "say", "pushed_url": "push_url", "notice": "send_notice"}
PAIR = re.compile(r"(?:^|, )([\w.-]+)=(.*?)(?=, [\w.-]+=|$)", re.DOTALL)


def recording_of(text: str, journey: str | None = None) -> Recording:
    """Read one journey of a document.

    Args:
        text: of the document.
        journey: its name or its bot's; None if there is just one.

    Raises:
        ConfigError: it is another kind of JSON, of another version, or has no such journey.
    """
    found = choose(journeys_of(text), journey)
    try:
        return read(found)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise ConfigError(f"the evidence of this journey is damaged ({what})") from error


def journeys_of(text: str) -> Sequence[Mapping[str, Any]]:
    """Give the journeys of a document.

    Raises:
        ConfigError: it is none.
    """
    journeys = document_of(text).get("journeys")
    if not isinstance(journeys, list) or not all(isinstance(j, dict) for j in journeys):
        raise ConfigError("this evidence is damaged: it has no list of journeys")
    if not journeys:
        raise ConfigError("this evidence is of a run without journeys")
    return journeys


def choose(journeys: Sequence[Mapping[str, Any]], wanted: str | None) -> Mapping[str, Any]:
    """Find the journey that is meant.

    Raises:
        ConfigError: there is none, or more than one.
    """
    names = ", ".join(repr(journey.get("name")) for journey in journeys[:10])
    if wanted is None:
        if len(journeys) > 1:
            raise ConfigError(f"there are {len(journeys)} journeys: name one of {names}")
        return journeys[0]
    for key in ("journey_id", "name", "bot"):
        fitting = [journey for journey in journeys if journey.get(key) == wanted]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            ids = ", ".join(repr(journey.get("journey_id")) for journey in fitting[:10])
            raise ConfigError(f"{len(fitting)} journeys are called {wanted!r}: take one of {ids}")
    raise ConfigError(f"there is no journey {wanted!r}; there is {names}")


def read(journey: Mapping[str, Any]) -> Recording:
    """Turn the evidence of a journey into a recording."""
    rows = [row for row in journey["transcript"] if not row["history"]]
    if not any(row["kind"] == "session_started" for row in rows):
        raise ConfigError("no chat was opened in this journey: there is nothing to play again")
    steps = journey["steps"]
    recorder = Recorder(set_in(steps, rows))
    # A step that follows an event begins at its stamp.
    deeds = [*happenings_in(rows, steps), *deeds_in(steps, rows)]
    for deed in sorted(deeds, key=lambda item: item[0]):
        match deed:
            case (at, str(verb), value):
                recorder.did(at, verb, value)
            case (_, Event() as event):
                recorder.came(event)
    where = "the simulator" if journey["on_simulator"] else place_of(journey["server"])
    return Recording(
        name=journey["bot"],
        beats=tuple(recorder.beats),
        began=0.0,
        ended=float(journey["duration"]),
        about=(
            f"Converted from journey {journey['name']} ({journey['journey_id']}),"
            f" {journey['verdict']}, by {journey['connector']} against {where}.",
        ),
        connector=journey["connector"],
        nickname=nickname_in(rows),
        agents=frozenset(recorder.agents),
        left_out=tuple(left_out(rows, steps)),
    )


Deed = tuple[float, str, Any] | tuple[float, Event]


def deeds_in(steps: Sequence[Any], rows: Sequence[Any]) -> Iterator[Deed]:
    """Find what the steps alone tell: user data that were set, buttons that were pressed."""
    for step in steps:
        value, at = written(step), step["started"]
        if not isinstance(value, dict):
            continue
        if step["verb"] == "set_userdata":
            if new := values_set(rows, value, at):
                yield at, "set_userdata", new
        elif is_button(value):
            yield at, "say", value


def happenings_in(rows: Sequence[Any], steps: Sequence[Any]) -> Iterator[Deed]:
    """Find what the transcript tells."""
    values = [written(step) for step in steps]
    pressed = Counter(value["button"] for value in values if is_button(value))
    for row in rows:
        if row["party"] != "customer":
            if (event := event_of(row)) is not None:
                yield row["at"], event
            continue
        verb = DONE_BY_CUSTOMER.get(row["kind"])
        if verb == "say" and pressed[row["text"]]:
            pressed[row["text"]] -= 1
        elif verb and row["text"].strip():
            yield row["at"], verb, row["text"].removeprefix("CustomNotice: ")


def set_in(steps: Sequence[Any], rows: Sequence[Any]) -> dict[str, str]:
    """Gather the user data that the customer has set, which nobody has to wait for."""
    values: dict[str, str] = {}
    for deed in deeds_in(steps, rows):
        if deed[1] == "set_userdata":
            values |= deed[2]
    return values


def is_button(value: Any) -> bool:
    """Tell whether a button was pressed whose text is known."""
    return isinstance(value, dict) and "${" not in str(value.get("button", "${"))


def written(step: Mapping[str, Any]) -> Any:
    """Give the value behind a step's verb; None where its text was cut or is no YAML."""
    try:
        return yaml.load(step["text"], Loader=yaml.BaseLoader)[step["verb"]]
    except (yaml.YAMLError, KeyError, TypeError):
        return None


def values_set(rows: Sequence[Any], keys: Mapping[str, Any], since: float) -> dict[str, str]:
    """Find the values that a step has set, in the confirmations that came after it."""
    values: dict[str, str] = {}
    for row in rows:
        if row["kind"] == "userdata" and row["at"] >= since:
            seen = pairs_in(row["text"])
            values |= {k: seen[k] for k in keys if k in seen and k not in values}
    return values


def pairs_in(text: str) -> dict[str, str]:
    """Read the words of user data."""
    return dict(PAIR.findall(text))


def event_of(row: Mapping[str, Any]) -> Event | None:
    """Make an event of a row; None for what a recording does not need."""
    party = Party(name=row["who"], kind=PartyKind(row["party"])) if row["party"] else None
    common: dict[str, Any] = {"at": float(row["at"]), "seq": 1, "party": party}
    text = row["text"]
    match row["kind"]:
        case "message":
            return Message(**common, text=without_buttons(text))
        case "agent_connected":
            return AgentConnected(**common)
        case "agent_disconnected":
            return AgentDisconnected(**common)
        case "pushed_url":
            return PushedUrl(**common, url=text)
        case "file":
            return File(**common, file_id=text, deleted=text.endswith(" deleted"))
        case "notice":
            return Notice(**common, text=text, kind=text.partition(":")[0])
        case "userdata":
            deleted = "(deleted)"
            changes = {k: None if v == deleted else v for k, v in pairs_in(text).items()}
            return Userdata(**common, changes=changes)
        case "session_ended" if text.startswith("by service"):
            return SessionEnded(**common, by=EndedBy.SERVICE)
        case _:
            return None


def without_buttons(text: str) -> str:
    """Take the buttons away that a transcript shows in brackets behind a line."""
    return re.sub(r"(?: \[[^\[\]]+\])+$", "", text)


def nickname_in(rows: Sequence[Any]) -> str:
    """Find the customer's name; it is not in the evidence but with what the customer did."""
    names = (row["who"] for row in rows if row["party"] == "customer" and row["who"])
    return str(next(names, ""))


def left_out(rows: Sequence[Any], steps: Sequence[Any]) -> Iterator[str]:
    """Name what happened and cannot be told from the evidence."""
    counted = Counter(step["verb"] for step in steps if step["verb"] in NOT_CONVERTED)
    files = sum(row["kind"] == "file" and row["party"] == "customer" for row in rows)
    if files:
        counted["send_file"] = files
    for verb, number in counted.items():
        yield f"{verb} ({number}), which the evidence does not hold in full"
    yield "the service, subject and user data that the chat was asked for with"
