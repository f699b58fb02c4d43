"""What people do on the page: sign in, play a journey now, begin and end maintenances.

Plain forms, so they work without scripts. Each is answered with the page that it was sent from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from botkit.monitor.contract import Controls
from botkit.monitor.web import actions
from botkit.monitor.web.access import SIGNED_IN, Keys
from botkit.monitor.web.gate import ACCESS
from botkit.monitor.web.rendering import Rendering

ALL = ""
"""In a form: all monitors."""


class Forms:
    """Does what forms ask, once they have shown who sent them."""

    def __init__(
        self,
        controls: Controls,
        rendering: Rendering,
        keys: Keys | None,
        now: Callable[[], float],
    ) -> None:
        self._controls, self._rendering, self._keys, self._now = controls, rendering, keys, now

    def routes(self) -> list[Route]:
        """Give the addresses of the forms."""
        return [
            Route("/login", self._show_login),
            Route("/login", self._sign_in, methods=["POST"]),
            Route("/logout", self._sign_out, methods=["POST"]),
            Route("/actions/run", self._run, methods=["POST"]),
            Route("/actions/maintenance", self._begin, methods=["POST"]),
            Route("/actions/maintenance/end", self._end, methods=["POST"]),
        ]

    async def _show_login(self, _: Request) -> Response:
        return self._login_page()

    async def _sign_in(self, request: Request) -> Response:
        form = await actions.read_form(request)
        if self._keys is None or not self._keys.is_token(form.get("token", "")):
            return self._login_page(wrong=True)
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(
            self._keys.cookie_name,
            self._keys.new_cookie(self._now()),
            max_age=SIGNED_IN,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    def _login_page(self, *, wrong: bool = False) -> Response:
        members = {"wrong": wrong, "possible": self._keys is not None}
        return self._rendering.page("login.html", members, 403 if wrong else 200)

    async def _sign_out(self, request: Request) -> Response:
        _, keys = await self._read(request)
        answer = RedirectResponse("/", status_code=303)
        answer.delete_cookie(keys.cookie_name, httponly=True, samesite="strict")
        return answer

    async def _run(self, request: Request) -> Response:
        form, _ = await self._read(request)
        actions.run_now(self._controls, form.get("monitor", ""))
        return _back(form)

    async def _begin(self, request: Request) -> Response:
        form, _ = await self._read(request)
        members: dict[str, object] = {**form, "monitor": _whom(form)}
        actions.begin_maintenance(self._controls, members, self._now())
        return _back(form)

    async def _end(self, request: Request) -> Response:
        form, _ = await self._read(request)
        actions.end_maintenance(self._controls, _whom(form))
        return _back(form)

    async def _read(self, request: Request) -> tuple[Mapping[str, str], Keys]:
        """Read a form of somebody who is signed in, sent from a page of ours."""
        form, cookie = await actions.read_form(request), request.scope[ACCESS].cookie
        if self._keys is None or cookie is None:
            raise HTTPException(403, "Sign in first.")
        if not self._keys.is_proof(form.get("proof", ""), cookie):
            raise HTTPException(403, "The form is too old; load the page again.")
        return form, self._keys


def _whom(form: Mapping[str, str]) -> str | None:
    name = form.get("monitor", ALL)
    return None if name == ALL else name


def _back(form: Mapping[str, str]) -> Response:
    """Go back to the page that the form was on: a path of ours, whatever the form says."""
    path = form.get("back", "/")
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return RedirectResponse(path if ours else "/", status_code=303)
