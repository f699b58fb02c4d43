"""Order and read position, one rule at a time; generated schedules are in another file."""

import pytest

from botkit.chat import AgentTyping, Event, Inbox, Message, Notice, Other, PushedUrl
from botkit.chat.inbox import EVENT_OVERHEAD, size_of
from botkit.errors import InboxOverflow


class Feed:
    """An inbox, and events for it that are numbered."""

    def __init__(self, inbox: Inbox | None = None) -> None:
        self.inbox = inbox or Inbox()
        self.seq = 0

    def __call__(
        self, kind: type[Event] = Message, /, *, at: float = 0.0, **members: object
    ) -> bool:
        self.seq += 1
        if kind in (Message, Notice):
            members.setdefault("text", str(self.seq))
        return self.inbox.append(kind(at=at, seq=self.seq, **members))  # type: ignore[arg-type]

    def unread(self, kind: type[Event] = Message) -> list[int]:
        return [event.seq for event in self.inbox.unread(kind)]


def anything(event: Event) -> bool:
    return True


def numbered(*numbers: int):  # type: ignore[no-untyped-def]
    return lambda event: event.seq in numbers


def test_taking_moves_the_read_position_behind_the_event() -> None:
    feed = Feed()
    for _ in range(4):
        feed()
    taken = feed.inbox.wait(numbered(3)).poll()

    assert taken is not None
    assert taken.event.seq == 3
    assert [event.seq for event in taken.passed_over] == [1, 2]
    assert feed.unread() == [4]
    assert feed.inbox.wait(numbered(1, 2, 3)).poll() is None


@pytest.mark.parametrize("members", [{"own": True}, {"history": True}])
def test_the_own_echo_and_history_are_not_kept(members: dict[str, bool]) -> None:
    feed = Feed()
    assert not feed(**members)
    assert feed.unread() == []


def test_what_the_session_model_has_no_word_for_is_not_kept() -> None:
    assert not Feed()(Other, kind="x")


def test_each_kind_has_a_read_position_of_its_own() -> None:
    feed = Feed()
    feed(Notice)
    feed()
    feed(Notice)
    assert feed.inbox.wait(anything).poll() is not None
    assert feed.unread(Notice) == [1, 3]
    assert feed.unread(PushedUrl) == []


def test_all_that_is_unread_is_given_in_the_order_it_came() -> None:
    feed = Feed()
    feed(Notice)
    feed()
    feed(Notice)
    assert [event.seq for event in feed.inbox.all_unread()] == [1, 2, 3]
    assert feed.inbox.wait(anything).poll() is not None
    assert [event.seq for event in feed.inbox.all_unread()] == [1, 3]


def test_several_kinds_are_looked_at_in_the_order_they_came() -> None:
    feed = Feed()
    feed(Notice)
    feed()
    feed(AgentTyping, is_typing=True)
    feed()
    seen: list[int] = []

    def look(event: Event) -> bool:
        seen.append(event.seq)
        return event.seq == 4

    taken = feed.inbox.wait(look, kinds=(Message, Notice)).poll()
    assert taken is not None
    assert seen == [1, 2, 4]
    assert [event.seq for event in taken.passed_over] == [2]
    assert feed.unread(Notice) == [1]


def test_each_event_is_tried_once() -> None:
    feed = Feed()
    seen: list[int] = []
    wait = feed.inbox.wait(lambda event: seen.append(event.seq) is not None)
    for _ in range(3):
        feed()
        assert wait.poll() is None
        assert wait.poll() is None
    assert seen == [1, 2, 3]
    assert feed.unread() == [1, 2, 3]


def test_a_wait_goes_on_where_another_reader_has_read() -> None:
    feed = Feed()
    slow = feed.inbox.wait(anything)
    feed()
    feed()
    assert feed.inbox.wait(numbered(2)).poll() is not None
    assert slow.poll() is None
    feed()
    taken = slow.poll()
    assert taken is not None
    assert (taken.event.seq, taken.passed_over) == (3, ())


def test_peeking_leaves_the_event_unread() -> None:
    feed = Feed()
    feed()
    event = feed.inbox.wait(anything).peek()
    assert event is not None
    assert feed.unread() == [1]


@pytest.mark.parametrize(("at", "fits"), [(1.0, True), (1.0001, False)])
def test_an_event_after_the_deadline_never_fits(at: float, fits: bool) -> None:
    feed = Feed()
    wait = feed.inbox.wait(anything, until=1.0)
    feed(at=at)
    assert (wait.poll() is not None) is fits


def test_skipping_counts_as_reading() -> None:
    feed = Feed()
    assert feed.inbox.skip(Message, 1) == ()
    for _ in range(3):
        feed()
    assert [event.seq for event in feed.inbox.skip(Message, 2)] == [1, 2]
    assert feed.inbox.skip(Message, 2) == ()
    assert feed.unread() == [3]


def test_too_many_events_are_an_overflow() -> None:
    feed = Feed(Inbox(max_events=2))
    feed()
    feed(Notice)
    with pytest.raises(InboxOverflow, match=r"3 events \(\d+ bytes\) arrived and were not read"):
        feed()


def test_too_much_text_is_an_overflow() -> None:
    feed = Feed(Inbox(max_bytes=2 * EVENT_OVERHEAD + 10))
    feed(text="12345")
    feed(text="12345")
    with pytest.raises(InboxOverflow):
        feed(text="")


def test_what_was_read_makes_room() -> None:
    feed = Feed(Inbox(max_events=2, max_bytes=2 * EVENT_OVERHEAD + 10))
    for number in range(1, 100, 2):
        feed(text="12345")
        feed(text="12345")
        assert feed.inbox.wait(numbered(number + 1)).poll() is not None
    assert feed.unread() == []


@pytest.mark.parametrize(
    ("event", "size"),
    [
        (Message(at=0, seq=1, text="x" * 7), 7),
        (PushedUrl(at=0, seq=1, url="x" * 9), 9),
        (AgentTyping(at=0, seq=1, is_typing=True), 0),
    ],
)
def test_an_event_weighs_what_its_text_does(event: Event, size: int) -> None:
    assert size_of(event) == EVENT_OVERHEAD + size
