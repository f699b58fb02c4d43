"""The session over a connector that does what the test says, on virtual time."""

from collections.abc import AsyncIterator, Callable

import pytest
import trio
import trio.testing

from botkit import chat
from botkit.chat import (
    AgentConnected,
    AgentDisconnected,
    EndedBy,
    Event,
    Message,
    Notice,
    Party,
    PartyKind,
    SessionEnded,
    SessionStarted,
)
from botkit.errors import (
    ChatError,
    ExpectationFailed,
    LocalProtocolError,
    SessionClosed,
    StepTimeout,
)
from botkit.interfaces import Deliver, Match, Miss, Opening, Request
from botkit.results import Reason, StepResult, Verdict
from botkit.session import ChatSession
from botkit.testing import AGENT as ADA
from botkit.testing import ScriptedConnector as Wire


class Contains:
    def __init__(self, text: str) -> None:
        self.text = text

    def match(self, text: str) -> Match | Miss:
        return Match() if self.text in text else Miss(why=f"does not contain {self.text!r}")

    def __str__(self) -> str:
        return f"a message containing {self.text!r}"


async def opened(
    nursery: trio.Nursery, wire: Wire, observer: Callable[[StepResult], None] | None = None
) -> ChatSession:
    session = ChatSession(nursery, Opening(userdata={"Segment": "gold"}), observer=observer)
    await session.open(wire)
    return session


async def test_what_came_before_anybody_waited_is_found(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    wire = Wire()
    session = await opened(nursery, wire)
    wire.say("one")
    wire.say("two")
    assert (await session.expect(Contains("two"))).text == "two"
    with pytest.raises(StepTimeout):
        await session.expect(Contains("one"), within=1)


async def test_a_message_stamped_at_the_deadline_beats_it(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    wire = Wire()
    session = await opened(nursery, wire)

    async def answer() -> None:
        await trio.sleep(5)
        wire.say("in time")

    nursery.start_soon(answer)
    assert (await session.expect(Contains("in time"), within=5)).text == "in time"
    nursery.cancel_scope.cancel()


async def test_a_miss_says_what_came_instead_and_why_it_does_not_fit(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    wire, steps = Wire(), list[StepResult]()
    session = await opened(nursery, wire, steps.append)
    wire.say("good morning")
    with pytest.raises(ExpectationFailed) as caught:
        await session.expect(Contains("hello"), within=2)
    assert caught.value.received == ("Ada: good morning - does not contain 'hello'",)
    assert caught.value.reason == "expectation"
    (step,) = steps
    assert (step.verdict, step.reason, step.asserts) == (
        Verdict.FAILED, Reason.EXPECTATION, True,
    )  # fmt: skip
    assert step.file == __file__


async def test_what_is_passed_over_is_written_down_with_why(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    wire, steps = Wire(), list[StepResult]()
    session = await opened(nursery, wire, steps.append)
    wire.say("good morning")
    wire.say("hello")
    taken = await session.expect(Contains("hello"), within=2)
    (step,) = steps
    assert step.seq == taken.seq
    assert step.passed_over == ("Ada: good morning - does not contain 'hello'",)


async def test_own_echo_and_history_satisfy_nothing(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    wire = Wire()
    session = await opened(nursery, wire)
    wire.push(Message, text="mine", own=True)
    wire.say("old", history=True)
    for text in ("mine", "old"):
        with pytest.raises(StepTimeout):
            await session.expect(Contains(text), within=1)


async def test_expect_next_takes_only_the_next_one(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    wire = Wire()
    session = await opened(nursery, wire)
    wire.say("first")
    wire.say("second")
    await session.expect_next(Contains("first"))
    wire.say("third")
    with pytest.raises(ExpectationFailed, match="second"):
        await session.expect_next(Contains("third"))


async def test_from_narrows_by_kind_and_by_name(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    wire = Wire()
    session = await opened(nursery, wire)
    wire.push(Message, text="hi", party=Party(name="system", kind=PartyKind.EXTERNAL))
    wire.say("hi")
    assert (await session.expect(Contains("hi"), from_="agent")).party == ADA
    wire.say("again")
    with pytest.raises(StepTimeout):
        await session.expect(Contains("again"), from_="Grace", within=1)


async def test_a_chat_that_ends_breaks_a_waiting_expectation_at_once(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    wire = Wire()
    session = await opened(nursery, wire)

    async def end() -> None:
        await trio.sleep(1)
        wire.say("bye")
        wire.end()

    nursery.start_soon(end)
    began = trio.current_time()
    with pytest.raises(ExpectationFailed) as caught:
        await session.expect(Contains("hello"), within=30)
    assert caught.value.reason == "chat_ended"
    assert trio.current_time() - began == 1
    assert (await session.expect(Contains("bye"))).text == "bye"
    nursery.cancel_scope.cancel()


async def test_agent_and_ended_are_states(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    wire = Wire()
    session = await opened(nursery, wire)
    wire.push(AgentConnected, party=ADA)
    for _ in range(2):
        assert (await session.wait_for(AgentConnected)).party == ADA
    wire.push(AgentDisconnected, party=ADA)
    with pytest.raises(StepTimeout):
        await session.wait_for(AgentConnected, within=1)
    await session.leave()
    assert (await session.wait_for(SessionEnded)).by is EndedBy.CUSTOMER


async def test_waiting_for_a_notice_passes_over_no_message(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    wire = Wire()
    session = await opened(nursery, wire)
    wire.say("before")
    wire.push(Notice, text="n", party=ADA)
    assert (await session.wait_for(Notice)).text == "n"
    assert (await session.expect(Contains("before"))).text == "before"


async def test_slower_than_promised_is_degraded(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    wire, steps = Wire(), list[StepResult]()
    session = await opened(nursery, wire, steps.append)

    async def answer() -> None:
        await trio.sleep(3)
        wire.say("late")

    nursery.start_soon(answer)
    await session.expect(Contains("late"), within=5, slow_after=2)
    assert (steps[0].verdict, steps[0].reason) == (Verdict.DEGRADED, Reason.SLOW)


async def test_an_error_of_the_service_comes_out_of_the_command(nursery: trio.Nursery) -> None:
    wire = Wire(answer=lambda command: ChatError(52, "no"))
    session = await opened(nursery, wire)
    with pytest.raises(ChatError) as caught:
        await session.send_message("hi")
    assert (caught.value.code, caught.value.description) == (52, "no")
    await session.leave()


async def test_user_data_is_what_was_set_and_what_pushes_brought(nursery: trio.Nursery) -> None:
    session = await opened(nursery, wire := Wire())
    assert await session.get_userdata("Segment") == {"Segment": "gold"}
    wire.push(chat.Userdata, changes={"SurveyURL": "s", "Segment": None})
    assert await session.get_userdata("SurveyURL") == {"SurveyURL": "s"}
    with pytest.raises(ChatError, match="'Segment' is not visible"):
        await session.get_userdata("Segment")
    with pytest.raises(LocalProtocolError, match="user data are texts"):
        await session.set_userdata({"A": 1})  # type: ignore[dict-item]
    await session.leave()


async def test_a_session_that_is_over_takes_no_commands(nursery: trio.Nursery) -> None:
    session = await opened(nursery, wire := Wire())
    await session.leave()
    await session.leave()
    assert [type(command) for command in wire.commands] == [chat.Leave]
    with pytest.raises(SessionClosed, match="the chat has ended"):
        await session.send_message("hello?")
    assert session.left


async def test_callbacks_and_events_hear_everything_in_order(nursery: trio.Nursery) -> None:
    session = await opened(nursery, wire := Wire())
    heard: list[str] = []

    async def hear(message: Message) -> None:
        await trio.lowlevel.checkpoint()
        heard.append(message.text)

    session.on(Message, hear)
    wire.say("one")
    wire.say("two")
    await session.leave()
    kinds = [type(event) async for event in session.events()]
    assert kinds == [SessionStarted, Message, Message, SessionEnded]
    await trio.testing.wait_all_tasks_blocked()
    assert heard == ["one", "two"]


async def test_a_callback_that_raises_ends_the_session() -> None:
    def fail(message: Message) -> None:
        raise ValueError(message.text)

    with pytest.RaisesGroup(pytest.RaisesExc(ValueError, match="boom")):
        async with trio.open_nursery() as nursery:
            session = await opened(nursery, wire := Wire())
            session.on(Message, fail)
            wire.say("boom")
            await trio.sleep_forever()


async def test_the_transcript_has_a_line_once_though_it_is_echoed(nursery: trio.Nursery) -> None:
    session = await opened(nursery, wire := Wire())
    await session.send_message("hi")
    wire.push(Message, text="hi", own=True, index=4)
    wire.say("hello", index=5)
    rows = await session.get_transcript(4)
    assert [(row.index, row.text) for row in rows] == [(4, "hi"), (5, "hello")]
    assert len([row for row in await session.get_transcript() if row.kind == "message"]) == 2
    await session.leave()


async def test_a_subscriber_is_the_only_reader(nursery: trio.Nursery) -> None:
    session = await opened(nursery, wire := Wire())
    heard: list[Event] = []
    session.subscribe(heard.append)
    wire.say("one")
    assert [type(event) for event in heard] == [SessionStarted, Message]
    with pytest.raises(LocalProtocolError):
        await session.expect(Contains("one"))
    with pytest.raises(LocalProtocolError):
        session.subscribe(heard.append)
    await session.leave()


class Stalls(Wire):
    """A service that stops answering: the first command has no outcome until it is cancelled."""

    async def connect(
        self,
        opening: Opening,
        requests: AsyncIterator[Request],
        deliver: Deliver,
        *,
        task_status: trio.TaskStatus[None],
    ) -> None:
        async def held() -> AsyncIterator[Request]:
            async for _ in requests:
                await trio.sleep_forever()
                yield _

        await super().connect(opening, held(), deliver, task_status=task_status)


async def test_a_command_without_an_answer_does_not_hold_up_the_goodbye(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    session = await opened(nursery, Stalls())
    with trio.move_on_after(1):
        await session.send_message("hello?")
    began = trio.current_time()
    await session.leave()
    assert trio.current_time() - began < 1
    assert session.left
