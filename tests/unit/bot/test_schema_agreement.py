"""The schema that editors get and the validator agree on what a file may look like.

Two hundred files, made from valid ones by breaking them in ways that authors do, and every file of
``invalid/`` go to both. What a schema cannot express is listed in ``BEYOND``, each with the words
that the validator has for it: only a file in which *nothing else* is wrong may pass the schema, and
must. Two things no list of problems shows, so the files that are made leave them out:

- how a value is spelled, where YAML makes the same of several spellings: ``3`` and ``3.0``, and
  nothing at all, which is never a text, and ``null``, which botkit takes for the text;
- matchers whose value has references in it, which are judged when the values are known.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from botkit.bot.diagnostics import Severity
from botkit.bot.fields import Vocabulary
from botkit.bot.json_schema import Kind, json_schema
from botkit.bot.loader import Settings, load_file
from botkit.bot.yaml_bot import Surroundings

INVALID = Path(__file__).parent / "invalid"
FILES = 200
SEED = 20251
VOCABULARY = Vocabulary(actions=frozenset({"look_up"}))

YAML = "what YAML itself says"
BEYOND = {
    "variables along branches": r"may be unset here|no step captures|the data have no column"
    r"|there are no data here|takes no argument|only a file of steps has arguments|mask names"
    r"|stays the same from run to run|another scope|a variable that",
    "the surroundings": r"environment variable is not set|there is no such secret",
    "the order of steps": r"comes after 'leave'|is the first step of a bot or none"
    r"|judges a 'reload', and none comes before|never comes to|after 'finish'",
    "what a regular expression means": r"this is no regular expression|a group cannot be called",
    "other files": r"there is no file|has problems of its own|this is a circle|needs '"
    r"|is no file of steps|data come from files that end",
    "one value against another": r"must be shorter than|lacks the column|alone has the column"
    r"|is there twice|there is no agent",
    "how long a time is": r"is longer than a day",
    YAML: r"this is no YAML|is already there, in line|the tag|merge keys"
    r"|a key is a text|a file holds one document|is not allowed in a file|more than 50,000 values"
    r"|there is no anchor|stands inside of itself|nested deeper|the file is empty",
}


# --- judges ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def schemas() -> dict[Kind, Draft7Validator]:
    return {kind: Draft7Validator(json_schema(kind, VOCABULARY)) for kind in Kind}


def told(file: Path) -> list[str]:
    """Give what the validator says of a file; what is wrong with others is another matter."""
    surroundings = Surroundings(env={}, secrets={})
    settings = Settings(vocabulary=VOCABULARY, surroundings=surroundings, missing=Severity.WARNING)
    return [p.message for p in load_file(file, settings).errors if p.file == str(file)]


def beyond(message: str) -> list[str]:
    return [name for name, words in BEYOND.items() if re.search(words, message)]


class CoreLoader(yaml.SafeLoader):
    """Reads YAML as editors do, by the core schema of YAML 1.2: ``yes`` is a text there."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # PyYAML's own name and shape


for _tag, _words, _begins in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    (
        "float",
        r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
        list("-+.0123456789"),
    ),
):
    CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_words), _begins)


class BlockDumper(yaml.SafeDumper):
    """Writes nothing where there is nothing."""


BlockDumper.add_representer(
    type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", "")
)

# --- what is broken -------------------------------------------------------------------------------

BASES: dict[Kind, str] = {
    Kind.BOT: """
botkit: 1
bot: order-status
title: An agent knows the order
tags: [nightly, quick]
connect:
  server: ${env.CHAT_URL}
  service: customer-support
  userdata: {Segment: gold, Number: 7}
  verify: true
  auth: {user: ada, password: "${secret.PW}"}
  open_within: 10s
limits: {whole_chat: 3m}
data:
  rows: [{segment: gold, pin: 12}, {segment: true, pin: }]
  name: ${row.segment}
  mask: pin
simulator: {agents: agents.yaml}
mask: ["${env.PIN}"]
never:
  - technical error
  - {contains: sorry, from: agent}
whenever:
  - message: {any_of: [are you still there, {equals: "Hello?"}]}
    from: agent
    times: 2
    do: [{say: "Yes"}, {note: asked}]
  - agent_left:
    do: [{finish: degraded, because: the agent went}]
steps:
  - start:
    userdata: {Language: en}
  - wait_for: agent
    within: 60s
    slow_after: 20s
  - say: Hello, ${row.segment}
    typing: human
  - say: {button: "Yes"}
    typing: 2s
  - show_typing: 1.5s
  - send_notice: 12
  - push_url: https://example.com
  - send_file: photo.png
  - send_file: {file: photo.png, type: image/png}
  - set_userdata: {A: b}
  - delete_userdata: A
  - expect: {matches: 'order (?P<order>\\d+)'}
    within: 1m30s
    from: agent
    mask: order
  - expect_next: {like: {text: how may I help, threshold: 90}}
  - expect: {json: {/order/state: {none_of: [closed, {starts_with: x}]}}}
  - expect_nothing: 5s
    matching: error
  - expect_userdata: {SurveyURL: {starts_with: https}}
  - choose:
      - when: one moment
        do: [{expect: I am back}, {pause: 1s}]
      - when: {event: agent_left}
        do: []
    within: 20s
    otherwise: [{note: nothing came}]
  - repeat:
      times: 3
      until: you are next
      do: [{say: "Hello?"}, {note: asked}]
  - call: look_up
    with: {order: 7}
    as: found
    within: 5s
  - use: part.yaml
    with: {order: 7}
  - reload: {away_for: 0s}
  - expect_restored: {same_chat: true, same_agent: "yes", history: complete}
    within: 20s
  - reload
  - expect_restored: {outcome: failed, code: 5}
  - leave
""",
    Kind.AGENTS: """
botkit-agents: 1
routing:
  - when: {service: support, userdata: {Segment: gold}}
    attach: {SurveyURL: "https://example.com/${unique.uuid}"}
    to: [Grace]
    after: 200ms
agents:
  Grace:
    - say: {text: Pick one, buttons: ["Yes", "No"]}
    - expect: order
      from: customer
    - show_typing: 1s
  Ada:
    never: [rude]
    whenever:
      - message: hello
        do: [{say: Hello}]
    steps:
      - wait_for: ended
        within: 1h
""",
    Kind.STEPS: """
botkit-steps: 1
title: Ask for an order
args: [order, {language: en}, {greeting: }]
steps:
  - say: ${args.greeting} ${args.language} ${args.order}
  - expect: order
  - reload
""",
}

SCALARS = [True, False, 0, 1, -1, 1.5, 12_345_678, "", " ", "yes", "text", "two words", "today"]
SCALARS += ["${", "${row.segment}", "${today}", "$${", "${a b}", "${x.y}", "customer", "agent"]
TIMES = ["30", "30 s", "0s", "1m30s", "30s1m", "1.5h", "5", "-1s", "s", "1d", " 2s ", "30000h"]
OTHERS: list[Any] = [[], {}, [[]], {"a": 1}, ["x"], [{"say": "x"}], {"contains": "x"}, "leave"]
KEYS = ["withn", "within", "from", "do", "say", "times", "matching", "with", "outcome", "code"]

Trail = tuple[str | int, ...]
Breaking = Callable[[random.Random, Any, Trail], None]


def trails(value: Any, trail: Trail = ()) -> Iterator[Trail]:
    """Walk over the places below a value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        yield (*trail, key)
        if isinstance(item, dict | list):
            yield from trails(item, (*trail, key))


def at(value: Any, trail: Trail) -> Any:
    for key in trail:
        value = value[key]
    return value


def put(document: Any, trail: Trail, value: Any) -> None:
    at(document, trail[:-1])[trail[-1]] = copy.deepcopy(value)


def take_away(rng: random.Random, document: Any, trail: Trail) -> None:
    del at(document, trail[:-1])[trail[-1]]


def empty(rng: random.Random, document: Any, trail: Trail) -> None:
    put(document, trail, None)


def misspell(rng: random.Random, document: Any, trail: Trail) -> None:
    owner = at(document, trail[:-1])
    if isinstance(owner, dict):
        owner[f"{trail[-1]}x"] = owner.pop(trail[-1])


def add_key(rng: random.Random, document: Any, trail: Trail) -> None:
    owner = at(document, trail[:-1])
    if isinstance(owner, dict):
        owner.setdefault(rng.choice(KEYS), rng.choice(["5s", "x", 3]))


def other_scalar(rng: random.Random, document: Any, trail: Trail) -> None:
    put(document, trail, rng.choice(SCALARS))


def other_time(rng: random.Random, document: Any, trail: Trail) -> None:
    put(document, trail, rng.choice(TIMES))


def other_type(rng: random.Random, document: Any, trail: Trail) -> None:
    put(document, trail, rng.choice(OTHERS))


def graft(rng: random.Random, document: Any, trail: Trail) -> None:
    """Put what stands somewhere to another place; two steps become one with two verbs."""
    source = at(document, rng.choice(list(trails(document))))
    target = at(document, trail)
    if isinstance(source, dict) and isinstance(target, dict):
        target.update(copy.deepcopy(source))
    else:
        put(document, trail, source)


BREAKINGS: list[Breaking] = [
    take_away,
    empty,
    misspell,
    add_key,
    other_scalar,
    other_time,
    other_type,
    graft,
]


def broken(number: int) -> tuple[Kind, Any]:
    """Make a file, the same for each number."""
    rng = random.Random(SEED + number)
    # Most of the language is in bots; of small files more is broken by each change.
    kind = rng.choice([Kind.BOT, Kind.BOT, Kind.AGENTS, Kind.STEPS])
    document = yaml.load(BASES[kind], CoreLoader)  # it is a SafeLoader
    if kind is Kind.BOT:
        kept = rng.sample(range(1, len(document["steps"])), 4)
        document["steps"] = [document["steps"][n] for n in sorted(kept)]
    for _ in range(rng.choice([0, 1, 1, 1, 2])):
        rng.choice(BREAKINGS)(rng, document, rng.choice(list(trails(document))))
    return kind, document


# --- the tests ------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photo.png").write_bytes(b"PNG")
    (tmp_path / "agents.yaml").write_text(BASES[Kind.AGENTS])
    (tmp_path / "part.yaml").write_text(
        "botkit-steps: 1\nargs: [order]\nsteps: [{say: '${args.order}'}]\n"
    )
    return tmp_path


@pytest.mark.parametrize("kind", Kind)
def test_the_files_that_are_broken_are_right(
    kind: Kind, schemas: dict[Kind, Draft7Validator], folder: Path
) -> None:
    file = folder / "whole.yaml"
    file.write_text(BASES[kind])
    assert told(file) == []
    assert schemas[kind].is_valid(yaml.load(BASES[kind], CoreLoader))


def test_validator_and_schema_agree(schemas: dict[Kind, Draft7Validator], folder: Path) -> None:
    counts = {True: 0, False: 0}
    for number in range(FILES):
        kind, document = broken(number)
        file = folder / f"{number}.yaml"
        file.write_text(yaml.dump(document, Dumper=BlockDumper, sort_keys=False))
        problems = [message for message in told(file) if not beyond(message)]
        errors = [f"{list(e.path)}: {e.message}" for e in schemas[kind].iter_errors(document)]
        assert bool(problems) == bool(errors), (number, problems, errors, file.read_text())
        counts[not errors] += 1
    assert min(counts.values()) > FILES / 4


def test_they_agree_on_everything_that_is_known_to_be_wrong(
    schemas: dict[Kind, Draft7Validator], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(INVALID)  # some files name others beside them
    seen: set[str] = set()
    for path in sorted(INVALID.glob("*.yaml")):
        problems = told(Path(path.name))
        seen.update(name for message in problems for name in beyond(message))
        if any(YAML in beyond(message) for message in problems):
            continue  # what YAML makes of the rest is nobody's business
        document = yaml.load(path.read_text(), CoreLoader)
        expressible = [message for message in problems if not beyond(message)]
        assert bool(expressible) == (not schemas[kind_of(document)].is_valid(document)), path.name
    assert seen >= set(BEYOND) - {"the surroundings"}


def kind_of(document: Any) -> Kind:
    """Tell what a file holds; what is nothing of botkit's is a wrong bot."""
    keys = document if isinstance(document, dict) else ()
    if "botkit-agents" in keys:
        return Kind.AGENTS
    return Kind.STEPS if "botkit-steps" in keys else Kind.BOT
