"""The embedded contact centre: a Bayeux server, GMS Chat v2, agents, faults on demand."""

from botkit.simulator.simulator import Simulator, SimulatorAddress, SimulatorSettings

__all__ = ["Simulator", "SimulatorAddress", "SimulatorSettings"]
