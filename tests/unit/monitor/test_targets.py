"""Which servers a probe may be sent to: whatever is asked for, the domain is that of the file."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.monitor.targets import is_allowed, parse_pattern

PATTERN = "https://chat-*.example.com/genesys/cometd"


@pytest.mark.parametrize(
    "target",
    ["https://chat-1.example.com/genesys/cometd", "https://chat-a_b-c.example.com/genesys/cometd"],
)
def test_a_star_is_a_part_of_a_name(target: str) -> None:
    assert is_allowed(target, [parse_pattern("http://a/"), parse_pattern(PATTERN)])


@pytest.mark.parametrize(
    "target",
    [
        "http://chat-1.example.com/genesys/cometd",
        "https://chat-1.example.com/genesys/cometd/",
        "https://chat-1.example.com/other",
        "https://chat-1.example.com:8443/genesys/cometd",
        "https://chat-1.evil.com/.example.com/genesys/cometd",
        "https://chat-x@evil.com#.example.com/genesys/cometd",
        "https://chat-evil.com?.example.com/genesys/cometd",
        "https://chat-evil.com\\.example.com/genesys/cometd",
        "https://chat-ä.example.com/genesys/cometd",
        "https://chat-1.example.com/genesys/cometd\n",
        " https://chat-1.example.com/genesys/cometd",
        "file:///etc/passwd",
        "",
    ],
)
def test_nothing_else_is_let_through(target: str) -> None:
    assert not is_allowed(target, [parse_pattern(PATTERN)])


@given(
    inside=st.text(st.sampled_from("ab1-_.:/@?#\\%&= \n"), max_size=12),
    pattern=st.sampled_from(["https://*.example.com/c", "https://*.example.com:*/c/*"]),
)
def test_no_star_leaves_its_place(inside: str, pattern: str) -> None:
    target = pattern.replace("*", inside)
    if is_allowed(target, [parse_pattern(pattern)]):
        parts = urlsplit(target)
        assert (parts.scheme, parts.username, parts.query) == ("https", None, "")
        assert (parts.hostname or "").endswith(".example.com")


@pytest.mark.parametrize(
    "text",
    [
        "chat.example.com",
        "ftp://chat.example.com/",
        "*://chat.example.com/",
        "https://",
        "https:///path",
        "https://user:password@chat.example.com/",
        "https://chat.example.com/#here",
        "https://chat example.com/",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no address of servers"):
        parse_pattern(text)


def test_a_pattern_for_everything_is_refused() -> None:
    with pytest.raises(ValueError, match="lets every server be named"):
        parse_pattern("https://*")
