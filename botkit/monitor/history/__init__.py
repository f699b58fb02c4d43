"""The history of a monitor: every finished journey, in SQLite or PostgreSQL."""

from botkit.monitor.history.incidents import incidents
from botkit.monitor.history.keeper import HistoryKeeper, Standing
from botkit.monitor.history.questions import bars, evidence, journey, latencies, latest, streams
from botkit.monitor.history.records import (
    Bar,
    Entry,
    Finished,
    Incident,
    Latency,
    Stream,
    finished,
)
from botkit.monitor.history.retention import Retention
from botkit.monitor.history.spool import Spool
from botkit.monitor.history.store import History

__all__ = [
    "Bar",
    "Entry",
    "Finished",
    "History",
    "HistoryKeeper",
    "Incident",
    "Latency",
    "Retention",
    "Spool",
    "Standing",
    "Stream",
    "bars",
    "evidence",
    "finished",
    "incidents",
    "journey",
    "latencies",
    "latest",
    "streams",
]
