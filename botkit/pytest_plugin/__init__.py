"""Bots as tests of pytest: one item for each row, failures as botkit shows them.

``*.bot.yaml`` is collected wherever pytest looks, all other bots in the folders that the setting
``botkit_bots`` names. pytest loads this module in every run, so it imports nothing but pytest: all
else comes when the first bot is met, or the first fixture is asked for.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from botkit.pytest_plugin.collecting import BotFile
    from botkit.session import ChatSession
    from botkit.simulator import SimulatorAddress

BOT_ENDINGS = (".bot.yaml", ".bot.yml")
YAML_ENDINGS = (".yaml", ".yml")
SAYS_BOT = re.compile(r"^(?:botkit|['\"]botkit['\"])\s*:", re.MULTILINE)
MARKS_BOT = re.compile(r"^@(?:botkit\.)?bot\b", re.MULTILINE)
PLAYED = "botkit"
"""The property of a report that names the server of a journey."""

MARKER = "botkit_simulator(agents=FILE, faults=FILE, seed=N): how the simulator of a test behaves"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("botkit", "bots that hold chats")
    group.addoption(
        "--botkit-server",
        metavar="URL",
        help="the chat server that bots talk to (BOTKIT_SERVER); without one, the simulator",
    )
    group.addoption(
        "--botkit-connector",
        metavar="NAME",
        help="the wire that bots use (BOTKIT_CONNECTOR); by default the URL decides",
    )
    parser.addini("botkit_bots", "folders whose bots are tests", type="paths", default=[])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> BotFile | None:
    if not is_bot(file_path, parent.config.getini("botkit_bots")):
        return None
    from botkit.pytest_plugin.collecting import BotFile

    return BotFile.from_parent(parent, path=file_path)


def is_bot(path: Path, folders: list[Path]) -> bool:
    """Tell whether a file is to be collected; files of agents and of data are none."""
    if path.name.endswith(BOT_ENDINGS):
        return True
    says = SAYS_BOT if path.suffix in YAML_ENDINGS else MARKS_BOT if path.suffix == ".py" else None
    if says is None or not any(path.is_relative_to(folder) for folder in folders):
        return False
    # What is no UTF-8 is told when it is loaded.
    return says.search(path.read_text(encoding="utf-8", errors="replace")) is not None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    servers = [
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == PLAYED
    ]
    for server in dict.fromkeys(servers):
        number = servers.count(server)
        journeys = f"{number} journey{'' if number == 1 else 's'}"
        terminalreporter.write_line(f"botkit: {journeys} played {server}")


@pytest.fixture
def botkit_simulator(request: pytest.FixtureRequest) -> Iterator[SimulatorAddress]:
    """A simulator with sockets: ``url``, ``rest_url``, ``guest_url``, ``status_url``.

    It runs in a thread of its own, so that any test can use it, async or not. Its options come from
    the marker ``botkit_simulator`` or from an indirect parameter (a mapping), relative to the
    test's file: ``agents``, ``faults``, ``seed``.
    """
    from botkit.pytest_plugin.simulating import running_simulator, settings_of

    with running_simulator(settings_of(request)) as address:
        yield address


@pytest.fixture
async def botkit_session(botkit_simulator: SimulatorAddress) -> AsyncIterator[ChatSession]:
    """A session that is open, on the simulator of the test; for async tests of pytest-trio."""
    from botkit.api import start_session

    async with start_session(botkit_simulator.url) as session:
        yield session
