"""Keeps a state in a file of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from botkit.storage.envelope import MAX_BYTES, Claim, decode, encode
from botkit.storage.places import check_folder, check_kind, translated, wrong_path

STALE = 60.0
"""Seconds after which a file that was begun and not finished belongs to a process that is gone."""
PART = ".part"
ITSELF = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Opens no link, and waits for no pipe; systems without these have neither."""


class FileStorage:
    """Keeps the state of one chat in a file, for this process or for the next one.

    A write is there as a whole or not at all, wherever the process is killed: it goes to a
    temporary file of the same folder, to the disk, and takes the old one's place. The file is for
    its owner alone (mode 0600) from its creation on. Two processes may write to one file as long
    as it is the same chat; the last one wins.

    The methods block for as long as the disk needs; a session calls them in a thread.

    Args:
        path: of an ordinary file, or of none yet; its folder exists. One file per chat.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # It stays the same file when the process goes to another folder.
        self.path = Path(os.path.abspath(path))
        self._claim = Claim(str(self.path))
        self._swept = False

    def write(self, state: Mapping[str, Any]) -> None:
        """Keep a state; an empty one stands for a chat that is over.

        Raises:
            StateError: what stands there is not to be lost, or the disk does not take it.
            ConfigError: nothing can be stored at this path.
            LocalProtocolError: JSON cannot hold the state.
        """
        data = encode(state)
        self._claim.check(self._stored(), state)
        try:
            self._replace(data)
        except OSError as error:
            raise translated(error, self.path) from error
        self._claim.note(state)

    def read(self) -> Mapping[str, Any] | None:
        """Give what was written last; None if nothing is stored.

        Raises:
            StateError: it is broken, of another program or of a later botkit.
            ConfigError: nothing can be stored at this path.
        """
        check_folder(self.path)
        state = self._stored()
        self._claim.note(state)
        return state

    def _stored(self) -> Mapping[str, Any] | None:
        try:
            data = self._load()
        except FileNotFoundError:
            check_folder(self.path)
            return None
        except OSError as error:
            if self.path.is_symlink():
                raise wrong_path(
                    self.path, "it is a link; give the path that it leads to"
                ) from error
            raise translated(error, self.path) from error
        return decode(data, str(self.path))

    def _load(self) -> bytes:
        with open(self.path, "rb", opener=_open_itself) as file:
            check_kind(self.path, os.fstat(file.fileno()).st_mode)
            return file.read(MAX_BYTES + 1)

    def _replace(self, data: bytes) -> None:
        # Nobody else may read it, from the moment that it exists.
        number, begun = tempfile.mkstemp(
            dir=self.path.parent, prefix=f".{self.path.name}.", suffix=PART
        )
        try:
            with open(number, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                self._sweep(os.fstat(file.fileno()).st_mtime)
            os.replace(begun, self.path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(begun)
            raise

    def _sweep(self, now: float) -> None:
        """Remove, once, what killed processes have begun: there are keys to chats in it."""
        if self._swept:
            return
        self._swept = True
        for path in self.path.parent.iterdir():
            if path.name.startswith(f".{self.path.name}.") and path.name.endswith(PART):
                with suppress(FileNotFoundError):
                    if path.lstat().st_mtime < now - STALE:
                        path.unlink()


def _open_itself(path: str, flags: int) -> int:
    return os.open(path, flags | ITSELF)
