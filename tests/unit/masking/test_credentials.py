"""What opens a door is known by where it stands."""

from __future__ import annotations

import pytest

from botkit.masking import (
    assigned_secrets,
    named_secrets,
    url_secrets,
    userdata_secrets,
    without_password,
)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://host/path", "http://host/path"),
        ("http://host:8080/a@b", "http://host:8080/a@b"),
        ("http://ada@host", "http://host"),
        ("http://ada:pw@host/x", "http://host/x"),
        ("http://ada:1234@host/x", "http://host/x"),
        ("http://ada:p@w/x@host/x", "http://host/x"),
        ("'ws://:pw@host'", "'ws://host'"),
        ("http://ada:pw@one and http://two/x", "http://one and http://two/x"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_the_secrets_of_a_url_are_its_password_and_its_keys() -> None:
    url = "https://ada:p%40ss/w@host/x?deploymentId=7&token=t0k&apiKey=k3y"
    assert set(url_secrets(url)) == {"p%40ss/w", "p@ss/w", "p%40ss", "t0k", "k3y"}


@pytest.mark.parametrize("url", ["", "http://host:80/x?a=b", "no url at all"])
def test_a_url_without_secrets_has_none(url: str) -> None:
    assert set(url_secrets(url)) == set()


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("Authorization", True),
        ("X-Api-Key", True),
        ("Cookie", True),
        ("client_secret", True),
        ("jwt", True),
        ("X-Environment", False),
        ("channel", False),
        ("monkeys", False),
        ("X-Author", False),
        ("Accept", False),
    ],
)
def test_a_name_says_that_its_value_is_a_secret(name: str, is_secret: bool) -> None:
    assert set(named_secrets({name: "Bearer abc"})) == (
        {"Bearer abc", "abc"} if is_secret else set()
    )


@pytest.mark.parametrize(
    ("line", "secrets"),
    [
        ("  token: abc", {"abc"}),
        ("page: {host: a, token: 'abc', port: 1}", {"abc"}),
        ('"api-key": "a, b', {"a, b"}),
        ("--token=abc", {"abc"}),
        ("Authorization: Bearer abc", {"Bearer abc", "abc"}),
        ("token: ${secret.TOKEN}", set()),
        ("say: my token is abc", set()),
        ("token-service: {every: 5m}", set()),
        ("token:", set()),
    ],
)
def test_what_a_line_assigns_to_a_secret_is_known(line: str, secrets: set[str]) -> None:
    assert set(assigned_secrets(line)) == secrets


def test_user_data_is_a_secret_only_if_it_is_called_one() -> None:
    values = {"SessionToken": "a", "api_key": "b", "PassengerName": "c", "Key": "d", "Auth": "e"}

    assert set(userdata_secrets(values)) == {"a", "b"}
