"""One chat from the customer's side: commands out, events in, expectations between."""

from botkit.session.chat_session import ChatSession
from botkit.session.outcomes import utc_now
from botkit.session.stream import Stream

__all__ = ["ChatSession", "Stream", "utc_now"]
