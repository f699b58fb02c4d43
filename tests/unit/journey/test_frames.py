from __future__ import annotations

from trio.testing import MockClock

from botkit.journey.frames import MAX_CHARACTERS, MAX_FRAMES, Frames
from botkit.masking import Masker
from botkit.results import Frame


def masker(*hidden: str) -> Masker:
    mask = Masker()
    for text in hidden:
        mask.hide(text)
    return mask


async def test_frames_are_masked_when_they_are_given(autojump_clock: MockClock) -> None:
    frames = Frames(began=autojump_clock.current_time() - 1.5)
    frames(sent=True, what="POST /47-11", text='{"pin":"47-11"}', cut=False)
    frames(sent=False, what="frame", text="your pin is 47-", cut=True)
    frames(sent=False, what="frame", text="your pin is 47-", cut=False)
    assert frames.masked(masker("47-11")) == (
        Frame(at=1.5, direction="sent", what="POST /***", text='{"pin":"***"}'),
        Frame(at=1.5, direction="received", what="frame", text="your pin is ***", cut=True),
        Frame(at=1.5, direction="received", what="frame", text="your pin is 47-"),
    )
    assert frames.warnings == ()


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
