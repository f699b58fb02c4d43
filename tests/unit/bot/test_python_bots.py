"""Bots written in Python."""

from pathlib import Path
from typing import Any

import pytest

import botkit.bot
from botkit.bot import python_bots
from botkit.bot.loader import Loaded, load_file, load_paths
from botkit.bot.python_bots import ATTRIBUTE, PythonBot
from botkit.errors import ConfigError
from botkit.hookspecs import HOOKS

HEAD = "import botkit.bot\nfrom botkit.hookspecs import hookimpl\nfrom botkit.interfaces import *\n"


def load(directory: Path, text: str) -> Loaded:
    file = directory / "p.py"
    file.write_text(HEAD + text)
    return load_file(file)


def bots_of(loaded: Loaded) -> list[PythonBot]:
    assert [str(problem) for problem in loaded.problems] == []
    return [bot for bot in loaded.bots if isinstance(bot, PythonBot)]


def told(loaded: Loaded) -> list[str]:
    return [str(problem).partition(":")[2] for problem in loaded.problems]


def test_bare_mark_takes_what_the_class_says(tmp_path: Path) -> None:
    (bot,) = bots_of(
        load(
            tmp_path,
            '@botkit.bot\nclass Polite:\n    """Says hello.\n\n    More."""\n'
            "    async def run(self, session): ...\n",
        )
    )
    (plan,) = bot.plans()

    assert (bot.name, bot.tags) == ("Polite", ())
    assert (plan.bot, plan.name, plan.title) == ("Polite", "Polite", "Says hello.")
    assert (plan.file, plan.line) == (str(tmp_path / "p.py"), 5)


def test_mark_with_arguments(tmp_path: Path) -> None:
    (bot,) = bots_of(
        load(
            tmp_path,
            "@botkit.bot(name='b', title='t', tags=['x'], data=[{'a': 1}, {'a': 2}],\n"
            "    connect=ConnectOptions(service='s'), limits=Limits(whole_chat=5.0))\n"
            "class B:\n    def __init__(self, row): self.row = row\n"
            "    @hookimpl\n    async def on_message(self, event): ...\n",
        )
    )
    first, second = bot.plans()

    assert (first.name, second.name, first.title, first.tags) == ("b[1]", "b[2]", "t", ("x",))
    assert first.connect.service == "s"
    assert first.limits.whole_chat == 5.0
    script: Any = second.new_script()
    assert script.row == {"a": "2"}


def test_each_journey_gets_a_fresh_instance(tmp_path: Path) -> None:
    (bot,) = bots_of(
        load(tmp_path, "@botkit.bot\nclass A:\n    async def run(self, session): ...\n")
    )
    (plan,) = bot.plans()

    assert plan.new_script() is not plan.new_script()


def test_several_bots_live_in_one_file_and_imported_ones_do_not_count(tmp_path: Path) -> None:
    text = "@botkit.bot\nclass {}:\n    async def run(self, session): ...\n"
    loaded = load(
        tmp_path,
        text.format("A")
        + text.format("B")
        + "class C(A): ...\n"
        + "from botkit.bot.python_bots import PythonBot\n",
    )

    assert [bot.name for bot in bots_of(loaded)] == ["A", "B"]


def test_files_of_one_name_do_not_meet(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "p.py").write_text(
            f"{HEAD}@botkit.bot\nclass {folder.upper()}:\n    async def run(self, session): ...\n"
        )

    assert [bot.name for bot in bots_of(load_paths([tmp_path]))] == ["X", "Y"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\n", "1:1: no class is marked with '@botkit.bot' here"),
        ("def f(:\n", "4:7: this is no Python: invalid syntax"),
        ("\n1 / 0\n", "5:1: ZeroDivisionError while the file was loaded: division by zero"),
        (
            "def f():\n    raise KeyError('x')\n\nf()\n",
            "5:5: KeyError while the file was loaded: 'x'",
        ),
        ("raise SystemExit(0)\n", "4:1: the file ended the program while it was loaded"),
        (
            "import nothing_like_this\n",
            "4:1: ModuleNotFoundError while the file was loaded: No module named"
            " 'nothing_like_this'",
        ),
        (
            "@botkit.bot\nclass A:\n    pass\n",
            "5:1: the bot 'A' has neither 'async def run(self, session)' nor hooks",
        ),
        (
            "@botkit.bot\nclass A:\n    def run(self, session): ...\n",
            "6:5: 'run' must be written 'async def run(self, session)'",
        ),
        (
            "@botkit.bot\nclass A:\n    @hookimpl\n    def on_mesage(self): ...\n",
            "6:5: there is no hook 'on_mesage'; did you mean 'on_message'?",
        ),
        (
            "@botkit.bot\nclass A:\n    def on_agent_conected(self): ...\n",
            "6:5: there is no hook 'on_agent_conected'; did you mean 'on_agent_connected'?",
        ),
        (
            "@botkit.bot\nclass A:\n    def on_message(self): ...\n",
            "6:5: 'on_message' is not marked with '@botkit.hookimpl', so it would never be called",
        ),
        (
            "@botkit.bot\nclass A:\n    @hookimpl\n    def on_message(self, evnt): ...\n",
            "6:5: 'on_message' has no argument evnt; it offers journey, session, event;"
            " did you mean 'event'?",
        ),
        (
            "@botkit.bot\nclass A:\n    @hookimpl\n    def on_message(self, **rest): ...\n",
            "6:5: 'on_message' has no argument **rest; it offers journey, session, event",
        ),
        (
            "@botkit.bot\nclass A:\n    @hookimpl\n"
            "    def on_journey_finished(self, session): ...\n",
            "6:5: 'on_journey_finished' has no argument session; it offers journey, result",
        ),
        (
            "@botkit.bot\nclass A:\n    def __init__(self, who): ...\n"
            "    async def run(self, session): ...\n",
            "5:1: a bot is made without arguments (or with 'row'), and this one needs 'who'",
        ),
        (
            "@botkit.bot(data=[{'a': 1}, {'b': 2}])\nclass A:\n"
            "    async def run(self, session): ...\n",
            "5:1: the rows of its data do not all have the same columns",
        ),
        (
            "@botkit.bot\ndef a(session): ...\n",
            "4:1: ConfigError while the file was loaded: @botkit.bot marks a class, not",
        ),
    ],
)
def test_wrong_file_is_told_of_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    loaded = load(tmp_path, text)

    assert loaded.bots == ()
    assert len(loaded.problems) == 1
    assert told(loaded)[0].startswith(expected)


def test_hooks_take_what_they_like(tmp_path: Path) -> None:
    text = (
        "@botkit.bot\nclass A:\n    @hookimpl\n    def on_message(self, session, limit=3): ...\n"
        "    @hookimpl\n    @staticmethod\n    def on_notice(event): ...\n"
        "    @hookimpl\n    async def on_step_finished(self, *, step): ...\n"
    )
    assert told(load(tmp_path, text)) == []


def test_hook_under_another_name_is_a_hook(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        "@botkit.bot\nclass A:\n    @hookimpl(specname='on_message')\n    def note(self): ...\n",
    )

    assert len(bots_of(loaded)) == 1


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "p.py").write_bytes(b"\x00")

    assert told(load_file(tmp_path / "p.py")) == [
        "1:1: this is a binary file; a text in UTF-8 is needed"
    ]
    assert load_paths([tmp_path]).problems == ()


@pytest.mark.parametrize(
    ("text", "searched"),
    [
        ("import botkit\n@botkit.bot\nclass A: ...\n", True),
        ("from botkit import bot\n@bot(name='x')\nclass A: ...\n", True),
        ("import botkit\n@botkit.bot\nclass A(:\n", True),
        ("import botkit\n# about a bot\nraise ValueError\n", False),
        ("raise ValueError\n", False),
        ("def f(:\n", False),
    ],
)
def test_search_runs_files_that_mark_a_bot_and_no_others(
    tmp_path: Path, text: str, searched: bool
) -> None:
    (tmp_path / "p.py").write_text(text)

    assert bool(load_paths([tmp_path]).problems) is searched


def test_package_is_the_decorator_as_well() -> None:
    @botkit.bot(name="x")
    class A:
        async def run(self, session: object) -> None: ...

    nothing: Any = "no class"
    assert getattr(A, ATTRIBUTE).name == "x"
    with pytest.raises(ConfigError, match="marks a class"):
        botkit.bot(nothing)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [({"connect": {"service": "x"}}, "ConnectOptions"), ({"limits": 30}, "Limits")],
)
def test_decorator_takes_records_and_no_mappings(arguments: dict[str, Any], kind: str) -> None:
    with pytest.raises(ConfigError, match=rf"as botkit\.interfaces\.{kind}\(\.\.\.\), not"):
        botkit.bot(**arguments)


def test_hooks_of_bots_are_the_hooks_that_there_are() -> None:
    of_bots = {name: taken for name, taken in HOOKS.items() if name.startswith("on_")}
    assert of_bots == python_bots.HOOKS
