"""The reply of an OpenAI-compatible endpoint, and what is wrong with it. Pure.

Source: OpenAI API reference, "Create chat completion" (``POST /chat/completions``), the objects
ChatCompletion, Choice, ChatCompletionMessage and CompletionUsage:
https://developers.openai.com/api/reference/python/resources/chat/subresources/completions/methods/create
That failures are ``{"error": {"message", "type", "param", "code"}}`` is taken from the same
service; compatible servers differ, so nothing depends on it but the wording.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from botkit.errors import BotkitError

__all__ = ["Completion", "ModelError", "Usage", "error_code", "read_completion"]

MOST_TOKENS = 10**9
"""More than that nobody counts for one line."""

_WORD = re.compile(r"[A-Za-z][A-Za-z_ -]{0,59}", re.ASCII)


class ModelError(BotkitError):
    """The model wrote no line; says what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens, as the endpoint counts them: ``prompt_tokens`` and ``completion_tokens``."""

    read: int
    written: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What the model wrote.

    Attributes:
        text: never empty.
        model: what the endpoint says that it was; may be more exact than what was asked for.
        usage: None if the endpoint does not tell.
        finish: why it stopped writing, in the endpoint's words: ``stop``, ``length``.
    """

    text: str
    model: str = ""
    usage: Usage | None = None
    finish: str = ""


def read_completion(body: bytes) -> Completion:
    """Read the body of a reply of status 200.

    Raises:
        ModelError: it is none, or the model wrote nothing.
    """
    document = _object(_json(body))
    choices = document.get("choices")
    if not isinstance(choices, list) or not choices:
        code = error_code(body)
        raise ModelError(
            f"the endpoint answered with something that is no chat completion"
            f"{f' ({code})' if code else ''}: does its URL end before /chat/completions, and does"
            " it speak that API?"
        )
    choice = _object(choices[0])
    message = _object(choice.get("message"))
    finish = choice.get("finish_reason")
    finish = finish if isinstance(finish, str) else ""
    if isinstance(message.get("refusal"), str) and message["refusal"]:
        raise ModelError(
            "the model refused to write the line: word persona and goal so that it is plain that"
            " this is a test, or use another model"
        )
    if finish == "content_filter":
        raise ModelError(
            "the endpoint filtered the line out: word persona and goal otherwise, or look at what"
            " the agent said"
        )
    text = message.get("content")
    if not isinstance(text, str) or not text.strip():
        raise ModelError(f"the model wrote nothing{_why_nothing(finish)}")
    model = document.get("model")
    return Completion(
        text=text,
        model=model if isinstance(model, str) else "",
        usage=_usage(document.get("usage")),
        finish=finish,
    )


def error_code(body: bytes) -> str:
    """Give the word that an endpoint has for a failure; empty if it has none.

    Its message is left alone: such texts quote what was sent, keys among it.
    """
    try:
        error = _object(_object(json.loads(body)).get("error"))
    except (ValueError, RecursionError):
        return ""
    words = (error.get("code"), error.get("type"))
    return next((w for w in words if isinstance(w, str) and _WORD.fullmatch(w)), "")


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ModelError(
            "the endpoint answered with something that is not JSON: is its URL right?"
        ) from None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _usage(value: Any) -> Usage | None:
    usage = _object(value)
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
    match [n for n in counts if type(n) is int and 0 <= n <= MOST_TOKENS]:
        case [read, written]:
            return Usage(read=read, written=written)
    return None


def _why_nothing(finish: str) -> str:
    if finish == "length":
        return ": it ran out of tokens before its first word; raise the endpoint's limit"
    if finish in ("tool_calls", "function_call"):
        return ": it called a tool, and it was offered none; use a model that answers in text"
    return "; try again, or use another model"
