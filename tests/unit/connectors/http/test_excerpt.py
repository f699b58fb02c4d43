"""What errors show of replies that are not what they should be."""

from __future__ import annotations

import pytest

from botkit.connectors.http.excerpt import shown, shown_status
from botkit.connectors.http.failures import ended_early


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (200, {}, "HTTP 200"),
        (404, {}, "HTTP 404 (is the path of the URL right?)"),
        (301, {"location": "/new"}, "HTTP 301 (it has moved to '/new': give that URL)"),
        (200, {"location": "/new"}, "HTTP 200"),
        (204, {"retry-after": "1"}, "HTTP 204 (it asks for patience: '1')"),
        (
            503,
            {"retry-after": "60"},
            "HTTP 503 (it is overloaded or in maintenance; it asks for patience: '60')",
        ),
        (307, {"location": "x" * 1000}, f"HTTP 307 (it has moved to {'x' * 200!r}: give that URL)"),
    ],
)
def test_a_status_says_what_to_look_at(status: int, headers: dict[str, str], words: str) -> None:
    assert shown_status(status, headers) == words


def test_a_body_is_shown_in_one_short_line() -> None:
    assert shown(b"a\n  b\xff") == "'a b\ufffd'"
    assert shown(b"x" * 1000) == repr("x" * 80 + "...")


@pytest.mark.parametrize(
    ("address", "has_begun", "words"),
    [
        ("http://h:1", True, "http://h:1 closed the connection before its reply was whole"),
        (
            "http://h:1",
            False,
            "http://h:1 closed the connection without a reply: is it https:// there?",
        ),
        ("ws://h:1", False, "ws://h:1 closed the connection without a reply: is it wss:// there?"),
        ("https://h:1", False, "https://h:1 closed the connection without a reply"),
    ],
)
def test_an_end_instead_of_a_reply(address: str, has_begun: bool, words: str) -> None:
    assert str(ended_early(address, has_begun=has_begun)) == words
