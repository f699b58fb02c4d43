"""Prometheus' own tool judges the rules that botkit ships, and runs what promtool/ asks of them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

UNITS = sorted((Path(__file__).parent / "promtool").glob("*.yaml"))


def all_rules(text: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


@pytest.fixture
def rules(shipped: Callable[[str], str], tmp_path: Path) -> Path:
    """Give the file of the rules."""
    path = tmp_path / "rules.yaml"
    path.write_text(shipped("rules"))
    return path


def promtool(programs: dict[str, str], *arguments: str | Path) -> str:
    command = [programs["promtool"], *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_are_good(programs: dict[str, str], rules: Path) -> None:
    said = promtool(programs, "check", "rules", "--lint=all", "--lint-fatal", rules)
    assert f"SUCCESS: {len(all_rules(rules.read_text()))} rules found" in said


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_the_rules_do_what_they_should(programs: dict[str, str], rules: Path, unit: Path) -> None:
    shutil.copy(unit, rules.parent)
    promtool(programs, "test", "rules", rules.parent / unit.name)


def test_each_rule_is_tried(shipped: Callable[[str], str]) -> None:
    asked = "".join(unit.read_text() for unit in UNITS)
    for rule in all_rules(shipped("rules")):
        name = rule.get("alert") or rule["record"]
        assert name in asked, name
