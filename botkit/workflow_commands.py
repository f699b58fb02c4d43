"""Commands to the runner of GitHub Actions: lines of output that begin with two colons.

::

    ::error file=bots/support.yaml,line=17,title=support failed::no such message within 10 s

A runner reads them on standard output and standard error alike, in the output of any program. What
others have said must therefore never begin a line as it is, nor hold ``##[``, the older spelling,
which is found anywhere in a line: :func:`hold` keeps commands from being obeyed for a while.

Source: GitHub Actions, "Workflow commands"; ``@actions/toolkit``, ``core/src/command.ts``.
"""

from __future__ import annotations

__all__ = ["hold", "release", "workflow_command"]


def workflow_command(name: str, message: str, **properties: str) -> str:
    """Write a command in one line; properties without a value are left out."""
    written = ",".join(f"{key}={_property(text)}" for key, text in properties.items() if text)
    return f"::{name} {written}::{_data(message)}" if written else f"::{name}::{_data(message)}"


def hold(token: str) -> str:
    """Write the command after which no other is obeyed.

    Args:
        token: what :func:`release` is written with; nobody can guess it.
    """
    return f"::stop-commands::{token}"


def release(token: str) -> str:
    """Write the command after which commands are obeyed again."""
    return f"::{token}::"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
