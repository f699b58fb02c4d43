"""Makes the state storages that somebody asks for by name."""

from __future__ import annotations

import inspect

from botkit.errors import FOREIGN, BotkitError, ConfigError, PluginError
from botkit.interfaces import StateStorage
from botkit.plugins.manager import Plugins


def make_storage(plugins: Plugins, name: str, /, **options: object) -> StateStorage:
    """Make a state storage that a plugin has registered, or botkit itself.

    Args:
        name: such as ``memory``, ``file`` or ``sqlite``.
        options: what it takes, such as ``path``.

    Raises:
        ConfigError: there is none of this name, or it does not take these options.
        PluginError: the plugin raised.
    """
    factory = plugins.state_storages.find(name, key="storage")
    try:
        inspect.signature(factory).bind(**options)
    except TypeError as error:
        raise ConfigError(f"the state storage {name!r}: {error}", key="storage") from error
    try:
        return factory(**options)
    except BotkitError:
        raise
    except FOREIGN as error:  # The boundary to plugins' code.
        message = f"making the state storage {name!r} raised {type(error).__name__}: {error}"
        plugin = plugins.state_storages.plugin_of(name)
        raise PluginError(message, plugin=plugin, hook=plugins.state_storages.hook) from error
