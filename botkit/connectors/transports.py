"""The option ``transport`` of ``gms-cometd``: over what a chat's Bayeux session runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from botkit.bayeux.client import ClientConfig
from botkit.connectors.bayeux_link import LONG_POLLING, WEBSOCKET
from botkit.connectors.bayeux_socket import OpenSocket
from botkit.connectors.chat_network import sockets_of
from botkit.connectors.http import Http
from botkit.errors import ConfigError
from botkit.interfaces import Opening

__all__ = ["OPTION", "Transport", "transport_of"]

OPTION = "transport"
DEFAULT = LONG_POLLING
"""It works wherever HTTP does, and a poll that breaks loses no push: what is written into a socket
that breaks counts as delivered, and has to be asked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """One way to run a session.

    Attributes:
        types: the connection types that a handshake offers; the first is tried first.
    """

    types: tuple[str, ...]

    @property
    def falls_back(self) -> bool:
        """Whether long polling will do where there is no WebSocket."""
        return WEBSOCKET in self.types and LONG_POLLING in self.types

    def config(self, base: ClientConfig) -> ClientConfig:
        """Give a client's configuration for it."""
        return replace(base, connection_type=self.types[0], supported_connection_types=self.types)

    def opener(self, opening: Opening, http: Http) -> OpenSocket | None:
        """Give what opens the WebSockets of one chat, which shares the cookies of its HTTP."""
        if WEBSOCKET not in self.types:
            return None
        return sockets_of(opening, opening.url, cookies=http)


TRANSPORTS: Mapping[str, Transport] = MappingProxyType(
    {
        "auto": Transport(types=(WEBSOCKET, LONG_POLLING)),
        WEBSOCKET: Transport(types=(WEBSOCKET,)),
        LONG_POLLING: Transport(types=(LONG_POLLING,)),
    }
)


def transport_of(options: Mapping[str, str]) -> Transport:
    """Read the option.

    Raises:
        ConfigError: it names no transport.
    """
    name = options.get(OPTION, DEFAULT)
    transport = TRANSPORTS.get(name)
    if transport is None:
        raise ConfigError(
            f"there is no transport {name!r}; it may be {', '.join(TRANSPORTS)}",
            key=f"options.{OPTION}",
        )
    return transport
