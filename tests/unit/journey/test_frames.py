from __future__ import annotations

import pytest
from trio.testing import MockClock

from botkit.journey.frames import MAX_CHARACTERS, MAX_FRAMES, Frames
from botkit.masking import Masker
from botkit.results import Frame


async def test_frames_are_masked_when_they_are_given(autojump_clock: MockClock) -> None:
    frames = Frames(began=autojump_clock.current_time() - 1.5)
    frames(sent=True, what="POST /secret", text='my {"s\\u0065cret"}', cut=False)
    frames(sent=False, what="frame", text="your secre", cut=True)
    masker = Masker()
    masker.hide("secret", "the secret")
    assert frames.masked(masker) == (
        Frame(at=1.5, direction="sent", what="POST /***", text='my {"***"}'),
        Frame(at=1.5, direction="received", what="frame", text="your ***", cut=True),
    )
    assert frames.warnings == ()


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ('{"text": "it is hunter2"}', '{"text": "Winter is it"}'),
        ('[{"id": "a", "text": "hunter2"}]', '[{"id": "b", "text": "Winter"}]'),
        ("id=a&message=is+hunter2&x=y", "id=b&message=Winter+is"),
        ('{"text": "hunter2"}', '{"id": "b", "text": "Winter'),
        ('[{"text": "hu"}, {"text": "nter2"}, {"text": "W"}]', '{"text": "inter"}'),
    ],
)
async def test_what_came_in_two_frames_leaves_no_part(
    one: str, two: str, autojump_clock: MockClock
) -> None:
    frames = Frames(began=0.0)
    frames(sent=False, what="frame", text=one, cut=False)
    frames(sent=True, what="frame", text='{"text": "something else"}', cut=False)
    frames(sent=False, what="frame", text=two, cut=False)
    masker = Masker()
    masker.hide("hunter2Winter", "the secret")

    shown = "".join(frame.text for frame in frames.masked(masker))

    assert not [part for part in ("hu", "nter", "Win", "inter") if f"{part}" in shown]
    assert "something else" in shown


async def test_the_latest_frames_are_kept_and_it_is_told(autojump_clock: MockClock) -> None:
    frames = Frames(began=0.0)
    for number in range(MAX_FRAMES + 3):
        frames(sent=True, what=str(number), text="", cut=False)
    kept = frames.masked(Masker())
    assert (len(kept), kept[0].what) == (MAX_FRAMES, "3")
    assert frames.warnings == ("of the frames the latest 2000 are kept; 3 before are not",)


async def test_all_frames_together_are_bounded_in_size(autojump_clock: MockClock) -> None:
    frames = Frames(began=0.0)
    quarter = "x" * (MAX_CHARACTERS // 4)
    for _ in range(5):
        frames(sent=True, what="frame", text=quarter, cut=False)
    assert len(frames.masked(Masker())) == 4
