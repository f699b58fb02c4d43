"""What one GMS chat has to tell, on its way to whoever listens."""

from __future__ import annotations

from collections.abc import Callable

import trio

from botkit import chat
from botkit.chat import EndedBy, Event
from botkit.errors import ChatError
from botkit.genesys.gms_chat import GmsChat
from botkit.genesys.gms_state import GmsState
from botkit.interfaces import Deliver, Outcome, State

__all__ = ["Outlet"]


class Outlet:
    """Hands on the events, outcomes and states of one chat.

    Args:
        gms_chat: makes the events.
        deliver: takes everything; must not wait.
        keep: puts a state into the form that can be stored; None if no state is wanted.
        on_end: called when nothing more is to be told, or when the listener broke.

    Attributes:
        crash: what the listener raised first; None while all is well.
        failure: the latest error that the service told of.
    """

    __slots__ = (
        "_chat",
        "_deliver",
        "_interrupted",
        "_keep",
        "_on_end",
        "_state",
        "crash",
        "failure",
    )

    def __init__(
        self,
        gms_chat: GmsChat,
        deliver: Deliver,
        *,
        keep: Callable[[GmsState], State] | None,
        on_end: Callable[[], None],
    ) -> None:
        self.crash: Exception | None = None
        self.failure: ChatError | None = None
        self._chat = gms_chat
        self._deliver = deliver
        self._keep = keep
        self._on_end = on_end
        # The state that was told last.
        self._state: GmsState | None = None
        self._interrupted = False

    @property
    def is_interrupted(self) -> bool:
        """The loss of the connection was told, and its return was not."""
        return self._interrupted

    def hand_on(self, item: Event | Outcome | State) -> None:
        """Deliver, and keep what breaks there away from the wire: the goodbye needs it."""
        try:
            self._deliver(item)
        except (
            Exception
        ) as error:  # The boundary to whoever listens; the chat raises it at its end.
            self.crash = self.crash or error
            self._on_end()

    def tell(self, events: list[Event]) -> None:
        """Hand events on, and the state if they have changed it."""
        for event in events:
            if type(event) is chat.Error:
                self.failure = ChatError(event.code, event.description)
            self.hand_on(event)
        if self._keep is not None and self._chat.started:
            self._tell_state(self._keep)
        if self._chat.ended:
            self._on_end()

    def interrupt(self, reason: str) -> None:
        """Tell that the connection was lost, unless that is known."""
        if self._chat.started and not self._interrupted and not self._chat.ended:
            self._interrupted = True
            self.hand_on(self._chat.interrupted(reason, now=trio.current_time()))

    def resume(self) -> None:
        """Tell that the connection is back, if it was lost."""
        if self._interrupted and not self._chat.ended:
            self._interrupted = False
            self.hand_on(self._chat.continued(now=trio.current_time()))

    def end(self, by: EndedBy, description: str) -> None:
        """Tell that the chat is over, unless that is known."""
        self.tell(self._chat.end(by, description, now=trio.current_time()))

    def _tell_state(self, keep: Callable[[GmsState], State]) -> None:
        state = self._chat.state
        if state != self._state:
            self._state = state
            self.hand_on(keep(state))
