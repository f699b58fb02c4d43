"""Which agent a chat goes to, and what is attached to it."""

import random

import pytest

from botkit.bot.agents import AgentsFile, RoutingRule
from botkit.bot.script import BotScript, Place
from botkit.bot.values import Template, Unique, Values, VariableError
from botkit.simulator.chats import ChatRequest
from botkit.simulator.faults import make_fault
from botkit.simulator.routing import BUILT_IN_AGENT, Assignment, Routing

PLACE = Place(file="agents.yaml")


def routing(*rules: RoutingRule) -> Routing:
    agents = {name: BotScript(name=name) for name in ("Grace", "Linus")}
    file = AgentsFile(file="agents.yaml", routing=rules, agents=agents)
    rng = random.Random(1)
    return Routing(file, new_values=lambda: Values(env={"BASE": "b"}, unique=Unique(rng)))


def request(service: str = "demo", **userdata: str) -> ChatRequest:
    return ChatRequest(service=service, nickname="Ada", subject="Bill", userdata=userdata)


def test_without_agents_everybody_gets_the_built_in_one() -> None:
    assert Routing(None, new_values=Values).assign(request()) == Assignment()


def test_without_rules_the_agents_take_every_chat_in_turn() -> None:
    r = routing()
    assert [r.assign(request()).agent for _ in range(3)] == ["Grace", "Linus", "Grace"]


@pytest.mark.parametrize(
    ("rule", "agent"),
    [
        (RoutingRule(place=PLACE, to=("Grace",)), "Grace"),
        (RoutingRule(place=PLACE, service="demo", to=("Grace",)), "Grace"),
        (RoutingRule(place=PLACE, service="other", to=("Grace",)), BUILT_IN_AGENT),
        (RoutingRule(place=PLACE, nickname="Ada", subject="Bill", to=("Grace",)), "Grace"),
        (RoutingRule(place=PLACE, nickname="Eve", to=("Grace",)), BUILT_IN_AGENT),
        (RoutingRule(place=PLACE, subject="Fees", to=("Grace",)), BUILT_IN_AGENT),
        (RoutingRule(place=PLACE, userdata={"Segment": "gold"}, to=("Grace",)), "Grace"),
        (RoutingRule(place=PLACE, userdata={"Segment": "tin"}, to=("Grace",)), BUILT_IN_AGENT),
        (RoutingRule(place=PLACE, userdata={"Other": "gold"}, to=("Grace",)), BUILT_IN_AGENT),
    ],
)
def test_a_rule_fits_what_it_is_for(rule: RoutingRule, agent: str) -> None:
    assert routing(rule).assign(request(Segment="gold")).agent == agent


def test_the_first_rule_that_fits_decides() -> None:
    rules = (
        RoutingRule(place=PLACE, service="other", to=("Linus",), after=9.0),
        RoutingRule(place=PLACE, to=("Grace",), after=0.2),
        RoutingRule(place=PLACE, to=("Linus",)),
    )
    assignment = routing(*rules).assign(request())
    assert (assignment.agent, assignment.second, assignment.after) == ("Grace", "Grace", 0.2)


def test_what_is_attached_is_filled_in_for_each_chat() -> None:
    attach = {"Survey": Template.parse("${env.BASE}/${unique.uuid}")}
    r = routing(RoutingRule(place=PLACE, attach=attach, to=("Grace",)))
    first, second = (r.assign(request()).attach["Survey"] for _ in range(2))
    assert first.startswith("b/")
    assert first != second


def test_a_value_that_is_not_there_is_told() -> None:
    attach = {"Survey": Template.parse("${env.NOTHING}")}
    with pytest.raises(VariableError, match="NOTHING"):
        routing(RoutingRule(place=PLACE, attach=attach, to=("Grace",))).assign(request())


def test_faults_change_an_assignment() -> None:
    assignment = Assignment()
    assert assignment.under(None) is assignment
    assert assignment.under(make_fault("agent_never_joins")).after is None
    leaving = assignment.under(make_fault("agent_leaves", seconds=3.0))
    assert (leaving.leaves_after, leaving.transferred) == (3.0, False)
    transfer = assignment.under(make_fault("transfer", seconds=4.0))
    assert (transfer.leaves_after, transfer.transferred) == (4.0, True)
