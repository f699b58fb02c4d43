"""A status page to ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from status_site import Site

from botkit.monitor.history import History


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    history = History(str(tmp_path / "history.db"))
    yield Site(history, tmp_path)
    history.close()
