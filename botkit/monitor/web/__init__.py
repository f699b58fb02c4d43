"""The status page of a monitor: what people, and programs, ask over HTTP."""

from botkit.monitor.web.access import check_binding
from botkit.monitor.web.page import StatusPage, make_app
from botkit.monitor.web.server import serve

__all__ = ["StatusPage", "check_binding", "make_app", "serve"]
