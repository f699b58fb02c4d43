"""Whole journeys that somebody steps through, on virtual time: thinking takes none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from botkit.bot.script import Step, all_steps
from botkit.bot.yaml_bot import YamlBot
from botkit.cli.loading import load_bots
from botkit.cli.stepping import PromptStepper
from botkit.errors import SessionClosed
from botkit.interfaces import ConnectOptions, JourneyPlan
from botkit.journey import Run, RunSettings
from botkit.journey.stepping import Stepper, Stepping
from botkit.plugins import Plugins, load_plugins
from botkit.results import JourneyResult, Reason, RunResult, Verdict, exit_code
from botkit.simulator import SimulatorSettings
from botkit.testing import simulator_in
from botkit.testing.playing import IN_MEMORY

BOT = """\
botkit: 1
bot: order
limits: {whole_chat: 20s}
data: {mask: [pin], rows: [{pin: "4711"}]}
never:
  - contains: technical error
whenever:
  - message: {contains: hurry}
    do:
      - say: I do hurry
steps:
  - wait_for: agent
  - say: my order A-1
  - expect: {matches: 'order (?P<order>\\S+)'}
    mask: [order]
    within: 5s
  - repeat:
      times: 2
      do:
        - say: and ${order} ${row.pin}
  - say: bye
  - expect: {contains: bye}
"""
LINES = (12, 13, 14, 17, 20, 20, 21, 22)
THOUGHT = 60.0
"""Seconds: longer than the chat may take."""


class Thinker(Stepper):
    """Thinks for a minute before each step, and does something then.

    Attributes:
        held: the lines of the steps that came.
    """

    def __init__(self, *doings: Callable[[Stepping], Awaitable[None] | None]) -> None:
        self.held: list[int] = []
        self._doings = iter(doings)

    async def attend(self, stepping: Stepping, play: Callable[[], Awaitable[None]]) -> None:
        self.stepping = stepping
        await play()

    def stops_at(self, step: Step) -> bool:
        self.held.append(step.place.line)
        return True

    async def pause(self, step: Step) -> None:
        await trio.sleep(THOUGHT)
        doing = next(self._doings, None)
        if doing is not None and (awaitable := doing(self.stepping)) is not None:
            await awaitable


Play = Callable[..., Awaitable[RunResult]]


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    return tmp_path / "order.yaml"


@pytest.fixture
def play(bot: Path, nursery: trio.Nursery) -> Play:
    """Plays the bot so many times, one after another."""

    async def played(stepper: Stepper, *, times: int = 1, text: str = BOT) -> RunResult:
        plugins = Plugins()
        load_plugins(environ={"BOTKIT_LOAD_PLUGINS": ""}, into=plugins)
        (plan,) = loaded(bot, text, plugins).plans()
        return await run_of([plan] * times, stepper, plugins, nursery)

    return played


def loaded(file: Path, text: str, plugins: Plugins) -> YamlBot:
    file.write_text(text)
    (found,), _ = load_bots([file], plugins)
    assert isinstance(found, YamlBot)
    return found


async def run_of(
    plans: Sequence[JourneyPlan], stepper: Stepper, plugins: Plugins, nursery: trio.Nursery
) -> RunResult:
    return await (await prepared(plans, stepper, plugins, nursery)).play()


async def prepared(
    plans: Sequence[JourneyPlan], stepper: Stepper, plugins: Plugins, nursery: trio.Nursery
) -> Run:
    wire = await simulator_in(nursery, SimulatorSettings(seed=1))
    return Run(
        plans,
        RunSettings(jobs=1, override=ConnectOptions(connector=IN_MEMORY)),
        connectors={IN_MEMORY: lambda: wire},
        dispatcher=plugins.dispatcher,
        actions=plugins.actions,
        reporters=[stepper] if isinstance(stepper, PromptStepper) else [],
        stepper=stepper,
    )


async def test_thinking_fails_no_journey(play: Play, autojump_clock: MockClock) -> None:
    thinker = Thinker()
    (result,) = (await play(thinker)).journeys
    assert (result.verdict, result.left) == (Verdict.PASSED, True), result.message
    assert tuple(thinker.held) == LINES
    assert result.duration >= len(LINES) * THOUGHT
    assert all(step.duration < 5 for step in result.steps if step.verb != "repeat")
    assert result.by_hand
    assert result.warnings[0] == (
        "stepped by hand: paused 8 times for 480.0 s, which did not count in the limit of the"
        " whole chat; 0 lines said by a person"
    )
    (short,) = result.warnings[1:]
    assert short.startswith("${order} has only 3 characters: it is hidden only")


async def test_the_limit_of_the_chat_goes_on_when_nobody_thinks(
    play: Play, autojump_clock: MockClock
) -> None:
    never_said = BOT.replace("  - say: bye\n", "  - expect: never said\n    within: 60s\n")
    (result,) = (await play(Thinker(), text=never_said)).journeys
    assert (result.verdict, result.reason) == (Verdict.FAILED, Reason.WHOLE_CHAT)


async def test_a_line_said_by_hand_is_told(play: Play, autojump_clock: MockClock) -> None:
    thinker = Thinker(lambda _: None, lambda stepping: stepping.say("by the way"))
    (result,) = (await play(thinker)).journeys
    assert result.verdict is Verdict.PASSED
    assert [note.rpartition("order.yaml")[2] for note in result.notes] == [":13: by the way"]
    assert result.notes[0].startswith("said by hand before ")
    assert result.warnings[0].endswith("; 1 line said by a person")
    assert "Customer: by the way" in [str(row) for row in result.transcript]
    assert [step.verb for step in result.steps if step.verb == "send_message"] == []


async def test_who_quits_leaves_the_chat_and_starts_no_other(
    play: Play, autojump_clock: MockClock
) -> None:
    run = await play(Thinker(lambda _: None, lambda stepping: stepping.quit()), times=2)
    first, second = run.journeys
    assert (first.verdict, first.reason, first.left) == (
        Verdict.CANCELLED,
        Reason.CANCELLED,
        True,
    )
    assert first.message.endswith("order.yaml:13")
    assert first.message.startswith("it was quit by hand before ")
    assert second.verdict is Verdict.SKIPPED
    assert (run.interrupted, exit_code(run)) == (False, 2)


async def test_what_is_seen_while_a_step_is_held(play: Play, autojump_clock: MockClock) -> None:
    scenes = []

    def look(stepping: Stepping) -> None:
        scenes.append(stepping.look())

    await play(Thinker(look, look, look, look))
    first, second, _, fourth = scenes
    assert first.inbox[0].row.kind == "session_started"
    assert second.agents == ("Alex",)
    assert [str(r.row) for r in second.inbox if r.row.kind == "message"] == [
        "Alex: Hello, how can I help you?"
    ]
    messages = [(r.state.value, str(r.row)) for r in fourth.inbox if r.row.kind == "message"]
    assert messages == [
        ("passed over", "Alex: Hello, how can I help you?"),
        ("read", "Alex: You said: my order ***"),
    ]
    assert fourth.variables == {"row.pin": "***", "order": "***"}


# --- at a prompt ---------------------------------------------------------------------------------


class Lines:
    """A prompt in the hands of a test.

    Args:
        lines: what is typed; a number is a time in which nothing is.
        patient: as with a place where nobody reads along.
    """

    def __init__(self, lines: Sequence[str | float], *, patient: bool = True) -> None:
        self.patient = patient
        self.shown: list[str] = []
        self.typing: list[str] = []
        self._lines = iter(lines)

    @asynccontextmanager
    async def open(self):  # type: ignore[no-untyped-def]
        yield

    async def read(self) -> str | None:
        await trio.lowlevel.checkpoint()
        line = next(self._lines, None)
        if isinstance(line, float):
            await trio.sleep(line)
            return await self.read()
        return line

    def show(self, line: str) -> None:
        self.shown.append(line)

    def show_typing(self, who: str) -> None:
        self.typing.append(who)

    @property
    def stops(self) -> list[int]:
        """The lines of the steps that were stopped at."""
        heads = [line for line in self.shown if line.startswith("-- ")]
        return [int(head.split()[1].rpartition(":")[2]) for head in heads]


Prompted = Callable[..., Awaitable[tuple[Lines, JourneyResult]]]


@pytest.fixture
def prompted(bot: Path, nursery: trio.Nursery) -> Prompted:
    """Plays the bot with lines typed at its prompt."""

    async def played(
        *lines: str | float, patient: bool = True, text: str = BOT
    ) -> tuple[Lines, JourneyResult]:
        plugins = Plugins()
        load_plugins(environ={"BOTKIT_LOAD_PLUGINS": ""}, into=plugins)
        yaml_bot, place = loaded(bot, text, plugins), Lines(lines, patient=patient)
        stepper = PromptStepper(all_steps(yaml_bot.script.steps), open_place=lambda: place)
        (result,) = (await run_of(yaml_bot.plans(), stepper, plugins, nursery)).journeys
        return place, result

    return played


@pytest.mark.parametrize(
    ("lines", "stops"),
    [
        ([], [12]),
        (["n", "", "next"], [12, 13, 14, 17]),
        (["until 14", "c"], [12, 14]),
        (["until 15", "c"], [12, 17]),
        (["until order.yaml:21", "n"], [12, 21, 22]),
        (["break 18", "c", "c", "c"], [12, 20, 20]),
        (["break 21", "break 14", "c", "break 21", "c"], [12, 14]),
        (["break 21", "until 13", "until 22", "end"], [12, 13, 21]),
        (["break 21", "e"], [12]),
    ],
)
async def test_going_on(
    prompted: Prompted, lines: list[str], stops: list[int], autojump_clock: MockClock
) -> None:
    place, result = await prompted(*lines)
    assert place.stops == stops
    assert result.verdict is Verdict.PASSED, result.message
    assert result.by_hand


async def test_what_is_asked_is_shown_masked(prompted: Prompted, autojump_clock: MockClock) -> None:
    place, _ = await prompted("until 17", "v", "i", "s", "l", "t", "b 21", "b", "help")
    text = "\n".join(place.shown)
    assert "     row.pin = ***\n     order = ***" in text
    assert "     7  " not in text
    assert "read         #" in text
    assert "passed over  #" in text
    assert "Alex is here" in text
    assert "BotkitSynthetic = order/" in text
    assert "   Customer: my order ***" in text
    assert "   stops before " in text
    assert "   breakpoints:\n     " in text
    assert "quit, q " in text
    assert "4711" not in text
    # Once it is captured; before, nobody could know.
    *_, since = text.partition("     row.pin = ***")
    assert "A-1" not in since


async def test_what_a_step_will_mask_is_hidden_before_it_is_read(
    prompted: Prompted, autojump_clock: MockClock
) -> None:
    place, _ = await prompted("until 13", "say the order B-7700 it is", "i", "t", "c")
    text = "\n".join(place.shown)
    assert "You said: the order *** it is" in text
    assert "B-7700" not in text


async def test_the_inbox_shows_its_read_position(
    prompted: Prompted, autojump_clock: MockClock
) -> None:
    place, _ = await prompted("until 14", "i")
    # The answer that the step waits for has not come yet, or waits unread.
    came = [line for line in place.shown if "#" in line and "Hello, how" in line]
    assert came[-1].lstrip().startswith("-> unread")


async def test_a_line_is_said_by_hand_and_its_answer_waits_unread(
    prompted: Prompted, autojump_clock: MockClock
) -> None:
    place, result = await prompted("until 13", "say by the way", "i", "say", "c")
    assert any(line.endswith("Alex: You said: by the way") for line in place.shown)
    assert "!  say what? write say TEXT" in place.shown
    assert result.notes[0].endswith("by the way")
    assert result.verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nxt", "there is no 'nxt'; did you mean 'next'?"),
        ("7", "there is no '7'; help tells what there is"),
        ("until", "which line? write 12, or FILE:12"),
        ("until x", "'x' is no line: write 12, or FILE:12"),
        ("break 99", "there is no step at line 99 or behind it"),
        ("break other.yaml:1", "there is no step at line 1 or behind it"),
    ],
)
async def test_a_line_that_makes_no_sense_is_told(
    prompted: Prompted, line: str, words: str, autojump_clock: MockClock
) -> None:
    place, result = await prompted(line)
    assert f"!  {words}" in place.shown
    assert place.stops == [12]
    assert result.verdict is Verdict.PASSED


async def test_at_a_terminal_the_end_of_the_lines_quits(
    prompted: Prompted, autojump_clock: MockClock
) -> None:
    # Both are typed before the first step is held, and are heeded when their time has come.
    place, result = await prompted("next", "until 14", patient=False)
    assert (result.verdict, result.reason) == (Verdict.CANCELLED, Reason.CANCELLED)
    assert result.left
    assert place.stops == [12]


async def test_quitting_at_a_pipe(prompted: Prompted, autojump_clock: MockClock) -> None:
    place, result = await prompted("n", "q", "n")
    assert (result.verdict, result.left) == (Verdict.CANCELLED, True)
    assert place.stops == [12, 13]


async def test_a_signal_ends_the_thinking_and_leaves_the_chat(
    bot: Path, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    plugins = Plugins()
    load_plugins(environ={"BOTKIT_LOAD_PLUGINS": ""}, into=plugins)
    plans, thinker = loaded(bot, BOT, plugins).plans(), Thinker()
    run = await prepared(plans, thinker, plugins, nursery)

    async def interrupt() -> None:
        await trio.sleep(THOUGHT / 2)
        run.stop()

    nursery.start_soon(interrupt)
    result = await run.play()
    (journey,) = result.journeys
    assert (journey.verdict, journey.reason) == (Verdict.CANCELLED, Reason.SIGNAL)
    assert (journey.left, journey.by_hand, result.interrupted) == (True, True, True)
    assert thinker.held == [12]


async def test_what_must_never_be_said_ends_the_thinking(
    play: Play, autojump_clock: MockClock
) -> None:
    async def provoke(stepping: Stepping) -> None:
        await stepping.say("a technical error")
        await trio.sleep_forever()

    (result,) = (await play(Thinker(lambda _: None, provoke))).journeys
    assert (result.verdict, result.reason) == (Verdict.FAILED, Reason.GUARD)


async def test_a_chat_that_ends_meanwhile_is_shown(play: Play, autojump_clock: MockClock) -> None:
    scenes = []

    async def wait_long(stepping: Stepping) -> None:
        # Longer than the service keeps a chat in which nobody speaks.
        await trio.sleep(3600)
        scenes.append(stepping.look())
        with pytest.raises(SessionClosed):
            await stepping.say("hello?")

    (result,) = (await play(Thinker(lambda _: None, wait_long))).journeys
    assert (result.verdict, result.reason) == (Verdict.FAILED, Reason.CHAT_ENDED)
    assert scenes[0].ended.startswith("by service")
    assert result.warnings[-1].endswith("; 0 lines said by a person")


WAITS = """\
botkit: 1
bot: waits
steps:
  - wait_for: agent
  - expect: I need help
  - say: thanks
"""
LATE = 1.0
"""Seconds, in which the agent has said all that there is to say."""


async def test_a_person_helps_while_a_step_waits(
    prompted: Prompted, autojump_clock: MockClock
) -> None:
    typed = ["n", "n", LATE, "l", "say I need help", LATE, "n", LATE]
    place, result = await prompted(*typed, patient=False, text=WAITS)
    assert place.stops == [4, 5, 5, 6]
    assert result.verdict is Verdict.PASSED, result.message
    assert [step.duration > 0.9 for step in result.steps] == [False, True, False]
    assert [note.partition(": ")[2] for note in result.notes] == ["I need help"]


async def test_what_is_typed_ahead_is_for_the_steps_that_come(
    prompted: Prompted, autojump_clock: MockClock
) -> None:
    typed = ["n", "n", "c", LATE, "say I need help", LATE]
    place, result = await prompted(*typed, patient=False, text=WAITS)
    assert place.stops == [4, 5, 6]
    assert result.verdict is Verdict.PASSED, result.message


async def test_a_person_quits_while_a_step_waits(
    prompted: Prompted, autojump_clock: MockClock
) -> None:
    place, result = await prompted("n", "n", LATE, "q", "n", patient=False, text=WAITS)
    assert (result.verdict, result.left) == (Verdict.CANCELLED, True)
    assert result.message == "it was quit by hand"
    assert place.stops == [4, 5]
    assert result.steps[-1].verdict is Verdict.CANCELLED
    assert result.step == result.steps[-1]


USES = """\
botkit: 1
bot: uses
steps:
  - wait_for: agent
  - use: part.yaml
    with: {what: parcel}
  - say: bye
"""
PART = """\
botkit-steps: 1
args: [what]
steps:
  - say: my ${args.what}
  - expect: my ${args.what}
"""


@pytest.fixture
def part(bot: Path) -> None:
    (bot.parent / "part.yaml").write_text(PART)


@pytest.mark.usefixtures("part")
@pytest.mark.parametrize(
    ("lines", "stops"),
    [
        (["n", "n", "n", "n", "n"], [4, 5, 4, 5, 7]),
        (["break part.yaml:5", "c", "v", "u order.yaml:6", "c"], [4, 5, 7]),
        (["until 5", "n", "until 5"], [4, 5, 4, 5]),
    ],
)
async def test_the_steps_of_another_file(
    prompted: Prompted, lines: list[str], stops: list[int], autojump_clock: MockClock
) -> None:
    place, result = await prompted(*lines, text=USES)
    assert place.stops == stops
    assert result.verdict is Verdict.PASSED, result.message
    if "v" in lines:
        assert "     args.what = parcel" in place.shown
    assert "   vars: args.what=parcel" in place.shown
