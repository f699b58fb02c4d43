"""Brings events to hooks, one after another, beside the connection and never in its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import trio

from botkit.chat import HOOKED, Event
from botkit.chat.events import snake_case
from botkit.chat.inbox import MAX_EVENTS
from botkit.errors import InboxOverflow
from botkit.wakeup import Wakeup

HOOK_OF: dict[type[Event], str] = {kind: f"on_{snake_case(kind.__name__)}" for kind in HOOKED}


class Dispatch(Protocol):
    """What the pump needs of the plugins."""

    def has(self, hook: str, /) -> bool: ...
    async def dispatch(self, hook: str, /, **arguments: Any) -> None: ...


class Pump:
    """Queues what hooks want to hear of, and dispatches it in order.

    Args:
        dispatch: calls the implementations; raises what they raise.
        on_error: told of what an implementation raised; dispatching goes on with the next item.
        common: the arguments that go with every hook.
    """

    __slots__ = (
        "_common",
        "_dispatch",
        "_done",
        "_on_error",
        "_queue",
        "_work",
    )

    def __init__(
        self, dispatch: Dispatch, on_error: Callable[[Exception], None], **common: Any
    ) -> None:
        self._dispatch = dispatch
        self._on_error = on_error
        self._common = common
        self._queue: list[tuple[str, dict[str, Any]]] = []
        self._work = Wakeup()
        self._done: trio.Event | None = None

    def put_event(self, event: Event) -> None:
        """Queue an event if any hook wants it; never waits."""
        hook = HOOK_OF.get(type(event))
        if hook is not None and self._dispatch.has(hook):
            self._put(hook, event=event)

    def put(self, hook: str, **arguments: Any) -> None:
        """Queue a call of a hook if anybody implements it; never waits."""
        if self._dispatch.has(hook):
            self._put(hook, **arguments)

    async def aclose(self) -> None:
        """Let :meth:`run` end once the queue is empty, and wait for that."""
        self._done = trio.Event()
        self._work.wake()
        await self._done.wait()

    async def run(self) -> None:
        """Dispatch what is queued until closed."""
        while True:
            while self._queue:
                batch, self._queue = self._queue, []
                for hook, arguments in batch:
                    await self._call(hook, arguments)
            if self._done is not None:
                self._done.set()
                return
            await self._work.wait()

    async def _call(self, hook: str, arguments: dict[str, Any]) -> None:
        try:
            await self._dispatch.dispatch(hook, **self._common, **arguments)
        except Exception as error:  # The boundary to plugins' and bots' code.
            self._on_error(error)

    def _put(self, hook: str, **arguments: Any) -> None:
        self._queue.append((hook, arguments))
        if len(self._queue) > MAX_EVENTS:
            raise InboxOverflow(f"{len(self._queue)} events wait for hooks that are too slow")
        self._work.wake()
