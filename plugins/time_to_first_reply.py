"""Measures how long the customer waits for the first line of an agent.

Each journey gets up to two durations in its evidence (``measurements``), in seconds:

- ``first_reply_after_agent_connected``: from the first agent's arrival to the first line of one;
- ``first_reply_after_customer_line``: from the customer's first line to the next line of an agent.

A duration that is missing means that no reply came.
"""

from __future__ import annotations

from collections import defaultdict

from botkit import AgentConnected, JourneyInfo, JourneyResult, Message, PartyKind, hookimpl

HUMANS = (PartyKind.AGENT, PartyKind.SUPERVISOR)

Waits = dict[str, float | None]
"""Since when each wait lasts, on the loop's clock; None once it was measured."""

waits_of: defaultdict[str, Waits] = defaultdict(dict)
"""A plugin serves all chats of the process, so it keeps journeys apart by their ids."""


@hookimpl
def on_agent_connected(journey: JourneyInfo, event: AgentConnected) -> None:
    if not event.history:
        waits_of[journey.journey_id].setdefault("agent_connected", event.at)


@hookimpl
def on_message(journey: JourneyInfo, event: Message) -> None:
    if event.history:
        return
    waits = waits_of[journey.journey_id]
    if event.own:
        waits.setdefault("customer_line", event.at)
    elif event.party is not None and event.party.kind in HUMANS:
        measure(journey, waits, event.at)


@hookimpl
def on_journey_finished(result: JourneyResult) -> None:
    waits_of.pop(result.journey_id, None)


def measure(journey: JourneyInfo, waits: Waits, now: float) -> None:
    """End the waits that last; each is measured once."""
    for since, began in waits.items():
        if began is not None:
            journey.measure(f"first_reply_after_{since}", now - began)
            waits[since] = None
