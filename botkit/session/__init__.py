"""One chat from the customer's side: commands out, events in, expectations between."""

from botkit.session.chat_session import ChatSession, open_session, utc_now, verdict_of
from botkit.session.stream import Stream

__all__ = ["ChatSession", "Stream", "open_session", "utc_now", "verdict_of"]
