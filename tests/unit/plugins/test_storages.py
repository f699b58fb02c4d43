from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import botkit
from botkit.errors import ConfigError, PluginError, StateError
from botkit.hookspecs import hookimpl
from botkit.interfaces import StateStorage
from botkit.plugins import Plugins, load_plugins, make_storage
from botkit.storage import FileStorage, MemoryStorage, SQLiteStorage


class Example:
    """Registers storages that cannot be made."""

    @hookimpl
    def register_state_storages(self, register: Callable[[str, Any], None]) -> None:
        register("raises", self.make)
        register("refuses", self.refuse)

    def make(self, url: str) -> StateStorage:
        raise ValueError(f"no {url}")

    def refuse(self) -> StateStorage:
        raise StateError("not here")


@pytest.fixture
def plugins() -> Iterator[Plugins]:
    loaded = Plugins()
    loaded.register(Example(), "example")
    load_plugins(environ={"BOTKIT_LOAD_PLUGINS": ""}, into=loaded)
    yield loaded
    loaded.close()


def test_the_built_in_ones_have_names(plugins: Plugins, tmp_path: Path) -> None:
    memory = make_storage(plugins, "memory", server="http://chat.example", service="demo")
    file = make_storage(plugins, "file", path=tmp_path / "ada.json")
    database = make_storage(plugins, "sqlite", path=tmp_path / "chats.db", name="ada")
    assert isinstance(memory, MemoryStorage)
    assert isinstance(file, FileStorage)
    assert isinstance(database, SQLiteStorage)
    assert file.path == tmp_path / "ada.json"
    assert database.name == "ada"


def test_a_name_that_nobody_registered(plugins: Plugins) -> None:
    with pytest.raises(
        ConfigError, match=r"no state storage 'sqlit'; did you mean sqlite\?"
    ) as caught:
        make_storage(plugins, "sqlit")
    assert caught.value.key == "storage"


@pytest.mark.parametrize("options", [{}, {"path": "a", "mode": "b"}], ids=str)
def test_options_that_it_does_not_take(plugins: Plugins, options: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"the state storage 'file': .* argument"):
        make_storage(plugins, "file", **options)


def test_a_plugin_that_raises_is_named(plugins: Plugins) -> None:
    with pytest.raises(PluginError, match=r"plugin 'example' in register_state_storages: .*no x"):
        make_storage(plugins, "raises", url="x")
    with pytest.raises(StateError, match="not here"):
        make_storage(plugins, "refuses")


def test_programs_make_them_by_name(tmp_path: Path) -> None:
    storage = botkit.make_storage("file", path=tmp_path / "ada.json")
    assert isinstance(storage, FileStorage)
    with pytest.raises(ConfigError, match="no state storage 'cloud'"):
        botkit.make_storage("cloud")
