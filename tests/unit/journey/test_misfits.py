"""What a wire cannot do is told with its place in the bot's file, before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from botkit import chat
from botkit.bot.loader import load_file
from botkit.chat import Command
from botkit.errors import ConfigError
from botkit.interfaces import Bot, ConnectOptions, Opening
from botkit.journey.misfits import Misfits
from botkit.testing import ScriptedConnector

NOTHING = ConnectOptions()


class Poor(ScriptedConnector):
    """A wire that lacks something, and is particular about servers and options."""

    def __init__(self, lacks: Mapping[type[Command], str], scheme: str = "http://") -> None:
        super().__init__()
        self.lacks = lacks
        self.scheme = scheme

    def check(self, opening: Opening) -> None:
        if not opening.url.startswith(self.scheme):
            raise ConfigError(f"no {self.scheme} URL: {opening.url!r}", key="server")
        for name in opening.options:
            if name != "channel":
                raise ConfigError(f"no option {name!r}", key=f"options.{name}")


WIRES = {
    "rich": Poor({}),
    "poor": Poor({chat.PushUrl: "it is poor", chat.SendTyping: "it is slow"}),
    "still": Poor({chat.Detach: "it cannot let go"}),
    "gms-cometd": Poor({chat.PressButton: "there are none"}),
    "simulator": Poor({chat.SendFile: "no files"}, scheme=""),
    "genesys-cloud": Poor({}, scheme="wss://"),
}
STEPS = """\
whenever:
  - message: hi
    do: [{push_url: "http://x"}]
steps:
  - say: hello
    typing: human
  - choose:
      - when: x
        do:
          - show_typing: 1s
  - say: {button: "Yes"}
  - reload
"""


def write(folder: Path, text: str) -> Bot:
    file = folder / "b.yaml"
    file.write_text("botkit: 1\nbot: b\n" + text)
    loaded = load_file(file)
    assert [str(problem) for problem in loaded.problems] == []
    (bot,) = loaded.bots
    return bot


def told(
    bot: Bot,
    *,
    override: ConnectOptions = NOTHING,
    fallback: ConnectOptions = NOTHING,
    planned: bool = True,
    server_may_follow: bool = False,
) -> list[str]:
    """Give the problems of a bot, without the name of its file."""
    misfits = Misfits(
        override=override,
        fallback=fallback,
        connectors={name: lambda wire=wire: wire for name, wire in WIRES.items()},  # type: ignore[misc]
        server_may_follow=server_may_follow,
    )
    found = misfits.find([(bot, bot.plans() if planned else None)])
    assert all(problem.source for problem in found)
    return [str(problem).rpartition("b.yaml:")[2] for problem in found]


def over(connector: str, server: str | None = "http://x") -> ConnectOptions:
    return ConnectOptions(connector=connector, server=server)


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ("rich", []),
        (
            "poor",
            [
                "5:10: 'push_url' cannot be done over poor: it is poor",
                "7:5: 'say' cannot be done over poor: it is slow",
                "12:13: 'show_typing' cannot be done over poor: it is slow",
            ],
        ),
        ("still", ["14:5: 'reload' cannot be done over still: it cannot let go"]),
        ("gms-cometd", ["13:5: 'say' cannot be done over gms-cometd: there are none"]),
    ],
)
def test_steps_that_a_wire_cannot_do(tmp_path: Path, wire: str, expected: list[str]) -> None:
    assert told(write(tmp_path, STEPS), override=over(wire)) == expected


@pytest.mark.parametrize(
    ("connect", "place"),
    [
        ("connect: {server: 'ftp://x', connector: rich}\n", "3:19"),
        ("connect:\n  connector: rich\n  server: ftp://x\n", "5:11"),
    ],
)
def test_a_server_that_does_not_go_with_the_wire(tmp_path: Path, connect: str, place: str) -> None:
    bot = write(tmp_path, f"{connect}steps: [leave]\n")
    assert told(bot) == [f"{place}: no http:// URL: 'ftp://x'"]


def test_an_option_that_the_wire_does_not_know(tmp_path: Path) -> None:
    connect = "connect:\n  connector: rich\n  server: http://x\n  options:\n    chanel: x\n"
    bot = write(tmp_path, f"{connect}steps: [leave]\n")
    assert told(bot) == ["7:5: no option 'chanel'"]


def test_a_wire_that_needs_a_server_and_gets_none(tmp_path: Path) -> None:
    bot = write(tmp_path, "connect: {connector: rich}\nsteps: [leave]\n")
    assert told(bot) == ["3:22: no http:// URL: ''"]
    assert told(bot, server_may_follow=True) == []


def test_a_server_may_follow_and_the_options_are_looked_at_all_the_same(tmp_path: Path) -> None:
    options = "connect: {connector: genesys-cloud, options: {x: y}}\nsteps: [leave]\n"
    assert told(write(tmp_path, options), server_may_follow=True) == ["3:47: no option 'x'"]


def test_a_wire_that_is_not_there(tmp_path: Path) -> None:
    bot = write(tmp_path, "connect: {connector: smoke}\nsteps: [leave]\n")
    (message,) = told(bot)
    assert message.startswith("3:22: there is no connector 'smoke'; there is ")


@pytest.mark.parametrize(
    "override",
    [
        ConnectOptions(connector="rich", server="ftp://x"),
        ConnectOptions(connector="rich"),
        ConnectOptions(connector="rich", server="http://x", options={"x": "y"}),
        ConnectOptions(connector="nowhere"),
    ],
)
@pytest.mark.parametrize("layer", ["override", "fallback"])
def test_what_was_said_beside_a_bot_is_not_blamed_on_it(
    tmp_path: Path, override: ConnectOptions, layer: str
) -> None:
    bot = write(tmp_path, "steps: [leave]\n")
    with pytest.raises(ConfigError) as caught:
        told(bot, **{layer: override})  # type: ignore[arg-type]
    assert (caught.value.file, caught.value.line) == (None, None)


def test_each_row_is_tried_and_the_same_is_told_once(tmp_path: Path) -> None:
    data = (
        "data: {rows: [{url: 'ftp://a'}, {url: 'ftp://b'}, {url: 'ftp://a'}, {url: 'http://c'}]}\n"
    )
    connect = "connect: {connector: rich, server: '${row.url}'}\n"
    bot = write(tmp_path, f"{data}{connect}steps: [leave]\n")
    assert told(bot) == ["4:36: no http:// URL: 'ftp://a'", "4:36: no http:// URL: 'ftp://b'"]


@pytest.mark.parametrize(
    ("connect", "override", "wire"),
    [
        ("{connector: gms-cometd, server: '${env.X}'}", NOTHING, "gms-cometd"),
        ("{server: '${env.X}'}", ConnectOptions(connector="gms-cometd"), "gms-cometd"),
        ("{server: '${env.X}'}", ConnectOptions(server="http://x"), "gms-cometd"),
        ("{server: 'http://x', nickname: '${env.X}'}", NOTHING, "gms-cometd"),
        ("{nickname: '${env.X}'}", ConnectOptions(connector="gms-cometd"), "gms-cometd"),
        ("{server: '${env.X}'}", NOTHING, None),
        ("{connector: nowhere, server: '${env.X}'}", NOTHING, None),
    ],
)
def test_where_the_environment_lacks_something_the_steps_are_tried(
    tmp_path: Path, connect: str, override: ConnectOptions, wire: str | None
) -> None:
    text = f"connect: {connect}\nsteps:\n  - say: {{button: 'Yes'}}\n"
    bot = write(tmp_path, text.replace("${env.X}", "${unique.x}"))
    expected = [f"5:5: 'say' cannot be done over {wire}: there are none"] if wire else []
    assert told(bot, override=override, planned=False) == expected


PYTHON = """\
import botkit
from botkit.interfaces import ConnectOptions


@botkit.bot(connect=ConnectOptions(connector="rich", server="ftp://x"))
class B:
    async def run(self, session): ...
"""


def test_a_python_bot_is_told_at_its_class(tmp_path: Path) -> None:
    file = tmp_path / "b.py"
    file.write_text(PYTHON)
    (bot,) = load_file(file).bots
    misfits = Misfits(
        override=NOTHING, fallback=NOTHING, connectors={"rich": lambda: WIRES["rich"]}
    )
    (problem,) = misfits.find([(bot, bot.plans())])
    assert str(problem) == f"{file}:6:1: no http:// URL: 'ftp://x'"
    assert problem.source == "class B:"
    assert misfits.find([(bot, None)]) == [problem]
