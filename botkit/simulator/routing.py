"""The routing: which agent a chat goes to, and what is attached to it on the way. Pure.

The first rule that fits decides. What it attaches is visible to the customer, as what a routing
strategy attaches for the customer is. A chat that no rule fits goes to the built-in agent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from botkit.bot.agents import AgentsFile, RoutingRule
from botkit.bot.script import Place
from botkit.bot.values import Values
from botkit.simulator.chats import NOTHING, ChatRequest
from botkit.simulator.faults import Fault

BUILT_IN_AGENT = "Alex"
"""Joins, greets, and answers every line; there is no script of that."""
SECOND_BUILT_IN_AGENT = "Sam"
JOINS_AFTER = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What becomes of one chat.

    Attributes:
        attach: user data for the customer to see.
        agent: who takes it.
        second: who takes over, if it is transferred.
        after: seconds in the queue; None if nobody ever comes.
        leaves_after: the agent leaves so long after joining; None if not by a fault.
        transferred: the second agent comes when the first leaves.
    """

    attach: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    agent: str = BUILT_IN_AGENT
    second: str = SECOND_BUILT_IN_AGENT
    after: float | None = JOINS_AFTER
    leaves_after: float | None = None
    transferred: bool = False

    def under(self, fault: Fault | None) -> Assignment:
        """Give the assignment as a fault changes it."""
        match fault:
            case Fault(name="agent_never_joins"):
                return replace(self, after=None)
            case Fault(name="agent_leaves"):
                return replace(self, leaves_after=fault.seconds)
            case Fault(name="transfer"):
                return replace(self, leaves_after=fault.seconds, transferred=True)
            case _:
                return self


class Routing:
    """Gives each chat to an agent.

    Args:
        agents: the rules, and who there is; None for the built-in agent alone.
        new_values: gives the values of ``${...}`` for one chat.
    """

    def __init__(self, agents: AgentsFile | None, *, new_values: Callable[[], Values]) -> None:
        self._rules = rules_of(agents) if agents is not None else ()
        self._new_values = new_values
        self._turns = [0] * len(self._rules)

    def assign(self, request: ChatRequest) -> Assignment:
        """Decide about a request.

        Raises:
            VariableError: a value that a rule attaches is not there.
        """
        for number, rule in enumerate(self._rules):
            if fits(rule, request):
                turn = self._turns[number]
                self._turns[number] += 1
                return self._by_rule(rule, turn)
        return Assignment()

    def _by_rule(self, rule: RoutingRule, turn: int) -> Assignment:
        attach: dict[str, str] = {}
        if rule.attach:
            values = self._new_values()
            attach = {key: text.render(values) for key, text in rule.attach.items()}
        return Assignment(
            attach=attach,
            agent=rule.to[turn % len(rule.to)],
            second=rule.to[(turn + 1) % len(rule.to)],
            after=rule.after,
        )


def rules_of(agents: AgentsFile) -> tuple[RoutingRule, ...]:
    """Give the rules; a file without any means that its agents take every chat, in turn."""
    everybody = RoutingRule(place=Place(file=agents.file), to=tuple(agents.agents))
    return agents.routing or (everybody,)


def fits(rule: RoutingRule, request: ChatRequest) -> bool:
    """Tell whether a request is one of those that a rule is for."""
    return (
        rule.service in (None, request.service)
        and rule.nickname in (None, request.nickname)
        and rule.subject in (None, request.subject)
        and all(request.userdata.get(key) == value for key, value in rule.userdata.items())
    )
