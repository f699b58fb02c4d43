"""A real Prometheus scrapes a monitor; its tools judge the rules that botkit ships."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

ROOT = Path(__file__).parents[2]
LIMIT = 60.0
MONITORS = """\
botkit-monitors: 1
location: here
page: {port: 0}
monitors:
  good: {bot: smoke.yaml, connector: simulator, every: 1s, slo: {target: 99%}}
  bad: {bot: bad.yaml, connector: simulator, every: 1s}
"""
BAD = """\
botkit: 1
steps:
  - wait_for: agent
  - say: Hello
  - expect: nobody says this
    within: 100ms
"""
METRIC = re.compile(r"\bbotkit_[a-z_]+")


@pytest.fixture
def programs(missing_tool: Callable[[str], NoReturn]) -> dict[str, str]:
    """Find Prometheus and its tool, or install Debian's package where that is allowed."""
    if shutil.which("prometheus") is None and shutil.which("apt-get") and os.geteuid() == 0:
        command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "prometheus"]
        subprocess.run(command, check=False, capture_output=True, timeout=300)
    found = {name: shutil.which(name) for name in ("prometheus", "promtool")}
    return {name: path or missing_tool(f"Prometheus ({name})") for name, path in found.items()}


def shipped(what: str) -> str:
    command = [sys.executable, "-m", "botkit", "monitor", "--print", what]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def monitor(folder: Path) -> Iterator[str]:
    """Have a monitor at work; gives the address of its page."""
    (folder / "m.yaml").write_text(MONITORS)
    (folder / "bad.yaml").write_text(BAD)
    shutil.copy(ROOT / "bots" / "smoke.yaml", folder)
    command = [sys.executable, "-m", "botkit", "monitor", "m.yaml"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        try:
            (url,) = re.findall(r"status page at http://(\S+)/,", line)
            yield url
        finally:
            process.terminate()


@contextmanager
def prometheus(program: str, folder: Path, target: str) -> Iterator[str]:
    """Have Prometheus scrape a target each second, by the shipped rules; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "rules.yaml").write_text(shipped("rules"))
    settings = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [{"job_name": "botkit", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(settings))
    command = [
        program,
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_ready(url)
            yield url
        finally:
            process.terminate()


def ask(url: str, expression: str) -> list[dict[str, Any]]:
    reply = httpx.get(f"{url}/api/v1/query", params={"query": expression})
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["data"]["result"]
    return found


def wait_for(url: str, expression: str) -> list[dict[str, Any]]:
    """Ask until there is an answer."""
    end = time.monotonic() + LIMIT
    while not (found := ask(url, expression)):
        assert time.monotonic() < end, f"nothing is known of {expression}"
        time.sleep(0.2)
    return found


def wait_ready(url: str) -> None:
    end = time.monotonic() + LIMIT
    while True:
        # Until it listens there is nobody, and then it has to read its disk first.
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/-/ready").status_code == 200:
                return
        assert time.monotonic() < end, "Prometheus does not begin"
        time.sleep(0.2)


def test_prometheus_knows_how_the_chats_are(programs: dict[str, str], tmp_path: Path) -> None:
    with (
        monitor(tmp_path) as target,
        prometheus(programs["prometheus"], tmp_path, target) as url,
    ):
        (down,) = wait_for(url, 'botkit_health{health="down"} == 1')
        assert (down["metric"]["monitor"], down["metric"]["location"]) == ("bad", "here")
        (works,) = ask(url, "botkit_check_success == 1")
        assert works["metric"]["monitor"] == "good"
        assert wait_for(url, 'botkit_failures_total{monitor="bad",reason="expectation"} >= 2')
        (waits,) = ask(url, 'botkit_agent_wait_seconds_count{monitor="good"}')
        assert float(waits["value"][1]) >= 1
        (left,) = ask(url, "botkit_slo_budget_left_ratio")
        assert float(left["value"][1]) == 1.0
        (up,) = ask(url, "up")
        assert up["value"][1] == "1"
        (pending,) = wait_for(url, 'ALERTS{alertname="BotkitChatDown"}')
        assert pending["metric"]["monitor"] == "bad"
        check_dashboard(url)


def check_dashboard(url: str) -> None:
    """See that Prometheus takes each expression, and that there is each metric that it names."""
    dashboard = json.loads(shipped("dashboard"))
    names = set(httpx.get(f"{url}/api/v1/label/__name__/values").json()["data"])
    expressions = [t["expr"] for panel in dashboard["panels"] for t in panel["targets"]]
    assert len(expressions) >= 9
    for expression in expressions:
        filled = expression.replace("$__rate_interval", "1m")
        ask(url, filled.replace("$monitor", ".*").replace("$location", ".*"))
        assert set(METRIC.findall(expression)) <= names


def test_the_rules_are_good(programs: dict[str, str], tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(shipped("rules"))
    command = [programs["promtool"], "check", "rules", "--lint=all", "--lint-fatal", str(rules)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS: 7 rules found" in done.stdout


UNIT = """\
rule_files: [rules.yaml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'botkit_build_info', values: '1x90'}
      - series: 'botkit_health{monitor="chat",location="",health="down"}'
        values: '0x10 1x10 0x70'
      - {series: 'botkit_quiet{monitor="chat",location=""}', values: '0x90'}
      - {series: 'botkit_last_check_timestamp_seconds{monitor="chat",location=""}', values: '0x90'}
    alert_rule_test:
      - {eval_time: 5m, alertname: BotkitChatDown, exp_alerts: []}
      - eval_time: 15m
        alertname: BotkitChatDown
        exp_alerts:
          - exp_labels: {severity: critical, monitor: chat, health: down}
            exp_annotations:
              summary: The chat chat is down
              description: "Seen from . The journey's evidence is on botkit's status page."
      - {eval_time: 30m, alertname: BotkitChatDown, exp_alerts: []}
      - {eval_time: 60m, alertname: BotkitNotChecking, exp_alerts: []}
      - eval_time: 70m
        alertname: BotkitNotChecking
        exp_alerts:
          - exp_labels: {severity: warning, monitor: chat}
            exp_annotations:
              summary: chat has not been checked for an hour
              description: Nothing keeps it, so botkit may be stuck, or its caps are too small.
  - interval: 1m
    input_series: []
    alert_rule_test:
      - eval_time: 10m
        alertname: BotkitGone
        exp_alerts:
          - exp_labels: {severity: critical}
            exp_annotations:
              summary: No botkit monitor is at work
              description: Prometheus finds none, so nobody watches the chats.
"""


def test_the_rules_fire_when_they_should(programs: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(shipped("rules"))
    (tmp_path / "unit.yaml").write_text(UNIT)
    command = [programs["promtool"], "test", "rules", str(tmp_path / "unit.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
