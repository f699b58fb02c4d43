"""Every hook: its signature and its manual (which is why this page is longer than others).

An implementation is a function marked with :data:`hookimpl`, in a plugin (a module or an object,
once per process) or in a bot (a class, a fresh object per journey).

**Event hooks** (``on_*``) tell what happened in a chat or a journey.

- They may be ``def`` or ``async def``, and take any subset of the documented arguments, by name.
- They run one after another in pluggy's order (``tryfirst``, ``trylast``), plugins first and the
  journey's own bot last, each awaited before the next, beside the chat's connection and never in
  its way.
- What they return is ignored.
- One that raises ends its journey with verdict ``error`` and its name; an ``AssertionError`` of the
  journey's own bot ends it with ``failed``.
- Each has 30 s, after which it is cancelled and its journey ends with ``error``. A ``def`` must not
  block: one that holds the event loop for more than a second is named in the log at once, and its
  journey ends with ``error`` when it returns. Wait in an ``async def``, with ``await``.
- A bot sees the events of its own chat only; a plugin sees those of all chats.

**Registering hooks** (``register_*``) run once, when botkit starts.

- They are ``def`` and are given ``register``, to be called as ``register(name, thing)`` as often as
  there are things. Names are unique per kind; a second plugin that takes a name is refused.
- What they return is ignored. One that raises stops botkit with the plugin's name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pluggy

from botkit.chat import EVENT_NAMES, Event

if TYPE_CHECKING:
    import click

    from botkit import chat
    from botkit.interfaces import (
        Action,
        AlertSink,
        Bot,
        Connector,
        JourneyInfo,
        Matcher,
        Reporter,
        Session,
        StateStorage,
    )
    from botkit.results import JourneyResult, StepResult

__all__ = [
    "EVENT_HOOKS",
    "HOOKS",
    "PROJECT",
    "Register",
    "hookimpl",
    "hookspec",
    "on_agent_connected",
    "on_agent_disconnected",
    "on_agent_typing",
    "on_continued",
    "on_error",
    "on_file",
    "on_interrupted",
    "on_journey_finished",
    "on_journey_started",
    "on_message",
    "on_nickname",
    "on_notice",
    "on_pushed_url",
    "on_session_ended",
    "on_session_restored",
    "on_session_started",
    "on_step_finished",
    "on_userdata",
    "register_actions",
    "register_alert_sinks",
    "register_bots",
    "register_commands",
    "register_connectors",
    "register_matchers",
    "register_reporters",
    "register_state_storages",
]

PROJECT = "botkit"
"""The name under which pluggy knows botkit's hooks; also the group of entry points."""

hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function as the implementation of the hook that has its name."""

hookspec = pluggy.HookspecMarker(PROJECT)

T_contra = TypeVar("T_contra", contravariant=True)


class Register(Protocol[T_contra]):
    """What registering hooks are given."""

    def __call__(self, name: str, thing: T_contra, /) -> None:
        """Register a thing under a name.

        Raises:
            PluginError: the name is taken, or it is too late to register.
        """


# --- event hooks: what happened in a chat ---------------------------------------------------------


@hookspec
def on_session_started(journey: JourneyInfo, session: Session, event: chat.SessionStarted) -> None:
    """The service opened the chat; ``event.session_id`` is its name for it.

    Fires once in a journey, when the chat is open, before all that happens in it; never if no chat
    was opened.

    Example::

        @hookimpl
        def on_session_started(journey, event):
            journey.note(f"chat {event.session_id}")
    """


@hookspec
def on_session_restored(
    journey: JourneyInfo, session: Session, event: chat.SessionRestored
) -> None:
    """A stored chat was won back; ``event.session_id`` is the service's name for it.

    Fires after each ``reload`` that has won the chat back.

    Example::

        @hookimpl
        async def on_session_restored(session):
            await session.send_message("I am back")
    """


@hookspec
def on_agent_connected(journey: JourneyInfo, session: Session, event: chat.AgentConnected) -> None:
    """An agent or a supervisor joined: ``event.party``; ``event.userdata`` came with it.

    Fires each time somebody of the contact centre joins; with a transfer, more than once.

    Example::

        @hookimpl
        def on_agent_connected(journey, event):
            journey.measure("agent", event.at - journey.began)
    """


@hookspec
def on_agent_disconnected(
    journey: JourneyInfo, session: Session, event: chat.AgentDisconnected
) -> None:
    """An agent or a supervisor left: ``event.party``. The chat goes on.

    Fires each time somebody of the contact centre leaves.

    Example::

        @hookimpl
        def on_agent_disconnected(journey, event):
            journey.note(f"{event.party.name} left")
    """


@hookspec
def on_agent_typing(journey: JourneyInfo, session: Session, event: chat.AgentTyping) -> None:
    """An agent started or stopped typing: ``event.is_typing``.

    Fires as often as the service shows it; not every service shows the end of it.

    Example::

        @hookimpl
        def on_agent_typing(journey, event):
            journey.note("typing" if event.is_typing else "stopped typing")
    """


@hookspec
def on_message(journey: JourneyInfo, session: Session, event: chat.Message) -> None:
    """A line was said: ``event.text`` by ``event.party``.

    The echo of the customer's own line comes too, with ``event.own`` set. What a service repeats
    after a reload is not told again, here as in the other hooks.

    Fires for each line, in order, whether a step waits for it or not.

    Example::

        @hookimpl
        async def on_message(session, event):
            if "still there" in event.text and not event.own:
                await session.send_message("Yes")
    """


@hookspec
def on_notice(journey: JourneyInfo, session: Session, event: chat.Notice) -> None:
    """A machine-readable note came: ``event.text`` of ``event.kind``.

    Fires for each note, whoever sent it.

    Example::

        @hookimpl
        def on_notice(journey, event):
            journey.note(f"{event.kind}: {event.text}")
    """


@hookspec
def on_pushed_url(journey: JourneyInfo, session: Session, event: chat.PushedUrl) -> None:
    """Somebody pushed a page: ``event.url``.

    Fires for each page; the customer's own come with ``event.own`` set.

    Example::

        @hookimpl
        def on_pushed_url(event):
            assert event.url.startswith("https://")
    """


@hookspec
def on_file(journey: JourneyInfo, session: Session, event: chat.File) -> None:
    """A file was put into the chat, or taken out again: ``event.file_id``, ``event.deleted``.

    Fires for each file that comes, and again when it is taken out; the customer's own come with
    ``event.own`` set.

    Example::

        @hookimpl
        def on_file(journey, event):
            journey.note(f"file {event.name}, {event.size} bytes")
    """


@hookspec
def on_userdata(journey: JourneyInfo, session: Session, event: chat.Userdata) -> None:
    """User data that this session may see has changed: ``event.changes``, None for a deleted key.

    Fires when the service brings a new value, and when it has confirmed what the customer set or
    deleted.

    Example::

        @hookimpl
        def on_userdata(event):
            survey = event.changes.get("SurveyURL")
            assert survey is None or survey.startswith("https://")
    """


@hookspec
def on_nickname(journey: JourneyInfo, session: Session, event: chat.Nickname) -> None:
    """Somebody goes by another name now: ``event.nickname``.

    Fires each time a name changes; the customer's own comes with ``event.own`` set.

    Example::

        @hookimpl
        def on_nickname(journey, event):
            journey.note(f"now called {event.nickname}")
    """


@hookspec
def on_interrupted(journey: JourneyInfo, session: Session, event: chat.Interrupted) -> None:
    """The connection was lost: ``event.description``. botkit tries to win it back.

    Fires once for each loss, however many attempts it takes to come back.

    Example::

        @hookimpl
        def on_interrupted(journey, event):
            journey.note(f"interrupted: {event.description}")
    """


@hookspec
def on_continued(journey: JourneyInfo, session: Session, event: chat.Continued) -> None:
    """The connection is back, and nothing was missed.

    Fires once for each loss that was made good; never if the chat ended first.

    Example::

        @hookimpl
        def on_continued(journey, event):
            journey.measure("back", event.at - journey.began)
    """


@hookspec
def on_error(journey: JourneyInfo, session: Session, event: chat.Error) -> None:
    """The service told of an error that need not end the chat.

    ``event.code`` and ``event.description`` are as the service gave them.

    Fires for each error that the service tells of in an open chat.

    Example::

        @hookimpl
        def on_error(event):
            assert event.code != 202, event.description
    """


@hookspec
def on_session_ended(journey: JourneyInfo, session: Session, event: chat.SessionEnded) -> None:
    """The chat is over: ``event.by`` tells how. The last event of a session.

    Fires once in each journey that had a chat, whoever ended it, and before the journey is
    finished.

    Example::

        @hookimpl
        def on_session_ended(journey, event):
            journey.note(f"ended by {event.by.value}")
    """


# --- event hooks: what happened in a journey ------------------------------------------------------


@hookspec
def on_journey_started(journey: JourneyInfo, session: Session) -> None:
    """A bot begins to be played; the chat is not open yet.

    Fires once in a journey, before a chat is asked for: ``session.is_open`` is false.

    Example::

        @hookimpl
        def on_journey_started(journey):
            logger.info("%s begins", journey.name)
    """


@hookspec
def on_step_finished(journey: JourneyInfo, session: Session, step: StepResult) -> None:
    """A step of the script is done, whatever became of it: ``step.verdict``, ``step.duration``.

    Fires after each step, those within ``choose`` and ``repeat`` too, in the order in which they
    end.

    Example::

        @hookimpl
        def on_step_finished(journey, step):
            journey.measure(step.path, step.duration)
    """


@hookspec
def on_journey_finished(journey: JourneyInfo, result: JourneyResult) -> None:
    """A journey has its verdict: ``result.verdict``. The chat was left.

    Fires once in a journey, when all else is over; it is the last hook of it.

    Example::

        @hookimpl
        def on_journey_finished(journey, result):
            logger.info("%s: %s", journey.name, result.verdict.value)
    """


# --- registering hooks ----------------------------------------------------------------------------


@hookspec
def register_connectors(register: Register[Callable[[], Connector]]) -> None:
    """Offer wires, by the name that ``--connector`` takes.

    The thing is a class, or a function that makes a Connector; it is called once per process.

    Fires once, whenever a command loads plugins: before any bot is read.

    Example::

        @hookimpl
        def register_connectors(register):
            register("carrier-pigeon", PigeonConnector)
    """


@hookspec
def register_matchers(register: Register[Callable[[Any], Matcher]]) -> None:
    """Offer matchers, by the key that a bot's author writes.

    The thing is called with the value behind the key (text, list or mapping) and makes a Matcher,
    or raises ``ConfigError``: the bot's author is shown what it says, and the line.

    Fires once, whenever a command loads plugins: before any bot is read.

    Example::

        @hookimpl
        def register_matchers(register):
            register("is_iban", lambda value: IbanMatcher(country=value))
    """


@hookspec
def register_actions(register: Register[Action]) -> None:
    """Offer actions, by the name that ``call:`` takes.

    The thing is a function ``(context, **arguments)``, sync or async; what it returns is told by
    ``botkit.interfaces.Action``.

    Fires once, whenever a command loads plugins: before any bot is read.

    Example::

        @hookimpl
        def register_actions(register):
            register("order_status", order_status)
    """


@hookspec
def register_reporters(register: Register[Callable[..., Reporter]]) -> None:
    """Offer reporters, by name.

    The thing is called with where to write to, and makes a Reporter.

    Fires once, whenever a command loads plugins: before any bot is read.

    Example::

        @hookimpl
        def register_reporters(register):
            register("csv", CsvReporter)
    """


@hookspec
def register_alert_sinks(register: Register[Callable[..., AlertSink]]) -> None:
    """Offer places where people see alerts, by name.

    The thing is called with the settings of its section, by name, and makes an AlertSink.

    Fires once, whenever a command loads plugins: before any bot is read.

    Example::

        @hookimpl
        def register_alert_sinks(register):
            register("teams", TeamsSink)
    """


@hookspec
def register_state_storages(register: Register[Callable[..., StateStorage]]) -> None:
    """Offer places that keep what restoring a session needs, by name.

    The thing is called with where to keep it, and makes a StateStorage.

    Fires once, whenever a command loads plugins: before any bot is read.

    Example::

        @hookimpl
        def register_state_storages(register):
            register("redis", RedisStorage)
    """


@hookspec
def register_bots(register: Register[Bot]) -> None:
    """Offer bots, by name, besides those that are found as files.

    Fires once, whenever a command loads plugins: before any bot is read.

    Example::

        @hookimpl
        def register_bots(register):
            register("ping", PingBot())
    """


@hookspec
def register_commands(register: Register[click.Command]) -> None:
    """Offer commands of the command line: ``botkit NAME``. The thing is a click command.

    Fires once, whenever a command loads plugins: before any bot is read.

    Example::

        @hookimpl
        def register_commands(register):
            register("export", export)
    """


# --- tables of the above --------------------------------------------------------------------------

HOOKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        name: tuple(inspect.signature(spec).parameters)
        for name, spec in globals().items()
        if hasattr(spec, f"{PROJECT}_spec")
    }
)
"""Every hook with its arguments, in the order in which they stand here."""

EVENT_HOOKS: Mapping[type[Event], str] = MappingProxyType(
    {kind: f"on_{name}" for name, kind in EVENT_NAMES.items()}
)
"""The hook of each kind of event."""
