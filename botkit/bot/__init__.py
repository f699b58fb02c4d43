"""The bot language, and bots.

``botkit.bot`` is two things under one name: this package, and the decorator ``@botkit.bot`` that
marks a class as a bot. Python binds the name to the package as soon as any part of it is imported,
so the package itself can be called, and hands the call on to the decorator.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class CallablePackage(ModuleType):
    """A package that is a decorator as well."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Mark a class; see :func:`botkit.bot.python_bots.bot`."""
        from botkit.bot.python_bots import bot

        return bot(*args, **kwargs)


sys.modules[__name__].__class__ = CallablePackage
