"""The plugins of a process: registered, checked, asked once for what they offer, then frozen."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pluggy

from botkit import hookspecs
from botkit.errors import FOREIGN, PluginError
from botkit.hookspecs import HOOKS, PROJECT
from botkit.interfaces import Action, AlertSink, Bot, Connector, Matcher, Reporter, StateStorage
from botkit.plugins.dispatch import HOOK_DEADLINE, Dispatcher
from botkit.plugins.implementations import (
    IMPLEMENTATION_MARK,
    Implementation,
    Mark,
    read_implementation,
)
from botkit.plugins.registries import Registry
from botkit.plugins.watchdog import Watchdog

if TYPE_CHECKING:
    import click


class Origin(enum.Enum):
    """Where a plugin came from."""

    BUILT_IN = "built-in"
    ENTRY_POINT = "entry point"
    FILE = "file"
    PROGRAM = "program"
    """Registered by the program that uses botkit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What ``botkit plugins`` tells about one plugin.

    Attributes:
        version: of its distribution, or its ``__version__``; None if it has neither.
        place: the file or the distribution it came from; empty if it was given as an object.
        hooks: those it implements, in the order of ``botkit.hookspecs``.
    """

    name: str
    version: str | None
    origin: Origin
    place: str
    hooks: tuple[str, ...]


class Plugins:
    """Everything that is registered with pluggy, and what it offers.

    Register plugins, then :meth:`freeze`, then read the registries and make a dispatcher for each
    journey. Bots are never registered here.

    Args:
        hook_deadline: seconds that each implementation of an event hook may take.
        hold_limit: seconds of real time that a hook may hold the event loop.

    Attributes:
        connectors, matchers, actions, reporters, alert_sinks, state_storages, bots, commands:
            what was registered, by name.
    """

    def __init__(self, *, hook_deadline: float = HOOK_DEADLINE, hold_limit: float = 1.0) -> None:
        self.connectors: Registry[Callable[[], Connector]] = Registry(
            "connector", "register_connectors"
        )
        self.matchers: Registry[Callable[[Any], Matcher]] = Registry("matcher", "register_matchers")
        self.actions: Registry[Action] = Registry("action", "register_actions")
        self.reporters: Registry[Callable[..., Reporter]] = Registry(
            "reporter", "register_reporters"
        )
        self.alert_sinks: Registry[Callable[..., AlertSink]] = Registry(
            "alert sink", "register_alert_sinks"
        )
        self.state_storages: Registry[Callable[..., StateStorage]] = Registry(
            "state storage", "register_state_storages"
        )
        self.bots: Registry[Bot] = Registry("bot", "register_bots")
        self.commands: Registry[click.Command] = Registry("command", "register_commands")
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._listings: list[Listing] = []
        self._chains: dict[str, tuple[Implementation, ...]] = {}
        self._bots: dict[type, tuple[tuple[str, Implementation], ...]] = {}
        self._deadline = hook_deadline
        self._watch = Watchdog(limit=hold_limit)
        self._frozen = False

    @property
    def registries(self) -> tuple[Registry[Any], ...]:
        """All registries, in the order in which they are filled."""
        return (
            self.connectors,
            self.matchers,
            self.actions,
            self.reporters,
            self.alert_sinks,
            self.state_storages,
            self.bots,
            self.commands,
        )

    def register(
        self,
        plugin: object,
        name: str,
        *,
        origin: Origin = Origin.PROGRAM,
        version: str | None = None,
        place: str = "",
    ) -> None:
        """Register a module or an object that has hook implementations.

        Raises:
            PluginError: the name is taken, or the plugin does not fit the hooks.
        """
        if self._frozen:
            raise PluginError("it comes after the plugins were loaded", plugin=name)
        if inspect.isclass(plugin):
            raise PluginError("it is a class; register an object of it", plugin=name)
        for other in self._listings:
            if other.name == name:
                places = f"{other.origin.value} {other.place}".strip()
                raise PluginError(f"the name is taken by another plugin ({places})", plugin=name)
        implemented = {mark.hook for mark, _ in self._implementations(plugin, name)}
        self._manager.register(plugin, name)
        hooks = tuple(hook for hook in HOOKS if hook in implemented)
        self._listings.append(
            Listing(name=name, version=version, origin=origin, place=place, hooks=hooks)
        )

    def freeze(self) -> None:
        """Ask all plugins for what they offer; nothing can be registered afterwards.

        Raises:
            PluginError: a registering hook raised, or two plugins want the same name.
        """
        self._frozen = True
        for registry in self.registries:
            for implementation in self._chain(registry.hook):
                self._fill(registry, implementation)
            registry.freeze()
        self._chains = {
            hook: chain for hook in HOOKS if hook.startswith("on_") and (chain := self._chain(hook))
        }

    def listing(self) -> tuple[Listing, ...]:
        """Give what is loaded, in the order of loading."""
        return tuple(self._listings)

    def dispatcher(self, bot: object, name: str) -> Dispatcher:
        """Make the dispatcher of one journey.

        Args:
            bot: the journey's own copy of its bot; its hooks run last.
            name: the bot's name, for blame.

        Raises:
            PluginError: the bot does not fit the hooks.
        """
        own = self._hooks_of_bot(type(bot), name)
        if not own:
            return Dispatcher(self._chains, watch=self._watch, deadline=self._deadline)
        chains = dict(self._chains)
        for attribute, found in own:
            bound = replace(found, plugin=name, function=getattr(bot, attribute))
            chains[found.hook] = (*chains.get(found.hook, ()), bound)
        return Dispatcher(chains, watch=self._watch, deadline=self._deadline)

    def close(self) -> None:
        """Stop what runs besides the loop; it starts again when it is needed again."""
        self._watch.stop()

    # --- plugins ---

    def _implementations(self, plugin: object, name: str) -> Iterator[tuple[Mark, Implementation]]:
        """Find and check what a plugin implements, as pluggy will find it."""
        for attribute in dir(plugin):
            options = self._manager.parse_hookimpl_opts(plugin, attribute)
            if options is None:
                refuse_unmarked(plugin, attribute, name)
                continue
            mark = Mark(attribute=attribute, hook=options["specname"] or attribute, options=options)
            implementation = read_implementation(name, mark, getattr(plugin, attribute))
            if implementation is not None:
                yield mark, implementation

    def _chain(self, hook: str) -> tuple[Implementation, ...]:
        """Give the plugins' implementations in the order in which pluggy would call them."""
        found = []
        for known in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            mark = Mark(attribute=known.function.__name__, hook=hook, options=known.opts)
            implementation = read_implementation(known.plugin_name, mark, known.function)
            assert implementation is not None
            found.append(implementation)
        return tuple(found)

    def _fill(self, registry: Registry[Any], implementation: Implementation) -> None:
        register = partial(registry.add, implementation.plugin)
        try:
            implementation.call({"register": register})
        except PluginError:
            raise
        except FOREIGN as error:  # The boundary to plugins' code.
            message = f"it raised {type(error).__name__}: {error}"
            raise implementation.error(message, reason="plugin") from error

    # --- bots ---

    def _hooks_of_bot(self, cls: type, name: str) -> tuple[tuple[str, Implementation], ...]:
        """Find and check the hooks of a bot's class, once: attribute and implementation."""
        found = self._bots.get(cls)
        if found is None:
            found = self._bots[cls] = tuple(implementations_of_class(cls, name))
        return found


def implementations_of_class(cls: type, name: str) -> Iterator[tuple[str, Implementation]]:
    """Find and check what the objects of a class implement: attribute and implementation.

    Raises:
        PluginError: the class does not fit the hooks.
    """
    for attribute in dir(cls):
        static = inspect.getattr_static(cls, attribute)
        if not isinstance(static, staticmethod | classmethod) and not inspect.isfunction(static):
            continue
        function = getattr(cls, attribute)
        options: Mapping[str, Any] | None = getattr(function, IMPLEMENTATION_MARK, None)
        if options is None:
            if attribute in HOOKS:
                raise unmarked(attribute, name, culprit="bot")
            continue
        mark = Mark(attribute=attribute, hook=options.get("specname") or attribute, options=options)
        implementation = read_implementation(
            name, mark, function, bound_later=inspect.isfunction(static), culprit="bot"
        )
        if implementation is not None:
            yield attribute, implementation


def refuse_unmarked(plugin: object, attribute: str, name: str) -> None:
    """Refuse a function that is named after a hook and would never be called.

    Raises:
        PluginError: it was written in this plugin.
    """
    if attribute not in HOOKS:
        return
    function = getattr(plugin, attribute)
    home = plugin.__name__ if inspect.ismodule(plugin) else type(plugin).__module__
    if inspect.isroutine(function) and function.__module__ == home:
        raise unmarked(attribute, name)


def unmarked(hook: str, name: str, *, culprit: str = "plugin") -> PluginError:
    """Make the error for a function that is not marked."""
    message = "it is not marked with @hookimpl, so it would never be called"
    return PluginError(message, plugin=name, hook=hook, reason=culprit, culprit=culprit)
