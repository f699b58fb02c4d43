"""Files of a chat over CometD: sent and fetched beside the Bayeux server, at ``chat-ntf``.

The side door has an address of its own, so it has connections of its own, which are opened when the
first file is sent. It knows whose chat it is by the chat's key, and which node that is on by the
cookies of the Bayeux session; ``BAYEUX_BROWSER`` goes with them, whatever path it was set for, as
the public clients do it.

Source: GMS Chat API v2 over CometD, file operations; public clients for the cookie.
"""

from __future__ import annotations

from dataclasses import replace

import trio

from botkit import chat
from botkit.connectors.chat_network import http_of
from botkit.connectors.http import Http, StoredCookie
from botkit.connectors.http.cookies import cookie_domain
from botkit.connectors.polling import Backoff
from botkit.connectors.rest_answers import temporary, value_of
from botkit.connectors.rest_link import Answer, RestLink
from botkit.errors import ChatError
from botkit.genesys import gms_side_door
from botkit.genesys.gms_chat import failure_of
from botkit.genesys.gms_files import FileCommand
from botkit.genesys.gms_v2 import RETRY
from botkit.interfaces import Opening

__all__ = ["SideDoor"]

BROWSER_COOKIE = "BAYEUX_BROWSER"
ATTEMPTS = 3
"""How often the service is asked that asks to come again; a file is sent once."""


BACKOFF = Backoff()


class SideDoor:
    """The files of one chat.

    Args:
        opening: whom to call.
        bayeux: the connections of the Bayeux session, for their cookies.
        url: of the side door; empty for the neighbour of the Bayeux server.
        reply_within: how long an answer may take, seconds; files are given more.
    """

    __slots__ = ("_bayeux", "_http", "_opening", "_reply_within", "_url")

    def __init__(self, opening: Opening, bayeux: Http, *, url: str, reply_within: float) -> None:
        self._opening = opening
        self._bayeux = bayeux
        self._url = url
        self._reply_within = reply_within
        self._http: Http | None = None

    async def perform(self, command: FileCommand, secure_key: str) -> object:
        """Do a command about a file.

        Returns:
            What it asked for.

        Raises:
            ChatError: the service refused it.
            ConnectorError, RemoteProtocolError, LocalProtocolError: as :class:`RestLink`.
        """
        http = self._open()
        http.add_cookies(map(self._forwarded, self._bayeux.cookies()))
        link = RestLink(http, path="", reply_within=self._reply_within)
        attempts = 1 if isinstance(command, chat.SendFile) else ATTEMPTS
        for attempt in range(1, attempts + 1):
            answer = await self._ask(link, command, secure_key)
            if answer.push.status_code != RETRY:
                break
            if attempt == attempts:
                raise temporary(answer.push)
            await trio.sleep(BACKOFF.wait(attempt, 1.0))
        if answer.push.status_code or answer.push.errors:
            raise ChatError(*failure_of(answer.push))
        return value_of(command, answer)

    async def aclose(self) -> None:
        """Close its connections, if there are any."""
        if self._http is not None:
            await self._http.aclose()

    async def _ask(self, link: RestLink, command: FileCommand, secure_key: str) -> Answer:
        call = gms_side_door.call_for(command, secure_key)
        if isinstance(command, chat.DownloadFile):
            return await link.fetch_file(call, size=self._opening.network.max_reply_bytes)
        return await link.send_file(call)

    def _open(self) -> Http:
        if self._http is None:
            opening = self._opening
            self._url = self._url or gms_side_door.url_beside(opening.url)
            self._http = http_of(opening, self._url)
        return self._http

    def _forwarded(self, cookie: StoredCookie) -> StoredCookie:
        """Make the browser's cookie fit for the side door; others go by their own rules."""
        if cookie.name != BROWSER_COOKIE:
            return cookie
        return replace(cookie, domain=cookie_domain(self._url), path="/", host_only=True)
