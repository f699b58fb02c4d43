"""Opens and reads cases of a CRM in the middle of a chat: what was promised must be there.

The action ``crm_case`` speaks plain JSON over HTTP. With ``id`` it reads a case, without it opens
one, and what it was asked for becomes a variable::

    - call: crm_case
      with: {url: "${env.CRM_URL}/cases", token: "${secret.CRM_TOKEN}", subject: Bill, tier: gold}
      as: case
    - call: crm_case
      with: {url: "${env.CRM_URL}/cases", token: "${secret.CRM_TOKEN}", id: "${case}", give: status}
      as: status

Whatever else stands in ``with`` is sent as a member of the new case. A CRM that is busy or away is
asked again, with the same ``Idempotency-Key``, so that it opens one case and not two.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import trio

from botkit import BotkitError, hookimpl
from botkit.hookspecs import Register
from botkit.interfaces import Action, ActionContext

if TYPE_CHECKING:
    import httpx

AGAIN = frozenset({429, 500, 502, 503, 504})
"""Answers that may be better the next time."""


class CrmError(BotkitError):
    """The CRM did not do what it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmCase:
    """The action; its defaults are those that bots get.

    Attributes:
        attempts: how often the CRM is asked before the step breaks.
        first_pause: seconds before the second attempt; each later pause is twice as long.
        longest_pause: seconds; a CRM that asks for more patience is given up at once.
        patience: seconds that one attempt may take.
        rng: spreads the attempts of many chats.
    """

    attempts: int = 4
    first_pause: float = 0.5
    longest_pause: float = 10.0
    patience: float = 10.0
    rng: random.Random = field(default_factory=random.Random)

    async def __call__(
        self,
        context: ActionContext,
        /,
        *,
        url: str,
        token: str = "",
        id: str = "",
        give: str = "id",
        **members: str,
    ) -> str:
        """Open a case, or read the one that ``id`` names.

        Args:
            context: of the journey; not needed.
            url: of the collection of cases, such as ``https://crm.example/api/cases``.
            token: sent as a bearer token. Write it as ``${secret.NAME}``, and it is shown nowhere.
            id: of the case to read.
            give: the member of the case that is wanted.
            members: of the case to open.

        Raises:
            CrmError: with the URL, without what is secret in it.
        """
        # Imported when it is used: every command loads this plugin.
        import httpx

        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            address = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise CrmError(f"the url of the CRM is none: {error}") from None
        if id:
            address = address.copy_with(path=f"{address.path.rstrip('/')}/{quote(id, safe='')}")
            request = httpx.Request("GET", address, headers=headers)
        else:
            headers["Idempotency-Key"] = str(uuid.uuid4())
            request = httpx.Request("POST", address, headers=headers, json=members)
        # What one attempt may take is decided below, for all its parts together.
        async with httpx.AsyncClient(timeout=None) as client:
            answer = await self._ask(client, request)
        return member_of(answer, give)

    async def _ask(self, client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
        """Send the request until it is answered for good."""
        for attempt in range(self.attempts):
            trouble, answer = await self._ask_once(client, request)
            if answer is not None and answer.is_success:
                return answer
            if answer is not None and answer.status_code not in AGAIN:
                break
            pause = self.pause(attempt, {} if answer is None else answer.headers)
            if pause > self.longest_pause:
                trouble = f"{trouble} and asks to wait for {pause:.0f} s"
                break
            if attempt + 1 < self.attempts:
                await trio.sleep(pause)
        tries = f" ({attempt + 1} attempts)" if attempt else ""
        raise CrmError(f"{request.method} {shown(request.url)}: {trouble}{tries}")

    async def _ask_once(
        self, client: httpx.AsyncClient, request: httpx.Request
    ) -> tuple[str, httpx.Response | None]:
        """Send the request; give what is wrong with the answer, and the answer if there is one."""
        import httpx

        with trio.move_on_after(self.patience):
            try:
                answer = await client.send(request)
            except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
                return f"{type(error).__name__}: {error}".removesuffix(": "), None
            except httpx.HTTPError as error:
                # It would go wrong again, and what it says may have the token in it.
                raise CrmError(f"{shown(request.url)}: {type(error).__name__}") from None
            return f"the CRM answered {answer.status_code} {answer.reason_phrase}", answer
        return f"no answer within {self.patience:g} s", None

    def pause(self, attempt: int, headers: Mapping[str, str]) -> float:
        """Tell how many seconds to wait after a failure: what the CRM asks for, or a backoff."""
        asked = retry_after(headers)
        if asked is not None:
            return asked
        longest = min(self.first_pause * 2.0**attempt, self.longest_pause)
        return longest * self.rng.uniform(0.5, 1.0)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds a server asks to wait; None if it does not say, or not in HTTP's words.

    Source: RFC 9110, section 10.2.3. A date is measured against the server's own ``Date``.
    """
    asked = headers.get("Retry-After", "")
    if asked.isdecimal():
        return float(asked)
    try:
        now = parsedate_to_datetime(headers["Date"])
        return max((parsedate_to_datetime(asked) - now).total_seconds(), 0.0)
    except (KeyError, ValueError, TypeError):
        return None


def member_of(answer: httpx.Response, name: str) -> str:
    """Take a member out of a case.

    Raises:
        CrmError: the answer is no case, or has no such member.
    """
    where = f"{answer.request.method} {shown(answer.request.url)}"
    try:
        case = answer.json()
    except ValueError:
        raise CrmError(f"{where}: the CRM answered with something that is not JSON") from None
    if not isinstance(case, dict) or not isinstance(case.get(name), str | int | float):
        raise CrmError(f"{where}: the answer has no text or number called {name!r}")
    return str(case[name])


def shown(url: httpx.URL) -> str:
    """Write a URL without user, password and query, which may be secret."""
    return str(url.copy_with(userinfo=b"", query=None))


@hookimpl
def register_actions(register: Register[Action]) -> None:
    register("crm_case", CrmCase())
