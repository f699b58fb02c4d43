"""Where every wire brings its requests for a chat: routing, opening, and the way to an agent."""

from __future__ import annotations

from collections.abc import Callable

from botkit.bot.values import VariableError
from botkit.simulator.centre import Centre, CentreError
from botkit.simulator.chats import Chat, ChatRequest
from botkit.simulator.faults import COMETD, Faults, Point
from botkit.simulator.routing import Assignment, Routing

__all__ = ["Reception"]


class Reception:
    """Lets customers in.

    Args:
        centre: where chats are opened.
        routing: decides what is attached and which agent comes.
        faults: may keep the agent away.
        assign: gives a new chat to its agent.
        clock: the loop's clock.
    """

    def __init__(
        self,
        *,
        centre: Centre,
        routing: Routing,
        faults: Faults,
        assign: Callable[[Chat, Assignment], None],
        clock: Callable[[], float],
    ) -> None:
        self._centre = centre
        self._routing = routing
        self._faults = faults
        self._assign = assign
        self._clock = clock

    def admit(self, request: ChatRequest, *, customer: str = "", wire: str = COMETD) -> Chat:
        """Open a chat; its agent is on the way.

        Args:
            customer: who it is, for counting faults; empty to go by the name of the chat.
            wire: how the customer is served.

        Raises:
            CentreError: no chat is opened.
        """
        try:
            assignment = self._routing.assign(request)
        except VariableError as error:
            raise CentreError(str(error)) from error
        chat = self._centre.open(request, attach=assignment.attach, now=self._clock())
        fault = self._faults.strike(
            Point.ASSIGNMENT,
            (),
            service=chat.service,
            customer=customer or chat.id,
            wire=wire,
        )
        self._assign(chat, assignment.under(fault))
        return chat
