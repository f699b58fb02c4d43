"""``botkit simulate``: the simulated contact centre, served on its own."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from botkit.cli.options import takes
from botkit.errors import ConfigError

if TYPE_CHECKING:
    from botkit.simulator import SimulatorAddress, SimulatorSettings


@click.command()
@takes("host", "port", "agents", "faults", "seed", "personality", "extension")
def simulate(
    host: str,
    port: int,
    agents: Path | None,
    faults: Path | None,
    seed: int | None,
    personality: str,
    extension: tuple[str, ...],
) -> int:
    """Serve a simulated contact centre until stopped.

    After start it prints one line for each wire: its name, a blank, the URL for clients. It is a
    test double: by default only this machine can reach it.
    """
    import trio

    settings = settings_for(agents, faults, seed, personality, extension)
    trio.run(
        partial(serve, settings, host=host, port=port),
        restrict_keyboard_interrupt_to_checkpoints=True,
    )
    return 0


def settings_for(
    agents: Path | None,
    faults: Path | None,
    seed: int | None,
    personality: str,
    extensions: tuple[str, ...],
) -> SimulatorSettings:
    """Read what the options name.

    Raises:
        ConfigError: a file is wrong; with its place.
    """
    from botkit.bayeux.personality import COMETD, FAYE
    from botkit.bot.loader import load_agents
    from botkit.simulator import SimulatorSettings
    from botkit.simulator.fault_file import FaultFile, load_faults

    wrong = load_faults(faults) if faults is not None else FaultFile()
    return SimulatorSettings(
        agents=load_agents(agents) if agents is not None else None,
        faults=wrong.faults,
        seed=wrong.seed if seed is None else seed,
        personality=replace(
            {"cometd": COMETD, "faye": FAYE}[personality],
            ack="ack" in extensions,
            timesync="timesync" in extensions,
        ),
    )


async def serve(settings: SimulatorSettings, *, host: str, port: int) -> None:
    """Serve until the first signal.

    Raises:
        ConfigError: the address cannot be had.
    """
    import trio

    from botkit.cli.signals import run_until_signalled
    from botkit.simulator import Simulator

    stopped = trio.Event()

    async def play() -> None:
        async with trio.open_nursery() as nursery:
            try:
                address = await nursery.start(Simulator(settings).serve, host, port)
            except OSError as error:
                reason = error.strerror or str(error)
                message = f"{host} port {port} cannot be listened on: {reason}"
                raise ConfigError(message, key="port") from error
            announce(address)
            await stopped.wait()
            nursery.cancel_scope.cancel()

    def stop(_: str) -> None:
        stopped.set()

    await run_until_signalled(play, first=stop, second=stop)


def announce(address: SimulatorAddress) -> None:
    """Tell programs where it is, then people what it is."""
    click.echo(f"gms-cometd {address.url}")
    click.echo(f"gms-rest {address.rest_url}")
    click.echo(f"genesys-cloud {address.guest_url}")
    click.echo(f"status {address.status_url}", err=True)
    note = "This is a simulated contact centre, a test double; Ctrl-C stops it."
    click.echo(note, err=True)
