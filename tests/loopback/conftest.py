"""A person before a terminal, for commands that are talked to."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

LIMIT = 30
WHERE_IS_THE_CURSOR = b"\x1b[6n"


class Person:
    """Somebody before a terminal, who answers what the terminal is asked."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process = process
        self._terminal = terminal
        self.seen = b""

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def sees(self, text: str) -> None:
        """Wait until something new shows this."""
        while (position := self.seen.find(text.encode())) < 0:
            ready, _, _ = select.select([self._terminal], [], [], LIMIT)
            assert ready, self.seen
            new = os.read(self._terminal, 4096)
            if WHERE_IS_THE_CURSOR in new:
                self.type("\x1b[1;1R")
            self.seen += new
        self.seen = self.seen[position + len(text) :]


@contextmanager
def person_at(*command: str) -> Iterator[Person]:
    terminal, inside = pty.openpty()
    environ = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(
        command, stdin=inside, stdout=inside, stderr=inside, env=environ
    ) as process:
        os.close(inside)
        try:
            yield Person(process, terminal)
        finally:
            process.kill()
            os.close(terminal)


@pytest.fixture
def person() -> Callable[..., AbstractContextManager[Person]]:
    """Puts a person before a command."""
    return person_at
