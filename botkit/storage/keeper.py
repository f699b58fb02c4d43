"""Keeps the state of a running session stored, beside the session and never in its way."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import trio

from botkit.errors import FOREIGN, BotkitError, PluginError
from botkit.interfaces import StateStorage
from botkit.masking import Masker, without_password

__all__ = ["StateKeeper"]

LIMIT = 5.0
"""Seconds that a storage may take for one call."""
SECRET_LENGTH = 8
"""Texts of a state that are at least so long are cut out of what a storage's error says."""
OVER: Final[Mapping[str, Any]] = {}


class StateKeeper:
    """Takes the states of one session to its storage.

    A session tells what :meth:`changed` and goes on; :meth:`run` writes. Of the states that come
    while a write is under way the last one is written next and the others never: each is the
    whole. A write that was begun is not cancelled, so that a later one never overtakes it.

    A storage whose methods are ``def`` is called in a thread, unless it says that it never waits
    (``blocks = False``); ``async def`` is called on the loop. Either has :data:`LIMIT` seconds.

    Args:
        storage: where to.
        name: of the storage, for blame; None for the name of its class.
    """

    def __init__(self, storage: StateStorage, *, name: str | None = None) -> None:
        self._storage = storage
        self._name = name or type(storage).__name__
        self._blocks = getattr(storage, "blocks", True)
        self._latest: Mapping[str, Any] | None = None
        self._wanted = trio.Event()
        self._writing = trio.Lock()
        # There is something in the storage that this keeper knows of.
        self._holds = False

    async def load(self) -> Mapping[str, Any] | None:
        """Read what is stored; None if nothing is.

        A session that is to be started asks this as well: whatever is raised is better known
        before there is a chat.

        Raises:
            StateError: it cannot be used; it is kept.
            ConfigError: nothing can be stored there.
            PluginError: the storage is a plugin's, and raised or took too long.
        """
        state = await self._call("read", self._storage.read)
        if state is not None and not isinstance(state, Mapping):
            raise self._error("read", f"returned {type(state).__name__} instead of a mapping")
        self._holds = bool(state)
        return state or None

    def changed(self, state: Mapping[str, Any]) -> None:
        """Take note of a state, to be written soon; it is not changed any more."""
        self._latest = state
        self._wanted.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write whatever changes, until cancelled.

        Raises:
            StateError, ConfigError, PluginError: as :meth:`flush`.
        """
        task_status.started()
        while True:
            await self._wanted.wait()
            await self.flush()

    async def flush(self) -> None:
        """Write the latest state now, if it was not; it is stored when this returns.

        Cancellation waits for it, for :data:`LIMIT` seconds at most.

        Raises:
            StateError: it cannot be stored there.
            ConfigError: nothing can be stored there.
            PluginError: the storage is a plugin's, and raised or took too long.
        """
        with trio.CancelScope(shield=True):
            async with self._writing:
                while self._latest is not None:
                    state, self._latest = self._latest, None
                    self._wanted = trio.Event()
                    await self._call("write", partial(self._storage.write, state), state)
                    self._holds = bool(state)

    async def clear(self) -> None:
        """Store that the chat is over; what this session has neither read nor written stays.

        Raises:
            StateError, ConfigError, PluginError: as :meth:`flush`.
        """
        if self._holds or self._latest is not None or self._writing.locked():
            self.changed(OVER)
        await self.flush()

    # --- the boundary to the storage's code ---

    async def _call(
        self, verb: str, function: Callable[[], Any], state: Mapping[str, Any] = OVER
    ) -> Any:
        deadline = trio.current_time() + LIMIT
        try:
            with trio.CancelScope(shield=True, deadline=deadline):
                return await self._result_of(verb, function)
        except BotkitError:
            raise
        except FOREIGN as error:  # The boundary to plugins' code.
            told = without_secrets(str(error), state)
            text = f"raised {type(error).__name__}: {told}"
            raise self._error(verb, text) from (error if told == str(error) else None)
        raise self._error(verb, f"took longer than {LIMIT:g} s")

    async def _result_of(self, verb: str, function: Callable[[], Any]) -> Any:
        is_async = inspect.iscoroutinefunction(getattr(self._storage, verb))
        if self._blocks and not is_async:
            # In a box: an async method may be wrapped in a plain one, and trio wants no coroutine.
            (result,) = await trio.to_thread.run_sync(lambda: (function(),), abandon_on_cancel=True)
        else:
            await trio.lowlevel.checkpoint()
            result = function()
        return await result if inspect.isawaitable(result) else result

    def _error(self, verb: str, what: str) -> PluginError:
        return PluginError(f"the {verb} of this state storage {what}", plugin=self._name)


def without_secrets(text: str, state: Mapping[str, Any]) -> str:
    """Take the texts of a state out of an error's text: one of them opens a chat to anybody."""
    masker = Masker()
    for value in texts_in(state):
        if len(value) >= SECRET_LENGTH:
            masker.hide(value, "the state")
    return masker(without_password(text))


def texts_in(value: object) -> Iterator[str]:
    """Give all texts of a part of a state, but for the names that they have in it."""
    match value:
        case str():
            yield value
        case Mapping():
            for item in value.values():
                yield from texts_in(item)
        case list() | tuple():
            for item in value:
                yield from texts_in(item)
