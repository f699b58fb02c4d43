"""``ls botkit/`` is the architecture: who may import whom, and what pure parts leave alone.

Every module is parsed, imports for type checking and inside of functions included.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "botkit"
TEMPLATES = PACKAGE / "templates"
"""What ``botkit new`` copies: no part of the package, but code of users."""

OPEN_TO_ALL = frozenset({"errors", "masking", "records", "version"})

MAY_IMPORT: dict[str, frozenset[str] | None] = {
    entry: None if allowed is None else frozenset(allowed.split())
    for entry, allowed in {
        "version": "",
        "errors": "",
        "records": "",
        "masking": "",
        "log_masking": "",
        "wakeup": "",
        "workflow_commands": "",
        "chat": "",
        "bayeux": "",
        "genesys": "chat bayeux",
        "results": "chat",
        # Whoever meets interfaces meets results, which their signatures name.
        "interfaces": "chat results",
        "session": "chat results interfaces wakeup",
        "bot": "chat results interfaces workflow_commands",
        "driver": "bot chat results interfaces wakeup",
        "storage": "interfaces",
        "connectors": "genesys bayeux chat interfaces",
        "report": "chat results interfaces workflow_commands",
        # What was recorded comes from chats, and from what the reports have written.
        "recording": "chat report",
        "hookspecs": "chat results interfaces",
        "plugins": "hookspecs interfaces",
        # Who plays journeys hands it in, so that it knows of openings and reporters alone.
        "telemetry": "chat results interfaces",
        "simulator": "genesys bayeux chat bot driver results interfaces",
        "embedded": "simulator connectors interfaces",
        "persona": "bot chat connectors interfaces wakeup",
        "journey": "log_masking session bot driver plugins chat results interfaces wakeup",
        "load": "journey results interfaces",
        # Files of monitors are read as those of bots are, and evidence is kept as reports write it.
        "monitor": "log_masking bot report journey chat results interfaces",
        "api": "log_masking session storage connectors embedded plugins interfaces",
        "testing": None,
        "default_plugins": None,
        "cli": None,
        "pytest_plugin": None,
        "__main__": None,
    }.items()
}
"""From the foundation upwards: what an entry may import, or None for all above it."""

BY_NAME_ONLY = "default_plugins"
DOOR = "__init__"
"""``botkit`` itself: hands public names on lazily, and is imported by nobody inside."""

PURE = (
    "masking",
    "workflow_commands",
    "chat",
    "bayeux",
    "genesys",
    "results",
    "bot",
    "recording",
)

IMPURE: dict[str, frozenset[str]] = {
    "trio": frozenset(),
    "httpx": frozenset(),
    "httpcore": frozenset(),
    "httptools": frozenset(),
    "pluggy": frozenset(),
    "anyio": frozenset(),
    "asyncio": frozenset(),
    "socket": frozenset(),
    "ssl": frozenset(),
    "select": frozenset(),
    "selectors": frozenset(),
    "threading": frozenset(),
    "subprocess": frozenset(),
    "time": frozenset(),
    "secrets": frozenset(),
    # A seeded one is passed in.
    "random": frozenset({"Random"}),
}
"""Modules that pure parts do not use, but for these members."""

IMPURE_MEMBERS = {
    "os": {"environ", "getenv", "urandom", "getpid"},
    "uuid": {"uuid1", "uuid4"},
    "datetime": {"now", "utcnow", "today"},
}
"""Members that pure parts do not use, of modules that they may use."""

TRIO_IN_INTERFACES = {"MemoryReceiveChannel", "MemorySendChannel", "TaskStatus"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A module that is imported, or a member of one that is used; ``member`` may be empty."""

    module: str
    member: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    entry: str
    place: str
    tree: ast.Module


@functools.cache
def modules() -> tuple[Module, ...]:
    return tuple(
        Module(
            entry=path.relative_to(PACKAGE).parts[0].removesuffix(".py"),
            place=str(path.relative_to(ROOT)),
            tree=ast.parse(path.read_text(encoding="utf-8")),
        )
        for path in sorted(PACKAGE.rglob("*.py"))
        if TEMPLATES not in path.parents
    )


def modules_of(*entries: str) -> Iterator[Module]:
    return (module for module in modules() if module.entry in entries)


def imports(tree: ast.AST) -> Iterator[Use]:
    """Find every import; ``from a import b`` is a use of ``b``, which may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Use(module=name.name, member="", line=node.lineno)
        elif isinstance(node, ast.ImportFrom):
            dots = "." * node.level
            for name in node.names:
                yield Use(module=dots + (node.module or ""), member=name.name, line=node.lineno)


def own_imports(module: Module) -> Iterator[tuple[str, int]]:
    """Find which entries of botkit a module imports."""
    for use in imports(module.tree):
        top, _, rest = use.module.partition(".")
        if top != "botkit":
            continue
        yield (rest or use.member or DOOR).partition(".")[0], use.line


def member_uses(tree: ast.AST, names: frozenset[str]) -> Iterator[Use]:
    """Find ``module.member`` of imported modules, and what is imported from them."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {(name.asname or name.name): name.name for name in node.names}
    for use in imports(tree):
        if use.module in names and use.member:
            yield use
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = known.get(node.value.id, node.value.id)
            if module in names:
                yield Use(module=module, member=node.attr, line=node.lineno)


# --- who imports whom ----------------------------------------------------------------------------


def test_every_entry_has_its_place() -> None:
    unplaced = {module.entry for module in modules()} - {*MAY_IMPORT, DOOR}
    assert not unplaced, "each entry of botkit/ stands in the table"


def test_the_table_has_no_circle() -> None:
    above: set[str] = set()
    for entry, allowed in MAY_IMPORT.items():
        assert (allowed or frozenset()) <= above, f"{entry} imports what stands below it"
        above.add(entry)


@pytest.mark.parametrize("entry", MAY_IMPORT)
def test_an_entry_imports_what_it_may(entry: str) -> None:
    order = list(MAY_IMPORT)
    allowed = MAY_IMPORT[entry]
    if allowed is None:
        allowed = frozenset(order[: order.index(entry)])
    wrong = [
        f"{module.place}:{line}: {entry} imports {imported}"
        for module in modules_of(entry)
        for imported, line in own_imports(module)
        if imported not in allowed | OPEN_TO_ALL | {entry} or imported == BY_NAME_ONLY
    ]
    assert not wrong, "\n".join(wrong)


def test_imports_are_absolute() -> None:
    relative = [
        f"{module.place}:{use.line}"
        for module in modules()
        for use in imports(module.tree)
        if use.module.startswith(".")
    ]
    assert not relative


# --- what pure parts leave alone -----------------------------------------------------------------


@pytest.mark.parametrize("entry", PURE)
def test_pure_parts_have_no_world(entry: str) -> None:
    wrong = [
        f"{module.place}:{use.line}: {use.module}.{use.member}"
        for module in modules_of(entry)
        for use in [*impure_imports(module.tree), *impure_members(module.tree)]
    ]
    assert not wrong, "\n".join(wrong)


def impure_imports(tree: ast.AST) -> Iterator[Use]:
    for use in imports(tree):
        top = use.module.partition(".")[0]
        # ``import random`` is looked at where it is used.
        if top in IMPURE and not (IMPURE[top] and use.module == top):
            yield use


def impure_members(tree: ast.AST) -> Iterator[Use]:
    partly = {module: members for module, members in IMPURE.items() if members}
    for use in member_uses(tree, frozenset(partly)):
        if use.member not in partly[use.module]:
            yield use
    classes = frozenset({*IMPURE_MEMBERS, "date"})
    for use in member_uses(tree, classes):
        if use.member in IMPURE_MEMBERS.get(use.module, IMPURE_MEMBERS["datetime"]):
            yield use


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import trio", 1),
        ("import httpx._client", 1),
        ("from time import monotonic", 1),
        ("def f():\n    import socket", 1),
        ("if TYPE_CHECKING:\n    import pluggy", 1),
        ("import os\nos.environ['X']", 1),
        ("from os import environ", 1),
        ("import uuid as u\nu.uuid4()", 1),
        ("from datetime import datetime\ndatetime.now()", 1),
        ("from datetime import date\ndate.today()", 1),
        ("import random\nrandom.random()", 1),
        ("import random\ndef f(rng: random.Random): ...", 0),
        ("import os.path\nos.path.join('a')", 0),
        ("from datetime import date\ndef f(day: date): ...", 0),
        ("import uuid\nuuid.UUID(int=3)", 0),
    ],
)
def test_the_rule_itself(source: str, found: int) -> None:
    tree = ast.parse(source)
    assert len([*impure_imports(tree), *impure_members(tree)]) == found


def test_bayeux_needs_the_standard_library_only() -> None:
    foreign = [
        f"{module.place}:{use.line}: {use.module}"
        for module in modules_of("bayeux", "chat", "genesys", "results", "errors")
        for use in imports(module.tree)
        if use.module.partition(".")[0] not in {*sys.stdlib_module_names, "botkit"}
    ]
    assert not foreign, "\n".join(foreign)


def test_interfaces_know_the_channels_of_trio_alone() -> None:
    [interfaces] = modules_of("interfaces")
    used = {use.member for use in member_uses(interfaces.tree, frozenset({"trio"}))}
    assert used <= TRIO_IN_INTERFACES


# --- example plugins -----------------------------------------------------------------------------


EXAMPLES = sorted([*(ROOT / "plugins").glob("*.py"), *(TEMPLATES / "plugin").glob("*.py")])


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda f: f.name)
def test_example_plugins_use_public_names_only(file: Path) -> None:
    public = {"botkit", "botkit.chat", "botkit.interfaces", "botkit.hookspecs", "botkit.testing"}
    for use in imports(ast.parse(file.read_text(encoding="utf-8"))):
        if use.module.partition(".")[0] == "botkit":
            assert use.module in public
            module = __import__(use.module, fromlist=["__all__"])
            assert use.member in module.__all__
