"""Who is known by the token and what is made of it."""

from __future__ import annotations

import pytest

from botkit.errors import ConfigError
from botkit.monitor.web.access import SIGNED_IN, Keys, check_binding, is_loopback

NOW = 1_000_000.0
LONG = "x" * 16


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    check_binding(host, None)
    check_binding(host, "short")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "status.example", ""])
def test_elsewhere_a_long_token_is_needed(host: str) -> None:
    check_binding(host, LONG)
    with pytest.raises(ConfigError, match="needs a token"):
        check_binding(host, None)
    with pytest.raises(ConfigError, match="less than 16 characters"):
        check_binding(host, LONG[1:])


def test_an_empty_token_is_none() -> None:
    with pytest.raises(ConfigError, match="is empty"):
        check_binding("127.0.0.1", " ")


def test_the_token_alone_is_the_token() -> None:
    keys = Keys("tökén")
    assert keys.is_token("tökén")
    assert not keys.is_token("token")
    assert not keys.is_token("")
    assert not keys.is_token("\udcff")


def test_blanks_around_a_token_do_not_count() -> None:
    assert Keys("token\n").is_token("token")
    assert Keys("token").is_token(" token ")
    with pytest.raises(ConfigError, match="less than 16 characters"):
        check_binding("0.0.0.0", LONG[1:] + "\n")


def test_a_cookie_counts_until_its_time_is_over() -> None:
    cookie = Keys(LONG).new_cookie(NOW)
    again = Keys(LONG)
    assert again.is_cookie(cookie, NOW + SIGNED_IN - 1)
    assert not again.is_cookie(cookie, NOW + SIGNED_IN)


@pytest.mark.parametrize("cookie", ["", ".", "9999999999", "9999999999.", "x.y", "9999999999.é"])
def test_a_cookie_that_was_not_made_here_does_not_count(cookie: str) -> None:
    assert not Keys(LONG).is_cookie(cookie, NOW)


def test_the_time_of_a_cookie_cannot_be_changed() -> None:
    until, _, signature = Keys(LONG).new_cookie(NOW).partition(".")
    assert not Keys(LONG).is_cookie(f"{int(until) + 1}.{signature}", NOW)


def test_another_token_signs_out_all() -> None:
    cookie = Keys(LONG).new_cookie(NOW)
    assert not Keys(LONG + "y").is_cookie(cookie, NOW)


def test_a_proof_is_of_one_visitor() -> None:
    keys = Keys(LONG)
    one, other = keys.new_cookie(NOW), keys.new_cookie(NOW + 1)
    assert keys.is_proof(keys.proof(one), one)
    assert not keys.is_proof(keys.proof(one), other)
    assert not keys.is_proof(one.partition(".")[2], one)


def test_monitors_of_one_machine_have_cookies_of_their_own() -> None:
    assert Keys(LONG).cookie_name != Keys(LONG + "y").cookie_name
    assert LONG not in Keys(LONG).cookie_name
