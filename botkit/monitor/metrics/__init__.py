"""What Prometheus is told of monitors."""

from botkit.monitor.metrics.exporter import Metrics
from botkit.monitor.metrics.routes import routes

__all__ = ["Metrics", "routes"]
