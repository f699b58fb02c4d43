"""Keeps stored sessions on an HTTP server, so that one machine can take over from another.

Any server will do that keeps what is PUT at a URL: a WebDAV folder, nginx with ``dav_methods``, a
key-value service. One URL per chat::

    storage = HttpStorage("https://state.example/probes/ada", token_env="STATE_TOKEN")
    async with botkit.start_session(url, storage=storage) as session:
        ...

Whoever can read that URL can speak in the chat: let the server ask for the token, over TLS.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botkit import hookimpl
from botkit.hookspecs import Register
from botkit.interfaces import StateStorage

if TYPE_CHECKING:
    import httpx

NOT_FOUND = 404


class HttpStorage:
    """Keeps the state of one chat at a URL.

    Its methods are async, so botkit calls them on its event loop; what they raise ends the chat,
    naming this class.

    Args:
        url: of this chat alone.
        token_env: the environment variable that holds the bearer token; None for no token.
        transport: an httpx transport to use instead of sockets.
    """

    def __init__(
        self,
        url: str,
        *,
        token_env: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {os.environ[token_env]}"} if token_env else {}
        self._transport = transport

    async def write(self, state: Mapping[str, Any]) -> None:
        """Put the state there; an empty one takes away what is there."""
        async with self._client() as client:
            if state:
                (await client.put(self._url, json=dict(state))).raise_for_status()
                return
            gone = await client.delete(self._url)
            if gone.status_code != NOT_FOUND:
                gone.raise_for_status()

    async def read(self) -> Mapping[str, Any] | None:
        """Get what is there; only a 404 means that nothing is stored."""
        async with self._client() as client:
            found = await client.get(self._url)
        if found.status_code == NOT_FOUND:
            return None
        state: Mapping[str, Any] = found.raise_for_status().json()
        return state

    def _client(self) -> httpx.AsyncClient:
        # Imported when it is used: every command loads this plugin.
        import httpx

        return httpx.AsyncClient(headers=self._headers, transport=self._transport)


@hookimpl
def register_state_storages(register: Register[Callable[..., StateStorage]]) -> None:
    register("http", HttpStorage)
