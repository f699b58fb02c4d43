"""Journeys: the only place where session, hooks and bot meet."""

from botkit.journey.run import Run, RunSettings

__all__ = ["Run", "RunSettings"]
