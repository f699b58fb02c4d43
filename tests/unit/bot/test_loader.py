"""From paths to bots."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botkit.bot import script
from botkit.bot.diagnostics import Severity
from botkit.bot.fields import Vocabulary
from botkit.bot.loader import Loaded, Settings, load_agents, load_file, load_paths
from botkit.bot.matchers import LeafSpec, RegexSpec
from botkit.bot.script import BotScript, Step
from botkit.bot.values import Template, Values
from botkit.bot.yaml_bot import Surroundings, YamlBot
from botkit.chat import AgentConnected, AgentDisconnected, Message, Notice, SessionEnded
from botkit.errors import ConfigError, LocalProtocolError
from botkit.interfaces import Limits
from botkit.results import Verdict

HEAD = "botkit: 1\nbot: b\n"


def load(directory: Path, text: str, settings: Settings | None = None) -> Loaded:
    file = directory / "b.yaml"
    file.write_text(text, encoding="utf-8")
    return load_file(file, settings)


def bot_of(loaded: Loaded) -> YamlBot:
    assert [str(problem) for problem in loaded.problems] == []
    (bot,) = loaded.bots
    assert isinstance(bot, YamlBot)
    return bot


def steps_of(directory: Path, steps: str, settings: Settings | None = None) -> tuple[Step, ...]:
    return bot_of(load(directory, f"{HEAD}steps:\n{steps}", settings)).script.steps


# --- steps ---------------------------------------------------------------------------------------


def test_every_verb_is_compiled(tmp_path: Path) -> None:
    actions = Settings(vocabulary=Vocabulary(actions=frozenset({"look_up"})))
    steps = steps_of(
        tmp_path,
        """
  - start
  - say: Hello
    typing: human
  - say: {button: "Yes"}
    typing: 1s
  - show_typing: 1m30s
  - send_notice: n
  - push_url: http://x
  - wait_for: agent
    within: 60s
    slow_after: 500ms
  - expect: {matches: '(?P<pin>.+)'}
    from: agent
    mask: pin
  - expect_next: hi
  - expect_nothing: 5s
    matching: hello
  - set_userdata: {A: "${pin}"}
  - delete_userdata: A
  - expect_userdata: {A: x}
  - choose:
      - when: a
        do: [note: a]
      - when: {event: agent_left}
        do: []
    within: 1h
    otherwise: [note: c]
  - repeat: {times: 3, until: done, do: [say: next]}
  - call: look_up
    with: {key: "${pin}"}
    as: found
    within: 5s
  - pause: 1.5s
  - note: ${found}
  - leave
  - wait_for: ended
  - finish: degraded
    because: slow
""",
        actions,
    )

    assert [step.verb for step in steps] == [
        *("say", "say", "show_typing", "send_notice", "push_url", "wait_for", "expect"),
        *("expect_next", "expect_nothing", "set_userdata", "delete_userdata", "expect_userdata"),
        *("choose", "repeat", "call", "pause", "note", "leave", "wait_for", "finish"),
    ]
    say, button, typing, _, _, agent, expect, following, nothing, *_ = steps
    assert isinstance(say, script.Say)
    assert say.typing == "human"
    assert isinstance(button, script.Press)
    assert (button.typing, str(button.button)) == (1.0, "Yes")
    assert isinstance(typing, script.ShowTyping)
    assert typing.duration == 90.0
    assert isinstance(agent, script.WaitFor)
    assert (agent.kind, agent.within, agent.slow_after) == (AgentConnected, 60.0, 0.5)
    assert isinstance(expect, script.Expect)
    assert (expect.sender, expect.mask, expect.within) == ("agent", ("pin",), 30.0)
    assert isinstance(expect.matcher, RegexSpec)
    assert isinstance(following, script.Expect)
    assert following.next_only
    assert isinstance(nothing, script.ExpectNothing)
    assert nothing.matching is not None


def test_reloads_are_compiled(tmp_path: Path) -> None:
    steps = steps_of(
        tmp_path,
        """
  - reload
  - reload: {away_for: 8s}
  - expect_restored
  - expect_restored: {same_chat: false, same_agent: yes, history: complete}
    within: 5s
  - leave
  - reload:
  - expect_restored: {outcome: failed, code: -5}
""",
    )

    bare, away, back, whole, _, last, failed = steps
    assert isinstance(bare, script.Reload)
    assert (bare.away_for, bare.judged) == (0.0, False)
    assert isinstance(away, script.Reload)
    assert (away.away_for, away.judged) == (8.0, True)
    assert isinstance(back, script.ExpectRestored)
    assert (back.outcome.value, back.same_chat, back.same_agent) == ("restored", True, False)
    assert isinstance(whole, script.ExpectRestored)
    assert (whole.same_chat, whole.same_agent, whole.whole_history) == (False, True, True)
    assert whole.within == 5.0
    assert isinstance(last, script.Reload)
    assert last.judged
    assert isinstance(failed, script.ExpectRestored)
    assert (failed.outcome.value, failed.code) == ("failed", -5)


@pytest.mark.parametrize(
    ("written", "name", "media_type"),
    [
        ("receipt.png", "receipt.png", "image/png"),
        ("{file: receipt.png}", "receipt.png", "image/png"),
        ("{file: receipt.png, type: application/x-scan}", "receipt.png", "application/x-scan"),
        ("no_ending", "no_ending", "application/octet-stream"),
        ("down/notes.txt", "notes.txt", "text/plain"),
    ],
)
def test_a_file_is_read_with_the_bot(
    tmp_path: Path, written: str, name: str, media_type: str
) -> None:
    (tmp_path / "down").mkdir()
    for file in ("receipt.png", "no_ending", "down/notes.txt"):
        (tmp_path / file).write_bytes(b"content of " + file.encode())
    (step,) = steps_of(tmp_path, f"  - send_file: {written}\n")

    assert isinstance(step, script.SendFile)
    assert (step.name, step.media_type) == (name, media_type)
    assert step.content.startswith(b"content of ")
    assert "content of" not in repr(step)


def test_a_file_that_is_too_large_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botkit.bot.attachments.MAX_BYTES", 2_000)
    (tmp_path / "small.bin").write_bytes(b"x" * 2_000)
    (tmp_path / "large.bin").write_bytes(b"x" * 2_001)
    steps = "steps:\n  - send_file: small.bin\n  - send_file: {file: large.bin}\n"
    (problem,) = load(tmp_path, HEAD + steps).problems
    where = tmp_path / "large.bin"
    assert str(problem) == f"{tmp_path / 'b.yaml'}:5:23: '{where}' is larger than 2,000 bytes"


def test_nested_steps_know_their_paths_and_places(tmp_path: Path) -> None:
    (choose, repeat) = steps_of(
        tmp_path,
        "  - choose:\n    - when: a\n      do: [note: a]\n    - when: {event: agent_left}\n"
        "      do: []\n    otherwise: [note: c]\n"
        "  - repeat: {times: 2, do: [{say: x}, leave]}\n",
    )

    assert isinstance(choose, script.Choose)
    assert [case.kind for case in choose.cases] == [None, AgentDisconnected]
    note = choose.cases[0].do[0]
    assert (note.path, note.place.line, note.place.column) == ("steps[0].choose[0].do[0]", 6, 12)
    assert choose.otherwise is not None
    assert choose.otherwise[0].path == "steps[0].otherwise[0]"
    assert isinstance(repeat, script.Repeat)
    assert [step.path for step in repeat.do] == ["steps[1].repeat.do[0]", "steps[1].repeat.do[1]"]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("say: Hello there", "say: Hello there"),
        ("expect: {matches: 'a\\d'}", "expect: {matches: 'a\\d'}"),
        ("expect: {any_of: [a, 'b!']}", "expect: {any_of: [a, 'b!']}"),
        ("leave", "leave"),
        ("repeat: {times: 3, do: [leave]}", "repeat: 3 times"),
        ("choose: [{when: a, do: []}]", "choose: one of 1"),
        ("say: |\n      two\n      lines", "say: two lines"),
    ],
)
def test_step_is_said_in_one_line(tmp_path: Path, written: str, text: str) -> None:
    assert steps_of(tmp_path, f"  - {written}\n")[0].text == text


def test_long_step_is_cut(tmp_path: Path) -> None:
    assert len(steps_of(tmp_path, f"  - say: {'x' * 500}\n")[0].text) < 150


@pytest.mark.parametrize("spelling", ["yes", "1.10", "12:30", "007", "null", "on", "2025-01-31"])
def test_what_is_said_keeps_its_spelling(tmp_path: Path, spelling: str) -> None:
    (say,) = steps_of(tmp_path, f"  - say: {spelling}\n")

    assert isinstance(say, script.Say)
    assert say.line.literal == spelling


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("45s", 45),
        ("2m", 120),
        ("1m30s", 90),
        ("500ms", 0.5),
        ("1h", 3600),
        ("1h2m3s4ms", 3723.004),
    ],
)
def test_times(tmp_path: Path, time: str, seconds: float) -> None:
    (pause,) = steps_of(tmp_path, f"  - pause: {time}\n")

    assert isinstance(pause, script.Pause)
    assert pause.duration == pytest.approx(seconds)


def test_reactions_and_guards(tmp_path: Path) -> None:
    done = bot_of(
        load(
            tmp_path,
            HEAD
            + """
never:
  - technical error
  - {equals: no, from: agent}
whenever:
  - message: {matches: 'are you (?P<what>\\w+)'}
    from: Grace
    times: 2
    do: [say: "I am ${what}", set_userdata: {A: b}, finish: failed]
  - notice: idle
    do: [send_notice: ping]
  - agent_left:
    do: [note: gone]
steps: [expect: hello]
""",
        )
    ).script

    assert [guard.sender for guard in done.never] == [None, "agent"]
    assert isinstance(done.never[1].matcher, LeafSpec)
    message, notice, left = done.whenever
    assert (message.kind, message.sender, message.times) == (Message, "Grace", 2)
    assert [step.path for step in message.do] == [f"whenever[0].do[{n}]" for n in range(3)]
    assert notice.kind is Notice
    assert (left.kind, left.matcher, left.times) == (AgentDisconnected, None, None)


# --- variables that are surely set ---------------------------------------------------------------


@pytest.mark.parametrize(
    "steps",
    [
        "- expect: {matches: '(?P<n>.)'}\n- say: ${n}",
        "- expect_userdata: {A: {matches: '(?P<n>.)'}}\n- say: ${n}",
        "- choose:\n  - when: {matches: '(?P<n>.)'}\n    do: [say: '${n}']\n- say: ${n}",
        "- choose:\n  - when: {matches: '(?P<n>.)'}\n    do: []\n"
        "  - when: x\n    do: [finish: passed]\n- say: ${n}",
        "- choose:\n  - when: {matches: '(?P<n>.)'}\n    do: []\n"
        "  otherwise:\n  - expect: {matches: '(?P<n>.)'}\n- say: ${n}",
        "- repeat: {times: 2, do: [expect: {matches: '(?P<n>.)'}], until: '${n}'}\n- say: ${n}",
        "- repeat: {times: 2, do: [say: a], until: {matches: '(?P<n>.)'}}\n- say: ${n}",
        "- expect: {json: {/a: {matches: '(?P<n>.)'}}}\n- expect: {matches: '${n}(?P<m>.)'}\n"
        "- say: ${m}",
    ],
)
def test_variable_that_every_way_captures_may_be_used(tmp_path: Path, steps: str) -> None:
    assert steps_of(tmp_path, steps + "\n")


def test_wrong_step_is_not_blamed_for_what_it_would_capture(tmp_path: Path) -> None:
    loaded = load(
        tmp_path, HEAD + "steps:\n- expect: {matches: '(?P<n>.)', x: y}\n- say: ${n} ${m}\n"
    )

    assert [problem.message for problem in loaded.problems] == [
        "a matcher has exactly one key, not 2 (matches, x); combine several with all_of or any_of",
        "${m}: no step captures 'm'",
    ]


# --- the whole file ------------------------------------------------------------------------------

WHOLE = """
botkit: 1
bot: survey
title: Every segment gets its survey
tags: [nightly, smoke]
connect:
  server: ${env.CHAT_URL}
  connector: gms-cometd
  service: support
  nickname: ${row.name}-${unique.n}
  subject: "${today}"
  userdata: {Segment: "${row.segment}", A: a}
  options: {channel: /service/chat}
  verify: no
  proxy: http://proxy
  headers: {X-Key: "${secret.KEY}"}
  auth: {user: u, password: "${secret.KEY}"}
  open_within: 5s
limits: {whole_chat: 3m}
data: {file: rows.csv, name: "${row.segment}-${row.name}", mask: [name]}
mask: ["${env.CHAT_URL}"]
steps:
  - start:
    userdata: {A: "${row.segment}"}
  - say: ${unique.n} ${unique.m}
"""


@dataclass
class Played:
    """Stands in for what plays a script."""

    script: BotScript
    values: Values


def surroundings() -> Settings:
    return Settings(
        surroundings=Surroundings(
            env={"CHAT_URL": "http://chat"},
            secrets={"KEY": "s3cret"},
            today=lambda: date(2025, 1, 31),
            rng=random.Random(1),
        ),
        make_script=Played,
    )


def whole_bot(directory: Path) -> YamlBot:
    (directory / "rows.csv").write_text("segment,name\ngold,Ada\ngold,Ada\n")
    return bot_of(load(directory, WHOLE, surroundings()))


def test_bot_is_planned_once_per_row(tmp_path: Path) -> None:
    bot = whole_bot(tmp_path)
    plan, other = bot.plans()

    assert (bot.name, bot.tags) == ("survey", ("nightly", "smoke"))
    assert (plan.bot, plan.title) == ("survey", "Every segment gets its survey")
    assert (plan.file, plan.line) == (str(tmp_path / "b.yaml"), 2)
    assert plan.tags == ("nightly", "smoke")
    assert plan.limits == Limits(whole_chat=180.0)
    assert plan.row == {"segment": "gold", "name": "Ada"}
    # The name of a row is shown everywhere, so what is masked is masked there too.
    assert [plan.name, other.name] == ["survey[gold-*** #1]", "survey[gold-*** #2]"]


def test_opening_is_rendered_for_each_row(tmp_path: Path) -> None:
    plan, other = whole_bot(tmp_path).plans()
    connect = plan.connect

    assert (connect.server, connect.connector) == ("http://chat", "gms-cometd")
    assert (connect.service, connect.subject) == ("support", "2025-01-31")
    assert connect.userdata == {"Segment": "gold", "A": "gold"}
    assert connect.options == {"channel": "/service/chat"}
    assert connect.open_within == 5.0
    assert connect.nickname is not None
    assert connect.nickname.startswith("Ada-")
    assert connect.nickname != other.connect.nickname
    network = connect.network
    assert network is not None
    assert (network.verify, network.trust_env, network.proxy) == (False, True, "http://proxy")
    assert network.headers == {"X-Key": "s3cret"}
    assert network.auth == ("u", "s3cret")


def test_each_journey_has_values_of_its_own(tmp_path: Path) -> None:
    plan, _ = whole_bot(tmp_path).plans()
    one, two = plan.new_script(), plan.new_script()
    assert isinstance(one, Played)
    assert isinstance(two, Played)
    first, second = one.values, two.values
    text = Template.parse("${unique.n} ${unique.m}")
    (one_n, one_m), (two_n, two_m) = text.render(first).split(), text.render(second).split()

    assert one.script.name == "survey"
    assert plan.connect.nickname == f"Ada-{one_n}" == f"Ada-{two_n}"
    assert one_m != two_m
    assert first.mask("Ada s3cret http://chat gold") == "*** *** *** gold"
    first.capture("x", "y", mask=True)
    assert second.variables == {}
    assert second.mask("yours is y") == "yours is y"


def test_bot_that_says_little_leaves_the_rest_open(tmp_path: Path) -> None:
    bot = bot_of(load(tmp_path, "botkit: 1\nsteps: [leave]\n"))
    (plan,) = bot.plans()

    assert plan.name == bot.name == "b"  # the file's
    assert plan.connect.network is None
    assert plan.connect.server is None
    assert plan.limits == Limits()


def test_bot_that_was_loaded_to_be_checked_is_not_played(tmp_path: Path) -> None:
    (plan,) = bot_of(load(tmp_path, "botkit: 1\nsteps: [leave]\n")).plans()

    with pytest.raises(LocalProtocolError, match="loaded to be checked"):
        plan.new_script()


def test_rows_without_a_name_are_numbered(tmp_path: Path) -> None:
    text = HEAD + "data: {rows: [{a: 1}, {a: 2}]}\nsteps: [say: '${row.a}']\n"

    assert [plan.name for plan in bot_of(load(tmp_path, text)).plans()] == ["b[1]", "b[2]"]


def test_unset_environment_is_a_warning_where_files_are_only_checked(tmp_path: Path) -> None:
    text = HEAD + "connect: {server: '${env.NO}'}\nsteps: [leave]\n"
    loaded = load(tmp_path, text, Settings(missing=Severity.WARNING))

    assert [str(p).partition(":")[2] for p in loaded.problems] == [
        "3:20: warning: ${env.NO}: the environment variable is not set, or is empty"
    ]
    assert loaded.errors == ()
    assert len(loaded.bots) == 1


# --- agents --------------------------------------------------------------------------------------

AGENTS = """
botkit-agents: 1
routing:
  - when: {service: support, userdata: {Segment: gold}}
    attach: {SurveyURL: "https://s/${unique.uuid}"}
    to: Grace
    after: 200ms
  - attach: {A: b}
agents:
  Grace:
    - expect_userdata: {CoBrowseSessionId: {matches: '.+'}}
    - say: Welcome
    - expect: {matches: 'order (?P<order>\\w+)'}
      from: customer
    - say: Your order is ${order}
  Alan:
    whenever:
      - message: help
        do: [say: I do]
    steps: [leave]
"""


def test_agents_and_their_routing(tmp_path: Path) -> None:
    file = tmp_path / "agents.yaml"
    file.write_text(AGENTS)
    agents = load_agents(file)

    first, second = agents.routing
    assert (first.service, first.userdata, first.to) == ("support", {"Segment": "gold"}, ("Grace",))
    assert first.after == 0.2
    assert str(first.attach["SurveyURL"]) == "https://s/${unique.uuid}"
    assert (second.service, second.to) == (None, ("Grace", "Alan"))
    assert [step.verb for step in agents.agents["Grace"].steps] == [
        *("expect_userdata", "say", "expect", "say")
    ]
    assert len(agents.agents["Alan"].whenever) == 1


def test_agents_of_a_bot_are_beside_it_and_checked_with_it(tmp_path: Path) -> None:
    (tmp_path / "agents.yaml").write_text(AGENTS)
    text = HEAD + "simulator: {agents: agents.yaml}\nsteps: [leave]\n"
    bot = bot_of(load(tmp_path, text))

    assert bot.plans()[0].connect.agents == tmp_path / "agents.yaml"

    (tmp_path / "agents.yaml").write_text("botkit-agents: 1\nagents: {G: [sya: x]}\n")
    loaded = load(tmp_path, text)
    assert [problem.message for problem in loaded.problems] == [
        "unknown verb 'sya'",
        f"{str(tmp_path / 'agents.yaml')!r} has problems of its own",
    ]


@pytest.mark.parametrize("content", ["botkit: 1\nsteps: [leave]\n", "a: b\n", "botkit-agents: 2\n"])
def test_what_are_no_agents(tmp_path: Path, content: str) -> None:
    file = tmp_path / "agents.yaml"
    file.write_text(content)

    with pytest.raises(ConfigError) as caught:
        load_agents(file)
    assert caught.value.file == str(file)


# --- directories ---------------------------------------------------------------------------------


def test_directory_is_searched_for_all_bots(tmp_path: Path) -> None:
    for name in ("b.yaml", "sub/a.yml", "sub/deep/c.yaml", ".hidden/d.yaml", "__x__/e.yaml"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"botkit: 1\nbot: {file.stem}\nsteps: [leave]\n")
    (tmp_path / "rows.csv").write_text("a\n1\n")
    (tmp_path / "agents.yaml").write_text(AGENTS)
    (tmp_path / "helper.py").write_text("raise SystemExit  # never run: it marks no bot\n")
    (tmp_path / "p.py").write_text(
        "import botkit.bot\n\n@botkit.bot\nclass P:\n    async def run(self, session): ...\n"
    )

    loaded = load_paths([tmp_path, tmp_path / "b.yaml"])

    assert loaded.problems == ()
    assert [bot.name for bot in loaded.bots] == ["b", "P", "a", "c"]
    assert [Path(agents.file).name for agents in loaded.agents] == ["agents.yaml"]


def test_directory_without_bots_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no bot")

    assert load_paths([tmp_path]) == Loaded(barren=(str(tmp_path),))


def test_problems_of_all_files_come_in_one_pass(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(HEAD + "steps: [sya: x, wait_for: agnt]\n")
    (tmp_path / "b.yaml").write_text("hello: world\n")
    (tmp_path / "c.yaml").write_text("botkit: 1\nbot: ok\nsteps: [leave]\n")
    loaded = load_paths([tmp_path, tmp_path / "missing.yaml"])

    assert [(Path(p.file).name, p.mark and p.mark.line) for p in loaded.problems] == [
        *(("a.yaml", 3), ("a.yaml", 3), ("b.yaml", 1), ("missing.yaml", None))
    ]
    assert [bot.name for bot in loaded.bots] == ["ok"]


def test_data_in_yaml_are_no_bot(tmp_path: Path) -> None:
    (tmp_path / "rows.yaml").write_text("- {a: 1.10}\n")
    (tmp_path / "z.yaml").write_text(HEAD + "data: {file: rows.yaml}\nsteps: [say: '${row.a}']\n")
    loaded = load_paths([tmp_path])

    assert loaded.problems == ()
    assert loaded.bots[0].plans()[0].row == {"a": "1.10"}


def test_two_bots_of_one_name_are_warned_of(tmp_path: Path) -> None:
    for name in ("x.yaml", "y.yaml"):
        (tmp_path / name).write_text(HEAD + "steps: [leave]\n")
    loaded = load_paths([tmp_path])

    assert loaded.errors == ()
    assert len(loaded.bots) == 2
    assert "is called like the one in" in loaded.problems[0].message


# --- hostile files -------------------------------------------------------------------------------

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(LAUGHS.encode(), id="alias bomb"),
        pytest.param(b"a" * 10_000_000, id="10 MB"),
        pytest.param(b"botkit: 1\nsteps: " + b"[" * 500_000, id="deep flow"),
        pytest.param(b"botkit: 1\nsteps: " + b"{a: " * 200_000, id="deep mappings"),
        pytest.param(b"- " * 400_000, id="deep lists"),
        pytest.param(b"? " * 400_000, id="deep keys"),
        pytest.param(bytes(range(256)) * 100, id="binary"),
        pytest.param(b"botkit: 1\nsteps:\n" + b"- sya: x\n" * 20_000, id="many mistakes"),
        pytest.param(b"{botkit: 1, " + b"a: b, " * 150_000 + b"}", id="one key often"),
        pytest.param(b"botkit: 1\nsteps: [say: '" + b"${x}" * 200_000 + b"']", id="references"),
        pytest.param(b"botkit: 1\nsteps: [say: '" + b"${" * 400_000 + b"']", id="open references"),
        pytest.param(b"botkit: 1\nsteps: [expect: {matches: '" + b"(" * 2_000 + b"'}]", id="regex"),
    ],
)
def test_hostile_file_is_a_problem_within_a_second(
    tmp_path: Path, content: bytes, cpu_seconds: Callable[[Callable[[], object]], float]
) -> None:
    file = tmp_path / "b.yaml"
    file.write_bytes(content)
    loaded = load_file(file)

    assert cpu_seconds(lambda: load_file(file)) < 1.0
    assert loaded.bots == ()
    assert 1 <= len(loaded.problems) <= 101


def test_bot_of_a_thousand_lines_is_checked_quickly(
    tmp_path: Path, cpu_seconds: Callable[[Callable[[], object]], float]
) -> None:
    block = (
        "  - say: Hello number {n}, please close order ${{row.order}}\n    typing: human\n"
        "  - expect: {{matches: 'number (?P<n{n}>\\d+)'}}\n    within: 45s\n"
        "  - set_userdata: {{Number: '${{n{n}}}'}}\n"
    )
    text = (
        HEAD
        + "data: {rows: [{order: 1}]}\nsteps:\n"
        + "".join(block.format(n=n) for n in range(200))
    )
    load(tmp_path, HEAD + "steps: [leave]\n")  # what is imported and built once

    # The budget is 100 ms; three times that tells a slip from a busy machine.
    assert cpu_seconds(lambda: bot_of(load(tmp_path, text))) < 0.3


# --- any tree ------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        *("say", "expect", "choose", "when", "do", "repeat", "times", "until", "wait_for", "agent"),
        *("within", "5s", "${x}", "${row.a}", "matches", "(?P<x>.)", "any_of", "json", "/a", "1"),
        *("leave", "start", "userdata", "event", "message", "from", "mask", "finish", "passed", ""),
        *("otherwise", "with", "as", "call", "set_userdata", "typing", "human", "pause", "like"),
        *("expect_userdata", "expect_nothing", "matching", "text", "threshold", "button", "note"),
        *("reload", "away_for", "expect_restored", "outcome", "failed", "history", "complete"),
        *("buttons", "send_file", "file", "type", "code", "same_chat"),
    ]
)
NODES = st.recursive(
    WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)
SECTIONS = st.dictionaries(
    st.sampled_from(
        ["bot", "title", "tags", "connect", "limits", "data", "simulator", "mask", "never"]
        + ["whenever", "routing", "agents", "x"]
    ),
    NODES,
    max_size=4,
)


def as_yaml(tree: object) -> str:
    if isinstance(tree, dict):
        return "{" + ", ".join(f"'{k}': {as_yaml(v)}" for k, v in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(as_yaml, tree)) + "]"
    return f"'{tree}'"


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sections=SECTIONS,
    steps=st.lists(st.dictionaries(WORDS, NODES, max_size=3) | NODES, max_size=4),
    kind=st.sampled_from(["botkit", "botkit-agents"]),
)
def test_any_tree_is_a_bot_or_has_problems_with_a_line(
    tmp_path: Path, sections: dict[str, object], steps: list[object], kind: str
) -> None:
    loaded = load(tmp_path, as_yaml({kind: "1", **sections, "steps": steps}))

    assert loaded.problems or loaded.bots or loaded.agents
    assert all(problem.mark is not None for problem in loaded.problems)


def test_ended_is_a_state_that_may_be_waited_for_after_leaving(tmp_path: Path) -> None:
    *_, last = steps_of(tmp_path, "  - leave\n  - wait_for: ended\n  - note: x\n")[:2]

    assert isinstance(last, script.WaitFor)
    assert last.kind is SessionEnded


def test_verdict_words(tmp_path: Path) -> None:
    (finish,) = steps_of(tmp_path, "  - finish: skipped\n")

    assert isinstance(finish, script.Finish)
    assert finish.verdict is Verdict.SKIPPED


def test_a_folder_that_is_named_twice_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("botkit: 1\nbot: a\nsteps:\n  - wait_for: agent\n")
    loaded = load_paths([tmp_path, tmp_path])
    assert [bot.name for bot in loaded.bots] == ["a"]
    assert loaded.barren == ()
