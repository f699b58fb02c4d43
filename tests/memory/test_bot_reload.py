"""Bots that reload, from their file to their verdict, over a connector in the hands of the test."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from botkit import chat
from botkit.bot.loader import Settings, load_file
from botkit.chat import AgentConnected, EndedBy, SessionRestored
from botkit.driver import ScriptedBot
from botkit.errors import RestoreFailed
from botkit.interfaces import ConnectOptions, Connector
from botkit.journey import Run, RunSettings
from botkit.plugins import load_plugins
from botkit.results import JourneyResult
from botkit.simulator import SimulatorSettings
from botkit.testing import AGENT, ScriptedConnector, simulator_in

HEAD = "botkit: 1\nbot: b\nsteps:\n"
ALL = """
  - wait_for: agent
  - expect: hello
  - say: Hi
  - reload: {away_for: 8s}
  - expect_restored: {same_chat: true, same_agent: true, history: complete}
    within: 5s
  - expect: welcome back
"""


async def play(folder: Path, connector: Connector, steps: str) -> JourneyResult:
    """Play a bot of these steps over a connector."""
    file = folder / "b.yaml"
    file.write_text(HEAD + steps)
    settings = Settings(make_script=partial(ScriptedBot, rng=random.Random(1)))
    loaded = load_file(file, settings)
    assert [str(problem) for problem in loaded.problems] == []
    plugins = load_plugins(folders=[], environ={"BOTKIT_LOAD_PLUGINS": ""})
    run = Run(
        [plan for bot in loaded.bots for plan in bot.plans()],
        RunSettings(override=ConnectOptions(connector="test")),
        connectors={"test": lambda: connector},
        dispatcher=plugins.dispatcher,
    )
    (result,) = (await run.play()).journeys
    plugins.close()
    return result


async def greet(connector: ScriptedConnector) -> None:
    connector.push(AgentConnected, party=AGENT, index=1)
    connector.say("hello", index=2)
    await trio.lowlevel.checkpoint()


async def welcome(connector: ScriptedConnector) -> None:
    await trio.sleep(1)
    connector.say("welcome back", index=3)


def verdict(result: JourneyResult) -> tuple[str, str]:
    return result.verdict.value, result.reason.value


async def test_a_chat_is_reloaded(tmp_path: Path, autojump_clock: MockClock) -> None:
    connector = ScriptedConnector(greet, resume=welcome)
    result = await play(tmp_path, connector, ALL)
    assert verdict(result) == ("passed", "ok"), result.message
    assert connector.commands == [chat.SendMessage(text="Hi"), chat.Detach(), chat.Leave()]
    assert [row.text for row in result.transcript if row.kind == "session_restored"] == [
        "scripted-1"
    ]
    reload = next(step for step in result.steps if step.verb == "reload")
    assert reload.duration >= 8
    assert result.left


@pytest.mark.parametrize("simulated", [True, False])
async def test_the_time_away_counts(
    tmp_path: Path, nursery: trio.Nursery, autojump_clock: MockClock, simulated: bool
) -> None:
    connector: Any = ScriptedConnector(greet)
    if simulated:
        connector = await simulator_in(nursery, SimulatorSettings(seed=1))
    steps = "  - wait_for: agent\n  - reload: {away_for: 10m}\n  - expect_restored\n"
    result = await play(tmp_path, connector, steps)
    assert verdict(result) == ("failed", "whole_chat")
    assert 300 <= result.duration < 310
    assert result.left


@pytest.mark.parametrize(
    ("wanted", "ends"),
    [
        ("{outcome: failed, code: 5}", ("passed", "ok")),
        ("{outcome: failed, code: 6}", ("failed", "expectation")),
        ("{outcome: no_session}", ("failed", "expectation")),
        ("{same_chat: true}", ("failed", "not_restored")),
    ],
)
async def test_the_service_does_not_give_the_chat_back(
    tmp_path: Path, autojump_clock: MockClock, wanted: str, ends: tuple[str, str]
) -> None:
    connector = ScriptedConnector(greet, restore_refusal=RestoreFailed(5, "not found"))
    steps = f"  - wait_for: agent\n  - reload\n  - expect_restored: {wanted}\n"
    result = await play(tmp_path, connector, steps)
    assert verdict(result) == ends
    failed = result.steps[-1]
    assert failed.took == "failed: 5 not found" or failed.received == ("failed: 5 not found",)


async def test_a_gap_in_the_history_is_named(tmp_path: Path, autojump_clock: MockClock) -> None:
    connector = ScriptedConnector(greet)

    async def forget(connector: ScriptedConnector) -> None:
        await greet(connector)
        connector.past.pop()

    connector = ScriptedConnector(forget, resume=welcome)
    result = await play(tmp_path, connector, ALL)
    assert verdict(result) == ("failed", "not_restored")
    assert "1 of 2 entries of the history were not repeated" in result.message
    assert result.step is not None
    assert result.step.received == (f"{AGENT.name}: hello",)


async def test_another_chat_comes_back(tmp_path: Path, autojump_clock: MockClock) -> None:
    async def rename(connector: ScriptedConnector) -> None:
        await greet(connector)
        connector.session_id = "scripted-2"

    result = await play(tmp_path, ScriptedConnector(rename), ALL)
    assert verdict(result) == ("failed", "not_restored")
    assert "it is another chat: scripted-2, and was scripted-1" in result.message


async def test_a_chat_that_is_over_has_nothing_to_restore(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def end(connector: ScriptedConnector) -> None:
        await greet(connector)
        connector.end(EndedBy.SERVICE)

    steps = "  - wait_for: ended\n  - reload\n  - expect_restored: {outcome: no_session}\n"
    connector = ScriptedConnector(end)
    result = await play(tmp_path, connector, steps)
    assert verdict(result) == ("passed", "ok"), result.message
    assert connector.commands == []


async def test_reactions_hear_that_it_was_restored(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    connector = ScriptedConnector(greet, resume=welcome)
    reaction = "whenever:\n  - session_restored:\n    do: [{say: I am back}]\n"
    result = await play(tmp_path, connector, f"{ALL}{reaction}")
    assert verdict(result) == ("passed", "ok"), result.message
    assert chat.SendMessage(text="I am back") in connector.commands
    kinds = [event for event in connector.past if isinstance(event, SessionRestored)]
    assert len(kinds) == 1
