"""Journeys that Prometheus asks for: ``/probe``, as its blackbox_exporter has it."""

from botkit.monitor.probe.prober import Prober
from botkit.monitor.probe.routes import routes

__all__ = ["Prober", "routes"]
