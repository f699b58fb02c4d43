"""``/probe`` over real sockets: what is asked for, what is answered, no chat that stays open."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families
from status_site import FakeControls

from botkit.cli.monitor import world_of
from botkit.interfaces import ConnectOptions, JourneyPlan
from botkit.journey import Run, RunSettings
from botkit.monitor.caps import Caps
from botkit.monitor.config import load_monitors
from botkit.monitor.decided import Monitor, MonitorsFile
from botkit.monitor.history import History, HistoryKeeper, Spool
from botkit.monitor.probe import Prober, routes
from botkit.monitor.web import make_app, serve
from botkit.plugins import Plugins, load_plugins
from botkit.results import JourneyResult
from botkit.simulator import Simulator, SimulatorSettings
from botkit.simulator.faults import Fault, make_fault

LIMIT = 30
NOW = 1_800_000_000.0
TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"
TOKEN = "a token of thirty-two characters"
BOT = """\
botkit: 1
bot: smoke
steps:
  - wait_for: agent
  - say: my pin is 4711
  - expect: 'You said: my pin'
    within: 3s
"""
SLOW = BOT + "  - pause: 1m\n"
BAD = BOT.replace("You said: my pin", "nobody says this").replace("3s", "100ms")
ROWS = BOT + "data: {rows: [{name: Ada}, {name: Bea}], name: '${row.name}'}\n"
SKIPS = BOT + "  - finish: skipped\n    because: nobody is in\n"
MONITORS = """\
botkit-monitors: 1
page: {{port: 0}}
{probe}
monitors:
  chat: {{bot: smoke.yaml, server: "{url}", every: 1h}}
  slow: {{bot: slow.yaml, server: "{url}", every: 1h}}
  bad: {{bot: bad.yaml, server: "{url}", every: 1h}}
  rows: {{bot: rows.yaml, server: "{url}", every: 1h}}
  skips: {{bot: skips.yaml, server: "{url}", every: 1h}}
  own: {{bot: smoke.yaml, connector: simulator, every: 1h}}
"""


class Monitors:
    """The monitors of a file, none of which is played by itself."""

    def __init__(self, file: MonitorsFile) -> None:
        self.file, self.caps, self.quiet = file, Caps(file.limits), ""

    def now(self) -> float:
        return NOW

    def why_quiet(self, monitor: Monitor, *, asked: bool) -> str:
        return self.quiet if asked else ""


@dataclass(kw_only=True)
class Site:
    """Where probes are asked for.

    Attributes:
        scope: ends the page and the prober.
        url: of the page.
        played: the names of the journeys.
    """

    simulator: Simulator
    server: str
    monitors: Monitors
    plugins: Plugins
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    url: str = ""
    played: list[str] = field(default_factory=list)

    async def play(self, plan: JourneyPlan, override: ConnectOptions) -> JourneyResult:
        self.played.append(plan.name)
        run = Run(
            [plan],
            RunSettings(jobs=1, override=override),
            connectors=self.plugins.connectors,
            dispatcher=self.plugins.dispatcher,
            actions=self.plugins.actions,
        )
        (result,) = (await run.play()).journeys
        return result

    async def serve(
        self, folder: Path, token: str | None, *, task_status: trio.TaskStatus[None]
    ) -> None:
        prober = Prober(self.monitors, self.play)
        with self.scope, closing(History(str(folder / "m.db"))) as history:
            async with trio.open_nursery() as nursery:
                await nursery.start(prober.run)
                app = make_app(
                    FakeControls(),
                    HistoryKeeper(history, Spool(folder / "m.spool")),
                    token=token,
                    now=lambda: NOW,
                    routes=routes(prober, token_needed=token is not None),
                )
                self.url = await nursery.start(serve, app, "127.0.0.1", 0)
                task_status.started()

    async def ask(self, headers: dict[str, str] | None = None, **asked: str) -> httpx.Response:
        async with httpx.AsyncClient(timeout=LIMIT, trust_env=False) as client:
            return await client.get(f"{self.url}/probe", params=asked, headers=headers)

    async def wait_for_chats(self, number: int) -> None:
        # What counts chats is in another task, which tells nobody when it does.
        while self.simulator.status()["open"] != number:  # noqa: ASYNC110
            await trio.sleep(0.01)


@pytest.fixture
def plugins() -> Iterator[Plugins]:
    loaded = load_plugins(folders=[], environ={})
    yield loaded
    loaded.close()


Sites = Callable[..., AbstractAsyncContextManager[Site]]


@pytest.fixture
def site(tmp_path: Path, plugins: Plugins) -> Sites:
    """Open a site for a block, by what the file says of probes."""
    for name, text in (
        ("smoke", BOT),
        ("slow", SLOW),
        ("bad", BAD),
        ("rows", ROWS),
        ("skips", SKIPS),
    ):
        (tmp_path / f"{name}.yaml").write_text(text)
    return lambda *about, **more: opened(tmp_path, plugins, *about, **more)


@asynccontextmanager
async def opened(
    folder: Path,
    plugins: Plugins,
    probe: str = "probe: {}",
    *,
    token: str | None = None,
    faults: tuple[Fault, ...] = (),
) -> AsyncIterator[Site]:
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            simulator = Simulator(SimulatorSettings(seed=1, faults=faults))
            address = await nursery.start(simulator.serve)
            path = folder / "m.yaml"
            path.write_text(MONITORS.format(probe=probe, url=address.url))
            loaded = load_monitors(path, world_of(plugins, {}))
            assert loaded.file is not None, loaded.problems
            site = Site(
                simulator=simulator,
                server=address.url,
                monitors=Monitors(loaded.file),
                plugins=plugins,
            )
            await nursery.start(site.serve, folder, token)
            yield site
            site.scope.cancel()
            # The contact centre outlives those who chat with it.
            await site.wait_for_chats(0)
            nursery.cancel_scope.cancel()


def samples(reply: httpx.Response) -> dict[str, float]:
    """Give all samples without labels, steps by their names, and the words of the info."""
    assert reply.status_code == 200, reply.text
    found = {}
    for family in text_string_to_metric_families(reply.text):
        for sample in family.samples:
            name = sample.labels.get("step", sample.name)
            found[name] = sample.value
            for key, value in sample.labels.items():
                if key != "step":
                    found[f"{key}={value}"] = sample.value
    return found


# --- what is answered ----------------------------------------------------------------------------


async def test_a_chat_that_works_is_told_in_samples(site: Sites) -> None:
    async with site() as here:
        reply = await here.ask(module="chat", target=here.server)
        found = samples(reply)
        assert found["probe_success"] == 1
        assert 0 < found["probe_duration_seconds"] < LIMIT
        for words in ("verdict=passed", "reason=ok", "bot=smoke", "connector=gms-cometd"):
            assert words in found
        assert found["steps[2]:expect"] >= 0
        assert found["botkit_probe_left"] == 1
        assert found["botkit_probe_agent_wait_seconds"] >= 0
        assert found["botkit_probe_first_reply_seconds"] >= 0
        assert "my pin" not in reply.text
        assert here.simulator.status()["open"] == 0
        assert here.simulator.status()["total"] == 1


async def test_a_chat_that_fails_says_why(site: Sites) -> None:
    async with site() as here:
        found = samples(await here.ask(module="bad"))
        assert (found["probe_success"], found["verdict=failed"]) == (0, 1)
        assert "reason=expectation" in found
        assert here.simulator.status()["open"] == 0


async def test_a_server_that_is_not_there_is_no_success(site: Sites) -> None:
    async with site("probe: {targets: 'http://127.0.0.1:*/genesys/cometd'}") as here:
        nobody = "http://127.0.0.1:1/genesys/cometd"
        found = samples(await here.ask(module="chat", target=nobody))
        assert (found["probe_success"], "reason=unreachable" in found) == (0, True)


async def test_another_server_is_asked_if_the_file_allows_it(site: Sites) -> None:
    async with site("probe: {targets: 'http://127.0.0.1:*/other/genesys/cometd'}") as here:
        other = Simulator(SimulatorSettings(seed=2, base="/other"))
        async with trio.open_nursery() as nursery:
            address = await nursery.start(other.serve)
            found = samples(await here.ask(module="chat", target=address.url))
            nursery.cancel_scope.cancel()
        assert found["probe_success"] == 1
        assert (other.status()["total"], here.simulator.status()["total"]) == (1, 0)


async def test_debug_shows_the_journey_and_the_samples(site: Sites) -> None:
    async with site() as here:
        reply = await here.ask(module="bad", debug="true")
        assert reply.headers["content-type"].startswith("text/plain; charset=utf-8")
        for words in ("FAILED", "nobody says this", "my pin is 4711", "probe_success 0.0"):
            assert words in reply.text


async def test_rows_are_played_in_turn(site: Sites) -> None:
    async with site() as here:
        for _ in range(3):
            reply = await here.ask(module="rows")
            assert samples(reply)["probe_success"] == 1
            assert not re.search("Ada|Bea", reply.text)
        assert here.played == ["smoke[Ada]", "smoke[Bea]", "smoke[Ada]"]


async def test_openmetrics_is_written_for_who_asks_for_it(site: Sites) -> None:
    async with site() as here:
        accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
        reply = await here.ask(accept, module="own")
        assert reply.headers["content-type"].startswith("application/openmetrics-text")
        assert reply.text.endswith("# EOF\n")
        assert 'simulator="true"' in reply.text


# --- how long it takes ---------------------------------------------------------------------------


async def test_the_answer_comes_before_the_scraper_gives_up(site: Sites) -> None:
    async with site() as here:
        began = trio.current_time()
        found = samples(await here.ask({TIMEOUT: "2"}, module="slow"))
        assert trio.current_time() - began < 2
        assert (found["probe_success"], "reason=whole_chat" in found) == (0, True)
        assert found["botkit_probe_left"] == 1
        assert here.simulator.status()["open"] == 0


async def test_the_file_may_say_that_it_takes_no_longer(site: Sites) -> None:
    async with site("probe: {within: 500ms}") as here:
        found = samples(await here.ask({TIMEOUT: "20"}, module="slow"))
        assert "reason=whole_chat" in found
        assert found["probe_duration_seconds"] < 15


async def test_a_chat_that_is_hard_to_leave_keeps_no_answer(site: Sites) -> None:
    stalls = make_fault("stall", on="disconnect", seconds=1.5)
    async with site(faults=(stalls,)) as here:
        began = trio.current_time()
        found = samples(await here.ask({TIMEOUT: "1"}, module="slow"))
        assert trio.current_time() - began < 1
        assert (found["probe_success"], "reason=whole_chat" in found) == (0, True)
        assert here.simulator.status()["open"] == 1
        await here.wait_for_chats(0)


async def test_who_asked_and_is_gone_leaves_no_chat_behind(site: Sites) -> None:
    async with site() as here:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: here.ask(module="slow"))
            await here.wait_for_chats(1)
            nursery.cancel_scope.cancel()
        await here.wait_for_chats(0)
        assert here.simulator.status()["total"] == 1


async def test_chats_are_left_when_the_monitor_ends(site: Sites) -> None:
    async with site() as here, trio.open_nursery() as nursery:
        nursery.start_soon(hung_up_on, here)
        await here.wait_for_chats(1)
        here.scope.cancel()
        await here.wait_for_chats(0)
    assert here.simulator.status()["total"] == 1


async def hung_up_on(here: Site) -> None:
    with pytest.raises(httpx.TransportError):
        await here.ask(module="slow")


# --- what keeps it -------------------------------------------------------------------------------


async def test_the_caps_count_for_probes(site: Sites) -> None:
    async with site("probe: {}\ncaps: {chats: 1}") as here, trio.open_nursery() as nursery:
        nursery.start_soon(lambda: here.ask(module="slow"))
        await here.wait_for_chats(1)
        reply = await here.ask({TIMEOUT: "1"}, module="chat")
        assert (reply.status_code, "caps" in reply.text) == (503, True)
        assert here.simulator.status()["total"] == 1
        nursery.cancel_scope.cancel()


async def test_nothing_is_played_under_maintenance(site: Sites) -> None:
    async with site() as here:
        here.monitors.quiet = "maintenance: release"
        reply = await here.ask(module="chat")
        assert reply.status_code == 503
        assert reply.text == "Nothing is played now: maintenance: release.\n"
        assert here.played == []


async def test_a_journey_that_says_nothing_is_no_answer(site: Sites) -> None:
    async with site() as here:
        reply = await here.ask(module="skips")
        assert reply.status_code == 503
        assert reply.text == "The journey was skipped, and says nothing of the chat.\n"
        assert "nobody is in" in (await here.ask(module="skips", debug="true")).text


WRONG = {
    "no module": ({}, "'module' is missing"),
    "no such module": ({"module": "chta"}, "none called 'chta'"),
    "unknown": ({"module": "chat", "tagret": "x"}, "no parameter 'tagret'"),
    "debug": ({"module": "chat", "debug": "yes"}, "'debug' is true or false"),
    "elsewhere": ({"module": "chat", "target": "http://127.0.0.1:9/"}, "is no server of chat"),
    "simulator": (
        {"module": "own", "target": "http://a.example.com/genesys/cometd"},
        "plays on a simulator",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_wrong_is_said_in_a_sentence(wrong: str, site: Sites) -> None:
    asked, words = WRONG[wrong]
    async with site("probe: {targets: 'http://*.example.com/genesys/cometd'}") as here:
        reply = await here.ask(**asked)
        assert (reply.status_code, words in reply.text) == (400, True), reply.text
        assert reply.text.count("\n") == 1
        assert here.played == []


@pytest.mark.parametrize("seconds", ["soon", "0", "-1", "nan", "inf"])
async def test_a_time_that_is_none_is_refused(seconds: str, site: Sites) -> None:
    async with site() as here:
        reply = await here.ask({TIMEOUT: seconds}, module="chat")
        assert (reply.status_code, TIMEOUT in reply.text) == (400, True)


async def test_a_file_without_probes_has_none(site: Sites) -> None:
    async with site("") as here:
        reply = await here.ask(module="chat")
        assert (reply.status_code, "has no 'probe'" in reply.text) == (404, True)


async def test_where_there_is_a_token_it_is_needed(site: Sites) -> None:
    async with site(token=TOKEN) as here:
        assert (await here.ask(module="chat")).status_code == 401
        assert here.played == []
        reply = await here.ask({"Authorization": f"Bearer {TOKEN}"}, module="chat")
        assert samples(reply)["probe_success"] == 1


async def test_other_sites_begin_no_chats_through_a_browser(site: Sites) -> None:
    async with site() as here:
        for whence in ("cross-site", "same-site"):
            reply = await here.ask({"Sec-Fetch-Site": whence}, module="chat")
            assert reply.status_code == 403
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.head(f"{here.url}/probe?module=chat")).status_code == 403
        assert here.played == []


async def test_what_is_allowed_is_what_was_read_last(site: Sites) -> None:
    async with site() as here:
        file = here.monitors.file
        here.monitors.file = replace(file, probe=None)
        assert (await here.ask(module="chat")).status_code == 404
