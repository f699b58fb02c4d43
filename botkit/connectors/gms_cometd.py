"""The wire ``gms-cometd``: GMS Chat API v2 over CometD, long polling or WebSocket.

What is the wire's own is here: its options, and the connections of a chat. How a chat goes is in
``cometd_chat``.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import fields
from functools import partial
from typing import Any

import trio

from botkit import chat
from botkit.bayeux.client import Client, ClientConfig
from botkit.bayeux.messages import is_meta
from botkit.connectors.chat_network import http_of
from botkit.connectors.cometd_chat import CometdChat
from botkit.connectors.http import Http
from botkit.connectors.http.stored import read_cookies, write_cookies
from botkit.connectors.side_door import SideDoor
from botkit.connectors.transports import OPTION, transport_of
from botkit.errors import ConfigError, ungrouped
from botkit.genesys.gms_state import GmsState, read_state
from botkit.genesys.gms_v2 import GmsNames
from botkit.interfaces import Deliver, Opening, Request, State
from botkit.masking import without_password

__all__ = ["GmsCometd"]

NAME = "gms-cometd"
"""What a stored chat names as its connector."""
BROWSER_COOKIE = "BAYEUX_BROWSER"
"""CometD's name of a browser. A restored chat has a Bayeux session of its own; with the cookie of
the old one, whose poll the server may still hold, its polls would not be held for two seconds."""
CLOSE_LIMIT = 0.1
"""Seconds for closing connections politely."""


class GmsCometd:
    """Opens chats with a GMS server over CometD.

    Args:
        rng: spreads the retries of many chats.
        config: the times of the Bayeux client; None for CometD's defaults.
    """

    on_simulator = False
    lacks: Mapping[type[chat.Command], str] = {
        chat.PressButton: "the GMS Chat API has no structured content, so there are no buttons",
    }

    def __init__(
        self, *, rng: random.Random | None = None, config: ClientConfig | None = None
    ) -> None:
        self._rng = rng or random.Random()
        self._config = config or ClientConfig()

    def check(self, opening: Opening) -> None:
        """Refuse what this wire cannot do.

        Raises:
            ConfigError: no URL, a URL of another scheme, or an unknown option.
        """
        if not opening.url.startswith(("http://", "https://")):
            raise ConfigError(
                f"gms-cometd needs the http or https URL of the Bayeux server,"
                f" such as http://host:8080/genesys/cometd; got {without_password(opening.url)!r}",
                key="server",
            )
        _names(opening.options)
        transport_of(opening.options)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Nothing is shared between chats."""
        return nullcontext()

    def server_of(self, opening: Opening) -> str:
        """The URL as it was given."""
        return opening.url

    async def connect(
        self,
        opening: Opening,
        requests: AsyncIterator[Request],
        deliver: Deliver,
        *,
        task_status: trio.TaskStatus[None],
    ) -> None:
        """Carry one chat; see ``interfaces.Connector``."""
        self.check(opening)
        restored = None if opening.restore is None else _read_state(opening, opening.restore)
        http = http_of(opening, opening.url)
        names, delay = _names(opening.options), self._config.max_network_delay
        files = SideDoor(opening, http, url=names.files_url, reply_within=delay)
        try:
            if opening.restore is not None:
                http.add_cookies(read_cookies(opening.restore))
            transport = transport_of(opening.options)
            client = Client(transport.config(self._config), jitter=self._rng.random)
            one = CometdChat(
                opening,
                http,
                client,
                deliver,
                names=names,
                max_network_delay=delay,
                send_file=files.perform,
                open_socket=transport.opener(opening, http),
                falls_back=transport.falls_back,
                restored=restored,
                keep=partial(_state_of, opening, http),
            )
            with ungrouped():
                await one.carry(requests, task_status)
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + CLOSE_LIMIT):
                await files.aclose()
                await http.aclose()


def _read_state(opening: Opening, raw: Mapping[str, Any]) -> GmsState:
    return read_state(raw, connector=NAME, server=opening.url, service=opening.service)


def _state_of(opening: Opening, http: Http, state: GmsState) -> State:
    written = state.as_json(connector=NAME, server=opening.url, service=opening.service)
    kept = (cookie for cookie in http.cookies() if cookie.name != BROWSER_COOKIE)
    return State(state=written | write_cookies(kept))


def _names(options: Mapping[str, str]) -> GmsNames:
    of_names = {field.name for field in fields(GmsNames)}
    known = {*of_names, OPTION}
    for name in options:
        if name not in known:
            raise ConfigError(
                f"gms-cometd has no option {name!r}; it has {', '.join(sorted(known))}",
                key=f"options.{name}",
            )
    names = GmsNames(**{name: text for name, text in options.items() if name in of_names})
    if not _is_channel(names.channel):
        raise ConfigError(
            f"{names.channel!r} is no channel to publish to;"
            " give one like /service/chatV2/{service}",
            key="options.channel",
        )
    if names.files_url and not names.files_url.startswith(("http://", "https://")):
        raise ConfigError(
            f"{without_password(names.files_url)!r} is no http or https URL",
            key="options.files_url",
        )
    return names


def _is_channel(template: str) -> bool:
    try:
        channel = template.format(service="x")
    except (LookupError, ValueError, AttributeError):
        return False
    return channel.startswith("/") and not is_meta(channel)
