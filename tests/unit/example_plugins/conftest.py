"""Loads the plugins of ``plugins/`` as every user loads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from botkit.plugins import Plugins, load_plugins

FOLDER = Path(__file__).parents[3] / "plugins"


@pytest.fixture
def load() -> Iterator[Callable[[str], Plugins]]:
    """Load one plugin of the folder, and nothing else."""
    loaded: list[Plugins] = []

    def load(name: str) -> Plugins:
        environ = {"BOTKIT_LOAD_PLUGINS": name}
        loaded.append(load_plugins(folders=[FOLDER], environ=environ, built_in=None))
        return loaded[-1]

    yield load
    for plugins in loaded:
        plugins.close()
