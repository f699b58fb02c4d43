"""What Prometheus is told of monitors."""

from botkit.monitor.metrics.exporter import Metrics
from botkit.monitor.metrics.routes import routes
from botkit.monitor.metrics.standing import Sources

__all__ = ["Metrics", "Sources", "routes"]
