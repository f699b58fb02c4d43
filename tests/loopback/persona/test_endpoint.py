"""The endpoint by itself: what is tried again, and how its failures read."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from botkit.persona.completion import Completion, ModelError
from botkit.persona.conversation import prompt_for
from botkit.persona.endpoint import Endpoint, Patience
from botkit.persona.settings import Settings
from botkit.simulator.http import Reply

KEY = "sk-top-s3cret"
Replies = dict[str, Callable[..., Reply]]


async def ask(url: str, *, within: float = 5.0, **patience: Any) -> Completion:
    """Ask for a line, quick to try again."""
    settings = Settings(
        persona="Ada", goal="a refund", url=url, model="m", key=KEY, model_within=within
    )
    async with httpx.AsyncClient(timeout=None) as client:
        endpoint = Endpoint(
            settings,
            client,
            patience=Patience(first_pause=0.001, **patience),
            rng=random.Random(1),
        )
        return await endpoint.complete(prompt_for(settings, (), str))


async def test_the_reply(model: Any, replies: Replies) -> None:
    model.queued = [replies["completion"]("Hello", usage={"prompt_tokens": True})]
    assert await ask(model.url) == Completion(text="Hello", model="test-model-2", finish="stop")


@pytest.mark.parametrize(
    "trouble",
    [
        Reply(status=500),
        Reply(status=503, body=b"[1"),
        Reply(abort=True),
        Reply(body=b"{}", truncate_to=1),
    ],
)
async def test_trouble_passes(model: Any, replies: Replies, trouble: Reply) -> None:
    model.queued = [trouble, trouble, replies["completion"]("Hello")]
    assert (await ask(model.url)).text == "Hello"
    assert len(model.asked) == 3


async def test_lasting_trouble(model: Any, replies: Replies) -> None:
    model.queued = [replies["failure"](503)] * 9
    told = (
        r"^POST http://\S+/v1/chat/completions: .* 503 some_error: look at its log \(4 attempts\)"
    )
    with pytest.raises(ModelError, match=told):
        await ask(model.url)
    assert len(model.asked) == 4


async def test_no_answer(model: Any) -> None:
    model.silent = True
    with pytest.raises(ModelError, match=r"no answer within 0.05 s: raise .* \(2 attempts\)"):
        await ask(model.url, within=0.05, attempts=2)


async def test_nobody_there(model: Any) -> None:
    model.scope.cancel()
    with pytest.raises(ModelError, match=r"ConnectError: is it there, and running\? \(4 attempts"):
        await ask(model.url)


async def test_a_connection_that_breaks_in_the_middle(model: Any) -> None:
    model.queued = [Reply(body=b"{" * 100, truncate_to=50)] * 2
    with pytest.raises(ModelError, match=r"RemoteProtocolError: .* \(2 attempts\)"):
        await ask(model.url, attempts=2)


async def test_waiting_as_long_as_the_endpoint_asks(model: Any, replies: Replies) -> None:
    model.queued = [replies["failure"](429, wait="2")]
    with pytest.raises(ModelError, match="it asks to wait for 2 s"):
        await ask(model.url, longest_pause=1.0)
    assert len(model.asked) == 1
