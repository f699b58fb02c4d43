"""The documents of `botkit check --format sarif` before SARIF's schema and its own validator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from botkit.bot.diagnostics import Mark, Problem, Severity
from botkit.cli.problem_documents import sarif_document

CORPUS = Path(__file__).resolve().parents[1] / "unit" / "bot"
ODD = [
    Problem(file="a folder/Ä: 100 %#?.yaml", mark=Mark(1, 1), message="Wrong."),
    Problem(file="/tmp/whole [1].yaml", mark=None, message="The file\nis wrong.", hint="mend it"),
    Problem(
        file="bots/smoke.yaml",
        mark=Mark(3, 7),
        message="Doubtful “here” \u202e\x1b[31m.",
        severity=Severity.WARNING,
        source="  - say: \U0001f600",
    ),
]
KNOWN = {
    "SARIF2005": "it would like a page about botkit, and there is none",
    "SARIF2017": "it would like a region, and a problem of a whole file has none (section 3.29.4)",
}
"""What the validator warns of, and why that stays so."""

Judge = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def multitool(node_folder: Path, missing_tool: Callable[[str], Any]) -> Path:
    """The validator of SARIF's own tools; a program for each system."""
    system = {"linux": "linux", "darwin": "darwin", "win32": "win32"}.get(sys.platform, "")
    folder = node_folder / "node_modules" / "@microsoft" / f"sarif-multitool-{system}"
    program = folder / "Sarif.Multitool"
    if not program.exists():
        missing_tool("the SARIF Multitool for this system")
    program.chmod(0o755)  # the package leaves that to a script, and none is run
    return program


@pytest.fixture
def schema(multitool: Path) -> Draft202012Validator:
    return Draft202012Validator(json.loads((multitool.parent / "sarif-2.1.0.json").read_bytes()))


@pytest.fixture
def judge(multitool: Path, tmp_path: Path) -> Judge:
    """Give what the validator finds by the rules of SARIF and by those of GitHub."""

    def findings(document: str) -> list[dict[str, Any]]:
        log, report = tmp_path / "log.sarif", tmp_path / "report.sarif"
        log.write_text(document, encoding="utf-8")
        rules = ["--rule-kind", "Sarif;Ghas", "--log", "ForceOverwrite"]
        subprocess.run(
            [multitool, "validate", log, "--output", report, *rules],
            # The libraries for the languages of the world are not everywhere.
            env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
            capture_output=True,
            check=True,
            timeout=60,
        )
        [run] = json.loads(report.read_text(encoding="utf-8-sig"))["runs"]
        found: list[dict[str, Any]] = run["results"]
        return [finding for finding in found if finding["ruleId"] not in KNOWN]

    return findings


def test_the_judges_refuse_what_is_no_log(schema: Draft202012Validator, judge: Judge) -> None:
    document = '{"version": "2.1.0", "runs": [{"tool": {}}]}'
    assert not schema.is_valid(json.loads(document))
    assert judge(document)


@pytest.mark.parametrize("problems", [[], ODD], ids=["none", "odd ones"])
def test_any_problem(schema: Draft202012Validator, judge: Judge, problems: list[Problem]) -> None:
    document = sarif_document(problems)
    schema.validate(json.loads(document))
    assert len(json.loads(document)["runs"][0]["results"]) == len(problems)
    assert judge(document) == []


def test_all_that_is_known_to_be_wrong_with_bots(
    schema: Draft202012Validator,
    judge: Judge,
    botkit_command: list[str],
    botkit_environment: dict[str, str],
) -> None:
    done = subprocess.run(
        [*botkit_command, "check", "--format", "sarif", "invalid", "doubtful"],
        cwd=CORPUS,
        env=botkit_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    log = json.loads(done.stdout)
    schema.validate(log)
    assert {result["level"] for result in log["runs"][0]["results"]} == {"error", "warning"}
    assert judge(done.stdout) == []
