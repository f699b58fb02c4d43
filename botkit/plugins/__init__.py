"""Plugins: found, checked, asked for what they offer, and told what happens.

:func:`load_plugins` makes the :class:`Plugins` of a process; its registries hold what plugins
offer, and :meth:`Plugins.dispatcher` makes the :class:`Dispatcher` of each journey.
"""

from botkit.plugins.discovery import load_plugins
from botkit.plugins.dispatch import Dispatcher
from botkit.plugins.manager import Listing, Origin, Plugins
from botkit.plugins.registries import Registry
from botkit.plugins.storages import make_storage

__all__ = ["Dispatcher", "Listing", "Origin", "Plugins", "Registry", "load_plugins", "make_storage"]
