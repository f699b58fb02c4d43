"""Files that are whole or not there: a reader never sees half a report."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it holds all of ``data`` or what it held before.

    A link is followed, a file that was there keeps its permissions, and what is no ordinary file (a
    pipe, ``/dev/stdout``) is written into.

    Raises:
        OSError: it could not be written; what was begun is removed.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    begun = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with begun.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, begun)
        begun.replace(target)
    except OSError:
        with suppress(FileNotFoundError):
            begun.unlink()
        raise
