"""What went over the wire of one journey, kept for its evidence.

Frames are kept as they came and masked when the evidence is made: what must not be shown may
become known after the frame that holds it. Of a journey that was long the latest are kept, for a
failure stands at the end.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import trio

from botkit.masking import CUT, Masker
from botkit.records import quickly_made
from botkit.results import Frame

__all__ = ["Frames"]

MAX_FRAMES = 2_000
MAX_CHARACTERS = 512 * 1024
"""Of all frames of a journey together."""
MEMBER = re.compile(
    r'"(?P<name>\w+)"\s*:\s*"(?P<text>(?:[^"\\]|\\.)*)'
    r"|(?:^|&)(?P<field>[^=&\s\"{]+)=(?P<value>[^&\s\"]*)"
)
"""A text in JSON, or in a form; it may lack its end, where the frame was cut."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A frame before it is masked."""

    at: float
    sent: bool
    what: str
    text: str
    cut: bool


class Frames:
    """Keeps the frames of one journey; is its ``interfaces.Wiretap``.

    Args:
        began: the loop's clock when the journey began.
    """

    __slots__ = ("_began", "_characters", "_dropped", "_seen")

    def __init__(self, began: float) -> None:
        self._began = began
        self._seen: deque[Seen] = deque()
        self._characters = 0
        self._dropped = 0

    def __call__(self, *, sent: bool, what: str, text: str, cut: bool) -> None:
        """Keep a frame, in place of the oldest if there are too many."""
        at = trio.current_time() - self._began
        self._seen.append(Seen(at=at, sent=sent, what=what, text=text, cut=cut))
        self._characters += len(text)
        while len(self._seen) > MAX_FRAMES or self._characters > MAX_CHARACTERS:
            self._characters -= len(self._seen.popleft().text)
            self._dropped += 1

    def masked(self, mask: Masker) -> tuple[Frame, ...]:
        """Give the frames as they may be shown; the masker learns what came in parts."""
        if mask:
            for texts in self._told().values():
                mask.hide_parts(*texts)
        return tuple(
            Frame(
                at=seen.at,
                direction="sent" if seen.sent else "received",
                what=mask(seen.what),
                # The mark of the cut lets what is hidden be known by its beginning.
                text=mask(seen.text + CUT).removesuffix(CUT) if seen.cut else mask(seen.text),
                cut=seen.cut,
            )
            for seen in self._seen
        )

    def _told(self) -> Mapping[tuple[bool, str], Sequence[str]]:
        """Give what was told in members of one name, in order, in each direction.

        Frames tell more than the bot heard: what was lost, refused, repeated or another session's.
        """
        told: dict[tuple[bool, str], list[str]] = {}
        for seen in self._seen:
            for found in MEMBER.finditer(seen.text):
                name, text = found["name"] or found["field"], found["text"] or found["value"]
                if text:
                    told.setdefault((seen.sent, name), []).append(text)
        return told

    @property
    def warnings(self) -> tuple[str, ...]:
        """Say what is missing from the frames, if anything is."""
        if not self._dropped:
            return ()
        kept = len(self._seen)
        return (f"of the frames the latest {kept} are kept; {self._dropped} before are not",)
