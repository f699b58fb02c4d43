"""An endpoint that speaks the chat completions API, over sockets, and fails when it is told to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import trio

from botkit.simulator.http import Reply, Request
from botkit.simulator.server import serve_http

KEY = "sk-top-s3cret"
LIMIT = 30.0
"""Seconds that a test may take; on the real clock, and far more than it needs."""


def completion(content: str | None, *, finish: str = "stop", **members: Any) -> Reply:
    """The reply of a model, as the API reference shows it."""
    document = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "test-model-2",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": content, "refusal": None},
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        **members,
    }
    body = json.dumps({name: value for name, value in document.items() if value is not None})
    return Reply(headers=(("Content-Type", "application/json"),), body=body.encode())


def failure(status: int, *, code: str | None = None, wait: str | None = None) -> Reply:
    """A refusal; its message quotes the key, as real ones do."""
    error = {"message": f"Incorrect API key: {KEY}", "type": "some_error", "code": code}
    headers = (("Retry-After", wait),) if wait is not None else ()
    return Reply(status=status, headers=headers, body=json.dumps({"error": error}).encode())


class Model:
    """Answers with what was queued, then says goodbye; keeps what it was asked.

    Attributes:
        url: of the endpoint, as an author writes it.
        scope: cancel it to switch the endpoint off.
    """

    def __init__(self) -> None:
        self.queued: list[Reply] = []
        self.asked: list[Request] = []
        self.silent = False
        self.url = ""
        self.scope = trio.CancelScope()

    def says(self, *lines: str) -> None:
        self.queued += map(completion, lines)

    async def answer(self, request: Request) -> Reply:
        await trio.lowlevel.checkpoint()
        self.asked.append(request)
        if self.silent:
            await trio.sleep_forever()
        return self.queued.pop(0) if self.queued else completion("Goodbye [END]")

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.body) for request in self.asked]

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/v1"
        with self.scope:
            await serve_http(self.answer, listeners, task_status=task_status)


@pytest.fixture
async def model(nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Model]:
    """An endpoint that the environment names, with its key."""
    nursery.cancel_scope.deadline = trio.current_time() + LIMIT
    model = Model()
    await nursery.start(model.run)
    monkeypatch.setenv("BOTKIT_LLM_URL", model.url)
    monkeypatch.setenv("BOTKIT_LLM_MODEL", "test-model")
    monkeypatch.setenv("BOTKIT_LLM_KEY", KEY)
    yield model
    nursery.cancel_scope.cancel()


@pytest.fixture
def replies() -> dict[str, Callable[..., Reply]]:
    return {"completion": completion, "failure": failure}
