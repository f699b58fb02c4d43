from __future__ import annotations

from trio.testing import MockClock

from botkit.journey.frames import MAX_CHARACTERS, MAX_FRAMES, Frames, mask_of
from botkit.results import Frame


class Secretive:
    def mask(self, text: str) -> str:
        return text.replace("pin", "***")


class Careful(Secretive):
    def mask_wire(self, text: str, *, cut: bool) -> str:
        return f"{self.mask(text)}{'!' if cut else ''}"


async def test_frames_are_masked_when_they_are_given(autojump_clock: MockClock) -> None:
    frames = Frames(began=autojump_clock.current_time() - 1.5)
    frames(sent=True, what="POST /pin", text="my pin", cut=False)
    frames(sent=False, what="frame", text="your pi", cut=True)
    script = Careful()
    assert frames.masked(mask_of(script, script.mask)) == (
        Frame(at=1.5, direction="sent", what="POST /***", text="my ***"),
        Frame(at=1.5, direction="received", what="frame", text="your pi!", cut=True),
    )
    assert frames.warnings == ()


async def test_a_script_without_a_mask_for_wires_uses_what_it_has(
    autojump_clock: MockClock,
) -> None:
    frames = Frames(began=0.0)
    frames(sent=True, what="frame", text="my pin", cut=True)
    script = Secretive()
    (frame,) = frames.masked(mask_of(script, script.mask))
    assert (frame.text, frame.cut) == ("my ***", True)


async def test_the_latest_frames_are_kept_and_it_is_told(autojump_clock: MockClock) -> None:
    frames = Frames(began=0.0)
    for number in range(MAX_FRAMES + 3):
        frames(sent=True, what=str(number), text="", cut=False)
    kept = frames.masked(mask_of(None, str))
    assert (len(kept), kept[0].what) == (MAX_FRAMES, "3")
    assert frames.warnings == ("of the frames the latest 2000 are kept; 3 before are not",)


async def test_all_frames_together_are_bounded_in_size(autojump_clock: MockClock) -> None:
    frames = Frames(began=0.0)
    quarter = "x" * (MAX_CHARACTERS // 4)
    for _ in range(5):
        frames(sent=True, what="frame", text=quarter, cut=False)
    assert len(frames.masked(mask_of(None, str))) == 4
