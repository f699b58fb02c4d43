"""What the tests of the two state machines share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from botkit.bayeux.server import Server


@pytest.fixture
def new_id() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"id{next(numbers)}"


@pytest.fixture
def server(new_id: Callable[[], str]) -> Server:
    return Server(new_id=new_id)
