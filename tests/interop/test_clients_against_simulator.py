"""Clients of other projects against botkit's simulator."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from botkit.bayeux.personality import (
    COMETD,
    COMETD_NODE,
    FAYE,
    OLD_UNKNOWN_CLIENT,
    ErrorTexts,
    Personality,
)
from botkit.simulator import Simulator, SimulatorAddress, SimulatorSettings
from botkit.simulator.chats import EntryKind

AGENTS = Path(__file__).with_name("agents.yaml")
SURVEY = "https://survey.example.com/chat-1"
LIMIT = 20

# As short as with the foreign servers.
TIMES = {"timeout": 1.0, "max_interval": 5.0}
PERSONALITIES = [
    replace(COMETD, **TIMES),
    replace(
        COMETD, name="cometd-4", errors=ErrorTexts(unknown_session=OLD_UNKNOWN_CLIENT), **TIMES
    ),
    replace(COMETD_NODE, **TIMES),
    replace(FAYE, timeout=1.0, lifetime_from_request=2.0),
]


# --- the command ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A `botkit simulate`, as its clients and its side door see it."""

    url: str
    status_url: str

    def status(self) -> Any:
        return self._ask("GET", self.status_url)

    def chat(self) -> Any:
        """Give the only chat there was, with its transcript."""
        [chat] = self.status()["chats"]
        return self._ask("GET", self.status_url.replace("/status", f"/chats/{chat['id']}"))

    def fail(self, **fault: object) -> None:
        """Let something go wrong from now on."""
        self._ask("POST", self.status_url.replace("/status", "/faults"), json=[fault])

    def _ask(self, method: str, url: str, **body: Any) -> Any:
        with httpx.Client(trust_env=False) as client:
            return client.request(method, url, **body).raise_for_status().json()


@pytest.fixture
def start_simulate(botkit_command, botkit_environment) -> Iterator[Callable[..., Served]]:
    """Start `botkit simulate`; it stops with the test, and must do so without a word."""
    with ExitStack() as processes:

        def start(*options: str) -> Served:
            process = processes.enter_context(
                subprocess.Popen(
                    [*botkit_command, "simulate", "--port", "0", "--agents", AGENTS, *options],
                    env=botkit_environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            processes.callback(process.kill)
            wire, url = process.stdout.readline().split()
            kind, status_url = process.stderr.readline().split()
            assert (wire, kind) == ("gms-cometd", "status")
            return Served(url=url, status_url=status_url)

        yield start


def assert_left(status: Any) -> None:
    assert (status["open"], status["total"], status["sessions"]) == (0, 1, 0)
    assert status["agents_failed"] == 0


def test_a_whole_chat(client, start_simulate, ada):
    simulator = start_simulate()
    # In less than the 30 s for which a connect is held: the first one was not.
    report = client.chat(simulator.url)
    report.assert_whole(ada.chat())
    assert (report.replayed, report.meta_errors) == (0, [])
    assert report.events[1]["userData"]["SurveyURL"] == SURVEY
    assert_left(simulator.status())
    chat = simulator.chat()
    assert (chat["service"], chat["userdata"]["Segment"]) == ("support", "gold")
    lines = [entry["text"] for entry in chat["transcript"] if entry["kind"] == "message"]
    assert lines == [text for kind, _, text in ada.chat() if kind == "Message"]


def test_the_chat_does_not_depend_on_the_subscribe(client, start_simulate, ada):
    report = client.chat(start_simulate().url, "--subscribe")
    assert report.subscribed is True
    report.assert_whole(ada.chat())


def test_faye_refuses_the_subscribe_and_serves_the_chat(js_client, start_simulate, ada):
    simulator = start_simulate("--personality", "faye")
    report = js_client.chat(simulator.url, "--subscribe")
    assert report.subscribed == "403:/service/chatV2/support:Forbidden channel"
    report.assert_whole(ada.chat())
    assert_left(simulator.status())


def test_an_answer_that_finds_no_session_is_asked_for_after_the_handshake(
    client, start_simulate, ada
):
    simulator = start_simulate()
    simulator.fail(name="session_expiry", on="sendMessage", times=1)
    report = client.chat(simulator.url)
    assert simulator.status()["faults"]["struck"] == {"session_expiry": 1}
    assert report.rehandshakes == 1
    report.assert_whole(ada.chat())
    assert_left(simulator.status())


# --- CometD's JavaScript client, in all its ways --------------------------------------------------

EXTENSIONS = ("--extension", "ack", "--extension", "timesync")
TRANSPORTS = ["long-polling", "websocket"]
MODERN = ("--transport", "websocket")


@pytest.mark.parametrize("personality", ["cometd", "faye"])
def test_a_whole_chat_over_websocket(personality, js_client, start_simulate, ada):
    simulator = start_simulate("--personality", personality)
    report = js_client.chat(simulator.url, *MODERN)
    report.assert_whole(ada.chat())
    assert (report.replayed, report.late, report.meta_errors) == (0, 0, [])
    assert_left(simulator.status())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_client_that_acknowledges_and_compares_clocks(transport, js_client, start_simulate, ada):
    simulator = start_simulate(*EXTENSIONS)
    report = js_client.chat(simulator.url, "--transport", transport, "--ack", "--timesync")
    report.assert_whole(ada.chat())
    # By connects alone, so nothing overtakes anything.
    assert (report.replayed, report.late, report.meta_errors) == (0, 0, [])
    assert report.batches == list(range(1, len(report.batches) + 1))
    assert report.time_answers > 0
    assert abs(report.time_offset) < 1000
    assert_left(simulator.status())


def test_a_client_that_offers_extensions_to_a_server_without_any(js_client, start_simulate, ada):
    report = js_client.chat(start_simulate().url, "--ack", "--timesync")
    report.assert_whole(ada.chat())
    assert (report.batches, report.time_answers) == ([], 0)


@pytest.mark.parametrize("option", ["unnumbered", "ignored"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_what_is_delivered_again_is_seen_again_by_others(
    transport, option, js_client, start_simulate, ada
):
    simulator = start_simulate(*EXTENSIONS)
    simulator.fail(name="redeliver", option=option, times=3, after=1)
    report = js_client.chat(simulator.url, "--transport", transport, "--ack")
    # Its application has to look at the indexes; botkit's client does not tell it twice.
    assert report.replayed > 0
    report.assert_whole(ada.chat())
    assert simulator.status()["faults"]["struck"] == {"redeliver": 3}


@pytest.mark.parametrize("extensions", [(), ("--ack", "--timesync")], ids=["plain", "extended"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_page_that_is_reloaded_goes_on_with_its_session(
    transport, extensions, js_client, start_simulate, ada
):
    simulator = start_simulate(*EXTENSIONS)
    report = js_client.chat(simulator.url, "--transport", transport, "--reload", *extensions)
    before, after = report.client_ids
    assert before == after
    assert report.rehandshakes == 0
    report.assert_whole(ada.chat())
    assert_left(simulator.status())


# --- the simulator of a program -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorInThread:
    """A simulator whose sessions a test can make forgotten, as those of the foreign servers."""

    simulator: Simulator
    address: SimulatorAddress
    token: trio.lowlevel.TrioToken

    def forget(self, say: str) -> int:
        """Drop all Bayeux sessions; the agent says a line meanwhile. Gives how many there were."""
        return trio.from_thread.run_sync(self._forget, say, trio_token=self.token)

    def _forget(self, say: str) -> int:
        sessions = self.simulator.bayeux.sessions
        for session in sessions:
            self.simulator.bayeux.forget(session)
        [chat] = self.simulator.centre.chats()
        [agent] = chat.agents.values()
        now = trio.current_time()
        self.simulator.centre.write(chat, EntryKind.MESSAGE, agent, now=now, text=say)
        return len(sessions)

    def status(self) -> Any:
        return trio.from_thread.run_sync(self.simulator.status, trio_token=self.token)


@contextmanager
def simulator_in_thread(personality: Personality) -> Iterator[SimulatorInThread]:
    started: Future[SimulatorInThread] = Future()
    stop = trio.CancelScope()

    async def serve() -> None:
        simulator = Simulator(SimulatorSettings(agents=AGENTS, personality=personality))
        with stop:
            async with trio.open_nursery() as nursery:
                address = await nursery.start(simulator.serve)
                token = trio.lowlevel.current_trio_token()
                started.set_result(
                    SimulatorInThread(simulator=simulator, address=address, token=token)
                )

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    running = started.result(LIMIT)
    try:
        yield running
    finally:
        trio.from_thread.run_sync(stop.cancel, trio_token=running.token)
        thread.join(LIMIT)


@pytest.mark.parametrize("personality", PERSONALITIES, ids=lambda each: each.name)
def test_a_forgotten_session_is_resumed_without_loss_or_repetition(client, personality, ada):
    resume_a_forgotten_session(client, personality, ada)


def test_a_forgotten_session_is_resumed_over_websocket(js_client, ada):
    resume_a_forgotten_session(js_client, PERSONALITIES[0], ada, *MODERN)


def resume_a_forgotten_session(client, personality, ada, *options):
    with simulator_in_thread(personality) as simulator:
        forgotten = []
        report = client.chat(
            simulator.address.url,
            *options,
            forget=lambda: forgotten.append(simulator.forget(ada.QUESTION)),
        )
        assert forgotten == [1]
        assert (report.rehandshakes, report.replayed) == (1, 0)
        report.assert_whole(ada.chat(asks=True))
        [refusal] = [each for each in report.meta_errors if each["meta"] == "connect"]
        error = personality.errors.unknown_session
        assert refusal["error"].partition(":")[0] == error.partition(":")[0]
        assert refusal["advice"]["reconnect"] == "handshake"
        assert_left(simulator.status())
