"""Tokens: who wrote them, what they are good for, and for how long."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.simulator.guest_tokens import MAX_REVOKED, GuestTokens, Use
from botkit.simulator.guest_wire import GuestError


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def make(seed: int = 1) -> tuple[GuestTokens, Clock]:
    clock = Clock()
    return GuestTokens(random.Random(seed), clock), clock


def code_of(tokens: GuestTokens, token: str, *uses: str) -> int:
    with pytest.raises(GuestError) as caught:
        tokens.read(token, *uses)
    return int(caught.value.code)


def test_what_is_written_can_be_read() -> None:
    tokens, _ = make()
    token, expires = tokens.write("ada", Use.GUEST, lifetime=60.0)
    assert expires == 1060
    claims = tokens.read(token, Use.CUSTOMER, Use.GUEST)
    assert (claims.subject, claims.use, claims.expires) == ("ada", "guest", 1060)


def test_a_token_is_good_for_one_thing_and_for_a_while() -> None:
    tokens, clock = make()
    token, _ = tokens.write("ada", Use.REFRESH, lifetime=60.0)
    assert code_of(tokens, token, Use.CUSTOMER, Use.GUEST) == 401
    clock.now += 60
    assert code_of(tokens, token, Use.REFRESH) == 401


def test_who_has_signed_out_has_no_token_any_more() -> None:
    tokens, _ = make()
    token, _ = tokens.write("ada", Use.CUSTOMER, lifetime=60.0)
    tokens.revoke("ada")
    assert code_of(tokens, token, Use.CUSTOMER) == 403


def test_those_who_signed_out_long_ago_are_forgotten() -> None:
    tokens, _ = make()
    token, _ = tokens.write("ada", Use.CUSTOMER, lifetime=60.0)
    tokens.revoke("ada")
    for number in range(MAX_REVOKED):
        tokens.revoke(str(number))
    assert tokens.read(token, Use.CUSTOMER).subject == "ada"


def test_nobody_believes_the_tokens_of_others() -> None:
    token, _ = make(seed=2)[0].write("ada", Use.GUEST, lifetime=60.0)
    assert code_of(make()[0], token, Use.GUEST) == 401


@given(st.text())
def test_what_is_no_token(text: str) -> None:
    tokens, _ = make()
    assert code_of(tokens, text, Use.GUEST) == 401
    token, _ = tokens.write("ada", Use.GUEST, lifetime=60.0)
    if text:
        assert code_of(tokens, token + text, Use.GUEST) == 401
