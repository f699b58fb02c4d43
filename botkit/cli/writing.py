"""Files that commands write for authors: never over one that is there, unless that is asked for."""

from __future__ import annotations

from pathlib import Path

from botkit.errors import ConfigError
from botkit.report.files import write_whole


def refuse_existing(path: Path, *, key: str, force: bool = False) -> None:
    """Refuse to write where something is, or where nothing can be.

    Raises:
        ConfigError: naming the option.
    """
    if path.is_dir():
        raise ConfigError(f"{path} is a folder", key=key)
    if path.exists() and not force:
        raise ConfigError(f"{path} exists; --force overwrites it", key=key)
    if not path.parent.is_dir():
        raise ConfigError(f"there is no folder {path.parent}", key=key)


def write_new(path: Path, text: str, *, key: str, force: bool = False) -> None:
    """Write a file whole.

    Raises:
        ConfigError: it came to be there in between, or cannot be written.
    """
    refuse_existing(path, key=key, force=force)
    try:
        write_whole(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", key=key) from error
