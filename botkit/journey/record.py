"""What is written down while a journey runs; what hooks know as ``journey``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from botkit.chat import Error, Event, Message, PartyKind, Row
from botkit.chat.transcript import row_of
from botkit.interfaces import JourneyPlan, Reporter
from botkit.journey.shown import ShownJourney, shown_row, shown_step
from botkit.masking import Masker, masked_by, masked_live
from botkit.results import StepResult

MAX_NOTES = 1_000
MAX_PARTS = 8
"""Messages before one that may have begun what it ends; at the end of a journey, all of them."""
MAX_REACH = 2_000
"""Characters of each of them that are looked at."""


class Record:
    """The evidence of one journey, as it grows. Implements ``interfaces.JourneyInfo``."""

    __slots__ = (
        "_latest",
        "_plan",
        "_tell",
        "began",
        "foresee",
        "foreseen",
        "journey_id",
        "masker",
        "measurements",
        "notes",
        "on_simulator",
        "run_id",
        "shown",
        "steps",
        "warnings",
    )

    def __init__(
        self,
        plan: JourneyPlan,
        *,
        run_id: str,
        journey_id: str,
        on_simulator: bool,
        began: float,
        tell: Callable[[Callable[[Reporter], None]], None],
    ) -> None:
        self._plan = plan
        self._tell = tell
        # What the customer, and what all others have said last.
        self._latest = {own: deque[str](maxlen=MAX_PARTS) for own in (True, False)}
        self.run_id = run_id
        self.journey_id = journey_id
        self.on_simulator = on_simulator
        self.began = began
        self.masker = Masker()
        """Applied to whatever is shown; a script that knows secrets brings its own."""
        self.foreseen = Masker()
        """What the script will mask when it reads it; hidden in what is shown meanwhile."""
        self.foresee: Callable[[Event], Iterable[str]] = lambda _: ()
        """Gives what of an event will not be shown any more once the script has read it."""
        self.shown = ShownJourney(self, self.mask_now)
        """What reporters are given."""
        self.steps: list[StepResult] = []
        self.notes: list[str] = []
        self.measurements: dict[str, float] = {}
        self.warnings: list[str] = []

    @property
    def bot(self) -> str:
        return self._plan.bot

    @property
    def name(self) -> str:
        return self._plan.name

    @property
    def row(self) -> Mapping[str, str]:
        return self._plan.row

    @property
    def deadline(self) -> float:
        return self.began + self._plan.limits.whole_chat

    @property
    def asserted(self) -> int:
        """How many assertions held or failed so far."""
        return sum(1 for step in self.steps if step.asserts)

    def mask(self, text: str) -> str:
        """Write ``***`` for everything in a text that must not be shown."""
        return self.masker(text)

    def note(self, text: str) -> None:
        """Write something down for the evidence; past a bound, only that there was more."""
        if len(self.notes) < MAX_NOTES:
            self.notes.append(text)
        elif len(self.notes) == MAX_NOTES:
            self.notes.append("... and more notes, which were dropped")

    def measure(self, name: str, seconds: float) -> None:
        """Record a named duration for the evidence."""
        self.measurements[name] = seconds

    def add_step(self, step: StepResult) -> None:
        """Write a finished step down and show it."""
        self.steps.append(shown_step(step, self.masker) if self.masker else step)
        now = shown_step(step, self.mask_now) if self.foreseen else self.steps[-1]
        self._tell(lambda reporter: reporter.step_finished(self.shown, now))

    def add_event(self, event: Event) -> None:
        """Show an event; an error that the service reported is worth a warning."""
        if type(event) is Error:
            self.warnings.append(f"the service reported an error: {row_of(event).text}")
        for text in self.foresee(event):
            self.foreseen.hide(text)
        row = row_of(event)
        row = self._said(row) if type(event) is Message else self.masked(row)
        self._tell(lambda reporter: reporter.event(self.shown, row))

    def join(self, rows: Iterable[Row]) -> None:
        """Hide the parts of what was said in several messages, by all that is known at the end."""
        if not self.masker:
            return
        messages = [row for row in rows if row.kind == "message"]
        for own in (True, False):
            self.masker.hide_parts(*(row.text for row in messages if is_own(row) is own))

    def _said(self, row: Row) -> Row:
        """Give a message as it may be shown, by what it and those before it make up together."""
        if not (self.masker or self.foreseen):
            return row
        latest = self._latest[is_own(row)]
        before = [text[-MAX_REACH:] for text in latest]
        latest.append(row.text)
        # The next message may bring the rest of what this one ends with.
        text = self._live(before, row.text)
        if before and text != row.text:
            self.masker.hide_parts(*before, row.text)
            text = self._live(before, row.text)
        return replace(row, who=self.mask_now(row.who), text=text)

    def _live(self, before: Sequence[str], text: str) -> str:
        return masked_live((self.masker, self.foreseen), before, text)

    def masked(self, row: Row) -> Row:
        """Give a row of the transcript as it may be shown."""
        return shown_row(row, self.mask_now) if self.masker or self.foreseen else row

    def mask_now(self, text: str) -> str:
        """Do as :meth:`mask` while the chat goes on, when not all has been read."""
        return masked_by((self.masker, self.foreseen), text)


def is_own(row: Row) -> bool:
    """Tell whether the customer said it."""
    return row.party is PartyKind.CUSTOMER
