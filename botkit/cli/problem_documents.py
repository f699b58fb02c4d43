"""What is wrong with bot files, as documents for other programs: all problems in one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from botkit.bot.diagnostics import Problem, Severity
from botkit.version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What scanners are told of all problems of a severity.

    Attributes:
        id: its name among machines.
        title: what it is about.
        meaning: what it means that such a problem was found.
        help: what to do.
    """

    id: str
    title: str
    meaning: str
    help: str

    def document(self) -> dict[str, Any]:
        """Describe the rule, with all that GitHub's code scanning asks for."""
        return {
            "id": self.id,
            "shortDescription": {"text": self.title},
            "fullDescription": {"text": self.meaning},
            "help": {"text": self.help},
        }


RULES = {
    Severity.ERROR: Rule(
        id="invalid",
        title="A file that cannot be played",
        meaning="With such a problem in any of its files 'botkit run' starts nothing.",
        help="The message says what is wrong there. 'botkit check' shows it with its line.",
    ),
    Severity.WARNING: Rule(
        id="doubtful",
        title="Something in a file that is probably not meant",
        meaning="The file can be played, and may not prove what its author wanted to know.",
        help="The message says what is doubtful there. 'botkit check' shows it with its line.",
    ),
}


def json_document(problems: Iterable[Problem]) -> str:
    """Write ``{"problems": [...]}``: of each its file, line, column, severity, message and hint.

    Lines and columns count from 1, columns in characters; both are null for a file as a whole. A
    hint may be empty.
    """
    return _written({"problems": [_record(problem) for problem in problems]})


def sarif_document(problems: Iterable[Problem]) -> str:
    """Write a log of one run for viewers of static analysis.

    Source: OASIS, Static Analysis Results Interchange Format (SARIF) 2.1.0, section 3.
    """
    rules = [rule.document() for rule in RULES.values()]
    driver = {"name": "botkit", "version": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem) for problem in problems],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return _written({"$schema": schema, "version": "2.1.0", "runs": [run]})


def _record(problem: Problem) -> dict[str, Any]:
    mark = problem.mark
    return {
        "file": problem.file,
        "line": mark.line if mark else None,
        "column": mark.column if mark else None,
        "severity": problem.severity.value,
        "message": problem.message,
        "hint": problem.hint,
    }


def _result(problem: Problem) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(problem.file)}}
    if problem.mark is not None:
        place["region"] = {
            "startLine": problem.mark.line,
            "startColumn": problem.mark.column,
            "snippet": {"text": problem.source},
        }
    return {
        "ruleId": RULES[problem.severity].id,
        "level": problem.severity.value,
        "message": {"text": problem.text},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    """Name a file as a URI; one that is relative is so to where the command was run."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _written(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
