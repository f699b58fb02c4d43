"""The version of botkit, in one place, so that asking for it imports nothing."""

__version__ = "0.1.0"
