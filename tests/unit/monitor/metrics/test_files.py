"""What is shipped for Prometheus and Grafana counts as botkit itself does."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from botkit.cli import monitor
from botkit.monitor.metrics.exporter import VERDICTS
from botkit.monitor.slo import ALARMS, BAD, GOOD, Burning, Objective
from botkit.results import Verdict

COUNTED = re.compile(r"botkit_checks_total\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)(=~|!=|=)"([^"]*)"')


def shipped(what: str) -> Any:
    text = (monitor.SHIPPED / monitor.SHIPPED_FILES[what]).read_text("utf-8")
    return yaml.safe_load(text) if what == "rules" else json.loads(text)


def rules() -> dict[str, dict[str, Any]]:
    """Give the rules by their names."""
    found = (rule for group in shipped("rules")["groups"] for rule in group["rules"])
    return {rule.get("alert") or rule["record"]: rule for rule in found}


def of_rules() -> str:
    return str(rules()["botkit:check_success:ratio_1h"]["expr"])


def of_dashboard(title: str = "Checks that worked") -> str:
    (panel,) = (p for p in shipped("dashboard")["panels"] if p["title"].startswith(title))
    (target,) = panel["targets"]
    return str(target["expr"])


def plain(expression: str) -> str:
    """Leave out what a dashboard has to choose: the monitors, the place, the time."""
    for variable in ("monitor", "location"):
        expression = re.sub(rf'{variable}=~"\${variable}",?', "", expression).replace("{}", "")
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


def test_rules_and_dashboard_tell_the_same_speed_of_spending() -> None:
    shown = of_dashboard("How fast the error budget is spent")
    assert plain(shown) == plain(rules()["botkit:slo_burn:rate_1h"]["expr"])


@pytest.mark.parametrize("window", ["5m", "30m", "1h", "6h", "3d"])
def test_all_windows_tell_the_same(window: str) -> None:
    expression = rules()[f"botkit:slo_burn:rate_{window}"]["expr"].replace(f"[{window}]", "[1h]")
    assert expression == rules()["botkit:slo_burn:rate_1h"]["expr"]
    failed, counted = COUNTED.findall(expression)
    assert (verdicts(failed), verdicts(counted)) == (BAD, GOOD | BAD)


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: f"{alarm.long:g}")
def test_the_rules_page_when_the_monitor_does(alarm: Burning) -> None:
    name, severity = ("Burning", "critical") if alarm.urgent else ("Draining", "warning")
    rule = rules()[f"BotkitBudget{name}"]
    assert rule["labels"]["severity"] == severity
    factor = alarm.rate(Objective(target=0.99, window=30 * 86400.0))
    for seconds in (alarm.long, alarm.short):
        limit = f"{factor:g} * botkit:slo_window:ratio_30d"
        assert f"botkit:slo_burn:rate_{window_of(seconds)} > {limit}" in rule["expr"]


def window_of(seconds: float) -> str:
    """Write a time as PromQL does."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    raise ValueError(seconds)


def test_they_count_what_the_error_budget_counts() -> None:
    worked, counted = COUNTED.findall(plain(of_rules()))
    assert verdicts(worked) == GOOD
    assert verdicts(counted) == GOOD | BAD
