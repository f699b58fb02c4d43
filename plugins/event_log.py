"""Logs when each event of a chat came, for those who wonder where the time goes.

Turn it on with the level DEBUG of the logger ``botkit.plugins.event_log``. What was said is not
logged: a log file is no place for the words of customers.
"""

from __future__ import annotations

import logging

from botkit import Event, JourneyInfo, JourneyResult, StepResult, hookimpl

logger = logging.getLogger("botkit.plugins.event_log")


def log(journey: JourneyInfo, event: Event) -> None:
    """Log one event, in seconds since its journey began."""
    name = type(event).__name__
    logger.debug("%s %8.3f s %s", journey.journey_id, event.at - journey.began, name)


@hookimpl
def on_session_started(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_session_restored(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_agent_connected(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_agent_disconnected(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_agent_typing(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_message(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_notice(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_pushed_url(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_file(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_userdata(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_nickname(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_interrupted(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_continued(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_error(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_session_ended(journey: JourneyInfo, event: Event) -> None:
    log(journey, event)


@hookimpl
def on_journey_started(journey: JourneyInfo) -> None:
    logger.debug("%s begins %s", journey.journey_id, journey.name)


@hookimpl
def on_step_finished(journey: JourneyInfo, step: StepResult) -> None:
    end = step.started + step.duration
    logger.debug("%s %8.3f s %s %s", journey.journey_id, end, step.path, step.verdict.value)


@hookimpl
def on_journey_finished(result: JourneyResult) -> None:
    logger.debug("%s %8.3f s %s", result.journey_id, result.duration, result.verdict.value)
