"""Run with pytest."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

from botkit.cli import main
from botkit.interfaces import Match, Miss

FOLDER = Path(__file__).parents[1]
PLUGIN = FOLDER / "NAME.py"

BOT = """\
botkit: 1
bot: uses-the-plugin
steps:
  - wait_for: agent
  - expect: {NAME_words: 2}
"""


def test_the_matcher() -> None:
    at_least = runpy.run_path(str(PLUGIN))["AtLeast"]
    assert isinstance(at_least("2").match("two words"), Match)
    assert isinstance(at_least("2").match("one"), Miss)


def test_a_bot_uses_it(tmp_path: Path) -> None:
    bot, results, plugins = tmp_path / "bot.yaml", tmp_path / "r.json", tmp_path / "plugins"
    bot.write_text(BOT)
    # Alone, so that this says nothing about its neighbours.
    plugins.mkdir()
    (plugins / PLUGIN.name).write_text(PLUGIN.read_text())
    assert main(["run", str(bot), "--plugins", str(plugins), "--json", str(results)]) == 0
    (journey,) = json.loads(results.read_text())["journeys"]
    assert [note for note in journey["notes"] if note.endswith(" came")]
