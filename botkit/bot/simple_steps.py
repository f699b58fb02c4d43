"""Steps that are their model in other words, and the one line that evidence shows of a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from botkit.bot import script
from botkit.bot import step_models as models
from botkit.bot.matchers import PlainValue
from botkit.bot.script import Step
from botkit.bot.source import Items, Node, find, plain

SHOWN = 120
"""Characters of a step that evidence shows."""


def summary(verb: str, value: Node) -> str:
    """Say a step in one line, as its author wrote it."""
    if verb == "choose":
        return f"choose: one of {len(value.items) if isinstance(value, Items) else 0}"
    if verb == "repeat":
        return f"repeat: {plain(find(value, ('times',)))} times"
    text = " ".join(_flow(plain(value)).split())
    text = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    return f"{verb}: {text}" if text else verb


def _flow(value: PlainValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_quoted(item)}' for key, item in value.items())}}}"
    return f"[{', '.join(_quoted(item) for item in value)}]"


def _quoted(value: PlainValue) -> str:
    """Put a text in quotes if it might be taken for something else."""
    text = _flow(value)
    return f"'{text}'" if isinstance(value, str) and not value.replace(" ", "").isalnum() else text


# --- steps that are their model in other words ---------------------------------------------------

_Make = Callable[[Any, dict[str, Any]], Step]


def _say(model: models.SayModel, base: dict[str, Any]) -> Step:
    line = model.say
    if line.button:
        return script.Press(**base, button=line.text, typing=model.typing)
    if line.buttons:
        return script.Offer(**base, line=line.text, buttons=line.buttons, typing=model.typing)
    return script.Say(**base, line=line.text, typing=model.typing)


def _wait_for(model: models.WaitForModel, base: dict[str, Any]) -> Step:
    return script.WaitFor(
        **base, kind=model.wait_for, within=model.within, slow_after=model.slow_after
    )


def _expect_nothing(model: models.ExpectNothingModel, base: dict[str, Any]) -> Step:
    return script.ExpectNothing(**base, duration=model.expect_nothing, matching=model.matching)


def _expect_userdata(model: models.ExpectUserdataModel, base: dict[str, Any]) -> Step:
    return script.ExpectUserdata(
        **base,
        matchers=MappingProxyType(model.expect_userdata),
        within=model.within,
        slow_after=model.slow_after,
    )


def _expect_restored(model: models.ExpectRestoredModel, base: dict[str, Any]) -> Step:
    wanted = model.expect_restored
    return script.ExpectRestored(
        **base,
        outcome=wanted.outcome,
        same_chat=wanted.same_chat is not False,
        same_agent=wanted.same_agent is True,
        whole_history=wanted.history is not None,
        code=wanted.code,
        within=model.within,
    )


def _finish(model: models.FinishModel, base: dict[str, Any]) -> Step:
    return script.Finish(**base, verdict=model.finish, because=model.because)


SIMPLE_STEPS: Mapping[str, _Make] = MappingProxyType(
    {
        "leave": lambda _, base: script.Leave(**base),
        "say": _say,
        "show_typing": lambda m, base: script.ShowTyping(**base, duration=m.show_typing),
        "send_notice": lambda m, base: script.SendNotice(**base, notice=m.send_notice),
        "push_url": lambda m, base: script.PushUrl(**base, url=m.push_url),
        "set_userdata": lambda m, base: script.SetUserdata(
            **base, values=MappingProxyType(m.set_userdata)
        ),
        "delete_userdata": lambda m, base: script.DeleteUserdata(**base, key=m.delete_userdata),
        "wait_for": _wait_for,
        "expect_nothing": _expect_nothing,
        "expect_userdata": _expect_userdata,
        "reload": lambda m, base: script.Reload(**base, away_for=m.reload.away_for),
        "expect_restored": _expect_restored,
        "pause": lambda m, base: script.Pause(**base, duration=m.pause),
        "note": lambda m, base: script.Note(**base, note=m.note),
        "finish": _finish,
    }
)
