"""Calls the implementations of a hook, one after another, with deadlines and blame.

Theory of operation. Which function runs in which order is decided once: for plugins when they are
loaded, for bots once per class. A journey's dispatcher joins the two lists, plugins first, and a
hook that nobody implements is not in its table at all. A call writes down what it enters for the
watchdog, and nothing else happens around a function that returns None. The first awaitable opens
one cancel scope, which serves the implementations after it too: entering a scope costs more than
all the rest, so its deadline is moved for the next one only if the last used up any of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Mapping, Sequence
from typing import NoReturn

import trio

from botkit.errors import FOREIGN
from botkit.plugins import watchdog
from botkit.plugins.implementations import Implementation
from botkit.plugins.watchdog import Slot, Watchdog

HOOK_DEADLINE = 30.0
SPARED = 0.99
"""The part of its deadline that an awaited implementation is granted at least, see above; what the
plain functions just before it took is its loss too, and they may not take long."""


class Dispatcher:
    """Calls the hooks of one journey: the plugins' implementations, then the bot's.

    Args:
        chains: what implements each hook, in order; hooks that nobody implements are left out.
        watch: notices who holds the loop.
        deadline: seconds that each implementation may take.
    """

    __slots__ = ("_chains", "_deadline", "_watch")

    def __init__(
        self,
        chains: Mapping[str, Sequence[Implementation]],
        *,
        watch: Watchdog,
        deadline: float = HOOK_DEADLINE,
    ) -> None:
        self._chains = chains
        self._watch = watch
        self._deadline = deadline

    def has(self, hook: str, /) -> bool:
        """Tell whether anybody implements a hook."""
        return hook in self._chains

    async def dispatch(self, hook: str, /, **arguments: object) -> None:
        """Call everybody who implements a hook; the first that fails ends it.

        It suspends only if an implementation does.

        Args:
            arguments: all that the hook documents.

        Raises:
            PluginError: an implementation raised, overran its deadline or held the loop.
            AssertionError: the journey's own bot raised it.
        """
        chain = self._chains.get(hook)
        if chain is None:
            return
        slot = self._watch.slot()
        for position, implementation in enumerate(chain):
            awaitable = self._call(slot, implementation, arguments)
            if awaitable is not None:
                rest = chain[position + 1 :]
                await self._await_rest(slot, implementation, awaitable, rest, arguments)
                return

    async def _await_rest(
        self,
        slot: Slot,
        current: Implementation,
        awaitable: Awaitable[object],
        rest: Sequence[Implementation],
        arguments: dict[str, object],
    ) -> None:
        """Await what one implementation returned, then call those after it."""
        with trio.CancelScope(deadline=trio.current_time() + self._deadline) as scope:
            await self._await(slot, scope, current, awaitable)
            for current in rest:
                following = self._call(slot, current, arguments)
                if following is not None:
                    await self._await(slot, scope, current, following)
        if scope.cancelled_caught:
            raise self._overrun(current)

    def _call(
        self, slot: Slot, implementation: Implementation, arguments: dict[str, object]
    ) -> Awaitable[object] | None:
        """Call one implementation; gives what has to be awaited for it to be done, if anything."""
        try:
            returned, held = watchdog.call(slot, implementation, arguments)
        except FOREIGN as error:  # The boundary to plugins' and bots' code.
            raise_blamed(implementation, error)
        if held > self._watch.limit:
            if inspect.iscoroutine(returned):
                returned.close()
            raise self._blocked(implementation, held)
        return returned if returned is not None and inspect.isawaitable(returned) else None

    async def _await(
        self,
        slot: Slot,
        scope: trio.CancelScope,
        implementation: Implementation,
        awaitable: Awaitable[object],
    ) -> None:
        try:
            held = await watchdog.finish(slot, implementation, awaitable)
        except FOREIGN as error:  # The boundary to plugins' and bots' code.
            raise_blamed(implementation, error)
        if held > self._watch.limit:
            raise self._blocked(implementation, held)
        now = trio.current_time()
        if now >= scope.deadline:
            # It was told to stop, and carried on to its end.
            raise self._overrun(implementation)
        if scope.deadline - now < SPARED * self._deadline:
            scope.deadline = now + self._deadline

    def _overrun(self, implementation: Implementation) -> Exception:
        message = f"it did not finish within {self._deadline:g} s"
        return implementation.error(message, reason="hook_timeout")

    def _blocked(self, implementation: Implementation, held: float) -> Exception:
        message = f"it held the event loop for {held:.1f} s; a hook must not block"
        return implementation.error(message, reason="hook_blocked")


def raise_blamed(implementation: Implementation, error: BaseException) -> NoReturn:
    """Raise what an implementation raised under its name.

    An assertion of the journey's own bot is not a defect of the bot: it comes out as it is.
    """
    if implementation.culprit == "bot" and isinstance(error, AssertionError):
        raise error
    message = f"it raised {type(error).__name__}: {error}"
    raise implementation.error(message, reason=implementation.culprit) from error
