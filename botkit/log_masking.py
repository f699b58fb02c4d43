"""What leaves the process beside its journeys: log records, and the last words of a command.

Theory of operation. Whoever logs, a plugin or a library or the simulator in this process, knows
nothing of journeys; so all maskers in use are known here, for as long as somebody holds them, and
log records are masked by all of them as they are made, before any handler sees them. Logging is
the process's own, so this is as well; nothing is installed before there is something to hide.
"""

from __future__ import annotations

import logging
import threading
import weakref
from typing import Any

from botkit.masking import Masker, masked_by

__all__ = ["keep_out_of_logs", "masked"]

_known: weakref.WeakSet[Masker] = weakref.WeakSet()
_lock = threading.RLock()
"""Any thread may log, in the middle of whatever it does."""


def keep_out_of_logs(masker: Masker) -> None:
    """Mask the records of all loggers of this process with a masker, while it is in use."""
    with _lock:
        _known.add(masker)
        made = logging.getLogRecordFactory()
        if not isinstance(made, MaskedRecords):
            logging.setLogRecordFactory(MaskedRecords(made))


def masked(text: str) -> str:
    """Hide in a text all that any journey of this process hides."""
    with _lock:
        known = [masker for masker in _known if masker]
    return masked_by(known, text)


class MaskedRecords:
    """Makes log records as another factory does, and masks them.

    Args:
        make: the factory that was there before.
    """

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """Make a record; of one in which nothing is hidden, all stays as it was."""
        record: logging.LogRecord = self._make(*args, **kwargs)
        try:
            message = record.getMessage()
        except Exception:  # The boundary to whoever logs: logging tells of it as it always does.
            return record
        shown = masked(message)
        if shown != message:
            record.msg, record.args = shown, None
        if record.exc_info:
            told = logging.Formatter().formatException(record.exc_info)
            if (shown := masked(told)) != told:
                record.exc_text, record.exc_info = shown, None
        if record.stack_info:
            # Lines of source: a test, or a notebook, has secrets in them.
            record.stack_info = masked(record.stack_info)
        return record
