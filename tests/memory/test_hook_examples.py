"""The manual of the hooks is true: each example is run, and each promise is kept.

An example is taken out of the docstring of its hook and executed as a plugin; a bot is played by
``botkit.testing.play`` so that the hook fires. What registering examples register are stand-ins of
this file; all else is as it is printed.
"""

from __future__ import annotations

import functools
import inspect
import logging
import types
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
import trio
from click.testing import CliRunner
from trio.testing import MockClock

from botkit import Alert, chat, hookimpl, hookspecs
from botkit.chat import SendMessage
from botkit.errors import PluginError
from botkit.hookspecs import EVENT_HOOKS, HOOKS
from botkit.interfaces import ActionContext, JourneyInfo, Match, Miss, Session
from botkit.plugins import Plugins, load_plugins, make_storage
from botkit.results import JourneyResult, Reason, StepResult, Verdict
from botkit.storage import MemoryStorage
from botkit.testing import AGENT, ScriptedConnector, play

BOT = """\
botkit: 1
bot: hooked
steps:
  - say: Hello
  - wait_for: agent_connected
  - reload: {away_for: 1s}
  - expect: that is all
"""
ON_HOOKS = [hook for hook in HOOKS if hook.startswith("on_")]
REGISTER_HOOKS = [hook for hook in HOOKS if hook.startswith("register_")]

# --- running an example --------------------------------------------------------------------------


def example_of(hook: str) -> str:
    """Take the code out of the docstring of a hook."""
    manual = inspect.getdoc(getattr(hookspecs, hook)) or ""
    return inspect.cleandoc(manual.partition("Example::\n")[2].strip("\n"))


PlayWith = Callable[..., Awaitable["Played"]]
Calls = list[tuple[str, dict[str, Any]]]
"""Hooks and what they were given, in order."""


def plugin_of(
    hook: str, code: str, calls: Calls | None = None, **names: object
) -> types.ModuleType:
    """Execute code as the module of a plugin; ``calls`` takes down how its hook is called."""
    module = types.ModuleType(f"example_{hook}")
    vars(module).update(hookimpl=hookimpl, logger=logging.getLogger("example"), **names)
    exec(compile(code, hook, "exec"), vars(module))
    function = getattr(module, hook)

    @functools.wraps(function)
    def watched(**arguments: Any) -> object:
        if calls is not None:
            calls.append((hook, arguments))
        return function(**arguments)

    vars(module)[hook] = watched
    return module


def witness_of(hook: str, calls: Calls) -> types.ModuleType:
    """Make a plugin that takes all arguments of a hook."""
    arguments = ", ".join(HOOKS[hook])
    return plugin_of(hook, f"@hookimpl\ndef {hook}({arguments}): ...", calls)


async def opens(agent: ScriptedConnector) -> None:
    agent.push(chat.AgentConnected, party=AGENT)


async def everything(agent: ScriptedConnector) -> None:
    """Let all happen that has a hook, the good cases."""
    agent.push(chat.AgentTyping, party=AGENT, is_typing=True)
    agent.push(chat.Notice, party=AGENT, text="idle", kind="IdleAlert")
    agent.push(chat.PushedUrl, party=AGENT, url="https://example.com")
    agent.push(chat.File, party=AGENT, file_id="f1", name="bill.pdf", size=3)
    agent.push(chat.Userdata, changes={"SurveyURL": "https://example.com/s", "Gone": None})
    agent.push(chat.Nickname, nickname="Bo", own=True)
    agent.push(chat.Interrupted, description="no route")
    agent.push(chat.Continued)
    agent.push(chat.Error, code=201, description="try again")
    agent.say("Are you still there?")
    agent.push(chat.AgentDisconnected, party=AGENT)
    # The bot leaves upon it, and who answers in a hook has until then.
    await trio.sleep(1)
    agent.say("that is all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A journey, and what plugins did in it, as texts."""

    result: JourneyResult
    connector: ScriptedConnector
    log: Sequence[str] = ()

    @property
    def effects(self) -> list[str]:
        sent = [c.text for c in self.connector.commands if isinstance(c, SendMessage)]
        return [*self.result.notes, *self.result.measurements, *sent, *self.log]


@pytest.fixture
def play_with(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Callable[..., Awaitable[Played]]:
    """Play the bot with plugins, and with all that may happen in a chat."""

    async def play_with(
        *plugins: object,
        happens: Callable[[ScriptedConnector], Awaitable[None]] = everything,
        bot: str = BOT,
    ) -> Played:
        file = tmp_path / "hooked.yaml"
        file.write_text(bot)
        connector = ScriptedConnector(opens, resume=happens)
        named = {f"plugin-{number}": plugin for number, plugin in enumerate(plugins, 1)}
        with caplog.at_level(logging.INFO, logger="example"):
            (result,) = await play(file, connector=connector, plugins=named)
        return Played(result=result, connector=connector, log=tuple(caplog.messages))

    return play_with


# --- hooks of events: their examples -------------------------------------------------------------

EFFECTS: Mapping[str, str] = {
    "on_session_started": "chat scripted-1",
    "on_session_restored": "I am back",
    "on_agent_connected": "agent",
    "on_agent_disconnected": "Ada left",
    "on_agent_typing": "typing",
    "on_message": "Yes",
    "on_notice": "IdleAlert: idle",
    "on_file": "file bill.pdf, 3 bytes",
    "on_nickname": "now called Bo",
    "on_interrupted": "interrupted: no route",
    "on_continued": "back",
    "on_session_ended": "ended by customer",
    "on_journey_started": "hooked begins",
    "on_step_finished": "steps[3]",
    "on_journey_finished": "hooked: passed",
}
"""What each example leaves behind that does more than assert."""

BAD_NEWS: Mapping[str, Mapping[str, Any]] = {
    "on_pushed_url": {"url": "http://example.com"},
    "on_userdata": {"changes": {"SurveyURL": "http://example.com/s"}},
    "on_error": {"code": 202, "description": "no such chat"},
}
"""For those that assert: an event that they do not stand."""


@pytest.mark.parametrize("hook", ON_HOOKS)
async def test_an_example_does_what_it_says(
    hook: str, play_with: PlayWith, autojump_clock: MockClock
) -> None:
    calls: Calls = []
    without = await play_with()
    played = await play_with(plugin_of(hook, example_of(hook), calls))
    assert played.result.verdict is Verdict.PASSED, played.result.message
    assert calls
    if hook in BAD_NEWS:
        assert played.effects == without.effects
    else:
        assert EFFECTS[hook] in played.effects
        assert EFFECTS[hook] not in without.effects


@pytest.mark.parametrize("hook", BAD_NEWS)
async def test_an_example_that_asserts_ends_the_journey(
    hook: str, play_with: PlayWith, autojump_clock: MockClock
) -> None:
    kinds = {name: kind for kind, name in EVENT_HOOKS.items()}

    async def bad_news(agent: ScriptedConnector) -> None:
        agent.push(kinds[hook], **BAD_NEWS[hook])

    played = await play_with(plugin_of(hook, example_of(hook)), happens=bad_news)
    assert (played.result.verdict, played.result.reason) == (Verdict.ERROR, Reason.PLUGIN)
    assert f"plugin 'plugin-1' in {hook}: it raised AssertionError" in played.result.message


# --- hooks of events: arguments, returns, raises -------------------------------------------------

PROTOCOLS = {"journey": JourneyInfo, "session": Session}
RECORDS: Mapping[str, Mapping[str, type]] = {
    **{hook: {"event": kind} for kind, hook in EVENT_HOOKS.items()},
    "on_journey_started": {},
    "on_step_finished": {"step": StepResult},
    "on_journey_finished": {"result": JourneyResult},
}


@pytest.mark.parametrize("hook", ON_HOOKS)
async def test_the_arguments_are_those_that_are_documented(
    hook: str, play_with: PlayWith, autojump_clock: MockClock
) -> None:
    calls: Calls = []
    await play_with(witness_of(hook, calls))
    assert calls
    for _, call in calls:
        assert tuple(call) == HOOKS[hook]
        for name, value in call.items():
            if name in PROTOCOLS:
                members = [m for m in vars(PROTOCOLS[name]) if not m.startswith("_")]
                assert [m for m in members if not hasattr(value, m)] == []
            else:
                assert type(value) is RECORDS[hook][name]


TIMES = {
    "on_session_started": 1,
    "on_session_restored": 1,
    "on_agent_connected": 1,
    "on_interrupted": 1,
    "on_continued": 1,
    "on_message": 2,
    "on_session_ended": 1,
    "on_journey_started": 1,
    "on_step_finished": 4,
    "on_journey_finished": 1,
}
"""How often they fire in the bot of this file; what is repeated after its reload is not counted."""


async def test_they_fire_when_they_should(play_with: PlayWith, autojump_clock: MockClock) -> None:
    calls: Calls = []
    await play_with(*[witness_of(hook, calls) for hook in ON_HOOKS])
    order = [hook for hook, _ in calls]
    assert set(order) == set(ON_HOOKS)
    assert {hook: order.count(hook) for hook in TIMES} == TIMES
    assert order[:2] == ["on_journey_started", "on_session_started"]
    ends = ["on_session_ended", "on_journey_finished"]
    assert [hook for hook in order if hook != "on_step_finished"][-2:] == ends
    assert order[-1] == ends[-1]


@pytest.mark.parametrize("form", ["def", "async def"])
@pytest.mark.parametrize("hook", ON_HOOKS)
async def test_what_a_hook_returns_is_ignored(
    hook: str, form: str, play_with: PlayWith, autojump_clock: MockClock
) -> None:
    calls: Calls = []
    returning = plugin_of(hook, f"@hookimpl\n{form} {hook}(): return 'anything'", calls)
    after = witness_of(hook, calls)
    played = await play_with(after, returning)
    assert played.result.verdict is Verdict.PASSED, played.result.message
    assert len(calls) % 2 == 0
    assert calls[1][1].keys() == set(HOOKS[hook])


@pytest.mark.parametrize("error", ["ValueError", "AssertionError"])
@pytest.mark.parametrize("form", ["def", "async def"])
@pytest.mark.parametrize("hook", ON_HOOKS)
async def test_what_a_hook_raises_ends_the_journey(
    hook: str, form: str, error: str, play_with: PlayWith, autojump_clock: MockClock
) -> None:
    played = await play_with(plugin_of(hook, f"@hookimpl\n{form} {hook}(): raise {error}('no')"))
    result = played.result
    assert (result.verdict, result.reason) == (Verdict.ERROR, Reason.PLUGIN)
    assert result.message == f"plugin 'plugin-1' in {hook}: it raised {error}: no"
    assert result.left
    assert (played.connector.past == []) is (hook == "on_journey_started")


# --- registering hooks: their examples -----------------------------------------------------------


class Pigeons(ScriptedConnector):
    """A wire that says one thing."""

    def __init__(self) -> None:
        super().__init__(fly)


async def fly(agent: ScriptedConnector) -> None:
    agent.say("GB82 WEST, that is all")


class Iban:
    """Stands for a matcher of account numbers."""

    def __init__(self, *, country: str) -> None:
        self.country = country

    def match(self, text: str) -> Match | Miss:
        return Match() if self.country in text else Miss(why=f"no account of {self.country}")

    def __str__(self) -> str:
        return f"an account of {self.country}"


def order_status(context: ActionContext, /, *, order: str) -> str:
    return f"order {order} is on its way"


class Written:
    """Stands for a reporter or a storage: knows where it was told to write."""

    def __init__(self, where: str) -> None:
        self.where = where


class Sink:
    """Keeps alerts."""

    def __init__(self, *, room: str) -> None:
        self.room = room
        self.alerts: list[Alert] = []

    async def deliver(self, alert: Alert) -> None:
        await trio.lowlevel.checkpoint()
        self.alerts.append(alert)


class Ping:
    """Stands for a bot."""

    name = "ping"
    tags = ()

    def plans(self) -> tuple[()]:
        return ()


@click.command()
def export() -> None:
    click.echo("exported")


STAND_INS: Mapping[str, Mapping[str, object]] = {
    "register_connectors": {"PigeonConnector": Pigeons},
    "register_matchers": {"IbanMatcher": Iban},
    "register_actions": {"order_status": order_status},
    "register_reporters": {"CsvReporter": Written},
    "register_alert_sinks": {"TeamsSink": Sink},
    "register_state_storages": {"RedisStorage": MemoryStorage},
    "register_bots": {"PingBot": Ping},
    "register_commands": {"export": export},
}


def loaded(*plugins: object) -> Plugins:
    """Load plugins and nothing else, as a command does."""
    own = Plugins()
    for number, plugin in enumerate(plugins, 1):
        own.register(plugin, name=f"plugin-{number}")
    return load_plugins(environ={"BOTKIT_LOAD_PLUGINS": ""}, into=own, built_in=None)


def registering(hook: str, calls: Calls | None = None) -> types.ModuleType:
    return plugin_of(hook, example_of(hook), calls, **STAND_INS[hook])


@pytest.mark.parametrize("hook", REGISTER_HOOKS)
def test_an_example_registers_its_thing(hook: str) -> None:
    calls: Calls = []
    plugins = loaded(registering(hook, calls))
    assert [(name, tuple(given)) for name, given in calls] == [(hook, ("register",))]
    registry = next(registry for registry in plugins.registries if registry.hook == hook)
    assert len(registry) == 1
    plugins.close()


async def test_the_wire_of_the_example(tmp_path: Path, autojump_clock: MockClock) -> None:
    plugins = loaded(registering("register_connectors"))
    bot = tmp_path / "bot.yaml"
    bot.write_text("botkit: 1\nbot: b\nsteps:\n  - expect: that is all\n")
    (result,) = await play(bot, connector=plugins.connectors["carrier-pigeon"]())
    assert result.verdict is Verdict.PASSED, result.message
    plugins.close()


async def test_the_matcher_and_the_action_of_the_examples(
    play_with: PlayWith,
    autojump_clock: MockClock,
) -> None:
    bot = """\
botkit: 1
bot: hooked
steps:
  - reload: {away_for: 1s}
  - expect: {is_iban: GB}
  - call: order_status
    with: {order: "7"}
    as: status
  - say: So ${status}
"""
    plugins = [registering("register_matchers"), registering("register_actions")]
    played = await play_with(*plugins, happens=fly, bot=bot)
    assert played.result.verdict is Verdict.PASSED, played.result.message
    assert "So order 7 is on its way" in played.effects


async def test_the_places_of_the_examples(tmp_path: Path) -> None:
    hooks = ["register_reporters", "register_alert_sinks", "register_state_storages"]
    plugins = loaded(*[registering(hook) for hook in hooks])
    assert plugins.reporters["csv"](tmp_path).where == tmp_path  # type: ignore[attr-defined]
    sink = plugins.alert_sinks["teams"](room="night shift")
    alert = Alert(key="k", firing=True, title="chat is down", text="", since_utc=0.0)
    await sink.deliver(alert)
    assert isinstance(sink, Sink)
    assert (sink.room, sink.alerts) == ("night shift", [alert])
    assert isinstance(make_storage(plugins, "redis"), MemoryStorage)
    plugins.close()


def test_the_bot_and_the_command_of_the_examples() -> None:
    plugins = loaded(registering("register_bots"), registering("register_commands"))
    assert plugins.bots["ping"].plans() == ()
    assert CliRunner().invoke(plugins.commands["export"]).output == "exported\n"
    plugins.close()


# --- registering hooks: returns, raises, names ---------------------------------------------------


@pytest.mark.parametrize("hook", REGISTER_HOOKS)
def test_what_a_registering_hook_returns_is_ignored(hook: str) -> None:
    plugins = loaded(plugin_of(hook, f"@hookimpl\ndef {hook}(register): return 'anything'"))
    assert [len(registry) for registry in plugins.registries] == [0] * len(REGISTER_HOOKS)
    plugins.close()


@pytest.mark.parametrize("hook", REGISTER_HOOKS)
def test_what_a_registering_hook_raises_stops_botkit(hook: str) -> None:
    with pytest.raises(PluginError) as caught:
        loaded(plugin_of(hook, f"@hookimpl\ndef {hook}(register): raise ValueError('no')"))
    assert str(caught.value) == f"plugin 'plugin-1' in {hook}: it raised ValueError: no"


@pytest.mark.parametrize("hook", REGISTER_HOOKS)
def test_a_name_that_is_taken_names_both_plugins(hook: str) -> None:
    with pytest.raises(PluginError, match=r"plugin-.*plugin-"):
        loaded(registering(hook), registering(hook))
