"""The page about the matrix is up to date, and one command prints its tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import show


def test_the_page_has_the_tables_as_they_are() -> None:
    text = show.README.read_text()
    assert show.page(text) == text, "run: python tests/matrix/show.py --write"


def test_the_command_prints_the_tables() -> None:
    command = [sys.executable, str(Path(show.__file__))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{show.table()}\n"
