"""The command line: parse, call, print; no decisions.

Importing this imports nothing of weight: asking for the version costs what Python itself costs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from botkit.version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; None takes those of the process.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        sys.stdout.write(f"botkit {__version__}\n")
        return 0
    from botkit.cli.entry import run_command

    return run_command(given)
