"""Replies without measure cost a bounded amount of memory, on every wire.

One process for each wire plays the rows one after another, all wires at once; what it tells is the
most memory that it ever had.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from matrix_model import COLUMNS, Column
from network_rows import MEASURED_ROWS, Ending

MEGABYTE = 1024 * 1024
AT_MOST = 128 * MEGABYTE
"""Bytes besides what a process has that has met nothing of the kind."""
LIMIT = 80
MEASURE = Path(__file__).with_name("measure.py")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, int]]:
    """What the processes told, by the key of the column."""
    processes = {
        column.key: subprocess.Popen(
            [sys.executable, str(MEASURE), column.key, str(tmp_path_factory.mktemp(column.key))],
            stdout=subprocess.PIPE,
        )
        for column in COLUMNS
    }
    return {key: json.loads(done.communicate(timeout=LIMIT)[0]) for key, done in processes.items()}


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.key)
def test_no_reply_costs_more_than_it_may(column: Column, told: dict[str, dict[str, int]]) -> None:
    most = dict(told[column.key])
    before = most.pop("")
    cells = {row.what: row.cells[column.key] for row in MEASURED_ROWS}
    assert list(most) == [what for what, cell in cells.items() if isinstance(cell, Ending)]
    for what, bytes_ in most.items():
        assert bytes_ - before < AT_MOST, what
