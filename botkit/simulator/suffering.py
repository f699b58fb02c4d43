"""Faults that any HTTP request can suffer, whatever was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import trio

from botkit.simulator.door import BROKEN, HTML_PAGE
from botkit.simulator.faults import Fault
from botkit.simulator.http import Reply

__all__ = ["suffer"]


async def suffer(fault: Fault, answer: Callable[[], Reply]) -> Reply | None:
    """Answer as badly as the fault wants it.

    Args:
        answer: does what was asked for, and gives the answer to it.

    Returns:
        The reply; None if the fault is of another kind, and nothing was done.
    """
    match fault.name:
        case "stall":
            await trio.sleep(fault.seconds)
            return answer()
        case "kill_connection":
            answer()
            await trio.sleep(fault.seconds)
            return Reply(abort=True)
    await trio.lowlevel.checkpoint()
    match fault.name:
        case "http_500":
            return BROKEN
        case "html":
            return HTML_PAGE
        case "truncated_json":
            reply = answer()
            return replace(reply, truncate_to=len(reply.body) // 2)
        case "slow_drip":
            return replace(answer(), drip=1 / fault.seconds)
        case _:
            return None
