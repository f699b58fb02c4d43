"""Asks a model over HTTP, in the words of the chat completions API.

Source: OpenAI API reference, "Create chat completion":
https://developers.openai.com/api/reference/python/resources/chat/subresources/completions/methods/create
``POST {base}/chat/completions`` with ``model``, ``messages`` (``role``, ``content``) and, if set,
``temperature`` and ``seed``; the key goes as ``Authorization: Bearer``. Nothing else is sent: no
tools, no stream. Retry-After is RFC 9110, section 10.2.3.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import trio

from botkit.connectors.http.bodies import read_body
from botkit.connectors.http.patience import retry_after
from botkit.errors import RemoteProtocolError
from botkit.persona.completion import Completion, ModelError, error_code, read_completion
from botkit.persona.conversation import Prompt
from botkit.persona.settings import Settings

__all__ = ["Endpoint", "Patience"]

MAX_BYTES = 1_000_000
"""Of a reply; a line of chat is far from it."""

FOR_GOOD = frozenset({"insufficient_quota"})
"""Answers of status 429 that no waiting mends."""

ADVICE: Mapping[int, str] = {
    400: "it does not accept the request: is the model's name right, does it take temperature and"
    " seed, and is the conversation short enough for it?",
    401: "it does not accept the key: set key, or BOTKIT_LLM_KEY",
    403: "the key may not use this model",
    404: "there is nothing at this URL, or no such model: look at url and model",
    429: "it is asked too often, or the quota is used up: ask less often or look at the account",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How an endpoint that is busy or away is asked again.

    Attributes:
        attempts: how often it is asked for one line.
        first_pause: seconds before the second attempt; each later pause is twice as long.
        longest_pause: seconds; an endpoint that asks for more is given up at once.
    """

    attempts: int = 4
    first_pause: float = 0.5
    longest_pause: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    """Why an attempt gave no line, and how long the endpoint asks to wait."""

    why: str
    again: bool = True
    wait: float | None = None


class Endpoint:
    """Asks one model; whoever makes it closes the client.

    Args:
        client: without a timeout of its own.
        rng: spreads the attempts of many chats.
    """

    __slots__ = ("_client", "_patience", "_rng", "_settings", "_url")

    def __init__(
        self,
        settings: Settings,
        client: httpx.AsyncClient,
        *,
        patience: Patience,
        rng: random.Random,
    ) -> None:
        self._settings = settings
        self._client = client
        self._patience = patience
        self._rng = rng
        self._url = f"{settings.url}/chat/completions"

    async def complete(self, prompt: Prompt) -> Completion:
        """Have the model write.

        Raises:
            ModelError: it did not, whatever the cause; with the URL and without the key.
        """
        attempt = 0
        while isinstance(answer := await self._ask(prompt), _Trouble):
            attempt += 1
            pause = self._pause(attempt) if answer.wait is None else answer.wait
            if (why := self._why_give_up(answer, attempt, pause)) is not None:
                tries = f" ({attempt} attempts)" if attempt > 1 else ""
                raise ModelError(f"POST {self._url}: {why}{tries}")
            await trio.sleep(pause)
        return read_completion(answer)

    def _why_give_up(self, trouble: _Trouble, attempt: int, pause: float) -> str | None:
        """Tell what is wrong, if it is not to be tried again."""
        if not trouble.again or attempt >= self._patience.attempts:
            return trouble.why
        if pause > self._patience.longest_pause:
            return f"{trouble.why}; it asks to wait for {pause:.0f} s"
        return None

    async def _ask(self, prompt: Prompt) -> bytes | _Trouble:
        """Ask once; gives the body of an answer that is one."""
        within = self._settings.model_within
        with trio.move_on_after(within):
            try:
                return await self._send(prompt)
            except (httpx.TransportError, httpx.StreamError, OSError) as error:
                again = not isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError)
                # What it says may have the request's headers in it.
                return _Trouble(
                    why=f"{type(error).__name__}: is it there, and running?", again=again
                )
        return _Trouble(
            why=f"no answer within {within:g} s: raise model_within or use a faster model"
        )

    async def _send(self, prompt: Prompt) -> bytes | _Trouble:
        settings = self._settings
        body: dict[str, Any] = {"model": settings.model, "messages": list(prompt.messages)}
        if settings.temperature is not None:
            body["temperature"] = settings.temperature
        if settings.seed is not None:
            body["seed"] = settings.seed
        # The body is read as it was sent.
        headers = {"Accept-Encoding": "identity"}
        if settings.key:
            headers["Authorization"] = f"Bearer {settings.key}"
        request = self._client.build_request("POST", self._url, json=body, headers=headers)
        answer = await self._client.send(request, stream=True)
        try:
            content = await read_body(answer, MAX_BYTES)
        except RemoteProtocolError as error:
            return _Trouble(why=str(error), again=False)
        return content if answer.status_code == 200 else self._refusal(answer, content)

    def _refusal(self, answer: httpx.Response, content: bytes) -> _Trouble:
        status, code = answer.status_code, error_code(content)
        if self._settings.key and self._settings.key in code:
            code = ""
        why = f"the endpoint answered {status}{f' {code}' if code else ''}"
        advice = ADVICE.get(status, "look at its log" if status >= 500 else "is its URL right?")
        again = (status == 429 and code not in FOR_GOOD) or status >= 500
        return _Trouble(why=f"{why}: {advice}", again=again, wait=retry_after(answer.headers))

    def _pause(self, attempt: int) -> float:
        longest = self._patience.first_pause * 2.0 ** (attempt - 1)
        return min(longest, self._patience.longest_pause) * self._rng.uniform(0.5, 1.0)
