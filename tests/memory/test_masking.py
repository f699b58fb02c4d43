"""What must not be shown is in no output, however it was spelled when it came.

One journey knows all canaries; its agent says each of them in every spelling, and its plugins put
them wherever a plugin may put a text. Then each output is searched for each of them. A new output
is one line in ``ARTEFACTS``.
"""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import trio
from trio.testing import MockClock

from botkit import JourneyInfo, JourneyResult, Message, RunResult, StepResult, hookimpl
from botkit.chat import Row
from botkit.interfaces import ConnectOptions, NetworkSettings, Reporter
from botkit.journey import Run, RunSettings
from botkit.monitor.history import History, Spool, finished
from botkit.plugins import Plugins, load_plugins
from botkit.report.annotations import annotation_lines
from botkit.report.console import ConsoleReporter, make_console
from botkit.report.events import EventsReporter
from botkit.report.html_page import HtmlReporter
from botkit.report.json_document import JsonReporter
from botkit.report.junit import JUnitReporter
from botkit.report.nagios import status_text
from botkit.report.plain import Detail
from botkit.report.step_summary import summary
from botkit.results import Reason, Verdict
from botkit.simulator import SimulatorSettings
from botkit.telemetry.spans import FinishedJourney, spans_of
from botkit.telemetry.tracing import Tracing
from botkit.testing import simulator_in
from botkit.testing.playing import IN_MEMORY, plans_of

PLUGINS = Path(__file__).parents[2] / "plugins"

SECRETS = (
    "hunter2!Winter",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NzExIn0.c2lnbmF0dXJl",
    "pässwörd-Größe",
    "quo'te\"mark",
    "back\\slash\\new\\u0041",
    "100%41%zz%",
    ".*[a-z]+(?P<x>y)$|^",
    '<script a="b">&amp;</script>',
    "bell\x07and\x1b[31mred",
    "🦊geheim🔑",
    "tab\there",
    "L" * 1_200 + "ong",
    "4711",
    "%&",
)
"""Given by ``${secret.X}``."""
COLUMNS = {
    "email": "ada.lovelace+chat@example.com",
    "email_upper": "GRACE@EXAMPLE.ORG",
    "phone": "+49 (30) 901820-17",
    "card": "4111 1111 1111 1111",
    "iban": "DE89370400440532013000",
    "name": "Jürgen Müßiggänger",
    "accent": "Rene\u0301e",
    "irish": "Sinéad O'Connor",
    "hebrew": "כניסה־סודית",
    "arabic": "كلمة السر",
    "japanese": "山田太郎",
    "street": "Main Street 5/7,\n12345 Town",
    "outer": "outer-inner-outer",
    "inner": "inner-o",
    "word": "case",
    "initial": "Q",
}
"""Columns of the data that are masked."""
CAPTURES = {
    "pin": "908-172",
    "order": "ORD/2026/000123",
    "title": "Fürst & Söhne",
    "dollar": "$9,99 ${x}",
}
"""What the agent says, and a step captures with ``mask``."""
SETTINGS = {
    "header": "hdr-8a61f0c2",
    "bearer": "brr.6c1d-77aa",
    "password": "basic:pass/wörd",
    "proxy": "pr0xy@secret",
    "server": "s3rver-pa55",
    "parameter": "prm-3319-zz",
}
"""Nobody calls these secrets: they stand in the settings of the network."""
CANARIES = (*SECRETS, *COLUMNS.values(), *CAPTURES.values(), *SETTINGS.values())
FRAME = ("⟦", "⟧")
"""Stands around what the agent says, for values that stand in common words as well."""


def every_unit(text: str) -> str:
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02X}{units[i + 1]:02X}" for i in range(0, len(units), 2))


def base64_behind(count: int) -> Callable[[str], str]:
    return lambda text: base64.b64encode(b"x" * count + text.encode() + b"yz").decode()


def base64_core(text: str, before: int) -> str:
    """Give what of base64 depends on a text alone."""
    data = text.encode()
    return base64_behind(before)(text)[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]


SPELLINGS: dict[str, Callable[[str], str]] = {
    "itself": str,
    "url": quote,
    "form": quote_plus,
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent lower": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "json": lambda text: json.dumps(text)[1:-1],
    "json slash": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json upper": every_unit,
    "json lower": lambda text: every_unit(text).lower(),
    "html": html.escape,
    "html numbers": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "repr": lambda text: repr(text)[1:-1],
    "json in json": lambda text: json.dumps(json.dumps(text))[1:-1],
    "base64 0": base64_behind(0),
    "base64 1": base64_behind(1),
    "base64 2": base64_behind(2),
}
SPLIT_FROM = 6
WIDTHS = (111, 117, 480, 490)
"""What stands before a canary that a line is cut off in."""
TELLING = 5
"""Characters of a part that are no accident in the bytes of a database."""
LONG_ENOUGH = 5
"""Bytes; base64 of less is not told from other letters. bots/README.md says so."""


def spellings_of(canary: str) -> Iterator[tuple[str, str]]:
    for name, spell in SPELLINGS.items():
        if not name.startswith("base64") or len(canary.encode()) >= LONG_ENOUGH:
            yield name, spell(canary)


def half_of(canary: str, number: int) -> str:
    half = len(canary) // 2
    return canary[half:].strip() if number else canary[:half].strip()


def thirds_of(canary: str) -> tuple[str, str, str]:
    third = len(canary) // 3
    first, middle, last = canary[:third], canary[third : 2 * third], canary[2 * third :]
    return first.strip(), middle.strip(), last.strip()


def searched_for(canary: str) -> Iterator[tuple[str, str]]:
    """Give what no output may contain, each with the name of its spelling."""
    for name, spelled in spellings_of(canary):
        yield name, "".join((FRAME[0], spelled, FRAME[1]))
        if len(canary) > 4:
            # What is left where a line was cut off.
            yield "cut", f"xxx {canary[:3]}"
        if len(canary) >= SPLIT_FROM:
            yield "first half", f"one {half_of(canary, 0)}"
            yield "second half", f"{half_of(canary, 1)} two"
            first, middle, last = thirds_of(canary)
            yield "first third", f"begins {first}"
            if len(middle) >= TELLING:
                yield "second third", f'"{middle}"'
            yield "last third", f"{last} ends"
        if len(canary) > 4 and canary not in ("inner-o",):
            yield name, base64_core(canary, int(name[-1])) if "base64" in name else spelled


def folded(text: str) -> str:
    return re.sub(r"\s+", " ", text.lower())


SEARCHED = [
    (canary[:20], name, folded(spelled))
    for canary in CANARIES
    for name, spelled in searched_for(canary)
]


def leaks_in(text: str, spellings: Container[str]) -> set[tuple[str, str]]:
    """Name what stands in a text that must not, of what was said in these spellings, or cut."""
    text = folded(text)
    return {
        (canary, name)
        for canary, name, spelled in SEARCHED
        if (name in spellings or name not in SPELLINGS) and spelled in text
    }


# --- the journey ---------------------------------------------------------------------------------


def bot_file() -> str:
    """Write a bot that knows all canaries and fails in the end, so that there is much to show."""
    captures = "".join(
        f"""
  - expect: {{matches: '(?s){name}=(?P<{name}>.*);;'}}
    mask: [{name}]
    within: 1h
"""
        for name in CAPTURES
    )
    secrets = "".join(f'  - say: "${{secret.S{n}}}"\n' for n in range(len(SECRETS)))
    rows = json.dumps([COLUMNS | {"plain": "blue"}], ensure_ascii=False)
    return f"""\
botkit: 1
bot: canaries
title: Nothing is told
connect: {{nickname: "${{row.irish}}", userdata: {{Email: "${{row.email}}"}}}}
limits: {{whole_chat: 24h}}
data: {{name: "${{row.plain}} ${{row.name}}", mask: {json.dumps(list(COLUMNS))}, rows: {rows}}}
whenever:
  - message: {{contains: "{FRAME[0]}"}}
    do:
      - note: "heard it, ${{row.name}}"
    times: 1
steps:
  - wait_for: agent
{secrets}
{captures}
  - note: "${{row.email}} ${{pin}}"
  - set_userdata: {{Card: "${{row.card}}"}}
  - say: go
  - expect: that was all
    within: 20h
    slow_after: 1s
  - expect: {{contains: "${{row.hebrew}} never comes ${{secret.S6}}"}}
    within: 1h
"""


def agents_file(spellings: Container[str]) -> str:
    """Write an agent who says every canary in spellings, alone, where a line is cut, in parts."""
    says = [f"{name}={value};;" for name, value in CAPTURES.items()]
    steps: list[object] = [{"say": literal(text)} for text in says]
    steps.append({"expect": {"equals": "go"}, "within": "10h"})
    for canary in CANARIES:
        for name, spelled in spellings_of(canary):
            if name in spellings:
                steps.append({"say": literal(f"it is {FRAME[0]}{spelled}{FRAME[1]} is it")})
        steps += [{"say": literal(f"{'x' * width} {canary}")} for width in WIDTHS]
        if len(canary) >= SPLIT_FROM:
            steps += [{"say": literal(f"one {half_of(canary, 0)}")}]
            steps += [{"say": literal(f"{half_of(canary, 1)} two")}]
            first, middle, last = thirds_of(canary)
            for part in (f"begins {first}", middle, f"{last} ends"):
                steps.append({"say": literal(part)})
    steps.append({"say": "that was all"})
    return "botkit-agents: 1\n" + json.dumps({"agents": {"Grace": steps}}, ensure_ascii=False)[1:-1]


def literal(text: str) -> str:
    return text.replace("${", "$${")


FEW = ("itself", "json in json", "base64 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What carries the journey.

    Attributes:
        spellings: what the agent says each canary in; they are the same over all wires.
        frames: how many there are at least.
    """

    connector: str
    options: Mapping[str, str] = field(default_factory=dict)
    spellings: Container[str] = FEW
    frames: int = 300


WIRES = {
    "long polling": Wire(
        connector="gms-cometd",
        options={"transport": "long-polling"},
        spellings=SPELLINGS,
        frames=500,
    ),
    "websocket": Wire(connector="gms-cometd", options={"transport": "websocket"}),
    "gms-rest": Wire(connector="gms-rest", frames=50),
    "genesys-cloud": Wire(connector="genesys-cloud"),
}


class Chatterbox:
    """A plugin that puts what it hears wherever a plugin may."""

    @hookimpl
    def on_message(self, journey: JourneyInfo, event: Message) -> None:
        if FRAME[0] in event.text and len(event.text) < 60:
            journey.note(f"heard {event.text}")
            journey.measure(event.text, 1.0)
            logging.getLogger("botkit.plugins.chatterbox").info("heard %s", event.text)

    @hookimpl
    def on_journey_finished(self, journey: JourneyInfo, result: JourneyResult) -> None:
        raise ValueError(f"it broke at {CANARIES[:8]} {CANARIES[8:]}")


class Everything(Reporter):
    """A reporter of a plugin: writes down all that it is given."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def journey_started(self, journey: JourneyInfo) -> None:
        self.lines.append(f"{journey.name} {dict(journey.row)}")

    def event(self, journey: JourneyInfo, row: Row) -> None:
        self.lines += (journey.name, row.text, row.who, repr(row))

    def step_finished(self, journey: JourneyInfo, step: StepResult) -> None:
        self.lines += (journey.name, step.text, step.expected, repr(step), *step.received)

    def journey_finished(self, result: JourneyResult) -> None:
        self.lines.append(repr(result))

    def run_finished(self, run: RunResult) -> None:
        self.lines.append(repr(run))


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A run, where its files are, what was told, shown and logged."""

    run: RunResult
    folder: Path
    everything: Everything
    consoles: dict[tuple[Detail, bool], io.StringIO]
    log: str
    traced: list[FinishedJourney]


async def play(folder: Path, caplog: pytest.LogCaptureFixture, wire: Wire) -> Played:
    """Play the journey over a wire, with all reporters."""
    (folder / "b.yaml").write_text(bot_file(), encoding="utf-8")
    (folder / "agents.yaml").write_text(agents_file(wire.spellings), encoding="utf-8")
    own, everything = Plugins(), Everything()
    shown = {(detail, explain): io.StringIO() for detail in Detail for explain in (False, True)}
    own.register(Chatterbox(), name="chatterbox")
    load_plugins(folders=[PLUGINS], environ={"BOTKIT_LOAD_PLUGINS": "markdown_report"}, into=own)
    traced: list[FinishedJourney] = []
    tracing = Tracing(traced.append)
    secrets = {f"S{number}": value for number, value in enumerate(SECRETS)}
    caplog.set_level(logging.DEBUG)
    async with trio.open_nursery() as nursery:
        connector = await simulator_in(
            nursery, SimulatorSettings(agents=folder / "agents.yaml", seed=1), wire=wire.connector
        )
        network = NetworkSettings(
            headers={"X-Api-Key": SETTINGS["header"], "X-Auth": f"Bearer {SETTINGS['bearer']}"},
            auth=("ada", SETTINGS["password"]),
            proxy=f"http://ada:{SETTINGS['proxy']}@127.0.0.1:1",
        )
        server = f"http://ada:{SETTINGS['server']}@nobody.example/?token={SETTINGS['parameter']}"
        run = Run(
            plans_of(folder / "b.yaml", own, secrets),
            RunSettings(
                override=ConnectOptions(
                    connector=IN_MEMORY, server=server, network=network, options=wire.options
                ),
                record_frames=True,
            ),
            connectors={IN_MEMORY: lambda: connector},
            dispatcher=own.dispatcher,
            actions=own.actions,
            trace=tracing.begin,
            reporters=[
                tracing,
                everything,
                JsonReporter(folder / "run.json"),
                EventsReporter(folder / "run.ndjson"),
                JUnitReporter(folder / "run.xml"),
                HtmlReporter(folder / "run.html"),
                own.reporters.find("markdown", key="report")(str(folder / "run.md")),
                *(console_on(stream, *how) for how, stream in shown.items()),
            ],
        )
        result = await run.play()
        nursery.cancel_scope.cancel()
    own.close()
    return Played(
        run=result,
        folder=folder,
        everything=everything,
        consoles=shown,
        log=logged(caplog),
        traced=traced,
    )


def console_on(stream: io.StringIO, detail: Detail, explain: bool) -> ConsoleReporter:
    return ConsoleReporter(
        make_console(stream, {}),
        detail=detail,
        explain=explain,
        live=False,
        clock=trio.current_time,
        limits={},
        total=1,
    )


def logged(caplog: pytest.LogCaptureFixture) -> str:
    formatter = logging.Formatter("%(name)s %(message)s")
    return "\n".join(map(formatter.format, caplog.records))


# --- the outputs ---------------------------------------------------------------------------------


def text_of(name: str) -> Callable[[Played], Iterator[str]]:
    return lambda played: iter([(played.folder / name).read_text(encoding="utf-8")])


def console(detail: Detail, *, explain: bool) -> Callable[[Played], Iterator[str]]:
    return lambda played: iter([played.consoles[detail, explain].getvalue()])


def strings_in(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, item in value.items():
                yield from strings_in(key)
                yield from strings_in(item)
        case list():
            for item in value:
                yield from strings_in(item)


def page(played: Played) -> Iterator[str]:
    (text,) = text_of("run.html")(played)
    yield text
    yield html.unescape(text)


def junit(played: Played) -> Iterator[str]:
    yield from text_of("run.xml")(played)
    for element in ET.fromstring((played.folder / "run.xml").read_bytes()).iter():
        yield from (element.text or "", *element.attrib.values())


def document(played: Played) -> Iterator[str]:
    (text,) = text_of("run.json")(played)
    yield text
    yield "\n".join(strings_in(json.loads(text)))


def lines(played: Played) -> Iterator[str]:
    (text,) = text_of("run.ndjson")(played)
    yield text
    for line in text.splitlines():
        yield "\n".join(strings_in(json.loads(line)))


def history(played: Played) -> Iterator[str]:
    """Store the journey as a monitor does, and read all bytes that are on disk then."""
    (result,) = played.run.journeys
    evidence = (played.folder / "run.json").read_bytes()
    entry = finished(result, monitor="canaries", evidence=evidence)
    spool = Spool(played.folder / "spool")
    spool.put(entry)
    with closing(History(f"sqlite:///{played.folder / 'history.sqlite'}")) as store:
        store.open()
        store.write([entry])
        # While it is open, so that its log of what was written last is there as well.
        files = [*played.folder.glob("history.sqlite*"), *played.folder.glob("spool/*")]
        assert len(files) >= 3
        for path in files:
            yield path.read_bytes().decode("utf-8", "replace")
    yield repr(entry.entry)


def spans(played: Played) -> Iterator[str]:
    """Give the spans of the journey: there is more than one of them."""
    (journey,) = played.traced
    made = list(spans_of(journey))
    assert len(made) > 20
    yield from map(repr, made)


ARTEFACTS: dict[str, Callable[[Played], Iterator[str]]] = {
    **{
        f"console {detail.name.lower()}{' --explain' if explain else ''}": console(
            detail, explain=explain
        )
        for detail in Detail
        for explain in (False, True)
    },
    "html": page,
    "junit": junit,
    "events": lines,
    "nagios": lambda played: iter([status_text(played.run)]),
    "github": lambda played: chain(annotation_lines(played.run), [summary(played.run)]),
    "json": document,
    "markdown": text_of("run.md"),
    "a reporter of a plugin": lambda played: iter(played.everything.lines),
    "result": lambda played: iter([repr(played.run)]),
    "history": history,
    "spans": spans,
    "logs": lambda played: iter([played.log]),
}


@pytest.mark.parametrize("wire", WIRES)
async def test_no_canary_is_in_any_output(
    wire: str, tmp_path: Path, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    played = await play(tmp_path, caplog, WIRES[wire])

    (result,) = played.run.journeys
    assert (result.verdict, result.reason) == (Verdict.ERROR, Reason.PLUGIN), result.message
    assert len(CANARIES) == 40
    assert len(result.frames) > WIRES[wire].frames
    heard = [row.text for row in result.transcript if row.kind == "message"]
    assert heard[-1] == "that was all"
    spellings = WIRES[wire].spellings
    leaks = {
        name: sorted(leaks_in("\n".join(read(played)), spellings))
        for name, read in ARTEFACTS.items()
    }
    assert leaks == {name: [] for name in ARTEFACTS}


LATE_BOT = """\
botkit: 1
bot: late
steps:
  - wait_for: agent
  - say: my number is 908-172
  - expect: {matches: 'number=(?P<number>\\S+);;'}
    mask: [number]
  - say: it is 908-172
  - expect: bye
"""
LATE_AGENTS = """\
botkit-agents: 1
agents:
  Grace:
    - expect: my number
    - say: number=908-172;;
    - say: again 908-172
    - expect: it is
    - say: bye
"""


async def test_a_capture_is_hidden_live_from_its_message_on_and_everywhere_at_the_end(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    (tmp_path / "b.yaml").write_text(LATE_BOT)
    (tmp_path / "agents.yaml").write_text(LATE_AGENTS)
    own, everything = Plugins(), Everything()
    load_plugins(environ={"BOTKIT_LOAD_PLUGINS": ""}, into=own)
    async with trio.open_nursery() as nursery:
        settings = SimulatorSettings(agents=tmp_path / "agents.yaml", seed=1)
        connector = await simulator_in(nursery, settings)
        run = Run(
            plans_of(tmp_path / "b.yaml", own, {}),
            RunSettings(override=ConnectOptions(connector=IN_MEMORY), record_frames=True),
            connectors={IN_MEMORY: lambda: connector},
            dispatcher=own.dispatcher,
            reporters=[EventsReporter(tmp_path / "run.ndjson"), everything],
        )
        result = await run.play()
        nursery.cancel_scope.cancel()
    own.close()

    assert result.journeys[0].verdict is Verdict.PASSED, result.journeys[0].message
    assert "908-172" not in repr(result)
    live = (tmp_path / "run.ndjson").read_text(encoding="utf-8").splitlines()
    before = next(n for n, line in enumerate(live) if "number=***;;" in line)
    assert [line for line in live[before:] if "908-172" in line] == []
    # Nobody could know it yet; bots/README.md says so.
    assert sum("my number is 908-172" in line for line in live[:before]) >= 1
    assert any("it is ***" in line for line in live[before:])
