"""What programs, bots and plugins may rely on. Adding a name is a decision, so it is made here."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import botkit

PUBLIC = {
    "botkit": """
        AgentConnected AgentDisconnected AgentTyping Alert BotkitError ChatError
        ChatRefused ConfigError ConnectorError Continued EndedBy Error Event
        ExpectationFailed File FileStorage Interrupted JourneyInfo JourneyResult
        LocalProtocolError MemoryStorage Message NetworkSettings Nickname
        NoStoredSession Notice Party PartyKind PluginError PushedUrl Reason
        RemoteProtocolError Restoration RestoreFailed RestoreOutcome RunResult SQLiteStorage
        Session SessionClosed SessionEnded SessionRestored SessionStarted StateError
        StepResult StepTimeout Userdata Verdict __version__ all_of any_of bot contains
        equals hookimpl like make_storage matches matches_json none_of restore_session
        start_session starts_with
    """,
    "botkit.chat": """
        EVENT_NAMES HOOKED AgentConnected AgentDisconnected AgentTyping Button Command Continued
        DeleteFile DeleteUserdata Detach DownloadFile EndedBy Error Event File FileLimits
        GetFileLimits Inbox Interrupted Leave Message Nickname Notice OfferButtons Other Party
        PartyKind PressButton PushUrl PushedUrl ReadReceipt Reload Restoration RestoreOutcome Row
        SendFile SendMessage SendNotice SendTyping SessionEnded SessionRestored SessionStarted
        SetUserdata Taken Transcript UpdateNickname Userdata UserdataView Wait describe
    """,
    "botkit.interfaces": """
        SIMULATOR Action ActionContext AlertSink Bot ConnectOptions Connector Deliver
        Exchange JourneyInfo JourneyPlan Limits Match Matcher Miss NetworkSettings Opening Outcome
        Reporter Request Script Session State StateStorage Tracer Wiretap connector_for
        match_message
    """,
    "botkit.hookspecs": """
        EVENT_HOOKS HOOKS PROJECT Register hookimpl hookspec on_agent_connected
        on_agent_disconnected on_agent_typing on_continued on_error on_file on_interrupted
        on_journey_finished on_journey_started on_message on_nickname on_notice on_pushed_url
        on_session_ended on_session_restored on_session_started on_step_finished on_userdata
        register_actions register_alert_sinks register_bots register_commands
        register_connectors register_matchers register_reporters register_state_storages
    """,
    "botkit.testing": """
        AGENT MemoryNetwork ScriptedConnector SimulatorInMemory play simulator_in
    """,
}

HEAVY = ("trio", "httpx", "pluggy", "pydantic", "yaml", "rich", "click", "regex", "botkit.chat")


def as_ruff_sorts(name: str) -> tuple[int, str]:
    """Constants first, then classes, then the rest."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_pinned_and_sorted(module: str) -> None:
    names = import_module(module).__all__
    assert names == PUBLIC[module].split()
    assert names == sorted(names, key=as_ruff_sorts)


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_there(module: str) -> None:
    for name in PUBLIC[module].split():
        assert getattr(import_module(module), name) is not None


def test_each_is_what_its_home_has() -> None:
    for home, names in botkit.HOMES.items():
        for name in names:
            assert getattr(botkit, name) is getattr(import_module(home), name)


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'botkit' has no attribute 'start_sesion'"):
        botkit.start_sesion  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError):
        from botkit import start_sesion  # type: ignore[attr-defined]  # noqa: F401


def test_names_are_listed_before_they_are_fetched() -> None:
    assert set(botkit.__all__) <= set(dir(botkit))


def test_importing_botkit_imports_next_to_nothing() -> None:
    """What keeps it under 50 ms; the figure itself would measure this machine."""
    code = "import sys, botkit; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "botkit" in loaded
    assert not loaded & set(HEAVY)


def test_the_decorator_and_the_package_share_a_name() -> None:
    import botkit.bot.matchers  # binds the package's name

    @botkit.bot
    class Greeter:
        """Greets."""

    assert isinstance(Greeter, type)
