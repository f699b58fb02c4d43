"""One journey of a monitor: whatever breaks on the way to it is a result, too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

import trio

from botkit.errors import FOREIGN, ConfigError
from botkit.interfaces import ConnectOptions, JourneyPlan
from botkit.monitor.decided import Monitor
from botkit.results import JourneyResult, Reason, Verdict

log = logging.getLogger(__name__)


class Play(Protocol):
    """Plays one journey.

    Raises:
        ConfigError: it cannot be opened as it is set up.
    """

    async def __call__(self, plan: JourneyPlan, override: ConnectOptions, /) -> JourneyResult: ...


async def attempt(
    monitor: Monitor,
    choose: Callable[[Sequence[JourneyPlan]], JourneyPlan],
    override: ConnectOptions,
    *,
    play: Play,
    started_utc: float,
) -> JourneyResult:
    """Play one of the journeys of a monitor; nothing but cancellation comes out.

    Args:
        monitor: whose.
        choose: which of them.
        override: how its session is opened, over what the bot says.
        play: plays it.
        started_utc: epoch seconds now, for a result that no journey gives.
    """
    began, plan = trio.current_time(), None
    try:
        plan = choose(monitor.plans())
        return await play(plan, override)
    except FOREIGN as error:  # The boundary to bots and plugins; the others are watched on.
        log.warning("%s: no journey could be played: %s", monitor.name, error)
        log.debug("where it broke", exc_info=error)
        own = isinstance(error, ConfigError)
        return JourneyResult(
            run_id="",
            journey_id=f"{monitor.name}-{started_utc:.3f}",
            bot=monitor.bot.name,
            name=plan.name if plan else monitor.bot.name,
            title=monitor.title,
            verdict=Verdict.ERROR,
            reason=Reason.SETUP if own else Reason.INTERNAL,
            message=str(error) if own else f"{type(error).__name__}: {error}",
            started_utc=started_utc,
            began=began,
            duration=trio.current_time() - began,
        )
