"""``botkit.testing.play``: a bot is tested as a function is."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from botkit import AgentConnected, JourneyInfo, hookimpl
from botkit.chat import SendMessage
from botkit.errors import ConfigError, PluginError
from botkit.results import Reason, Verdict
from botkit.testing import AGENT, ScriptedConnector, play

BOTS = Path(__file__).parents[2] / "bots"
ROWS = """\
botkit: 1
bot: rows
connect: {server: "http://nobody.example", connector: gms-rest}
data: {name: "${row.word}", rows: [{word: blue}, {word: red}]}
steps:
  - wait_for: agent
  - say: ${env.GREETING} ${row.word}
  - expect: {contains: blue}
    within: 10m
"""


@pytest.mark.parametrize(
    "name", ["smoke.yaml", "survey-link.yaml", "greeter.py", "reactive.yaml", "shared-steps.yaml"]
)
async def test_samples_pass(autojump_clock: MockClock, name: str) -> None:
    results = await play(BOTS / name)
    assert results
    assert {result.verdict for result in results} == {Verdict.PASSED}
    assert all(result.on_simulator and result.left for result in results)


async def test_each_row_is_played_and_a_long_wait_takes_no_time(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    (tmp_path / "rows.yaml").write_text(ROWS)
    blue, red = await play(tmp_path / "rows.yaml", variables={"GREETING": "A"})
    assert (blue.name, blue.verdict) == ("rows[blue]", Verdict.PASSED)
    assert (red.name, red.verdict, red.reason) == ("rows[red]", Verdict.FAILED, Reason.WHOLE_CHAT)
    assert red.duration > 200


async def test_a_plugin_is_heard_and_a_scripted_agent_answers(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    came: list[str] = []

    class Notes:
        @hookimpl
        def on_agent_connected(self, journey: JourneyInfo, event: AgentConnected) -> None:
            came.append(f"{event.party.name if event.party else None} for {journey.name}")

    async def answer(connector: ScriptedConnector) -> None:
        connector.push(AgentConnected, party=AGENT)
        await trio.sleep(3)
        connector.say("so blue")

    connector = ScriptedConnector(answer)
    file = tmp_path / "rows.yaml"
    file.write_text(ROWS.replace(", {word: red}", ""))
    (result,) = await play(
        file, connector=connector, plugins={"notes": Notes()}, variables={"GREETING": "A"}
    )
    assert result.verdict is Verdict.PASSED, result.message
    assert came == ["Ada for rows[blue]"]
    assert connector.commands[0] == SendMessage(text="A blue")


async def test_agents_come_from_the_caller_too(tmp_path: Path, autojump_clock: MockClock) -> None:
    agents = tmp_path / "agents.yaml"
    agents.write_text("botkit-agents: 1\nagents:\n  Grace:\n    - say: all is blue\n")
    bot = tmp_path / "b.yaml"
    bot.write_text("botkit: 1\nbot: b\nsteps:\n  - expect: all is blue\n")
    (result,) = await play(bot, agents=agents)
    assert result.verdict is Verdict.PASSED, result.message


CAPTURING = """\
botkit: 1
bot: b
steps:
  - expect: {matches: 'case (?P<case_no>\\S+) of (?P<email>\\S+), pin (?P<pin>\\d+)'}
    mask: [email, pin]
  - say: ${case_no}
  - expect: {matches: '(?s)(?P<long>x+) (?P<again>\\S+)'}
  - note: ${email} ${pin} ${long} ${again}
"""


async def test_what_was_captured_is_evidence_unless_it_is_masked(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def answer(connector: ScriptedConnector) -> None:
        connector.say("case A-1 of ada@example.com, pin 7")
        connector.say(f"{'x' * 3_000} ada@example.com")

    (tmp_path / "b.yaml").write_text(CAPTURING)
    (result,) = await play(tmp_path / "b.yaml", connector=ScriptedConnector(answer))
    assert result.verdict is Verdict.PASSED, result.message
    assert result.captured == {
        "case_no": "A-1",
        "email": "***",
        "pin": "***",
        "long": f"{'x' * 1_000}…",
        "again": "***",
    }


async def test_all_mistakes_of_a_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("botkit: 1\nbot: b\nstpes: []\nsteps:\n  - sya: x\n")
    with pytest.raises(ConfigError) as caught:
        await play(tmp_path / "b.yaml")
    assert "b.yaml:3:1: unknown key 'stpes'" in str(caught.value)
    assert "b.yaml:5:5: unknown verb 'sya'" in str(caught.value)


async def test_nothing_to_play_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no bot in"):
        await play(tmp_path)


async def test_a_plugin_that_does_not_fit_is_named(tmp_path: Path) -> None:
    class Wrong:
        @hookimpl
        def on_agent_conected(self) -> None: ...

    with pytest.raises(PluginError, match="there is no hook of this name; did you mean"):
        await play(BOTS / "smoke.yaml", plugins={"wrong": Wrong()})
