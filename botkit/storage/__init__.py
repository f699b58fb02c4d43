"""Where sessions are stored, so that they can be restored.

A storage is any object with ``write(state)`` and ``read()`` (``interfaces.StateStorage``); here are
those that botkit brings, and the :class:`StateKeeper`, which takes a session's states there.
"""

from botkit.storage.file import FileStorage
from botkit.storage.keeper import StateKeeper
from botkit.storage.memory import MemoryStorage
from botkit.storage.sqlite import SQLiteStorage

__all__ = ["FileStorage", "MemoryStorage", "SQLiteStorage", "StateKeeper"]
