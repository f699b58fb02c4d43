"""Finds plugins: botkit's own, those of installed packages, and those of folders."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType

from botkit.errors import FOREIGN, ConfigError, PluginError
from botkit.hookspecs import HOOKS, PROJECT
from botkit.plugins.implementations import IMPLEMENTATION_MARK, did_you_mean
from botkit.plugins.manager import Origin, Plugins
from botkit.version import __version__

DEFAULT_PLUGINS = "botkit.default_plugins"
"""The module that registers what botkit brings; imported by this name alone."""
LIMIT_VARIABLE = "BOTKIT_LOAD_PLUGINS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A plugin that was found and not imported yet.

    Attributes:
        place: the file or the distribution.
        file: the file, if it is known before importing.
        load: imports it.
    """

    name: str
    version: str | None
    origin: Origin
    place: str
    file: str | None = None
    load: Callable[[], object]


def load_plugins(
    *,
    folders: Iterable[Path] = (),
    environ: Mapping[str, str],
    built_in: str | None = DEFAULT_PLUGINS,
    into: Plugins | None = None,
) -> Plugins:
    """Load botkit's own plugins and all others that are found, and freeze them.

    Args:
        folders: each ``.py`` file of which is imported, and is a plugin if it implements a hook.
        environ: ``BOTKIT_LOAD_PLUGINS`` names those to load besides botkit's own, separated by
            commas; empty means none, absent means all.
        built_in: the module that registers what botkit brings; None for a bare start.
        into: what to load them into; a fresh object unless given.

    Raises:
        PluginError: a plugin cannot be imported or does not fit.
        ConfigError: a folder or a named plugin does not exist.
    """
    plugins = Plugins() if into is None else into
    if built_in is not None:
        own = Found(
            name=built_in.rpartition(".")[2],
            version=__version__,
            origin=Origin.BUILT_IN,
            place=PROJECT,
            load=lambda: importlib.import_module(built_in),
        )
        take(plugins, own)
    found = limited([*installed(), *in_folders(folders)], environ.get(LIMIT_VARIABLE))
    for plugin in refuse_doubles(found):
        take(plugins, plugin)
    plugins.freeze()
    return plugins


def installed() -> Iterator[Found]:
    """Find the entry points of installed packages, in the order of their names."""
    for point in sorted(metadata.entry_points(group=PROJECT), key=lambda point: point.name):
        distribution = point.dist
        yield Found(
            name=point.name,
            version=distribution.version if distribution else None,
            origin=Origin.ENTRY_POINT,
            place=distribution.name if distribution else point.value,
            load=point.load,
        )


def in_folders(folders: Iterable[Path]) -> Iterator[Found]:
    """Find the files of folders, in the order of the folders and of their names.

    Raises:
        ConfigError: a folder does not exist.
    """
    seen: set[Path] = set()
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError("there is no such folder of plugins", file=str(folder), key="plugins")
        for path in sorted(folder.glob("*.py")):
            # A folder that is named twice, by the configuration and by hand, is meant once.
            if path.name.startswith("_") or path.resolve() in seen:
                continue
            seen.add(path.resolve())
            yield Found(
                name=path.stem,
                version=None,
                origin=Origin.FILE,
                place=str(path),
                file=str(path),
                load=lambda path=path: import_file(path),  # type: ignore[misc]
            )


def limited(found: Sequence[Found], names: str | None) -> Sequence[Found]:
    """Keep the plugins that the environment names.

    Raises:
        ConfigError: a named one was not found.
    """
    if names is None:
        return found
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    known = {plugin.name for plugin in found}
    for name in wanted:
        if name not in known:
            message = f"{LIMIT_VARIABLE}: there is no plugin {name!r}{did_you_mean(name, known)}"
            raise ConfigError(message, key=LIMIT_VARIABLE)
    return [plugin for plugin in found if plugin.name in wanted]


def refuse_doubles(found: Iterable[Found]) -> Iterator[Found]:
    """Give the plugins whose names are not taken; raise before the second one is imported."""
    seen: dict[str, Found] = {}
    for plugin in found:
        first = seen.setdefault(plugin.name, plugin)
        if first is not plugin:
            places = f"{first.origin.value} {first.place} and {plugin.origin.value} {plugin.place}"
            raise PluginError(f"two plugins have this name: {places}", plugin=plugin.name)
        yield plugin


def take(plugins: Plugins, found: Found) -> None:
    """Import a plugin and register it; a file without hook implementations is left alone.

    Raises:
        PluginError: it cannot be imported, or does not fit.
    """
    try:
        plugin = found.load()
    except FOREIGN as error:  # The boundary to plugins' code.
        message = f"cannot be imported: {type(error).__name__}: {error}{place_of(error, found)}"
        raise PluginError(message, plugin=found.name) from error
    if found.origin is Origin.FILE and not implements_anything(plugin):
        return
    version = found.version or getattr(plugin, "__version__", None)
    plugins.register(plugin, found.name, origin=found.origin, version=version, place=found.place)


def import_file(path: Path) -> ModuleType:
    """Import a file as a module of its own; its folder does not become importable."""
    name = f"botkit_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def implements_anything(module: object) -> bool:
    """Tell whether a module is a plugin or something that plugins use.

    A function that is named after a hook counts too: registering it says that its mark is missing.
    """
    return any(
        hasattr(getattr(module, name), IMPLEMENTATION_MARK) or name in HOOKS for name in dir(module)
    )


def place_of(error: BaseException, found: Found) -> str:
    """Say where an import failed, in the plugin's own file if that is known: `` (file:line)``."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}:{error.lineno})"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen")
        and frame.filename not in (__file__, metadata.__file__, importlib.__file__)
    ]
    own = [frame for frame in frames if frame.filename == found.file]
    for frame in reversed(own or frames):
        return f" ({frame.filename}:{frame.lineno})"
    return f" ({found.place})"
