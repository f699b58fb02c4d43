"""Helpers for testing bots, plugins and botkit itself."""

from botkit.testing.network import MemoryNetwork
from botkit.testing.playing import play
from botkit.testing.scripted import AGENT, ScriptedConnector
from botkit.testing.simulated import SimulatorInMemory, simulator_in

__all__ = [
    "AGENT",
    "MemoryNetwork",
    "ScriptedConnector",
    "SimulatorInMemory",
    "play",
    "simulator_in",
]
