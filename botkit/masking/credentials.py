"""What opens a door though nobody called it a secret: passwords in URLs, keys in headers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, unquote

from botkit.masking.masker import SHORT

__all__ = ["NAMED_SECRET", "named_secrets", "url_secrets", "without_password"]

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
