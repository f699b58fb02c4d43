"""What is shipped for Prometheus and Grafana counts as botkit itself does."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from botkit.cli import monitor
from botkit.monitor.metrics.exporter import VERDICTS
from botkit.monitor.slo import BAD, GOOD
from botkit.results import Verdict

COUNTED = re.compile(r"botkit_checks_total\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)(=~|!=|=)"([^"]*)"')


def shipped(what: str) -> Any:
    text = (monitor.SHIPPED / monitor.SHIPPED_FILES[what]).read_text("utf-8")
    return yaml.safe_load(text) if what == "rules" else json.loads(text)


def of_rules() -> str:
    (group,) = shipped("rules")["groups"]
    (rule,) = (r for r in group["rules"] if r.get("record") == "botkit:check_success:ratio_1h")
    return str(rule["expr"])


def of_dashboard() -> str:
    (panel,) = (p for p in shipped("dashboard")["panels"] if p["title"] == "Checks that worked")
    (target,) = panel["targets"]
    return str(target["expr"])


def plain(expression: str) -> str:
    """Leave out what a dashboard has to choose: the monitors, the place, the time."""
    for variable in ("monitor", "location"):
        expression = expression.replace(f'{variable}=~"${variable}",', "")
    expression = expression.replace("$__rate_interval", "1h").replace("rate(", "increase(")
    return " ".join(expression.split())


def verdicts(matchers: str) -> set[Verdict]:
    """Give those that a selector lets through."""
    ((name, operator, value),) = MATCHER.findall(matchers)
    assert name == "verdict"
    words = set(value.split("|"))
    return {v for v in VERDICTS if (v.value in words) is (operator != "!=")}


def test_rules_and_dashboard_count_alike() -> None:
    assert plain(of_dashboard()) == plain(of_rules())


def test_they_count_what_the_error_budget_counts() -> None:
    worked, counted = COUNTED.findall(plain(of_rules()))
    assert verdicts(worked) == GOOD
    assert verdicts(counted) == GOOD | BAD
