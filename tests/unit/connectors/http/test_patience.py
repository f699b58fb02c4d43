"""What a server that asks for patience is given."""

from __future__ import annotations

import pytest

from botkit.connectors.http.patience import HEEDED, asked_of, patience, retry_after
from botkit.errors import ConnectorError, RemoteProtocolError

DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
LATER = "Wed, 21 Oct 2015 07:28:05 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": LATER, "date": DATE}, 5.0),
        ({"retry-after": DATE, "date": LATER}, 0.0),
        ({}, None),
        ({"retry-after": "soon", "date": DATE}, None),
        ({"retry-after": LATER}, None),
        ({"retry-after": "-3", "date": DATE}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 -9999", "date": DATE}, None),
    ],
)
def test_what_a_server_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
    assert patience(headers) == (seconds or 0.0)


def test_nobody_waits_forever() -> None:
    assert patience({"retry-after": "86400"}) == HEEDED


def test_what_a_failure_asks_for() -> None:
    assert asked_of(ConnectorError("busy", retry_after=4.0)) == 4.0
    assert asked_of(ConnectorError("gone")) == asked_of(RemoteProtocolError("what?")) == 0.0
