"""What one chat of web messaging has to tell, on its way to whoever listens."""

from __future__ import annotations

from collections.abc import Callable

import trio

from botkit.chat import EndedBy, Event
from botkit.genesys.guest_chat import GuestChat
from botkit.genesys.guest_state import GuestState
from botkit.interfaces import Deliver, Outcome, State

__all__ = ["GuestOutlet"]


class GuestOutlet:
    """Hands on the events, outcomes and states of one chat, held messages in their time.

    Args:
        guest_chat: makes the events.
        deliver: takes everything; must not wait.
        keep: puts a state into the form that can be stored; None if no state is wanted.
        on_end: called when nothing more is to be told, or when the listener broke.

    Attributes:
        crash: what the listener raised first; None while all is well.
        has_begun: the chat was told to be there.
    """

    __slots__ = (
        "_chat",
        "_deliver",
        "_held",
        "_interrupted",
        "_keep",
        "_on_end",
        "_state",
        "crash",
        "has_begun",
    )

    def __init__(
        self,
        guest_chat: GuestChat,
        deliver: Deliver,
        *,
        keep: Callable[[GuestState], State] | None,
        on_end: Callable[[], None],
    ) -> None:
        self.crash: Exception | None = None
        self.has_begun = False
        self._chat = guest_chat
        self._deliver = deliver
        self._keep = keep
        self._on_end = on_end
        # The state that was told last.
        self._state: GuestState | None = None
        self._interrupted = False
        # Set when something is held.
        self._held = trio.Event()

    async def release_held(self) -> None:
        """Tell in time what is held to be put in order; runs until it is cancelled."""
        while True:
            await self._held.wait()
            due = self._chat.due_at
            if due is None:
                self._held = trio.Event()
                continue
            await trio.sleep_until(due)
            self.tell(self._chat.release(now=trio.current_time()))

    def hand_on(self, item: Event | Outcome | State) -> None:
        """Deliver, and keep what breaks there away from the wire: the goodbye needs it."""
        try:
            self._deliver(item)
        except Exception as error:  # The boundary to whoever listens; the chat raises it.
            self.crash = self.crash or error
            self._on_end()

    def tell(self, events: list[Event]) -> None:
        """Hand events on, and the state if they have changed it."""
        for event in events:
            self.has_begun = True
            self.hand_on(event)
        if self._keep is not None and self.has_begun:
            self._tell_state(self._keep)
        if self._chat.due_at is not None:
            self._held.set()
        if self._chat.ended:
            self._on_end()

    def interrupt(self, reason: str) -> None:
        """Tell that the connection was lost, unless that is known."""
        if self.has_begun and not self._interrupted and not self._chat.ended:
            self._interrupted = True
            self.hand_on(self._chat.interrupted(reason, now=trio.current_time()))

    def resume(self) -> None:
        """Tell that the connection is back, if it was lost."""
        if self._interrupted and not self._chat.ended:
            self._interrupted = False
            self.hand_on(self._chat.continued(now=trio.current_time()))

    def end(self, by: EndedBy, description: str) -> None:
        """Tell that the chat is over, unless that is known or it never began."""
        if self.has_begun:
            self.tell(self._chat.end(by, description, now=trio.current_time()))

    def _tell_state(self, keep: Callable[[GuestState], State]) -> None:
        state = self._chat.state
        if state != self._state:
            self._state = state
            self.hand_on(keep(state))
