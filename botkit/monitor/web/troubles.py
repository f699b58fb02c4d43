"""Answers where there is nothing to show: a sentence, on a page for people, else in JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from botkit.errors import HistoryError
from botkit.monitor.web.rendering import Rendering

NOT_FOUND = "There is no such page."

Handler = Callable[[Request, Exception], Awaitable[Response]]


class Troubles:
    """Says what keeps a request from its answer."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering

    def handlers(self) -> Mapping[type[Exception], Handler]:
        """Say what is answered to which exception."""
        return {HTTPException: self._refused, HistoryError: self._no_history}

    async def _refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        # Starlette's own word for what it finds nothing at.
        sentence = NOT_FOUND if error.detail == "Not Found" else error.detail
        return self._answer(request, error.status_code, sentence, error.headers)

    async def _no_history(self, request: Request, error: Exception) -> Response:
        return self._answer(request, 503, f"The history does not answer: {error}")

    def _answer(
        self, request: Request, status: int, sentence: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": sentence}, status_code=status, headers=headers)
        page = self._rendering.page("trouble.html", {"sentence": sentence}, status)
        page.headers.update(headers or {})
        return page
