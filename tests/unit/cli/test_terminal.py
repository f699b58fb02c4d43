"""Lines from standard input that is no terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TextIO

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from botkit.cli.terminal import Pipe


@pytest.fixture
def ends() -> Iterator[tuple[TextIO, TextIO]]:
    """Both ends of a pipe: to read from, and to write into."""
    out, into = os.pipe()
    with open(out, encoding="utf-8") as reader, open(into, "w", encoding="latin-1") as writer:
        yield reader, writer


async def test_a_line_that_was_waited_for_is_not_lost_with_the_waiting(
    ends: tuple[TextIO, TextIO],
) -> None:
    reader, writer = ends
    pipe = Pipe(reader)
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pipe.read)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        writer.write("one\r\ntwo\n")
        writer.close()
        assert [await pipe.read() for _ in range(3)] == ["one", "two", None]


async def test_what_breaks_while_it_is_read_comes_out(ends: tuple[TextIO, TextIO]) -> None:
    reader, writer = ends
    writer.write("\xff\n")
    writer.close()
    with trio.fail_after(20), pytest.raises(UnicodeDecodeError):
        await Pipe(reader).read()
