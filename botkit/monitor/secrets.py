"""What a file of monitors must not tell: passwords, tokens, keys, and URLs that open a door.

They are known before anything is made of the file, and whether or not the rest of it is right, so
that no problem, log record, alert or page shows them. What ``${secret.X}`` gives is hidden as soon
as it is filled in, as in a bot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from botkit.bot.source import Entries, Node, Scalar, find
from botkit.bot.values import Template, Values
from botkit.errors import ConfigError
from botkit.masking import assigned_secrets, named_secrets, url_secrets

REFERENCE = re.compile(r"\$\{[^}]*\}?")
SHORTEST_PATH = 8
"""Characters of a path that may be a secret itself; ``/alerts`` is said in other places, too."""


def hide_secrets(root: Node, values: Values) -> None:
    """Have the masker of some values hide all that a file must not tell.

    Args:
        root: of the file.
        values: what is filled in; its masker learns.
    """
    for name, text in _texts_in(root, ""):
        text = _filled(text, values)
        for secrets in (named_secrets({name: text}), url_secrets(text), assigned_secrets(text)):
            for secret in secrets:
                values.masker.hide(secret)
    for name, text in _texts_in(find(root, ("alerts", "to")), ""):
        for secret in _doors_of(_filled(text, values)) if name == "url" else ():
            values.masker.hide(secret)


def _texts_in(node: Node, name: str) -> Iterator[tuple[str, str]]:
    """Give all texts, each with the key that it stands under."""
    if isinstance(node, Scalar):
        yield name, node.text
    elif isinstance(node, Entries):
        for key, child in node.values.items():
            yield from _texts_in(child, key if isinstance(child, Scalar) else _of_list(key, child))
    else:
        for item in node.items:
            yield from _texts_in(item, name)


def _of_list(key: str, child: Node) -> str:
    # A mapping is a name of its own: one of a monitor may be "token-service".
    return "" if isinstance(child, Entries) else key


def _filled(text: str, values: Values) -> str:
    try:
        return Template.parse(text).render(values)
    except ConfigError:
        # It is told where it is used; what stands beside may be a secret as it is.
        return REFERENCE.sub("", text)


def _doors_of(url: str) -> Iterator[str]:
    """Give what of the URL of a sink lets anybody post there."""
    parts = urlsplit(url) if "://" in url else urlsplit("")
    for text in (parts.path, parts.query):
        if len(text.strip("/")) >= SHORTEST_PATH:
            yield text
