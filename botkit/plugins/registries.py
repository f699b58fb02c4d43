"""What plugins have registered: one registry for each kind of thing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from botkit.errors import ConfigError, PluginError
from botkit.plugins.implementations import did_you_mean

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Things of one kind by name, in the order in which they were registered.

    Args:
        kind: what they are, in the singular, for messages.
        hook: the hook that registers them.
    """

    def __init__(self, kind: str, hook: str) -> None:
        self.kind = kind
        self.hook = hook
        self._things: dict[str, T] = {}
        self._plugins: dict[str, str] = {}
        self._frozen = False

    def __getitem__(self, name: str) -> T:
        return self._things[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def find(self, name: str, *, key: str | None = None) -> T:
        """Look up what a user has named.

        Args:
            key: the setting or option that named it.

        Raises:
            ConfigError: there is no such thing; tells the closest name, or all.
        """
        try:
            return self._things[name]
        except KeyError:
            hint = did_you_mean(name, self) or f"; there are: {', '.join(sorted(self)) or 'none'}"
            raise ConfigError(f"there is no {self.kind} {name!r}{hint}", key=key) from None

    def plugin_of(self, name: str) -> str:
        """Tell which plugin registered a name."""
        return self._plugins[name]

    def add(self, plugin: str, name: object, thing: T) -> None:
        """Register a thing.

        Raises:
            PluginError: the name is none, or is taken, or it is too late.
        """
        if self._frozen:
            raise self._refusal(plugin, f"it registers {self.kind} {name!r} after the start")
        if not isinstance(name, str) or not name.strip():
            raise self._refusal(plugin, f"{name!r} is no name for a {self.kind}")
        if name in self._things:
            raise self._refusal(
                plugin,
                f"the {self.kind} {name!r} is registered by {self._plugins[name]!r} already",
            )
        self._things[name] = thing
        self._plugins[name] = plugin

    def freeze(self) -> None:
        """Take nothing more."""
        self._frozen = True

    def _refusal(self, plugin: str, message: str) -> PluginError:
        return PluginError(message, plugin=plugin, hook=self.hook)
