"""A simulator beside a test, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from botkit.simulator import Simulator, SimulatorAddress, SimulatorSettings
from botkit.simulator.fault_file import load_faults

OPTIONS = ("agents", "faults", "seed")


def settings_of(request: pytest.FixtureRequest) -> SimulatorSettings:
    """Read the marker and the parameter of a test; the parameter wins.

    Raises:
        Failed: there is no such option.
        ConfigError: a file of faults is wrong.
    """
    marker = request.node.get_closest_marker("botkit_simulator")
    wanted = {**(marker.kwargs if marker else {}), **getattr(request, "param", {})}
    unknown = [name for name in wanted if name not in OPTIONS]
    if unknown:
        known = ", ".join(OPTIONS)
        message = f"botkit_simulator has no option {unknown[0]!r}; it has {known}"
        pytest.fail(message, pytrace=False)
    return simulator_settings(wanted, request.path.parent)


def simulator_settings(wanted: Mapping[str, Any], folder: Path) -> SimulatorSettings:
    """Make the settings of a simulator; files are relative to the folder."""
    agents = folder / wanted["agents"] if "agents" in wanted else None
    if "faults" not in wanted:
        return SimulatorSettings(agents=agents, seed=wanted.get("seed"))
    read = load_faults(folder / wanted["faults"])
    return SimulatorSettings(agents=agents, faults=read.faults, seed=wanted.get("seed", read.seed))


@contextmanager
def running_simulator(settings: SimulatorSettings) -> Iterator[SimulatorAddress]:
    """Serve a simulator until the block is left."""
    started: Future[tuple[SimulatorAddress, trio.lowlevel.TrioToken, trio.CancelScope]] = Future()

    async def serve() -> None:
        async with trio.open_nursery() as nursery:
            address = await nursery.start(Simulator(settings).serve)
            token = trio.lowlevel.current_trio_token()
            started.set_result((address, token, nursery.cancel_scope))

    def work() -> None:
        try:
            trio.run(serve)
        except BaseException as error:  # The boundary of the thread: the test is told.
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=work, name="botkit simulator", daemon=True)
    thread.start()
    address, token, scope = started.result()
    try:
        yield address
    finally:
        token.run_sync_soon(scope.cancel)
        thread.join()
