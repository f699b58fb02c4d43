"""Servers for the plugins of ``plugins/`` to talk to, and the plugins, loaded as users do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from botkit.plugins import Plugins, load_plugins
from botkit.simulator.http import Handler
from botkit.simulator.server import serve_http

FOLDER = Path(__file__).parents[3] / "plugins"
LIMIT = 20.0
"""Seconds that a test may take; on the real clock, and far more than it needs."""


@pytest.fixture
def load() -> Iterator[Callable[[str], Plugins]]:
    """Load one plugin of the folder, as ``BOTKIT_LOAD_PLUGINS`` does."""
    loaded: list[Plugins] = []

    def load(name: str) -> Plugins:
        environ = {"BOTKIT_LOAD_PLUGINS": name}
        loaded.append(load_plugins(folders=[FOLDER], environ=environ, built_in=None))
        return loaded[-1]

    yield load
    for plugins in loaded:
        plugins.close()


@pytest.fixture
async def serve(nursery: trio.Nursery) -> AsyncIterator[Callable[[Handler], Any]]:
    """Serve a handler on a port of its own; gives the URL."""
    nursery.cancel_scope.deadline = trio.current_time() + LIMIT

    async def serve(handler: Handler) -> str:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(
            lambda task_status: serve_http(handler, listeners, task_status=task_status)
        )
        return f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"

    yield serve
    nursery.cancel_scope.cancel()
