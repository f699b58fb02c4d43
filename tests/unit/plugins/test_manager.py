"""What is refused at registration, what is asked of plugins at the start, and the listing."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from botkit.errors import PluginError
from botkit.hookspecs import hookimpl
from botkit.plugins import Origin, Plugins


def holder(**functions: Callable[..., Any]) -> object:
    """Make an object with these functions, unbound."""
    return types.SimpleNamespace(**functions)


def refused(plugin: object) -> PluginError:
    """Register a plugin and give the error that it meets."""
    with pytest.raises(PluginError) as caught:
        Plugins().register(plugin, "mine")
    assert caught.value.plugin == "mine"
    return caught.value


# --- what is refused -----------------------------------------------------------------------------


@hookimpl
def on_mesage(event: object) -> None: ...


@hookimpl(specname="on_sesion_ended")
def misspelt_by_name() -> None: ...


@hookimpl
def register_conectors(register: object) -> None: ...


def test_a_misspelt_hook() -> None:
    error = refused(holder(on_mesage=on_mesage))
    assert str(error) == (
        "plugin 'mine' in on_mesage: there is no hook of this name; did you mean on_message?"
    )
    assert "did you mean on_session_ended?" in str(refused(holder(x=misspelt_by_name)))
    assert "register_connectors?" in str(refused(holder(register_conectors=register_conectors)))


def test_a_hook_that_need_not_exist() -> None:
    @hookimpl(optionalhook=True)
    def on_some_later_day() -> None: ...

    plugins = Plugins()
    plugins.register(holder(on_some_later_day=on_some_later_day), "early")
    plugins.freeze()
    assert plugins.listing()[0].hooks == ()


def test_a_misspelt_argument() -> None:
    @hookimpl
    def on_message(sesion: object) -> None: ...

    assert str(refused(holder(on_message=on_message))) == (
        "plugin 'mine' in on_message: it has no argument sesion;"
        " it offers journey, session, event; did you mean session?"
    )


def test_arguments_of_another_hook() -> None:
    @hookimpl
    def on_journey_finished(journey: object, session: object) -> None: ...

    error = refused(holder(on_journey_finished=on_journey_finished))
    assert "it has no argument session; it offers journey, result" in str(error)


def test_arguments_without_a_name() -> None:
    @hookimpl
    def on_message(*things: object) -> None: ...

    @hookimpl
    def on_notice(**things: object) -> None: ...

    @hookimpl
    def on_file(event: object, /) -> None: ...

    assert "it has no argument *things" in str(refused(holder(on_message=on_message)))
    assert "it has no argument **things" in str(refused(holder(on_notice=on_notice)))
    assert "it has no argument event" in str(refused(holder(on_file=on_file)))


@pytest.mark.parametrize("option", ["wrapper", "hookwrapper"])
@pytest.mark.parametrize("hook", ["on_message", "register_bots"])
def test_wrappers(option: str, hook: str) -> None:
    def wrapping() -> Iterator[None]:
        yield

    marked = hookimpl(**{option: True})(wrapping)  # type: ignore[call-overload]
    error = refused(holder(**{hook: marked}))
    assert str(error) == (
        f"plugin 'mine' in {hook}: wrappers are not supported; implement the hook plainly"
    )


def test_first_result_does_not_exist() -> None:
    with pytest.raises(TypeError, match="firstresult"):
        hookimpl(firstresult=True)  # type: ignore[call-overload]


def test_functions_that_yield() -> None:
    @hookimpl
    def on_message() -> Iterator[None]:
        yield

    @hookimpl
    async def on_notice() -> Any:
        yield

    assert "it yields" in str(refused(holder(on_message=on_message)))
    assert "it yields" in str(refused(holder(on_notice=on_notice)))


def test_registering_hooks_that_are_async() -> None:
    @hookimpl
    async def register_bots(register: object) -> None: ...

    error = refused(holder(register_bots=register_bots))
    assert "registering hooks are plain functions, not async ones" in str(error)


def test_a_forgotten_mark() -> None:
    class Forgetful:
        def on_message(self) -> None: ...

    assert str(refused(Forgetful())) == (
        "plugin 'mine' in on_message: it is not marked with @hookimpl, so it would never be called"
    )


def written_elsewhere() -> None: ...


def test_what_a_plugin_imports_needs_no_mark() -> None:
    module = types.ModuleType("a_plugin")
    # Written in this file, so it is none of the module's own.
    vars(module)["on_message"] = written_elsewhere
    plugins = Plugins()
    plugins.register(module, "mine")
    assert plugins.listing()[0].hooks == ()


def test_a_class() -> None:
    class Plugin:
        @hookimpl
        def on_message(self) -> None: ...

    assert str(refused(Plugin)) == "plugin 'mine': it is a class; register an object of it"


def test_a_name_that_is_taken() -> None:
    plugins = Plugins()
    plugins.register(holder(), "mine", origin=Origin.FILE, place="a/mine.py")
    with pytest.raises(PluginError, match=r"taken by another plugin \(file a/mine.py\)"):
        plugins.register(holder(), "mine")


def test_a_late_plugin() -> None:
    plugins = Plugins()
    plugins.freeze()
    with pytest.raises(PluginError, match="it comes after the plugins were loaded"):
        plugins.register(holder(), "late")


# --- bots ----------------------------------------------------------------------------------------


class Misspelt:
    @hookimpl
    def on_mesage(self) -> None: ...


class WrongArgument:
    @hookimpl
    def on_message(self, evnt: object) -> None: ...


class Forgotten:
    def on_message(self, event: object) -> None: ...


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Misspelt, "did you mean on_message?"),
        (WrongArgument, "it has no argument evnt; it offers journey, session, event"),
        (Forgotten, "it is not marked with @hookimpl"),
    ],
)
def test_a_bot_that_does_not_fit(kind: type, text: str) -> None:
    plugins = Plugins()
    plugins.freeze()
    with pytest.raises(PluginError) as caught:
        plugins.dispatcher(kind(), "the-bot")
    assert str(caught.value).startswith("bot 'the-bot' in on_m")
    assert text in str(caught.value)
    assert caught.value.reason == "bot"


def test_a_bots_properties_are_not_touched() -> None:
    class Bot:
        @property
        def expensive(self) -> object:
            raise AssertionError("nobody asked for it")

        @hookimpl
        def on_message(self) -> None: ...

    plugins = Plugins()
    plugins.freeze()
    assert plugins.dispatcher(Bot(), "bot").has("on_message")


# --- registering ---------------------------------------------------------------------------------


def offering(hook: str, *names: object) -> object:
    """Make a plugin that registers things of one kind under these names."""

    @hookimpl(specname=hook)
    def offer(register: Callable[[object, object], None]) -> None:
        for name in names:
            register(name, f"thing {name}")

    return holder(offer=offer)


@pytest.mark.parametrize(
    "kind",
    [
        "connectors",
        "matchers",
        "actions",
        "reporters",
        "alert_sinks",
        "state_storages",
        "bots",
        "commands",
    ],
)
def test_every_kind_has_its_registry(kind: str) -> None:
    plugins = Plugins()
    plugins.register(offering(f"register_{kind}", "one", "two"), "mine")
    plugins.freeze()
    registry = getattr(plugins, kind)
    assert dict(registry) == {"one": "thing one", "two": "thing two"}
    assert registry.plugin_of("two") == "mine"
    assert [bool(other) for other in plugins.registries].count(True) == 1


def test_a_duplicate_names_both_plugins() -> None:
    plugins = Plugins()
    plugins.register(offering("register_actions", "ring"), "theirs")
    plugins.register(offering("register_actions", "ring"), "mine")
    with pytest.raises(PluginError) as caught:
        plugins.freeze()
    assert str(caught.value) == (
        "plugin 'theirs' in register_actions: the action 'ring' is registered by 'mine' already"
    )


def test_names_are_unique_per_kind_only() -> None:
    plugins = Plugins()
    plugins.register(offering("register_actions", "ring"), "mine")
    plugins.register(offering("register_matchers", "ring"), "theirs")
    plugins.freeze()
    assert plugins.actions.plugin_of("ring") == "mine"
    assert plugins.matchers.plugin_of("ring") == "theirs"


@pytest.mark.parametrize("name", ["", "  ", None, 3])
def test_a_name_that_is_none(name: object) -> None:
    plugins = Plugins()
    plugins.register(offering("register_bots", name), "mine")
    with pytest.raises(PluginError, match="is no name for a bot"):
        plugins.freeze()


def test_a_registering_hook_that_raises() -> None:
    @hookimpl
    def register_bots(register: object) -> None:
        raise OSError("disk on fire")

    plugins = Plugins()
    plugins.register(holder(register_bots=register_bots), "mine")
    with pytest.raises(PluginError) as caught:
        plugins.freeze()
    assert str(caught.value) == "plugin 'mine' in register_bots: it raised OSError: disk on fire"
    assert isinstance(caught.value.__cause__, OSError)


def test_registering_ends_with_the_start() -> None:
    kept: list[Callable[[str, object], None]] = []

    @hookimpl
    def register_bots(register: Callable[[str, object], None]) -> None:
        kept.append(register)

    plugins = Plugins()
    plugins.register(holder(register_bots=register_bots), "mine")
    plugins.freeze()
    with pytest.raises(PluginError, match="it registers bot 'late' after the start"):
        kept[0]("late", object())
    assert not plugins.bots


# --- the listing ---------------------------------------------------------------------------------


def test_the_listing() -> None:
    @hookimpl
    def register_bots(register: object) -> None: ...

    @hookimpl
    def on_message() -> None: ...

    plugins = Plugins()
    plugins.register(
        holder(register_bots=register_bots, on_message=on_message),
        "mine",
        origin=Origin.ENTRY_POINT,
        version="1.2",
        place="botkit-mine",
    )
    [listing] = plugins.listing()
    assert (listing.name, listing.version) == ("mine", "1.2")
    assert (listing.origin.value, listing.place) == ("entry point", "botkit-mine")
    assert listing.hooks == ("on_message", "register_bots")
