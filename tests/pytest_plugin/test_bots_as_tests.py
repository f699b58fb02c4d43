"""Bots as tests of pytest, each proven by a run of pytest in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

SMOKE = """\
# Somebody answers.
botkit: 1
bot: smoke
tags: [quick]
steps:
  - wait_for: agent
    within: 10s
"""
ROWS = """\
botkit: 1
bot: rows
data:
  name: ${row.word}
  rows:
    - {word: blue}
    - {word: red}
steps:
  - wait_for: agent
    within: 10s
  - say: ${row.word}
  - expect: {contains: blue}
    within: 1s
"""
WRONG = """\
botkit: 1
bot: wrong
stpes: []
steps:
  - expct: hello
"""
GREETER = '''\
import botkit


@botkit.bot
class Greeter:
    """Greets."""

    async def run(self, session):
        await session.wait_for(botkit.AgentConnected, within=10)
'''
HEAVY = ("trio", "httpx", "yaml", "pydantic", "click", "rich", "regex")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BOTKIT_SERVER", "BOTKIT_CONNECTOR", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)


def write(pytester: pytest.Pytester, **files: str) -> None:
    """Write files: ``bots__a_DOT_yaml`` is ``bots/a.yaml``."""
    for name, text in files.items():
        path = pytester.path / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


def test_a_bot_passes_and_says_where(pytester: pytest.Pytester) -> None:
    write(pytester, smoke_DOT_bot_DOT_yaml=SMOKE)
    result = run(pytester, "-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["smoke.bot.yaml::smoke PASSED*", "botkit: 1 journey played on the simulator"]
    )


def test_each_row_is_an_item_and_a_failure_shows_its_evidence(pytester: pytest.Pytester) -> None:
    write(pytester, rows_DOT_bot_DOT_yaml=ROWS)
    result = run(pytester)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*rows?red?*",
            "FAILED *rows?red?*on the simulator*",
            "*rows.bot.yaml:12: expect*",
            "*expected:*blue*",
            "*transcript:*",
            "*red*",
            "FAILED rows.bot.yaml::rows?red?*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_an_item_stands_where_its_row_is_or_where_its_bot_begins(
    pytester: pytest.Pytester,
) -> None:
    write(pytester, rows_DOT_bot_DOT_yaml=ROWS, smoke_DOT_bot_DOT_yaml=SMOKE)
    in_csv = ROWS.replace("  rows:\n    - {word: blue}\n    - {word: red}", "  file: words.csv")
    write(pytester, table_DOT_bot_DOT_yaml=in_csv, words_DOT_csv="word\nblue\n\nred\n")
    pytester.makeconftest(
        "def pytest_collection_modifyitems(items):\n"
        "    print('LOCATIONS', [item.location for item in items])\n"
    )
    result = run(pytester, "-s", "--collect-only")
    result.stdout.fnmatch_lines(
        [
            "*LOCATIONS [[]('rows.bot.yaml', 5, 'rows[[]blue]'), ('rows.bot.yaml', 6, *"
            " ('smoke.bot.yaml', 1, 'smoke'),"
            " ('words.csv', 1, 'rows[[]blue]'), ('words.csv', 3, 'rows[[]red]')]*"
        ]
    )


def test_all_mistakes_of_a_file_are_shown_at_once(pytester: pytest.Pytester) -> None:
    write(pytester, wrong_DOT_bot_DOT_yaml=WRONG)
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "wrong.bot.yaml:3:1: unknown key 'stpes'*did you mean 'steps'?",
            "    stpes: ?]",
            "    ^",
            "wrong.bot.yaml:5:5: unknown verb 'expct'*",
            "        ^",
        ],
        consecutive=False,
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_folders_of_bots_are_collected_on_demand(pytester: pytest.Pytester) -> None:
    write(pytester, bots__smoke_DOT_yaml=SMOKE, bots__greeter_DOT_py=GREETER)
    write(pytester, bots__data_DOT_yaml="- {word: blue}\n")
    assert run(pytester).ret == pytest.ExitCode.NO_TESTS_COLLECTED
    pytester.makeini("[pytest]\nbotkit_bots = bots\n")
    result = run(pytester, "-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["bots/greeter.py::Greeter PASSED*", "bots/smoke.yaml::smoke *"])


def test_tags_are_markers_also_where_these_are_strict(pytester: pytest.Pytester) -> None:
    write(pytester, smoke_DOT_bot_DOT_yaml=SMOKE, rows_DOT_bot_DOT_yaml=ROWS)
    result = run(pytester, "--strict-markers", "-m", "quick")
    result.assert_outcomes(passed=1, deselected=2)


def test_a_server_by_flag_and_by_variable(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(pytester, smoke_DOT_bot_DOT_yaml=SMOKE)
    nobody = "http://127.0.0.1:1/genesys/cometd"
    by_flag = run(pytester, f"--botkit-server={nobody}")
    by_flag.assert_outcomes(failed=1)
    by_flag.stdout.fnmatch_lines(["*unreachable*", f"botkit: 1 journey played at {nobody}"])
    monkeypatch.setenv("BOTKIT_SERVER", nobody)
    run(pytester).assert_outcomes(failed=1)
    monkeypatch.setenv("BOTKIT_SERVER", "")
    empty = run(pytester)
    empty.assert_outcomes(errors=1)
    empty.stdout.fnmatch_lines(["*BOTKIT_SERVER is set and empty*"])


def test_a_wire_that_is_not_there(pytester: pytest.Pytester) -> None:
    write(pytester, smoke_DOT_bot_DOT_yaml=SMOKE)
    result = run(pytester, "--botkit-connector=telegraph")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*telegraph*"])


def test_workers_of_xdist_play_them(pytester: pytest.Pytester) -> None:
    write(pytester, rows_DOT_bot_DOT_yaml=ROWS, smoke_DOT_bot_DOT_yaml=SMOKE)
    result = run(pytester, "-n", "2")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["botkit: 3 journeys played on the simulator"])


@pytest.mark.parametrize("trio_mode", ["true", "false"])
def test_the_session_in_an_async_test(pytester: pytest.Pytester, trio_mode: str) -> None:
    write(pytester, smoke_DOT_bot_DOT_yaml=SMOKE)
    pytester.makeini(f"[pytest]\ntrio_mode = {trio_mode}\n")
    pytester.makepyfile(
        """
        import botkit
        import pytest

        @pytest.mark.trio
        async def test_chat(botkit_session):
            await botkit_session.wait_for(botkit.AgentConnected, within=10)
        """
    )
    run(pytester).assert_outcomes(passed=2)


def test_the_simulator_without_pytest_trio(pytester: pytest.Pytester) -> None:
    write(
        pytester,
        smoke_DOT_bot_DOT_yaml=SMOKE,
        agents_DOT_yaml="botkit-agents: 1\nagents:\n  Grace:\n    steps: [{say: I am Grace}]\n",
    )
    pytester.makepyfile(
        """
        import json
        import urllib.request

        import botkit
        import pytest
        import trio

        async def first_line(url):
            async with botkit.start_session(url) as session:
                return (await session.expect(botkit.contains("Grace"), within=10)).text

        @pytest.mark.botkit_simulator(agents="agents.yaml", seed=1)
        def test_marker(botkit_simulator):
            assert trio.run(first_line, botkit_simulator.url) == "I am Grace"

        @pytest.mark.parametrize("botkit_simulator", [{"agents": "agents.yaml"}], indirect=True)
        def test_parameter(botkit_simulator):
            assert trio.run(first_line, botkit_simulator.url) == "I am Grace"

        def test_plain(botkit_simulator):
            with urllib.request.urlopen(botkit_simulator.status_url) as reply:
                assert json.load(reply)

        @pytest.mark.botkit_simulator(agnets="agents.yaml")
        def test_unknown(botkit_simulator):
            raise AssertionError
        """
    )
    result = run(pytester, "-p", "no:trio", "--strict-markers")
    result.assert_outcomes(passed=4, errors=1)
    result.stdout.fnmatch_lines(["*has no option 'agnets'; it has agents, faults, seed*"])


def test_it_costs_nothing_where_there_are_no_bots() -> None:
    code = "import sys, botkit.pytest_plugin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "botkit.pytest_plugin" in loaded
    assert not loaded & set(HEAVY)
