"""What was recorded with scripted agents is played again, with the same agents, and passes."""

from __future__ import annotations

import json
import random
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from botkit.bot.loader import Settings, load_agents, load_file
from botkit.cli.talk import Talk
from botkit.driver import ScriptedBot
from botkit.interfaces import ConnectOptions, Connector, JourneyPlan, Opening
from botkit.journey import Run, RunSettings
from botkit.plugins import load_plugins
from botkit.recording import Recorder, Recording, bot_text, recording_of
from botkit.report.json_document import document, encode
from botkit.results import JourneyResult, RunResult, Verdict
from botkit.session import ChatSession
from botkit.simulator import SimulatorSettings
from botkit.testing import simulator_in

AGENTS = "botkit-agents: 1\nrouting:\n  - attach: {{Survey: 's-${{unique.uuid}}'}}\n    to: [Ada]\n"
CHATS = {
    "asks and answers": (
        ["Hello", "order A-12", "thanks"],
        """
    - say: I am Ada
    - expect: order
    - say: Your ticket is ${unique.number}
    - expect: thanks
    - say: Bye ${unique.uuid}
""",
    ),
    "speaks by the clock": (
        ["Hello", "~20", "Are you there"],
        """
    - say: one
    - pause: 12s
    - say: two
    - pause: 15s
    - say: three
    - expect: there
    - say: yes
""",
    ),
    "ends the chat": (
        ["Hello", "~2"],
        """
    - expect: Hello
    - show_typing: 1s
    - say: |-
        First line 12

        and ${unique.x}
    - push_url: https://x.example/
    - leave
""",
    ),
    "user data": (
        ["/userdata Case=7", "/expect HERE", "~3", "bye"],
        """
    - expect_userdata: {Case: {matches: '.+'}}
    - set_userdata: {Answer: "a-${unique.number}"}
    - say: it is HERE for ${today}
    - wait_for: ended
""",
    ),
    "nothing is said": (["Hello"], "    - wait_for: ended\n"),
}


class Script:
    """A person whose lines are known; ``~SECONDS`` is a pause for thought."""

    patient = False

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.shown: list[str] = []

    async def read(self) -> str | None:
        await trio.sleep(1)
        if not self.lines:
            return None
        line = self.lines.pop(0)
        if line.startswith("~"):
            await trio.sleep(float(line[1:]))
            return ""
        return line

    def open(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    def show(self, line: str) -> None:
        self.shown.append(line)

    def show_typing(self, who: str) -> None:
        pass


async def record(connector: Connector, lines: list[str]) -> Recording:
    recorder, began = Recorder({}), trio.current_time()
    async with trio.open_nursery() as nursery:
        session = ChatSession(nursery, Opening())
        await session.open(connector)
        await Talk(session, Script(list(lines)), recorder).hold()
        await session.leave()
        nursery.cancel_scope.cancel()
    return Recording(
        name="again",
        beats=tuple(recorder.beats),
        began=began,
        ended=trio.current_time(),
        agents=frozenset(recorder.agents),
    )


def plans_in(file: Path, text: str) -> list[JourneyPlan]:
    file.write_text(text)
    loaded = load_file(file, Settings(make_script=partial(ScriptedBot, rng=random.Random(1))))
    assert [str(problem) for problem in loaded.problems] == []
    return [plan for bot in loaded.bots for plan in bot.plans()]


async def replay(connector: Connector, recording: Recording, file: Path) -> RunResult:
    plans = plans_in(file, bot_text(recording))
    plugins = load_plugins(folders=[], environ={"BOTKIT_LOAD_PLUGINS": ""})
    run = Run(
        plans,
        RunSettings(override=ConnectOptions(connector="test")),
        connectors={"test": lambda: connector},
        dispatcher=plugins.dispatcher,
    )
    result = await run.play()
    plugins.close()
    return result


@pytest.mark.parametrize("name", CHATS)
async def test_a_recorded_chat_replays_green_and_so_does_its_evidence(
    name: str, tmp_path: Path, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    lines, steps = CHATS[name]
    agents = tmp_path / "agents.yaml"
    agents.write_text(AGENTS.format() + "agents:\n  Ada:\n" + steps)
    settings = SimulatorSettings(agents=load_agents(agents), seed=1)
    connector = await simulator_in(nursery, settings, latency=0.01)

    recording = await record(connector, lines)
    run = await replay(connector, recording, tmp_path / "again.yaml")
    assert told(run.journeys) == [(Verdict.PASSED, "")], bot_text(recording)

    converted = recording_of(encode(document(run)).decode())
    run = await replay(connector, converted, tmp_path / "converted.yaml")
    assert told(run.journeys) == [(Verdict.PASSED, "")], bot_text(converted)
    assert json.loads(encode(document(run)))["journeys"][0]["asserted"] >= 1


def told(journeys: tuple[JourneyResult, ...]) -> list[tuple[Verdict, str]]:
    return [(journey.verdict, journey.message) for journey in journeys]
