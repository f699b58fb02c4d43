"""What a file of monitors must not tell: passwords, tokens, keys, and URLs that open a door.

They are known before anything is made of the file, and whether or not the rest of it is right, so
that no problem, log record, alert or page shows them. What ``${secret.X}`` gives is hidden as soon
as it is filled in, as in a bot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from botkit.bot.diagnostics import Problem
from botkit.bot.source import Entries, Items, Node, Scalar, get
from botkit.bot.values import Template, Values
from botkit.errors import ConfigError
from botkit.masking import (
    Masker,
    assigned_secrets,
    named_secrets,
    url_secrets,
    userdata_secrets,
)

OUTWARD = ("alerts", "heartbeat")
"""Parts of a file that say who is told: whoever knows such a URL may tell the same."""
USERDATA = "userdata"
"""Its names are those of customers: fewer of them say that something is a secret."""
REFERENCE = re.compile(r"\$\{[^}]*\}?")
SHORTEST_PATH = 8
"""Characters of a path that may be a secret itself; ``/alerts`` is said in other places, too."""


def hide_secrets(root: Node, values: Values) -> None:
    """Have the masker of some values hide all that a file must not tell.

    Args:
        root: of the file.
        values: what is filled in; its masker learns.
    """
    hide = values.masker.hide
    for name, text in _texts_in(root):
        text = _filled(text, values)
        for secret in (*named_secrets({name: text}), *url_secrets(text)):
            hide(secret)
    outward = [node for key in OUTWARD if (node := get(root, (key,))) is not None]
    for name, text in (pair for node in outward for pair in _texts_in(node)):
        text = _filled(text, values)
        for secret in (*assigned_secrets(text), *(_doors_of(text) if name == "url" else ())):
            hide(secret)


def masked_problem(problem: Problem, mask: Masker) -> Problem:
    """Give a problem of a file as people may see it."""
    shown = replace(problem, message=mask(problem.message), hint=mask(problem.hint))
    # A line with a hole in it is no excerpt: its caret would point anywhere.
    return shown if mask(problem.source) == problem.source else replace(shown, source="")


def _texts_in(node: Node, name: str = "") -> Iterator[tuple[str, str]]:
    """Give all texts, each with the name that says whether it is a secret."""
    if isinstance(node, Scalar):
        yield name, node.text
    elif isinstance(node, Items):
        for item in node.items:
            yield from _texts_in(item, name)
    else:
        for key, child in node.values.items():
            if name == USERDATA and not any(userdata_secrets({key: "?"})):
                key = ""
            # A mapping is a name of its own: one of a monitor may be "token-service".
            is_name = not isinstance(child, Entries) or key == USERDATA
            yield from _texts_in(child, key if is_name else "")


def _filled(text: str, values: Values) -> str:
    try:
        return Template.parse(text).render(values)
    except ConfigError:
        # It is told where it is used; what stands beside may be a secret as it is.
        return REFERENCE.sub("", text)


def _doors_of(url: str) -> Iterator[str]:
    """Give what of the URL of a sink lets anybody post there; it may be no proper URL."""
    path, _, query = url.partition("://")[2].partition("#")[0].partition("?")
    for text in (path[len(path.partition("/")[0]) :], query):
        if len(text.strip("/")) >= SHORTEST_PATH:
            yield text
