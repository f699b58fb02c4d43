"""The written record: order, echoes, numbers, bounds, and how events read."""

import pytest

from botkit import chat
from botkit.chat import EndedBy, Event, Message, Party, PartyKind, Row, Transcript, describe
from botkit.chat.transcript import MAX_LINE, row_of, text_of
from botkit.masking import CUT

ADA = Party(name="Ada", kind=PartyKind.AGENT)
BILL = Party(name="Bill", kind=PartyKind.CUSTOMER)
STAMP = {"at": 1.5, "seq": 1}


def said(text: str, *, index: int | None = None, own: bool = False) -> Message:
    party = BILL if own else ADA
    return Message(at=2, seq=1, text=text, index=index, own=own, party=party, utc=100.0)


def lines(transcript: Transcript) -> list[tuple[str, int | None]]:
    return [(str(row), row.index) for row in transcript.rows()]


def test_what_happens_is_written_in_order() -> None:
    transcript = Transcript()
    transcript.add(chat.SessionStarted(at=1, seq=1, session_id="s"))
    transcript.add_sent("hi", at=2, nickname="Bill")
    transcript.add(said("hello", index=2))
    assert lines(transcript) == [
        ("[session_started] s", None),
        ("Bill: hi", None),
        ("Ada: hello", 2),
    ]


def test_an_echo_gives_the_line_its_number_and_is_not_written_again() -> None:
    transcript = Transcript()
    for _ in range(2):
        transcript.add_sent("hi", at=1, nickname="Bill")
    transcript.add(said("hi", index=3, own=True))
    assert lines(transcript) == [("Bill: hi", 3), ("Bill: hi", None)]
    transcript.add(said("hi", index=4, own=True))
    assert lines(transcript) == [("Bill: hi", 3), ("Bill: hi", 4)]
    assert transcript.rows()[0].utc == 100.0
    assert transcript.rows()[0].at == 1
    assert transcript.rows()[0].seq == said("hi").seq


def test_an_echo_of_what_was_not_sent_here_is_a_line_of_its_own() -> None:
    transcript = Transcript()
    transcript.add_sent("hi", at=1, nickname="Bill")
    transcript.add(said("from elsewhere", index=1, own=True))
    transcript.add(said("hi", index=2))
    assert lines(transcript) == [("Bill: hi", None), ("Bill: from elsewhere", 1), ("Ada: hi", 2)]


def test_an_echo_of_a_line_that_was_dropped_is_written() -> None:
    transcript = Transcript(max_rows=1)
    transcript.add_sent("hi", at=1, nickname="Bill")
    transcript.add(said("other", index=1))
    transcript.add(said("hi", index=2, own=True))
    assert lines(transcript) == [("Bill: hi", 2)]


def test_a_part_of_it_begins_at_an_index() -> None:
    transcript = Transcript()
    transcript.add_sent("unnumbered", at=1, nickname="Bill")
    for index in range(1, 4):
        transcript.add(said(str(index), index=index))
    assert [row.text for row in transcript.rows(2)] == ["2", "3"]
    assert len(transcript.rows()) == len(transcript.rows(0)) == 4


def test_the_oldest_go_and_are_counted() -> None:
    transcript = Transcript(max_rows=20)
    for number in range(30):
        transcript.add(said(str(number)))
    rows = transcript.rows()
    assert len(rows) <= 20
    assert transcript.dropped + len(rows) == 30
    assert rows[-1].text == "29"
    assert [int(row.text) for row in rows] == list(range(transcript.dropped, 30))


def test_what_was_recorded_are_the_events_without_the_own_lines() -> None:
    transcript = Transcript()
    transcript.add_sent("hi", at=1, nickname="Bill")
    event = said("hello")
    transcript.add(event)
    assert transcript.recorded() == [event]


WORDS: list[tuple[Event, str]] = [
    (chat.SessionStarted(**STAMP, session_id="s1"), "[session_started] s1"),
    (chat.SessionRestored(**STAMP, session_id="s1"), "[session_restored] s1"),
    (chat.AgentConnected(**STAMP, party=ADA), "[agent_connected] Ada"),
    (chat.AgentDisconnected(**STAMP, party=ADA), "[agent_disconnected] Ada"),
    (chat.AgentTyping(**STAMP, party=ADA, is_typing=True), "[agent_typing] Ada started"),
    (chat.AgentTyping(**STAMP, party=ADA, is_typing=False), "[agent_typing] Ada stopped"),
    (chat.Message(**STAMP, party=ADA, text="a]  b"), "Ada: a]  b"),
    (chat.Notice(**STAMP, text="n"), "[notice] CustomNotice: n"),
    (chat.Notice(**STAMP, text="", kind="IdleAlert"), "[notice] IdleAlert"),
    (chat.PushedUrl(**STAMP, party=ADA, url="https://x"), "[pushed_url] Ada https://x"),
    (chat.File(**STAMP, file_id="7"), "[file] 7"),
    (chat.File(**STAMP, file_id="7", name="a.txt", deleted=True), "[file] a.txt deleted"),
    (chat.Userdata(**STAMP, changes={"a": "1", "b": None}), "[userdata] a=1, b=(deleted)"),
    (chat.Nickname(**STAMP, party=BILL, nickname="Will"), "[nickname] Bill Will"),
    (chat.Interrupted(**STAMP, description="a]  b"), "[interrupted] a]  b"),
    (chat.Continued(**STAMP), "[continued]"),
    (chat.Error(**STAMP, code=None, description="no"), "[error] no"),
    (chat.Error(**STAMP, code=52, description="no"), "[error] 52 no"),
    (chat.SessionEnded(**STAMP, by=EndedBy.SERVICE), "[session_ended] by service"),
    (chat.SessionEnded(**STAMP, by=EndedBy.LOST, description="x"), "[session_ended] lost: x"),
    (chat.Other(**STAMP, kind="Strange", text="t"), "[Strange] t"),
]


@pytest.mark.parametrize(("event", "words"), WORDS, ids=lambda item: type(item).__name__)
def test_every_event_has_its_words(event: Event, words: str) -> None:
    assert describe(event) == words


def test_every_kind_of_event_is_among_them() -> None:
    assert {type(event) for event, _ in WORDS} == {*chat.HOOKED, chat.Other}


def test_a_row_keeps_the_stamps() -> None:
    event = Message(at=1.5, seq=9, text="x", party=ADA, index=4, utc=10.0, history=True)
    assert row_of(event) == Row(
        at=1.5,
        who="Ada",
        kind="message",
        text="x",
        party=PartyKind.AGENT,
        index=4,
        utc=10.0,
        history=True,
        seq=9,
    )
    assert text_of(event) == "x"


def test_evidence_is_bounded() -> None:
    line = describe(said("x" * 10_000))
    assert len(line) == MAX_LINE + 1
    assert line.endswith(CUT)
    assert describe(said("x" * (MAX_LINE - 5))) == "Ada: " + "x" * (MAX_LINE - 5)
