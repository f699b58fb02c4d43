"""Hooks, events, bots' keys, manuals and examples go together."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from botkit import chat, hookspecs
from botkit.bot import python_bots
from botkit.bot.fields import EVENT_WORDS
from botkit.chat import EVENT_NAMES, HOOKED
from botkit.hookspecs import EVENT_HOOKS, HOOKS
from botkit.plugins import load_plugins
from botkit.plugins.implementations import IMPLEMENTATION_MARK

ROOT = Path(__file__).parents[2]
README = (ROOT / "plugins" / "README.md").read_text(encoding="utf-8")

JOURNEY_HOOKS = {
    "on_journey_started": ("journey", "session"),
    "on_step_finished": ("journey", "session", "step"),
    "on_journey_finished": ("journey", "result"),
}
REGISTERING_HOOKS = (
    "register_connectors",
    "register_matchers",
    "register_actions",
    "register_reporters",
    "register_alert_sinks",
    "register_state_storages",
    "register_bots",
    "register_commands",
)


def spec(hook: str) -> Callable[..., object]:
    function = getattr(hookspecs, hook)
    assert callable(function)
    return function  # type: ignore[no-any-return]


def test_one_word_through_all_layers() -> None:
    """The class AgentConnected, the hook on_agent_connected, the key agent_connected."""
    for kind in HOOKED:
        key = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
        assert EVENT_NAMES[key] is kind
        assert EVENT_HOOKS[kind] == f"on_{key}"
        assert HOOKS[f"on_{key}"] == ("journey", "session", "event")
        assert spec(f"on_{key}").__annotations__["event"] == f"chat.{kind.__name__}"
        assert getattr(chat, kind.__name__) is kind


def test_there_are_no_other_hooks() -> None:
    assert set(HOOKS) == {*EVENT_HOOKS.values(), *JOURNEY_HOOKS, *REGISTERING_HOOKS}
    assert len(EVENT_HOOKS) == len(HOOKED) == len(EVENT_NAMES)
    assert {hook: HOOKS[hook] for hook in JOURNEY_HOOKS} == JOURNEY_HOOKS
    assert {HOOKS[hook] for hook in REGISTERING_HOOKS} == {("register",)}


@pytest.mark.parametrize("hook", HOOKS)
def test_no_hook_stops_at_its_first_result(hook: str) -> None:
    options = vars(spec(hook))["botkit_spec"]
    assert not options["firstresult"]
    assert not options["historic"]


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_has_a_manual_with_an_example(hook: str) -> None:
    manual = inspect.getdoc(spec(hook))
    assert manual is not None
    text, _, example = manual.partition("\n\nExample::\n\n")
    assert text
    lines = inspect.cleandoc(example).splitlines()
    assert lines[0] == "@hookimpl"
    assert re.match(rf"(async )?def {hook}\(.*\):", lines[1])
    compile("\n".join(lines), hook, "exec")


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_stands_in_the_readme(hook: str) -> None:
    signature = f"{hook}({', '.join(HOOKS[hook])})"
    entry = README.partition(f"\n#### `{signature}`\n")[2].partition("\n#")[0]
    example = inspect.getdoc(spec(hook)) or ""
    code = inspect.cleandoc(example.partition("Example::\n")[2].strip("\n"))
    assert f"```python\n{code}\n```" in entry
    fires = example.partition("\n\nFires ")[2].partition("\n\n")[0]
    told = " ".join(entry.partition("- **Fires** ")[2].partition("\n- **")[0].split())
    assert told == " ".join(fires.replace("``", "`").split())
    assert told
    assert "- **A return** " in entry
    assert "- **A raise** " in entry


def test_the_readme_has_no_other_hooks() -> None:
    signatures = re.findall(r"^#### `(.+)`$", README, flags=re.MULTILINE)
    assert [signature.partition("(")[0] for signature in signatures] == list(HOOKS)


def test_each_hook_has_something_that_uses_it() -> None:
    plugins = load_plugins(folders=[ROOT / "plugins"], environ={})
    used = {hook for listing in plugins.listing() for hook in listing.hooks}
    assert set(HOOKS) == used


def test_bots_know_the_same_words() -> None:
    """The bot language may not import hooks, so it has their names of its own."""
    assert set(EVENT_NAMES.items()) <= set(EVENT_WORDS.items())
    assert set(python_bots.HOOKS) == {hook for hook in HOOKS if hook.startswith("on_")}
    assert python_bots.HOOK_MARK == IMPLEMENTATION_MARK
