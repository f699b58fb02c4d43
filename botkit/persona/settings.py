"""What an author says about a persona, in ``with`` and in the environment."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botkit.bot.fields import parse_time
from botkit.errors import ConfigError

__all__ = ["Settings", "read_settings"]

ENVIRONMENT = {
    "url": "BOTKIT_LLM_URL",
    "model": "BOTKIT_LLM_MODEL",
    "key": "BOTKIT_LLM_KEY",
    "replay": "BOTKIT_LLM_REPLAY",
}
"""Where a setting comes from that the bot does not have."""

_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_KEY = re.compile(r"[!-~]*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One persona.

    Attributes:
        persona: who the customer is.
        goal: what they want of this chat.
        url: of the endpoint, without ``/chat/completions``; empty if it is not asked.
        model: the name it knows its model by.
        key: sent as a bearer token; shown nowhere.
        begins: who speaks first: ``agent`` (it waits for a line that the customer has not answered)
            or ``customer`` (at once, whatever was said).
        turns: lines that it may write.
        tokens: that it may use up, as the endpoint counts; None is no bound.
        cost: that it may run up, in the currency of the prices; None is no bound.
        price_in, price_out: of a million tokens read and written.
        characters: of one line; more is cut off.
        temperature, seed: handed to the model; None leaves them to the endpoint.
        settle: seconds without another line after which an agent has had their say.
        reply_within: seconds that it waits for an agent.
        model_within: seconds that the endpoint may take for one attempt.
        record: the file that the run is recorded in; None names it after the journey.
        replay: a recording to take the lines from, instead of the model.
        drift: what becomes of a replay that goes another way: ``error`` or ``go_on``.
    """

    persona: str
    goal: str
    url: str = ""
    model: str = ""
    key: str = field(default="", repr=False)
    begins: str = "agent"
    turns: int = 6
    tokens: int | None = None
    cost: float | None = None
    price_in: float | None = None
    price_out: float | None = None
    characters: int = 500
    temperature: float | None = None
    seed: int | None = None
    settle: float = 1.0
    reply_within: float = 30.0
    model_within: float = 30.0
    record: Path | None = None
    replay: Path | None = None
    drift: str = "error"


def read_settings(arguments: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
    """Read what stands under ``with``, and in the environment what does not.

    Raises:
        ConfigError: naming the setting, and never its value if that is the key.
    """
    given = {name: text.strip() for name, text in arguments.items()}
    for name, variable in ENVIRONMENT.items():
        given.setdefault(name, environ.get(variable, "").strip())
    values = {name: _read(name, text) for name, text in given.items() if text or name in arguments}
    for name in ("persona", "goal"):
        if name not in values:
            raise _wrong(name, "is missing: write it under with")
    settings = Settings(**values)
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    """Refuse what does not go together."""
    if settings.cost is not None and (settings.price_in is None or settings.price_out is None):
        raise _wrong("cost", "needs price_in and price_out, the prices of a million tokens")
    if settings.replay is not None:
        return
    for name in ("url", "model"):
        if not getattr(settings, name):
            raise _wrong(name, f"is missing: write it under with, or set {ENVIRONMENT[name]}")


def _read(name: str, text: str) -> Any:
    reader = READERS.get(name)
    if reader is None:
        close = difflib.get_close_matches(name, READERS, n=1)
        raise _wrong(name, f"is no setting{f'; did you mean {close[0]!r}?' if close else ''}")
    try:
        return reader(text)
    except ValueError as error:
        raise _wrong(name, str(error)) from None


def _wrong(name: str, why: str) -> ConfigError:
    return ConfigError(f"persona: {name} {why}", key=name)


# --- kinds of settings ---------------------------------------------------------------------------


def _text(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return text


def _url(text: str) -> str:
    if not re.match(r"https?://[^/?#@\s]+(/[^?#\s]*)?\Z", text):
        # A URL that is refused may have a password in it.
        raise ValueError("is no address like https://llm.example/v1 (user and key go elsewhere)")
    return text.rstrip("/")


def _key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise ValueError("has characters in it that no key has")
    return text


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,8}", text, re.ASCII):
        raise ValueError(f"is a whole number from 1 on, not {text!r}")
    return int(text)


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        raise ValueError(f"is a whole number, not {text!r}")
    return int(text)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"is a number like 0.5, not {text!r}")
    return float(text)


def _time(text: str) -> float:
    try:
        return parse_time(text)
    except ValueError as error:
        raise ValueError(f"is a time: {error}") from None


def _path(text: str) -> Path:
    return Path(_text(text))


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"is {' or '.join(words)}, not {text!r}")
        return text

    return read


READERS: Mapping[str, Callable[[str], Any]] = {
    "persona": _text,
    "goal": _text,
    "url": _url,
    "model": _text,
    "key": _key,
    "begins": _one_of("agent", "customer"),
    "turns": _count,
    "tokens": _count,
    "cost": _number,
    "price_in": _number,
    "price_out": _number,
    "characters": _count,
    "temperature": _number,
    "seed": _whole,
    "settle": _time,
    "reply_within": _time,
    "model_within": _time,
    "record": _path,
    "replay": _path,
    "drift": _one_of("error", "go_on"),
}
