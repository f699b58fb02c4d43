"""What was said while nobody listened: the history of a web messaging chat, page by page.

Source: official Kotlin SDK: pages of 25 from the first on, the newest messages first.
"""

from __future__ import annotations

from collections.abc import Iterable

import trio

from botkit import chat
from botkit.chat import Event
from botkit.connectors.guest_link import Call, GuestLink, answer_of, new_id
from botkit.connectors.guest_web import GuestWeb
from botkit.errors import ChatError, ConnectorError
from botkit.genesys.guest_chat import GuestChat
from botkit.genesys.web_records import GuestMessage, History, Jwt, Request

__all__ = ["GuestHistory", "settle_doubts"]

MAX_PAGES = 40
"""Pages that are fetched: what is older was told long ago."""
ATTEMPTS = 3
PAUSE = 1.0
"""Seconds before a page is asked for again."""


class GuestHistory:
    """Fetches the history of one chat.

    Args:
        url: where it is.
    """

    __slots__ = ("_chat", "_link", "_url", "_web")

    def __init__(self, guest_chat: GuestChat, link: GuestLink, web: GuestWeb, url: str) -> None:
        self._chat = guest_chat
        self._link = link
        self._web = web
        self._url = url

    async def fetch(self, jwt: str) -> list[GuestMessage]:
        """Fetch everything that was said, oldest first.

        Args:
            jwt: of an authenticated session; a guest asks the service for one.

        Raises:
            ChatError: the service refused.
            ConnectorError, RemoteProtocolError: it could not be asked, or talks nonsense.
        """
        messages: list[GuestMessage] = []
        for page in range(1, MAX_PAGES + 1):
            history = await self._page(jwt, page)
            messages += history.messages
            if page >= history.pages or not history.messages:
                break
        # The newest come first; where the stamps say nothing, that is all there is.
        return messages[::-1]

    async def _page(self, jwt: str, page: int) -> History:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._web.history(self._url, jwt or await self._guest_jwt(), page)
            except ChatError as error:
                if attempt == ATTEMPTS or error.code not in (401, 429):
                    raise
                await trio.sleep(PAUSE)
        raise AssertionError("the last attempt returns or raises")

    async def _guest_jwt(self) -> str:
        request = Request(action="getJwt", token=self._chat.token, tracing_id=new_id())
        frame = await self._link.call(request, lambda frame: isinstance(frame.body, Jwt))
        return answer_of(frame, Jwt).jwt


def settle_doubts(calls: Iterable[Call], events: Iterable[Event]) -> None:
    """Let the history tell which lines have arrived; what it does not show may come yet."""
    arrived = [line_of(event) for event in events if not event.history]
    for call in calls:
        if call.line in arrived:
            arrived.remove(call.line)
            call.settle(None)
        elif call.in_doubt:
            text = "the connection was lost, and nobody knows whether the line arrived"
            call.settle(ConnectorError(text, kind="lost"))


def line_of(event: Event) -> str | None:
    """Say what stands for a line of the customer in the history: its text, or the file's id."""
    match event:
        case chat.Message(own=True):
            return event.text
        case chat.File(own=True):
            return event.file_id
        case _:
            return None
