"""Reports: results in; lines, files and a live view out."""

from botkit.report.console import ConsoleReporter
from botkit.report.json_document import JsonReporter
from botkit.report.junit import JUnitReporter

__all__ = ["ConsoleReporter", "JUnitReporter", "JsonReporter"]
