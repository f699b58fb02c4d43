"""Files of steps, and those who use them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from botkit.bot import loader
from botkit.bot.loader import Loaded, Settings, load_agents, load_file, load_paths
from botkit.bot.script import Expect, Reload, Use, all_steps
from botkit.bot.source import Document
from botkit.bot.yaml_bot import Surroundings, YamlBot
from botkit.errors import ConfigError

HEAD = "botkit: 1\nsteps:\n"
PART = "botkit-steps: 1\nsteps:\n"
ASK = """\
botkit-steps: 1
args: [order, greeting: Hello]
steps:
  - say: ${args.greeting}, where is ${args.order}?
  - expect: {matches: '(?P<case_no>\\d+)'}
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write files: ``parts__a`` is ``parts/a.yaml``."""
    monkeypatch.chdir(tmp_path)

    def write(**texts: str) -> None:
        for name, text in texts.items():
            file = tmp_path / f"{name.replace('__', '/')}.yaml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)

    return write


def told(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def only_bot(loaded: Loaded) -> YamlBot:
    assert told(loaded) == []
    (bot,) = loaded.bots
    assert isinstance(bot, YamlBot)
    return bot


def test_a_file_is_read_and_compiled_once_however_often_it_is_used(
    write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    load_document = loader.load_document

    def counting(path: Path, problems: Any) -> Document | None:
        read.append(str(path))
        return load_document(path, problems)

    monkeypatch.setattr(loader, "load_document", counting)
    use = "  - use: ../parts/p.yaml\n"
    write(parts__p=f"{PART}  - sya: Hello\n", bots__a=HEAD + use * 2, bots__b=HEAD + use)

    loaded = load_paths(["bots", "parts", "."])

    assert told(loaded) == ["parts/p.yaml:3:5: unknown verb 'sya'; did you mean 'say'?"]
    assert loaded.bots == loaded.parts == ()
    assert sorted(read) == ["bots/a.yaml", "bots/b.yaml", "parts/p.yaml"]


def test_steps_have_the_places_of_their_own_file(write: Callable[..., None]) -> None:
    write(parts__ask=ASK, b=f'{HEAD}  - use: parts/ask.yaml\n    with: {{order: "1"}}\n')

    (use,) = only_bot(load_file("b.yaml")).script.steps

    assert isinstance(use, Use)
    assert {name: str(text) for name, text in use.arguments.items()} == {
        "order": "1",
        "greeting": "Hello",
    }
    assert [(s.path, s.place.file, s.place.line) for s in all_steps([use])] == [
        ("steps[0]", "b.yaml", 3),
        ("steps[0].steps[0]", "parts/ask.yaml", 4),
        ("steps[0].steps[1]", "parts/ask.yaml", 5),
    ]


def test_what_every_way_through_a_file_captures_may_be_used_behind_it(
    write: Callable[..., None],
) -> None:
    branches = (
        "  - choose:\n"
        "      - when: {matches: '(?P<a>x)(?P<b>y)'}\n        do: []\n"
        "    otherwise:\n      - expect: {matches: '(?P<a>z)'}\n"
    )
    write(p=PART + branches, b=f"{HEAD}  - use: p.yaml\n  - say: ${{a}}\n  - say: ${{b}}\n")
    assert told(load_file("b.yaml")) == [
        "b.yaml:5:10: ${b} may be unset here: not every way to this place captures it"
    ]


def test_nobody_comes_to_what_follows_a_file_that_always_finishes(
    write: Callable[..., None],
) -> None:
    write(p=f"{PART}  - finish: passed\n", b=f"{HEAD}  - use: p.yaml\n  - say: Hello\n")
    assert told(load_file("b.yaml")) == [
        "b.yaml:4:5: warning: no journey comes to this 'say': 'finish' always ends it before;"
        " take it out, or let the 'finish' stand in a 'choose'"
    ]


def test_both_sides_use_the_same_file(write: Callable[..., None]) -> None:
    agents = "botkit-agents: 1\nagents:\n  Grace:\n    - use: p.yaml\n"
    write(p=f"{PART}  - say: Hello\n", a=agents, b=f"{HEAD}  - use: p.yaml\n")
    loaded = load_paths(["."])
    assert told(loaded) == []
    assert (len(loaded.bots), len(loaded.agents), len(loaded.parts)) == (1, 1, 1)


def test_what_one_side_does_not_do_is_told_where_it_is_used(write: Callable[..., None]) -> None:
    customers = f"{PART}  - reload\n  - say: {{button: 'Yes'}}\n"
    agent = f"{PART}  - expect: hello\n    from: customer\n  - say: {{text: Hi, buttons: [A]}}\n"
    agents = "botkit-agents: 1\nagents:\n  Grace:\n    - use: c.yaml\n    - use: d.yaml\n"
    write(c=customers, d=agent, a=agents, b=f"{HEAD}  - use: c.yaml\n  - use: d.yaml\n")
    pressed = "agents offer buttons and customers press them; write"

    assert told(load_paths(["."])) == [
        "a.yaml:4:12: c.yaml:3: 'reload' is for customers: an agent has no page to reload",
        f"a.yaml:4:12: c.yaml:4: {pressed} {{text: ..., buttons: [...]}}",
        "b.yaml:4:10: d.yaml:3: a bot never hears its own customer; leave 'from' out",
        f"b.yaml:4:10: d.yaml:5: {pressed} {{button: TEXT}}",
    ]


def test_agents_with_a_broken_file_are_refused_by_what_broke_it(write: Callable[..., None]) -> None:
    agents = "botkit-agents: 1\nagents:\n  Grace:\n    - use: p.yaml\n"
    write(p=f"{PART}  - sya: Hello\n", a=agents)
    assert load_file("a.yaml").agents == ()
    with pytest.raises(ConfigError, match="unknown verb 'sya'") as caught:
        load_agents("a.yaml")
    assert (caught.value.file, caught.value.line) == ("p.yaml", 3)


def test_what_cannot_be_read_is_told_at_its_use_too(
    write: Callable[..., None], tmp_path: Path
) -> None:
    write(b=f"{HEAD}  - use: logo.png\n  - use: large.yaml\n")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\0")
    (tmp_path / "large.yaml").write_bytes(b"#" * 1_000_001)
    assert told(load_file("b.yaml")) == [
        "b.yaml:3:10: 'logo.png' cannot be used: this is a binary file; a text in UTF-8 is needed",
        "b.yaml:4:10: 'large.yaml' cannot be used: the file is larger than 1,000,000 bytes;"
        " that is not accepted",
        "large.yaml: the file is larger than 1,000,000 bytes; that is not accepted",
        "logo.png:1:1: this is a binary file; a text in UTF-8 is needed",
    ]


def test_a_circle_of_files_that_nobody_else_uses_is_told_once(write: Callable[..., None]) -> None:
    write(a=f"{PART}  - use: b.yaml\n", b=f"{PART}  - use: a.yaml\n")
    assert told(load_paths(["."])) == [
        "b.yaml:3:10: this is a circle: a.yaml uses b.yaml uses a.yaml"
    ]


@pytest.mark.parametrize("first", ["b.yaml", "p5.yaml"])
def test_files_are_nested_so_deep_and_no_deeper(write: Callable[..., None], first: str) -> None:
    chain = {f"p{n}": f"{PART}  - use: p{n + 1}.yaml\n" for n in range(1, 10)}
    write(**chain, p10=f"{PART}  - say: Hello\n", b=f"{HEAD}  - use: p1.yaml\n")
    assert told(load_paths([first, "b.yaml"])) == []

    write(p10=f"{PART}  - use: p11.yaml\n", p11=f"{PART}  - say: Hello\n")
    (problem,) = load_paths([first, "b.yaml"]).problems
    assert problem.message == "files of steps use each other at most 10 deep"


def test_a_script_comes_to_so_many_steps_and_no_more(write: Callable[..., None]) -> None:
    tens = {f"p{n}": PART + f"  - use: p{n + 1}.yaml\n" * 10 for n in range(1, 5)}
    write(**tens, p5=PART + "  - say: Hello\n" * 10, b=f"{HEAD}  - use: p1.yaml\n")
    assert told(load_file("b.yaml")) == [
        "p2.yaml:12:10: with this file it comes to more than 10,000 steps; that is not accepted"
    ]


def test_a_reload_that_ends_a_file_is_judged_by_what_follows_its_use(
    write: Callable[..., None],
) -> None:
    write(
        away=f"{PART}  - reload\n",
        b=f"{HEAD}  - use: away.yaml\n  - expect_restored: {{outcome: failed}}\n"
        "  - use: away.yaml\n  - use: back.yaml\n  - use: away.yaml\n",
        back=f"{PART}  - expect_restored\n",
    )
    steps = all_steps(only_bot(load_file("b.yaml")).script.steps)
    assert [step.judged for step in steps if isinstance(step, Reload)] == [True, True, False]


def test_five_hundred_bots_use_one_file(
    write: Callable[..., None], cpu_seconds: Callable[[Callable[[], object]], float]
) -> None:
    use = f'{HEAD}  - use: ask.yaml\n    with: {{order: "1"}}\n  - say: ${{case_no}}\n'
    write(ask=ASK, **{f"b{n}": use for n in range(500)})
    loaded = load_paths(["."])
    assert cpu_seconds(lambda: load_paths(["."])) < 2
    assert (told(loaded), len(loaded.bots)) == ([], 500)


def test_arguments_belong_to_one_file_and_captures_to_the_journey(
    write: Callable[..., None], rehearse: Any
) -> None:
    write(
        ask=ASK,
        outer="botkit-steps: 1\nargs: [no]\nsteps:\n"
        '  - use: ask.yaml\n    with: {order: "no. ${args.no}"}\n  - say: ${args.no} again\n',
        b=f'{HEAD}  - use: outer.yaml\n    with: {{no: "${{secret.PIN}}"}}\n'
        "  - say: Case ${case_no}\n",
    )

    secrets = {"PIN": "4711"}
    settings = Settings(surroundings=Surroundings(secrets=secrets))
    script = only_bot(load_file("b.yaml", settings)).script
    assert any(isinstance(step, Expect) for step in all_steps(script.steps))

    played = rehearse(script, secrets=secrets)
    played.say("your case 123")

    assert played.said == ["Hello, where is no. 4711?", "4711 again", "Case 123"]
    assert played.verdict == ("passed", "ok")
    assert "4711" not in repr(played.steps)
    assert [(step.verb, step.file, step.line) for step in played.steps] == [
        ("say", "ask.yaml", 4),
        ("expect", "ask.yaml", 5),
        ("use", "outer.yaml", 4),
        ("say", "outer.yaml", 6),
        ("use", "b.yaml", 3),
        ("say", "b.yaml", 5),
    ]
