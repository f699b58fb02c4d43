"""Journeys over a scripted connector, on virtual time: every way to end has its verdict."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from botkit import chat
from botkit.chat import AgentConnected, Error, Message, SessionEnded
from botkit.errors import (
    ChatError,
    ChatRefused,
    ConfigError,
    ConnectorError,
    ExpectationFailed,
    PluginError,
    RemoteProtocolError,
    SessionClosed,
)
from botkit.interfaces import ConnectOptions, Connector, JourneyPlan, Limits, Reporter, Session
from botkit.journey import Run, RunSettings
from botkit.results import (
    ExitCode,
    JourneyResult,
    Reason,
    RunResult,
    Verdict,
    exit_code,
)
from botkit.testing import AGENT, ScriptedConnector


class Hooks:
    """Dispatches to functions of the test, as the plugin manager would."""

    def __init__(self, **functions: Callable[..., Any]) -> None:
        self.functions = functions

    def has(self, hook: str, /) -> bool:
        return hook in self.functions

    async def dispatch(self, hook: str, /, **arguments: Any) -> None:
        if hook in self.functions:
            await self.functions[hook](**arguments)


def plan(run: Callable[[Session], Any] | None, **members: Any) -> JourneyPlan:
    class Script:
        pass

    if run is not None:
        Script.run = staticmethod(run)  # type: ignore[attr-defined]
    members = {"connect": ConnectOptions(connector="test")} | members
    return JourneyPlan(bot="bot", name="bot", new_script=Script, **members)


def run_of(
    plans: Sequence[JourneyPlan],
    connector: Connector | Callable[[], Connector],
    hooks: Hooks | None = None,
    reporters: Sequence[Reporter] = (),
) -> Run:
    make = connector if callable(connector) else lambda: connector
    return Run(
        plans,
        RunSettings(jobs=3, run_id="r"),
        connectors={"test": make},
        dispatcher=lambda script, name: hooks or Hooks(),
        reporters=reporters,
    )


async def played(
    run: Callable[[Session], Any] | None,
    connector: ScriptedConnector,
    hooks: Hooks | None = None,
    **members: Any,
) -> tuple[JourneyResult, ExitCode]:
    result = await run_of([plan(run, **members)], connector, hooks).play()
    return result.journeys[0], exit_code(result)


async def agent_joins(wire: ScriptedConnector) -> None:
    wire.push(AgentConnected, party=AGENT)


async def meet(session: Session) -> None:
    await session.wait_for(AgentConnected, within=5)


async def test_a_journey_that_holds_passes_with_its_evidence(autojump_clock: MockClock) -> None:
    wire = ScriptedConnector(agent_joins)
    result, code = await played(meet, wire, title="t", tags=("a",))
    assert (result.verdict, result.reason, code) == (Verdict.PASSED, Reason.OK, 0)
    assert result.left
    assert result.session_id == "scripted-1"
    assert [step.verb for step in result.steps] == ["wait_for"]
    assert [row.kind for row in result.transcript] == [
        "session_started",
        "agent_connected",
        "session_ended",
    ]
    assert [type(command) for command in wire.commands] == [chat.Leave]


async def test_an_expectation_that_broke_stays_broken_whoever_catches_it(
    autojump_clock: MockClock,
) -> None:
    async def goes_on(session: Session) -> None:
        await session.wait_for(AgentConnected, within=5)
        with suppress(ExpectationFailed):
            await session.wait_for(chat.Notice, within=1)
        await session.send_message("never mind")

    result, code = await played(goes_on, ScriptedConnector(agent_joins))
    assert (result.verdict, result.reason, code) == (Verdict.FAILED, Reason.TIMEOUT, 1)
    assert result.message.endswith("the bot went on all the same")
    assert result.step is not None
    assert result.step.verb == "wait_for"


@pytest.mark.parametrize("error", [ValueError("no coffee"), SystemExit(0)])
async def test_a_bot_that_cannot_be_made_is_to_blame_and_hooks_hear_of_it(
    error: BaseException, autojump_clock: MockClock
) -> None:
    def make() -> object:
        raise error

    told = []

    async def finished(result: JourneyResult, **_: object) -> None:
        told.append(result.reason)

    plans = [replace(plan(None), new_script=make)]
    wire = ScriptedConnector()
    run = await run_of(plans, wire, Hooks(on_journey_finished=finished)).play()
    result = run.journeys[0]
    assert (result.verdict, result.reason) == (Verdict.ERROR, Reason.BOT)
    assert str(error) in result.message
    assert told == [Reason.BOT]
    assert wire.commands == []


@pytest.mark.parametrize("error", [ValueError("odd"), SystemExit(0)])
async def test_a_connector_that_breaks_is_no_fault_of_the_bot(
    error: Exception, autojump_clock: MockClock
) -> None:
    result, code = await played(meet, ScriptedConnector(refusal=error))
    assert (result.verdict, result.reason, code) == (Verdict.ERROR, Reason.INTERNAL, 3)


async def test_a_hook_that_speaks_too_late_is_a_warning(autojump_clock: MockClock) -> None:
    async def late(session: Session, **_: object) -> None:
        try:
            await session.send_message("one more thing")
        except SessionClosed as error:
            raise PluginError("it raised", plugin="chatty", hook="on_session_ended") from error

    result, code = await played(meet, ScriptedConnector(agent_joins), Hooks(on_session_ended=late))
    assert (result.verdict, result.reason, code) == (Verdict.PASSED, Reason.OK, 0)
    assert result.warnings == ("too late: plugin 'chatty' in on_session_ended: it raised",)


@pytest.mark.parametrize(
    ("error", "verdict", "reason"),
    [
        (ValueError("boom"), Verdict.ERROR, Reason.BOT),
        (AssertionError("boom"), Verdict.FAILED, Reason.ASSERTION),
        (ChatError(7, "boom"), Verdict.FAILED, Reason.CHAT_ERROR),
    ],
)
async def test_what_a_callback_raises_is_the_bot_s(
    error: Exception, verdict: Verdict, reason: Reason, autojump_clock: MockClock
) -> None:
    async def run(session: Session) -> None:
        async def fail(_: AgentConnected) -> None:
            await trio.lowlevel.checkpoint()
            raise error

        session.on(AgentConnected, fail)
        await forever(session)

    async def joins_late(wire: ScriptedConnector) -> None:
        await trio.sleep(1)
        await agent_joins(wire)

    wire = ScriptedConnector(joins_late)
    result, _ = await played(run, wire)
    assert (result.verdict, result.reason) == (verdict, reason)
    assert "boom" in result.message
    assert result.left
    assert wire.commands == [chat.Leave()]


async def test_a_callback_that_speaks_too_late_is_a_warning(autojump_clock: MockClock) -> None:
    async def run(session: Session) -> None:
        session.on(SessionEnded, lambda _: session.send_message("one more thing"))
        await meet(session)

    result, _ = await played(run, ScriptedConnector(agent_joins))
    assert (result.verdict, result.reason) == (Verdict.PASSED, Reason.OK)
    assert result.warnings[0].startswith("too late: a callback: send_message: the chat has ended")


async def idle(session: Session) -> None:
    await trio.sleep(1)


async def forever(session: Session) -> None:
    await meet(session)
    await trio.sleep_forever()


async def stubborn(session: Session) -> None:
    await meet(session)
    try:
        await trio.sleep_forever()
    except BaseException:  # what no bot should do, and what some will
        return


async def raises(error: Exception, session: Session) -> None:
    await meet(session)
    raise error


def breaks(error: Exception) -> Callable[[Session], Any]:
    return lambda session: raises(error, session)


SCRIPTS: list[tuple[str, Any, Verdict, Reason, int]] = [
    ("nothing asserted", idle, Verdict.ERROR, Reason.ASSERTED_NOTHING, 3),
    ("assert", breaks(AssertionError("1 == 2")), Verdict.FAILED, Reason.ASSERTION, 1),
    ("broken bot", breaks(KeyError("x")), Verdict.ERROR, Reason.BOT, 3),
    ("chat error", breaks(ChatError(52, "no")), Verdict.FAILED, Reason.CHAT_ERROR, 1),
    ("unset value", breaks(ConfigError("unset")), Verdict.ERROR, Reason.VARIABLE, 3),
    ("never ends", forever, Verdict.FAILED, Reason.WHOLE_CHAT, 1),
    ("swallows its limit", stubborn, Verdict.FAILED, Reason.WHOLE_CHAT, 1),
    ("never comes", lambda s: s.wait_for(chat.Notice), Verdict.FAILED, Reason.TIMEOUT, 1),
]


@pytest.mark.parametrize(
    ("run", "verdict", "reason", "code"), [row[1:] for row in SCRIPTS], ids=[r[0] for r in SCRIPTS]
)
async def test_scripts_that_do_not_pass(
    autojump_clock: MockClock,
    run: Callable[[Session], Any],
    verdict: Verdict,
    reason: Reason,
    code: int,
) -> None:
    wire = ScriptedConnector(agent_joins)
    result, got = await played(run, wire)
    assert (result.verdict, result.reason, got) == (verdict, reason, code)
    assert result.message
    assert result.left
    assert isinstance(wire.commands[-1], chat.Leave)


OPENINGS: list[tuple[Exception, Verdict, Reason, int]] = [
    (ChatRefused(240, "closed"), Verdict.FAILED, Reason.REFUSED, 1),
    (ConnectorError("refused", kind="refused"), Verdict.FAILED, Reason.UNREACHABLE, 12),
    (ConnectorError("proxy", kind="proxy"), Verdict.ERROR, Reason.SETUP, 3),
    (RemoteProtocolError("HTML"), Verdict.FAILED, Reason.PROTOCOL, 1),
    (ConfigError("no such file"), Verdict.ERROR, Reason.SETUP, 3),
]


@pytest.mark.parametrize(("error", "verdict", "reason", "code"), OPENINGS)
async def test_sessions_that_do_not_open(
    autojump_clock: MockClock, error: Exception, verdict: Verdict, reason: Reason, code: int
) -> None:
    result, got = await played(meet, ScriptedConnector(refusal=error))
    assert (result.verdict, result.reason, got) == (verdict, reason, code)
    assert str(error) in result.message
    assert result.left


async def test_a_goodbye_that_nobody_confirms_is_a_failure(autojump_clock: MockClock) -> None:
    wire = ScriptedConnector(agent_joins, confirms_leaving=False)
    result, code = await played(meet, wire)
    assert (result.verdict, result.reason, code) == (Verdict.FAILED, Reason.NOT_LEFT, 1)
    assert not result.left


async def test_a_hook_that_raises_ends_the_journey_and_is_named(autojump_clock: MockClock) -> None:
    async def on_message(journey: Any, session: Any, event: Message) -> None:
        await trio.lowlevel.checkpoint()
        raise PluginError("boom", plugin="bad", hook="on_message", reason="plugin")

    async def talk(wire: ScriptedConnector) -> None:
        await agent_joins(wire)
        wire.say("hello")

    result, code = await played(forever, ScriptedConnector(talk), Hooks(on_message=on_message))
    assert (result.verdict, result.reason, code) == (Verdict.ERROR, Reason.PLUGIN, 3)
    assert "'bad'" in result.message
    assert result.left


async def test_a_hook_that_raises_at_the_very_end_undoes_the_pass(
    autojump_clock: MockClock,
) -> None:
    async def broken(**arguments: Any) -> None:
        await trio.lowlevel.checkpoint()
        raise PluginError("boom", plugin="bad", hook="on_session_ended", reason="plugin")

    for hook in ("on_session_ended", "on_journey_finished"):
        result, code = await played(meet, ScriptedConnector(agent_joins), Hooks(**{hook: broken}))
        assert (result.verdict, result.reason, code) == (Verdict.ERROR, Reason.PLUGIN, 3)


async def test_the_end_is_told_to_hooks_whatever_broke(autojump_clock: MockClock) -> None:
    class Broken(ScriptedConnector):
        async def connect(self, *arguments: Any, **named: Any) -> None:
            await super().connect(*arguments, **named)
            raise RuntimeError("a defect of the connector")

    told: list[Verdict] = []

    async def on_journey_finished(result: JourneyResult, **others: Any) -> None:
        await trio.lowlevel.checkpoint()
        told.append(result.verdict)

    result, code = await played(
        meet, Broken(agent_joins), Hooks(on_journey_finished=on_journey_finished)
    )
    assert (result.verdict, result.reason, code) == (Verdict.ERROR, Reason.INTERNAL, 3)
    assert told == [Verdict.ERROR]


async def test_hooks_hear_of_events_in_order_and_of_the_end(autojump_clock: MockClock) -> None:
    heard: list[str] = []

    def hear(name: str) -> Callable[..., Any]:
        async def hook(**arguments: Any) -> None:
            await trio.sleep(0.1)
            heard.append(name)

        return hook

    names = (
        "on_journey_started", "on_session_started", "on_agent_connected", "on_step_finished",
        "on_session_ended", "on_journey_finished",
    )  # fmt: skip
    result, _ = await played(
        meet, ScriptedConnector(agent_joins), Hooks(**{name: hear(name) for name in names})
    )
    assert result.verdict is Verdict.PASSED
    assert heard == list(names)


async def test_slow_is_degraded_and_counts_as_passed_unless_asked_otherwise(
    autojump_clock: MockClock,
) -> None:
    async def late(wire: ScriptedConnector) -> None:
        await trio.sleep(3)
        await agent_joins(wire)

    async def patient(session: Session) -> None:
        await session.wait_for(AgentConnected, within=5, slow_after=1)

    run = run_of([plan(patient)], ScriptedConnector(late))
    result = await run.play()
    assert result.journeys[0].verdict is Verdict.DEGRADED
    assert exit_code(result) == 0
    assert exit_code(result, fail_on_degraded=True) == 10


async def test_a_signal_leaves_all_chats_and_starts_no_more(autojump_clock: MockClock) -> None:
    wires = [ScriptedConnector(agent_joins) for _ in range(5)]
    plans = [plan(forever, connect=ConnectOptions(connector=f"w{n}")) for n in range(len(wires))]
    run = Run(
        plans,
        RunSettings(jobs=3, run_id="r"),
        connectors={f"w{n}": (lambda wire=wire: wire) for n, wire in enumerate(wires)},
        dispatcher=lambda script, name: Hooks(),
    )
    async with trio.open_nursery() as nursery:

        async def signal() -> None:
            await trio.sleep(10)
            run.stop()

        nursery.start_soon(signal)
        result = await run.play()
    verdicts = [journey.verdict for journey in result.journeys]
    assert verdicts == [Verdict.CANCELLED] * 3 + [Verdict.SKIPPED] * 2
    assert exit_code(result) == ExitCode.SIGNAL
    assert [bool(wire.commands) for wire in wires] == [True] * 3 + [False] * 2


async def test_a_reporter_that_fails_is_counted_and_the_journey_goes_on(
    autojump_clock: MockClock,
) -> None:
    class Bad:
        def __getattr__(self, name: str) -> Any:
            raise OSError("disk full")

    result = await run_of(
        [plan(meet)],
        ScriptedConnector(agent_joins),
        reporters=[Bad()],
    ).play()
    assert result.journeys[0].verdict is Verdict.PASSED
    assert "Bad failed" in result.faults[0]
    assert exit_code(result) == ExitCode.ERROR


async def test_an_error_event_is_a_warning_in_the_evidence(autojump_clock: MockClock) -> None:
    async def complain(wire: ScriptedConnector) -> None:
        wire.push(Error, code=52, description="moving to another server")
        await agent_joins(wire)

    result, _ = await played(meet, ScriptedConnector(complain))
    assert result.verdict is Verdict.PASSED
    assert result.warnings == ("the service reported an error: 52 moving to another server",)


async def test_a_bot_of_hooks_alone_lasts_until_the_chat_ends(autojump_clock: MockClock) -> None:
    async def talk(wire: ScriptedConnector) -> None:
        await agent_joins(wire)
        await trio.sleep(7)
        wire.end()

    async def on_agent_connected(session: Session, **others: Any) -> None:
        await session.wait_for(AgentConnected)

    result, _ = await played(
        None, ScriptedConnector(talk), Hooks(on_agent_connected=on_agent_connected)
    )
    assert result.verdict is Verdict.PASSED
    assert result.duration == 7


def results(*journeys: tuple[Verdict, Reason], **members: Any) -> RunResult:
    base = JourneyResult(
        run_id="r", journey_id="j", bot="b", name="b", verdict=Verdict.PASSED, reason=Reason.OK,
        started_utc=0, began=0, duration=0,
    )  # fmt: skip
    return RunResult(
        run_id="r",
        started_utc=0,
        duration=0,
        journeys=tuple(replace(base, verdict=v, reason=r) for v, r in journeys),
        **members,
    )


PASSED, FAILED = (Verdict.PASSED, Reason.OK), (Verdict.FAILED, Reason.TIMEOUT)
GONE, ERROR = (Verdict.FAILED, Reason.UNREACHABLE), (Verdict.ERROR, Reason.BOT)
SKIPPED, DEGRADED = (Verdict.SKIPPED, Reason.NOT_STARTED), (Verdict.DEGRADED, Reason.SLOW)


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (results(PASSED, DEGRADED, SKIPPED), 0),
        (results(PASSED, FAILED, GONE), 1),
        (results(PASSED, GONE), 12),
        (results(FAILED, ERROR), 3),
        (results(PASSED, faults=("x",)), 3),
        (results(ERROR, interrupted=True), 2),
        (results(SKIPPED), 5),
        (results(), 5),
    ],
)
def test_exit_codes_take_the_first_that_applies(run: RunResult, code: int) -> None:
    assert exit_code(run) == code


# --- a connection that is gone -------------------------------------------------------------------


async def wait_in_vain(session: Session) -> None:
    await meet(session)
    await session.wait_for(chat.Notice, within=50)


@pytest.mark.parametrize(
    ("comes_back", "reason"), [(False, Reason.LOST), (True, Reason.TIMEOUT)], ids=["gone", "back"]
)
async def test_what_never_came_is_blamed_on_a_connection_that_is_gone(
    comes_back: bool, reason: Reason, autojump_clock: MockClock
) -> None:
    async def play(wire: ScriptedConnector) -> None:
        await agent_joins(wire)
        await trio.sleep(7)
        wire.push(chat.Interrupted, description="nobody listens")
        if comes_back:
            wire.push(chat.Continued)

    result, code = await played(wait_in_vain, ScriptedConnector(play))
    assert (result.verdict, result.reason, code) == (Verdict.FAILED, reason, 1)
    told = "the connection has been lost since 7.0 s: nobody listens"
    assert result.message.endswith(told) is not comes_back


async def test_a_command_that_came_too_late_for_a_lost_chat_is_blamed_on_the_loss(
    autojump_clock: MockClock,
) -> None:
    async def play(wire: ScriptedConnector) -> None:
        await agent_joins(wire)
        await trio.sleep(1)
        wire.end(chat.EndedBy.LOST)

    async def speak(session: Session) -> None:
        await meet(session)
        await trio.sleep(5)
        await session.send_message("anybody?")

    result, _ = await played(speak, ScriptedConnector(play))
    assert (result.verdict, result.reason) == (Verdict.FAILED, Reason.LOST)


async def test_the_whole_chat_runs_out_while_the_connection_is_gone(
    autojump_clock: MockClock,
) -> None:
    async def play(wire: ScriptedConnector) -> None:
        await agent_joins(wire)
        wire.push(chat.Interrupted, description="nobody listens")

    result, _ = await played(wait_in_vain, ScriptedConnector(play), limits=Limits(whole_chat=20.0))
    assert (result.verdict, result.reason) == (Verdict.FAILED, Reason.LOST)
    assert result.message.startswith("the chat took longer than 20 s; the connection has been lost")
