"""What tracing systems learn of journeys."""

from botkit.telemetry.trace_context import TraceContext, traced

__all__ = ["TraceContext", "traced"]
