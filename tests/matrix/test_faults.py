"""Each cell of the fault matrix: the fault is caused, and what comes of it is compared."""

from __future__ import annotations

import pytest
import trio
from fault_table import ROWS
from matrix_model import COLUMNS, LINES, Cell, Column, NotHere, Outage, Row, Strike
from trio.testing import MockClock
from weather import Evidence, play

from botkit.results import Verdict
from botkit.simulator.faults import KINDS

BUSIEST = 20
"""More requests than this in a second are a busy loop, whatever the fault."""
AT_MOST = (60, 1.5)
"""A journey makes so many requests, and so many more for each second that it takes."""


CELLS = [
    pytest.param(row, column, cell, id=f"{column.key}: {row.what}")
    for row in ROWS
    for column in COLUMNS
    if isinstance(cell := row.cells.get(column.key), Cell)
]


async def played(row: Row, column: Column, nursery: trio.Nursery) -> Evidence:
    faults = [c.on_wire(column) for c in row.causes if isinstance(c, Strike)]
    outages = [c for c in row.causes if isinstance(c, Outage)]
    return await play(
        nursery,
        column.connector,
        options=column.options,
        from_the_start=faults if row.from_the_start else (),
        in_mid_chat=() if row.from_the_start else faults,
        outage=(outages[0].seconds or float("inf")) if outages else 0.0,
    )


@pytest.mark.parametrize(("row", "column", "cell"), CELLS)
async def test_a_fault(
    row: Row, column: Column, cell: Cell, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    evidence = await played(row, column, nursery)
    result = evidence.result
    story = (result.verdict.value, result.reason.value, evidence.code, result.message)
    assert story[:3] == (cell.verdict.value, cell.reason.value, cell.code), story
    assert cell.words in result.message
    check_causes(evidence, row)
    check_service(evidence, cell)
    check_hooks(evidence, cell)
    check_cost(evidence, cell)


def check_causes(evidence: Evidence, row: Row) -> None:
    """Make sure that the faults were there at all."""
    strikes = [cause for cause in row.causes if isinstance(cause, Strike)]
    struck, names = set(evidence.simulator.faults.struck), {strike.name for strike in strikes}
    if any("probability" in strike.settings for strike in strikes):
        assert struck
        assert struck <= names
    else:
        assert struck == names


def check_service(evidence: Evidence, cell: Cell) -> None:
    """Compare what the service has: no chat too many, no line twice, nobody left behind."""
    said = evidence.said()
    assert set(said.values()) <= {1}
    if cell.reached is not None:
        assert tuple(said) == cell.reached
    assert tuple(said) == LINES[: len(said)]
    assert len(evidence.chats) == cell.chats
    assert cell.not_left in (None, evidence.not_left)
    assert evidence.under_way == 0
    if cell.complete:
        assert evidence.here() == evidence.there()
    if cell.verdict is Verdict.PASSED:
        assert evidence.result.left
        assert evidence.simulator.status()["sessions"] == 0


def check_hooks(evidence: Evidence, cell: Cell) -> None:
    """Compare what plugins were told."""
    interrupted, continued = len(evidence.hooks.interrupted), len(evidence.hooks.continued)
    if cell.interrupted is not None:
        assert interrupted == cell.interrupted
    if cell.continued is not None:
        assert continued == cell.continued
    assert continued <= interrupted <= continued + 1


def check_cost(evidence: Evidence, cell: Cell) -> None:
    """Compare what the recovery cost the service."""
    assert evidence.busiest_second <= BUSIEST
    fixed, per_second = AT_MOST
    assert len(evidence.requests) <= fixed + per_second * evidence.result.duration
    if cell.handshakes is not None:
        assert evidence.count("/meta/handshake") == 1 + cell.handshakes
    if cell.rebinds is not None:
        assert evidence.count("requestNotifications") == cell.rebinds


def test_every_row_speaks_of_every_wire() -> None:
    for row in ROWS:
        assert set(row.cells) == {column.key for column in COLUMNS}, row.what
    assert len({row.what for row in ROWS}) == len(ROWS)


def test_every_fault_is_in_the_table() -> None:
    named = {cause.name for row in ROWS for cause in row.causes if isinstance(cause, Strike)}
    assert named == set(KINDS)


def test_a_fault_is_missing_only_where_that_is_explained() -> None:
    for row in ROWS:
        for cell in row.cells.values():
            assert not isinstance(cell, NotHere) or cell.why
