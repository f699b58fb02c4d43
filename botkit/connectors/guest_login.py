"""The JWT of an authenticated session: where it comes from, and how it is renewed.

Source: official Kotlin SDK, ``AuthHandler`` and ``WebMessagingApi``.
"""

from __future__ import annotations

from botkit.bayeux.messages import JSON
from botkit.connectors.guest_options import Endpoints, GuestOptions
from botkit.connectors.guest_web import GuestWeb
from botkit.errors import ChatError, RemoteProtocolError
from botkit.genesys.web_members import as_object, read_text

__all__ = ["GuestLogin"]

RENEWALS = 3
"""How often a JWT that does not count any more is renewed before the service is believed."""


class GuestLogin:
    """Signs one customer in.

    Args:
        refresh_token: of an earlier process that had this session.

    Attributes:
        refresh_token: the latest; empty if the service gave none.
    """

    __slots__ = ("_endpoints", "_jwt", "_options", "_renewals", "_web", "refresh_token")

    def __init__(
        self, web: GuestWeb, endpoints: Endpoints, options: GuestOptions, refresh_token: str = ""
    ) -> None:
        self.refresh_token = refresh_token
        self._web = web
        self._endpoints = endpoints
        self._options = options
        self._jwt = options.jwt
        self._renewals = 0

    async def jwt(self) -> str:
        """Give the JWT; exchange for it what proves who the customer is, the first time.

        Raises:
            ChatError: the service refused.
            ConnectorError, RemoteProtocolError: it could not be asked, or talks nonsense.
        """
        if not self._jwt:
            if self.refresh_token:
                await self._ask(self._endpoints.refresh, {"refreshToken": self.refresh_token})
            else:
                await self._ask(self._endpoints.exchange, self._proof())
        return self._jwt

    async def renew(self, refusal: ChatError) -> None:
        """Get another JWT, for this one does not count any more; errors as :meth:`jwt`.

        Args:
            refusal: told on if there is no way to get one, or if that did not help before.
        """
        self._renewals += 1
        if self._renewals > RENEWALS or not self.refresh_token:
            raise ChatError(refusal.code, refusal.description)
        await self._ask(self._endpoints.refresh, {"refreshToken": self.refresh_token})

    def worked(self) -> None:
        """Take note that the service took the JWT."""
        self._renewals = 0

    def _proof(self) -> JSON:
        options = self._options
        members = (
            {"idToken": options.id_token, "nonce": options.nonce}
            if options.id_token
            else {
                "code": options.auth_code,
                "redirectUri": options.redirect_uri,
                "codeVerifier": options.code_verifier,
            }
        )
        proof: dict[str, JSON] = {name: value for name, value in members.items() if value}
        return {"deploymentId": self._endpoints.deployment_id, "oauth": proof}

    async def _ask(self, url: str, value: JSON) -> None:
        answer = as_object(await self._web.post_json(url, value), "the answer to a sign-in")
        jwt = read_text(answer, "jwt")
        if not jwt:
            raise RemoteProtocolError("the answer to a sign-in has no jwt")
        self._jwt = jwt
        self.refresh_token = read_text(answer, "refreshToken") or self.refresh_token
