"""Each cell of the matrix for bad networks, on real sockets.

The journeys of all cells are played at once, when the first of them is asked for: they mostly wait,
and one after another they would take minutes.
"""

from __future__ import annotations

import gc
import warnings
from pathlib import Path

import pytest
import trio
from matrix_model import COLUMNS, Column
from network import Certificates, Outcome, cause
from network_rows import NETWORK_SECTIONS, OPEN_WITHIN, Ending, Network

from botkit.results import Verdict

ROWS = [row for rows in NETWORK_SECTIONS.values() for row in rows]
CELLS = [
    pytest.param(row, column, ending, id=f"{column.key}: {row.what}")
    for row in ROWS
    for column in COLUMNS
    if isinstance(ending := row.cells[column.key], Ending)
]
LIMIT = 60.0
"""Seconds for all of them together."""
AT_ONCE = 24
HEAVY_AT_ONCE = 3
Outcomes = dict[tuple[str, str], tuple[Outcome, str]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    with warnings.catch_warnings():
        # httpcore leaves the socket of a TLS handshake that is cancelled to the garbage collector.
        warnings.filterwarnings("ignore", "unclosed <socket", ResourceWarning)
        outcomes = trio.run(play_all, tmp_path_factory.mktemp("certificates"))
        gc.collect()
    return outcomes


async def play_all(folder: Path) -> Outcomes:
    certificates = Certificates(folder)
    outcomes: Outcomes = {}
    # More at once would be in each other's way, and their times would tell of that.
    turn, heavy = trio.CapacityLimiter(AT_ONCE), trio.CapacityLimiter(HEAVY_AT_ONCE)

    async def play(row: Network, column: Column) -> None:
        async with heavy if row.open_within > OPEN_WITHIN else turn:
            outcomes[row.what, column.key] = await cause(row, column, certificates)

    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            for row in ROWS:
                for column in COLUMNS:
                    if isinstance(row.cells[column.key], Ending):
                        nursery.start_soon(play, row, column)
    return outcomes


@pytest.mark.parametrize(("row", "column", "ending"), CELLS)
def test_a_network(row: Network, column: Column, ending: Ending, outcomes: Outcomes) -> None:
    outcome, at = outcomes[row.what, column.key]
    story = (outcome.verdict, outcome.reason, outcome.code)
    assert story == (ending.verdict, ending.reason, ending.code), outcome.message
    for words in ending.words:
        assert words.format(at=at) in outcome.message
    assert outcome.seconds < ending.within


def test_what_is_the_users_own_is_never_the_services_failure() -> None:
    """A proxy and what it says is the user's, a certificate and a name are the service's."""
    for row in ROWS:
        for ending in row.cells.values():
            if isinstance(ending, Ending) and ending.verdict is Verdict.ERROR:
                assert "proxy" in " ".join([row.what, *ending.words])
