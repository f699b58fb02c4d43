"""The wire ``gms-rest``: GMS Chat API v2 over REST, with polling.

What is the wire's own is here: its options, and the connections of a chat. How a chat goes is in
``rest_chat``.
"""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import trio

from botkit import chat
from botkit.connectors.chat_network import http_of
from botkit.connectors.http import Http
from botkit.connectors.http.stored import read_cookies, write_cookies
from botkit.connectors.polling import Pace, RestTimes
from botkit.connectors.rest_chat import RestChat
from botkit.errors import ConfigError, StateError, ungrouped
from botkit.genesys import gms_rest
from botkit.genesys.gms_rest import RestNames
from botkit.genesys.gms_state import GmsState, read_state
from botkit.interfaces import Deliver, Opening, Request, State
from botkit.masking import without_password

__all__ = ["GmsRest"]

NAME = "gms-rest"
"""What a stored chat names as its connector."""
CLOSE_LIMIT = 0.1
"""Seconds for closing connections politely."""
IDLE_LIMIT = 300.0
"""Seconds after which a Chat Server drops who does not ask.

Source: Chat Server, ``flex-disconnect-timeout``, default."""
SAFETY = 2
"""So many polls fall into the idle limit at least, for one may be lost."""
UNITS: Mapping[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0}
USUAL = RestTimes()
TIMES: Mapping[str, float] = {
    "poll_shortest": USUAL.pace.shortest,
    "poll_longest": USUAL.pace.longest,
    "reply_within": USUAL.reply_within,
    "idle_limit": IDLE_LIMIT,
}
"""The options that are times, with their defaults in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestOptions:
    """What ``options`` of a chat say."""

    names: RestNames
    times: RestTimes


class GmsRest:
    """Opens chats with a GMS server over REST.

    Options: ``update_data``, ``push_url`` and ``read_receipt`` (segments of paths);
    ``poll_shortest`` and ``poll_longest`` (between two polls of a lively and of a quiet chat),
    ``idle_limit`` (after which the server drops who does not poll) and ``reply_within``, all of
    them times such as ``500ms``.

    Args:
        rng: spreads polls and retries of many chats.
    """

    on_simulator = False
    lacks: Mapping[type[chat.Command], str] = {
        chat.PressButton: "the GMS Chat API has no structured content, so there are no buttons",
    }

    def __init__(self, *, rng: random.Random | None = None) -> None:
        self._rng = rng or random.Random()

    def check(self, opening: Opening) -> None:
        """Refuse what this wire cannot do.

        Raises:
            ConfigError: no URL, a URL of another scheme, or an option that does not work.
        """
        if not opening.url.startswith(("http://", "https://")):
            raise ConfigError(
                f"gms-rest needs the http or https URL before the name of the service,"
                f" such as http://host:8080/genesys/2/chat; got {without_password(opening.url)!r}",
                key="server",
            )
        read_options(opening.options)

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
        options = read_options(opening.options)
        restored = None if opening.restore is None else _read_state(opening, opening.restore)
        http = http_of(opening, opening.url, content_type=gms_rest.FORM)
        try:
            if opening.restore is not None:
                http.add_cookies(read_cookies(opening.restore))
            one = RestChat(
                opening,
                http,
                deliver,
                names=options.names,
                times=options.times,
                rng=self._rng,
                restored=restored,
                keep=partial(_state_of, opening, http),
            )
            with ungrouped():
                await one.carry(requests, task_status)
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + CLOSE_LIMIT):
                await http.aclose()


def read_options(options: Mapping[str, str]) -> RestOptions:
    """Read the options of a chat.

    Raises:
        ConfigError: there is no such option, or it makes no sense.
    """
    segments = {field.name for field in fields(RestNames)}
    for name in options:
        if name not in segments and name not in TIMES:
            known = ", ".join(sorted({*segments, *TIMES}))
            raise ConfigError(
                f"gms-rest has no option {name!r}; it has {known}", key=f"options.{name}"
            )
    names = {name: _segment(name, options[name]) for name in sorted(segments) if name in options}
    times = {name: _seconds(name, options.get(name), default) for name, default in TIMES.items()}
    pace = Pace(shortest=times["poll_shortest"], longest=times["poll_longest"])
    if pace.shortest > pace.longest:
        raise ConfigError(
            f"poll_longest must not be less than poll_shortest ({pace.shortest:g} s)",
            key="options.poll_longest",
        )
    if pace.longest * SAFETY > times["idle_limit"]:
        raise ConfigError(
            f"poll_longest may be at most half of idle_limit ({times['idle_limit']:g} s),"
            " after which the server drops who does not poll",
            key="options.poll_longest",
        )
    return RestOptions(
        names=RestNames(**names), times=RestTimes(pace=pace, reply_within=times["reply_within"])
    )


def _segment(name: str, text: str) -> str:
    if not re.fullmatch(r"[\w.~/-]+", text, re.ASCII):
        raise ConfigError(
            f"{text!r} is no segment of a path, such as updateData", key=f"options.{name}"
        )
    return text.strip("/")


def _seconds(name: str, text: str | None, default: float) -> float:
    if text is None:
        return default
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(ms|s|m)", text.strip())
    seconds = float(found[1]) * UNITS[found[2]] if found is not None else 0.0
    if seconds <= 0:
        raise ConfigError(
            f"{text!r} is no time; one is written 500ms, 5s or 2m", key=f"options.{name}"
        )
    return seconds


def _read_state(opening: Opening, raw: Mapping[str, Any]) -> GmsState:
    state = read_state(raw, connector=NAME, server=opening.url, service=opening.service)
    if not (state.session_id and state.user_id):
        raise StateError("the stored chat cannot be read: its names are missing")
    return state


def _state_of(opening: Opening, http: Http, state: GmsState) -> State:
    written = state.as_json(connector=NAME, server=opening.url, service=opening.service)
    return State(state=written | write_cookies(http.cookies()))
