"""Serves the status page with hypercorn inside of the monitor's own nursery.

Theory of operation: the socket is bound here, so that a port that is taken is told in botkit's
words, and handed to hypercorn by its number. Cancelling the task ends everything at once:
hypercorn keeps its connections in a nursery of its own, and no answer is worth waiting for. It
shields what it is just sending, though, so a peer that has stopped reading would hold up the end;
the kernel is told to give up such peers (Linux; elsewhere its own patience counts).
"""

from __future__ import annotations

import logging
import socket

import hypercorn.trio
import trio
from hypercorn.config import Config
from starlette.types import ASGIApp

from botkit.errors import ConfigError

PATIENCE = 5.0
"""Seconds that a peer may leave what was sent to it unread once its window is full."""
BACKLOG = 100

logger = logging.getLogger(__name__)


async def serve(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    patience: float = PATIENCE,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; then all connections are closed.

    Args:
        app: what answers.
        host: a name or an address.
        port: 0 for one that is free.
        patience: seconds that a peer may not read before it is given up.
        task_status: given the URL, without a slash at its end.

    Raises:
        ConfigError: the address cannot be used.
    """
    listening = await _bind(host, port)
    _give_up_after(listening, patience)
    config = Config()
    config.backlog = BACKLOG
    config.errorlog = logger
    config.include_server_header = False
    # From here on the socket is hypercorn's, which closes it.
    bound = listening.getsockname()[:2]
    config.bind = [f"fd://{listening.detach()}"]
    async with trio.open_nursery() as nursery:
        await nursery.start(hypercorn.trio.serve, app, config)
        task_status.started(_url(*bound))


async def _bind(host: str, port: int) -> socket.socket:
    try:
        [found, *_] = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _unusable(host, port, error) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # Already here: a port that another one listens at is found out now, not in hypercorn.
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise _unusable(host, port, error) from error
    return listening


def _unusable(host: str, port: int, error: OSError) -> ConfigError:
    message = f"the status page cannot be served at {host} port {port}: {error.strerror}"
    return ConfigError(message, key="page")


def _give_up_after(listening: socket.socket, patience: float) -> None:
    """Limit how long the connections that are accepted here wait for a peer that does not read."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        listening.setsockopt(socket.IPPROTO_TCP, option, max(1, int(1000 * patience)))


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
