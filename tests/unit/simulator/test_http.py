import pytest

from botkit.simulator.http import Request


@pytest.mark.parametrize(
    ("line", "cookies"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ('a=1; b="two"; c=x=y', {"a": "1", "b": "two", "c": "x=y"}),
        ("a=deep; a=root", {"a": "deep"}),
        ("rubbish; =; a=1;", {"": "", "a": "1"}),
    ],
)
def test_cookies_are_read_by_name(line: str, cookies: dict[str, str]) -> None:
    assert Request(headers={"cookie": line}).cookies == cookies


def test_no_cookie_header_is_no_cookie() -> None:
    assert Request().cookies == {}
