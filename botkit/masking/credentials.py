"""What opens a door though nobody called it a secret: passwords in URLs, keys in headers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, unquote

from botkit.masking.needles import SHORT

__all__ = [
    "NAMED_SECRET",
    "assigned_secrets",
    "named_secrets",
    "opening_secrets",
    "url_secrets",
    "userdata_secrets",
    "without_password",
]

USERINFO = re.compile(
    # What follows the colon is no port, so it is a password, and may hold what a URL should not.
    r"//(?:[^/\s:@]*:(?!\d{1,5}(?:[/?#\s]|$))\S*@|[^/\s]*@)"
)
NAMED_SECRET = re.compile(
    r"pass(?:word|wd|phrase)?|pwd|secret|token|auth(?!or(?!i))|cookie|credential|signature"
    r"|(?:^|[^a-z])(?:key|jwt|sid)(?:$|[^a-z])|key$",
    re.IGNORECASE,
)
"""Names of headers, parameters and options whose values are secrets."""
CALLED_SECRET = re.compile(
    r"password|passwd|passphrase|secret|token|credential|api[-_]?key|(?:^|[^a-z])jwt(?:$|[^a-z])",
    re.IGNORECASE,
)
"""Names of user data whose values are secrets; a ``PassengerName`` is none."""
ASSIGNED = re.compile(
    r"""(?<!\w)(?P<name>[A-Za-z][\w-]{0,63})["']?\s*[:=]\s*"""
    r"""(?P<value>"[^"]*|'[^']*|\$\{[^}]*|[^\s,{}][^,{}]*)"""
)
"""A name and its value, as YAML, headers and options of programs have them."""
SCHEME = re.compile(r"[A-Za-z][\w-]*\s+(?=\S)")


def without_password(text: str) -> str:
    """Take out of a text with a URL what is for its server alone."""
    return USERINFO.sub("//", text)


def url_secrets(url: str) -> Iterator[str]:
    """Give what of a URL must not be shown: its password, and keys among its parameters."""
    for found in USERINFO.finditer(url):
        _, _, password = found[0][2:-1].partition(":")
        yield password
        yield unquote(password)
        # Where it is no proper URL, errors tell parts of it.
        parts = re.split(r"[/?#@]", password)
        yield from (part for part in parts if len(part) >= SHORT)
    _, _, query = url.partition("?")
    yield from named_secrets(dict(parse_qsl(query)))


def named_secrets(values: Mapping[str, str]) -> Iterator[str]:
    """Give the values whose names say that they are secrets; of ``Bearer X`` the X."""
    for name, value in values.items():
        if NAMED_SECRET.search(name):
            yield value
            yield SCHEME.sub("", value, count=1)


def userdata_secrets(values: Mapping[str, str]) -> Iterator[str]:
    """Give the values of user data whose names call them secrets."""
    yield from (value for name, value in values.items() if CALLED_SECRET.search(name))


def assigned_secrets(line: str) -> Iterator[str]:
    """Give what a line of a file, or an argument of a program, says that secrets are.

    A reference such as ``${secret.X}`` is none.
    """
    for found in ASSIGNED.finditer(line):
        value = found["value"].strip("\"' \t\r\n")
        if not value.startswith("${"):
            yield from named_secrets({found["name"]: value})


def opening_secrets(
    *,
    server: str | None,
    proxy: str | None,
    auth: tuple[str, str] | None,
    headers: Mapping[str, str],
    options: Mapping[str, str],
    userdata: Mapping[str, str],
) -> Iterator[tuple[str, str]]:
    """Give what opens the door to a server, whether or not anybody calls it a secret.

    Returns:
        What each is called in warnings, and the secret itself.
    """
    for name, secrets in (
        ("the password in the server's URL", url_secrets(server or "")),
        ("the password in the proxy's URL", url_secrets(proxy or "")),
        ("the password", auth[1:] if auth else ()),
        ("the value of a header", named_secrets(headers)),
        ("the value of an option", named_secrets(options)),
        ("the value of user data", userdata_secrets(userdata)),
    ):
        for secret in secrets:
            yield name, secret
