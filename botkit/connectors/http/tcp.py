"""A TCP stream that spends no turn of the loop where the kernel needs none.

``trio.SocketStream`` gives way to other tasks at every send and tries every receive before it
waits. A request is always followed by waiting for its reply, so here sending gives way only when
the kernel takes no more, and receiving waits first: half the loop's work for an exchange.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

import trio

__all__ = ["TcpStream", "open_tcp_stream"]

DEFAULT_RECEIVE: Final = 16 * 1024


class TcpStream(trio.abc.Stream):
    """A connected socket, for one task at a time.

    Args:
        connection: connected and non-blocking; closed with the stream.
    """

    __slots__ = ("_socket",)

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send; a checkpoint only if the kernel does not take it all at once."""
        rest = memoryview(data)
        while True:
            try:
                sent = self._socket.send(rest)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                raise self._failure(error) from error
            if sent == len(rest):
                return
            rest = rest[sent:]
            await trio.lowlevel.wait_writable(self._socket)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the kernel takes more."""
        await trio.lowlevel.wait_writable(self._socket)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Receive what is there, after waiting for it; empty at the end."""
        while True:
            try:
                await trio.lowlevel.wait_readable(self._socket)
                return self._socket.recv(max_bytes or DEFAULT_RECEIVE)
            except BlockingIOError:
                continue
            except (OSError, ValueError) as error:
                raise self._failure(error) from error

    async def aclose(self) -> None:
        """Close; whoever waits on it gets ClosedResourceError."""
        if self._socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()
        await trio.lowlevel.checkpoint()

    def has_input(self) -> bool:
        """Whether there is something to read: bytes, the end, or an error."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def _failure(self, error: Exception) -> Exception:
        if self._socket.fileno() < 0:
            return trio.ClosedResourceError("this stream was closed")
        return trio.BrokenResourceError(str(error))


async def open_tcp_stream(host: str, port: int) -> trio.abc.Stream:
    """Connect to a host by name or address.

    An address needs neither a look-up nor a race between several of them, which for thousands of
    chats that begin at once is most of what connecting costs.
    """
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        stream = await trio.open_tcp_stream(host, port)
        return TcpStream(adopted(stream.socket))
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    connection = trio.socket.socket(family, socket.SOCK_STREAM)
    try:
        await connection.connect((host, port))
    except BaseException:
        connection.close()
        raise
    return TcpStream(adopted(connection))


def adopted(connection: trio.socket.SocketType) -> socket.socket:
    """Take the socket out of trio's own."""
    taken = socket.socket(fileno=connection.detach())
    taken.setblocking(False)
    # A request is small and waits for its reply: it must not wait for company.
    taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return taken
