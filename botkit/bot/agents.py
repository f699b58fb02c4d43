"""What a file of scripted agents means: the routing, and a script for each agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from botkit.bot.script import BotScript, Place
from botkit.bot.values import NOTHING, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRule:
    """One rule of the routing: the first that fits a request decides.

    Attributes:
        service, nickname, subject: must be exactly this; None fits all.
        userdata: the request must carry these keys with exactly these values.
        attach: user data that the customer will see.
        to: the agents that may take the chat, in turn; never empty, and never an unknown one.
        after: how long the customer waits for the agent, seconds.
    """

    place: Place
    service: str | None = None
    nickname: str | None = None
    subject: str | None = None
    userdata: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    attach: Mapping[str, Template] = field(default_factory=dict)
    to: tuple[str, ...]
    after: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsFile:
    """A file that was loaded."""

    file: str
    routing: tuple[RoutingRule, ...]
    agents: Mapping[str, BotScript]
