"""Stores to keep a history in: a SQLite file, and a real PostgreSQL that is started here.

The server listens at a socket in a folder of its own, at no port. Where PostgreSQL is not
installed its tests are skipped by its name; where CI=true they fail instead.
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import pytest

from botkit.monitor.history import Finished, History, Spool, finished
from botkit.results import JourneyResult, Reason, StepResult, Verdict

START = 1_767_225_600.0
"""A midnight, UTC."""

MakeFinished = Callable[..., Finished]

REASONS = {
    Verdict.PASSED: Reason.OK,
    Verdict.DEGRADED: Reason.SLOW,
    Verdict.FAILED: Reason.TIMEOUT,
    Verdict.ERROR: Reason.INTERNAL,
    Verdict.SKIPPED: Reason.NOT_STARTED,
    Verdict.CANCELLED: Reason.SIGNAL,
}

STEP = StepResult(
    number=1,
    path="steps[0]",
    verb="wait_for",
    text="wait for an agent",
    verdict=Verdict.FAILED,
    reason=Reason.TIMEOUT,
    started=0.0,
    duration=1.0,
)


def make_finished(
    journey_id: str = "run1-1",
    *,
    monitor: str = "smoke",
    location: str = "",
    at: float = 0.0,
    verdict: Verdict = Verdict.PASSED,
    duration: float = 2.0,
    evidence: bytes | None = None,
    **members: Any,
) -> Finished:
    """Make a journey that started `at` seconds after START."""
    result = JourneyResult(
        **{
            "run_id": "run1",
            "journey_id": journey_id,
            "bot": "smoke",
            "name": "smoke[gold]",
            "verdict": verdict,
            "reason": REASONS[verdict],
            "step": STEP if verdict is Verdict.FAILED else None,
            "started_utc": START + at,
            "began": 0.0,
            "duration": duration,
            **members,
        }
    )
    data = json.dumps({"journey_id": journey_id}).encode() if evidence is None else evidence
    return finished(result, monitor=monitor, location=location, evidence=data)


@pytest.fixture
def make() -> MakeFinished:
    return make_finished


# --- PostgreSQL -----------------------------------------------------------------------------------


def missing(what: str) -> NoReturn:
    """Give up the test for want of a tool: loudly in CI, by its name elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"needs {what}, and CI skips nothing", pytrace=False)
    # Beyond Python nothing is required of a developer's machine.
    pytest.skip(f"needs {what}")


def postgres_tool(name: str) -> str:
    """Find a program of PostgreSQL: on the PATH, or where Debian puts them."""
    found = shutil.which(name)
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return found or (str(beside[-1]) if beside else missing(f"PostgreSQL ({name})"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A server of its own, of which every test gets a new database."""

    folder: Path
    user: str

    def run(self, *command: str) -> None:
        # PostgreSQL does not run as root.
        subprocess.run(
            command,
            user=self.user if os.geteuid() == 0 else None,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=60,
            check=True,
        )

    def make(self) -> None:
        cluster = ["-D", str(self.folder / "data"), "-U", "botkit", "--auth=trust"]
        self.run(postgres_tool("initdb"), *cluster, "--encoding=UTF8", "--no-sync")

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self._control("start", "-o", options, "-l", str(self.folder / "log"))

    def stop(self) -> None:
        self._control("stop", "-m", "immediate")

    def _control(self, *what: str) -> None:
        self.run(postgres_tool("pg_ctl"), "-D", str(self.folder / "data"), "-w", *what)

    def new_database(self, name: str) -> str:
        """Make a database; gives its URL."""
        self.run(postgres_tool("createdb"), "-h", str(self.folder), "-U", "botkit", name)
        return f"postgresql://botkit@/{name}?host={self.folder}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    user = "postgres" if os.geteuid() == 0 else getpass.getuser()
    postgres_tool("initdb")
    # Beneath pytest's own folder, which is root's alone, another user could not come.
    with tempfile.TemporaryDirectory(prefix="botkit-pg-") as name:
        if os.geteuid() == 0:
            shutil.chown(name, user)
        server = PostgresServer(folder=Path(name), user=user)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()


# --- stores ---------------------------------------------------------------------------------------

NUMBERS = count()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.interop)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the place of a new store of each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "history.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database(f"history{next(NUMBERS)}")


@pytest.fixture
def history(url: str) -> Iterator[History]:
    made = History(url)
    yield made
    made.close()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")
