"""What file-based storages share: which paths they take, and what they say of the others."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from botkit.errors import BotkitError, ConfigError, StateError

OF_THE_SET_UP = (
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ELOOP,
    errno.ENAMETOOLONG,
)
"""Failures that do not go away by themselves: somebody has to change the path or its rights."""


def check_folder(path: Path) -> None:
    """See whether a file could be written there.

    Raises:
        ConfigError: its folder is missing or must not be written.
    """
    folder = path.parent
    if not folder.is_dir():
        raise wrong_path(path, f"there is no folder {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise wrong_path(path, f"the folder {folder} must not be written by this user")


def check_kind(path: Path, mode: int) -> None:
    """Take ordinary files alone: a link may lead into anybody's folder, and a pipe never answers.

    Raises:
        ConfigError: it is something else.
    """
    if not stat.S_ISREG(mode):
        is_link = "it is a link; give the path that it leads to" if stat.S_ISLNK(mode) else ""
        raise wrong_path(path, is_link or "it is no ordinary file")


def wrong_path(path: Path, why: str) -> ConfigError:
    """Make the error for a path where no state can be kept."""
    return ConfigError(f"no session can be stored in {path}: {why}", key="storage")


def translated(error: OSError, path: Path) -> BotkitError:
    """Say in botkit's words what the system said of a path."""
    why = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in OF_THE_SET_UP:
        return wrong_path(path, why)
    return StateError(f"the session could not be stored in {path}: {why}")
