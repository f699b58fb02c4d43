"""Plays the rows of replies without measure on one wire, and prints the most memory after each.

The rogues are another process: what they hold does not count.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import trio
from matrix_model import COLUMNS, Column
from network import Certificates, attempt, url_of
from network_rows import MEASURED_ROWS, Ending, Network, Tls
from rogues import serving

MANY = 0.5
"""Seconds of opening: enough for several attempts at the rows that are decided at once."""


def most() -> int:
    """Tell the most memory that this process ever had, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def be_rogue(number: int, pipe: Connection) -> None:
    """Serve one row until there is nobody to serve any more."""

    async def serve() -> None:
        row = MEASURED_ROWS[number]
        assert row.rogue is not None
        async with serving(row.rogue) as port:
            pipe.send(port)
            await trio.to_thread.run_sync(pipe.recv)

    trio.run(serve)


def play(number: int, row: Network, column: Column, certificates: Certificates) -> None:
    here, there = multiprocessing.get_context("spawn").Pipe()
    rogue = multiprocessing.get_context("spawn").Process(target=be_rogue, args=(number, there))
    rogue.start()
    url = url_of(column.connector, f"127.0.0.1:{here.recv()}")
    network = certificates.network_for(Tls.NO, None)

    async def meet() -> None:
        await attempt(
            column.connector, url, options=column.options, network=network, open_within=MANY
        )

    trio.run(meet)
    here.send(None)
    rogue.join()


def main(key: str, folder: str) -> None:
    column = next(column for column in COLUMNS if column.key == key)
    certificates = Certificates(Path(folder))
    told = {"": most()}
    for number, row in enumerate(MEASURED_ROWS):
        if isinstance(row.cells[key], Ending):
            play(number, row, column, certificates)
            told[row.what] = most()
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
