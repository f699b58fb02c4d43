"""Follows the journeys of a run, and hands each on when it is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from botkit.interfaces import JourneyInfo, Opening, Reporter
from botkit.results import JourneyResult
from botkit.telemetry.following import Following
from botkit.telemetry.spans import FinishedJourney
from botkit.telemetry.trace_context import TraceContext, context_of, traced

__all__ = ["Tracing"]


class Tracing(Reporter):
    """Gives each journey of one run a trace of its own.

    Args:
        take: is given each journey when it is over; neither waits nor raises.
    """

    def __init__(self, take: Callable[[FinishedJourney], None]) -> None:
        self._take = take
        self._following: dict[str, Following] = {}
        self._masks: dict[str, Callable[[str], str]] = {}

    def begin(self, journey_id: str, opening: Opening) -> Opening:
        """Give the opening of a journey that is followed.

        Where the user has set a ``traceparent`` that says that its trace is not recorded, neither
        is the journey; the servers are told the same.
        """
        parent = context_of(opening)
        context = TraceContext.new() if parent is None else parent.child()
        following = Following(context, parent)
        if context.sampled:
            self._following[journey_id] = following
        return replace(traced(opening, context), tracer=following)

    def journey_started(self, journey: JourneyInfo) -> None:
        """Name the trace in the evidence, where whoever reads it looks for more."""
        # What hides the journey's secrets is kept, for more of them may become known.
        self._masks[journey.journey_id] = journey.mask
        following = self._following.get(journey.journey_id)
        if following is not None:
            journey.note(f"trace {following.context.trace_id}")

    def journey_finished(self, result: JourneyResult) -> None:
        """Hand a journey on."""
        mask = self._masks.pop(result.journey_id)
        following = self._following.pop(result.journey_id, None)
        if following is None:
            return
        self._take(
            FinishedJourney(
                # Neither the chat nor its frames are any business of spans.
                result=replace(result, transcript=(), frames=()),
                context=following.context,
                parent=following.parent,
                records=following.shown(mask),
                dropped=following.dropped,
            )
        )
