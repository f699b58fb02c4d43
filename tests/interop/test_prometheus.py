"""A real Prometheus scrapes a monitor, by the rules that botkit ships."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import yaml

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


@contextmanager
def monitor(folder: Path, text: str = MONITORS) -> Iterator[str]:
    """Have a monitor at work; gives the address of its page."""
    (folder / "m.yaml").write_text(text)
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


def job(target: str) -> dict[str, Any]:
    return {"job_name": "botkit", "static_configs": [{"targets": [target]}]}


@contextmanager
def prometheus(program: str, folder: Path, rules: str, *jobs: dict[str, Any]) -> Iterator[str]:
    """Have Prometheus scrape each second, by these rules; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "rules.yaml").write_text(rules)
    settings = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": list(jobs),
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


def test_prometheus_knows_how_the_chats_are(
    programs: dict[str, str], shipped: Callable[[str], str], tmp_path: Path
) -> None:
    with (
        monitor(tmp_path) as target,
        prometheus(programs["prometheus"], tmp_path, shipped("rules"), job(target)) as url,
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
        check_dashboard(url, shipped("dashboard"))


def probing_job(text: str, page: str, *targets: str) -> dict[str, Any]:
    """Take the job that bots/README.md shows, and let it ask this page for these servers."""
    (shown,) = re.findall(r"^```yaml\n(scrape_configs:\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (job,) = yaml.safe_load(shown)["scrape_configs"]
    job |= {"scrape_interval": "2s", "scrape_timeout": "2s", "params": {"module": ["good"]}}
    job["static_configs"] = [{"targets": list(targets)}]
    job["relabel_configs"][-1]["replacement"] = page
    found: dict[str, Any] = job
    return found


def test_prometheus_probes_servers_through_the_monitor(
    programs: dict[str, str], shipped: Callable[[str], str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "botkit", "simulate", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as simulator:
        assert simulator.stdout is not None
        here = simulator.stdout.readline().split()[1]
        nowhere = "http://127.0.0.1:1/genesys/cometd"
        elsewhere = "http://127.0.0.2:1/genesys/cometd"
        text = MONITORS.replace(
            "connector: simulator, every: 1s, slo", f"server: '{here}', every: 1h, slo"
        )
        text += "probe: {targets: 'http://127.0.0.1:*/genesys/cometd'}\n"
        readme = (ROOT / "bots" / "README.md").read_text(encoding="utf-8")
        try:
            with monitor(tmp_path, text) as page:
                job = probing_job(readme, page, here, nowhere, elsewhere)
                with prometheus(programs["prometheus"], tmp_path, shipped("rules"), job) as url:
                    (works,) = wait_for(url, "probe_success == 1")
                    assert (works["metric"]["instance"], works["metric"]["job"]) == (here, "chats")
                    (broken,) = wait_for(url, "probe_success == 0")
                    assert broken["metric"]["instance"] == nowhere
                    (why,) = wait_for(url, 'botkit_probe_info{reason="unreachable"}')
                    assert why["metric"]["instance"] == nowhere
                    (refused,) = wait_for(url, "up == 0")
                    assert refused["metric"]["instance"] == elsewhere
                    assert ask(url, 'botkit_probe_step_duration_seconds{step="steps[0]:wait_for"}')
        finally:
            simulator.terminate()


def check_dashboard(url: str, shown: str) -> None:
    """See that Prometheus takes each expression, and that there is each metric that it names."""
    dashboard = json.loads(shown)
    names = set(httpx.get(f"{url}/api/v1/label/__name__/values").json()["data"])
    expressions = [t["expr"] for panel in dashboard["panels"] for t in panel["targets"]]
    assert len(expressions) >= 9
    for expression in expressions:
        filled = expression.replace("$__rate_interval", "1m")
        ask(url, filled.replace("$monitor", ".*").replace("$location", ".*"))
        assert set(METRIC.findall(expression)) <= names
