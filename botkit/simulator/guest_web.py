"""What guests ask for over HTTP: the upgrade, the deployment, history, files, tokens.

All of it is served by one host here, as the SDKs of Genesys Cloud expect of an endpoint of one's
own; the real service has one each for sockets, the API and the configuration.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import orjson
import trio

from botkit.bayeux.messages import JSON
from botkit.simulator.door import BROKEN, HTML_PAGE
from botkit.simulator.faults import GUEST_HTTP, Fault, Faults, Point
from botkit.simulator.guest_desk import GuestDesk
from botkit.simulator.guest_door import GuestDoor
from botkit.simulator.guest_file_desk import GuestFileDesk
from botkit.simulator.guest_files import DOWNLOAD_PATH, UPLOAD_PATH, GuestFiles
from botkit.simulator.guest_settings import AtChatEnd, GuestSettings
from botkit.simulator.guest_tokens import GuestTokens, Use
from botkit.simulator.guest_wire import Code, GuestError, mapping, text_in
from botkit.simulator.http import Reply, Request

__all__ = ["GuestWeb"]

log = logging.getLogger(__name__)

SOCKET_PATH = "/v1"
CONFIG_PREFIX, CONFIG_SUFFIX = "/webdeployments/v1/deployments/", "/config.json"
HISTORY_PATH = "/api/v2/webmessaging/messages"
TOKEN_PATH = "/api/v2/webdeployments/token/"
EXCHANGE_PATH = f"{TOKEN_PATH}oauthcodegrantjwtexchange"
REFRESH_PATH = f"{TOKEN_PATH}refresh"
REVOKE_PATH = f"{TOKEN_PATH}revoke"
PAGE_SIZE = 25
"""What the Kotlin SDK asks for; the real default is not public."""
MAX_PAGE_SIZE = 500
MAX_DIGITS = 6

Answer = Callable[[Request], Reply]


class GuestWeb:
    """Answers the HTTP requests of guests.

    Args:
        desk: knows the sessions.
        door: serves the sockets.
        files: awaits uploads.
        file_desk: takes them.
        tokens: of guests and of those who have signed in.
        settings: what a deployment allows.
        faults: what goes wrong.
        clock: the loop's clock.
    """

    def __init__(
        self,
        *,
        desk: GuestDesk,
        door: GuestDoor,
        files: GuestFiles,
        file_desk: GuestFileDesk,
        tokens: GuestTokens,
        settings: GuestSettings,
        faults: Faults,
        clock: Callable[[], float],
    ) -> None:
        self._desk = desk
        self._door = door
        self._files = files
        self._file_desk = file_desk
        self._tokens = tokens
        self._settings = settings
        self._faults = faults
        self._clock = clock

    def find(self, path: str) -> tuple[str, Mapping[str, Answer]] | None:
        """Find what answers a path: the word of faults for it, and what to do by method."""
        if path == SOCKET_PATH:
            return "upgrade", {"GET": self._upgrade}
        if deployment_in(path) is not None:
            return "config", {"GET": self._config}
        if path == HISTORY_PATH:
            return "history", {"GET": self._history}
        if path.startswith(UPLOAD_PATH):
            return "upload", {"PUT": self._upload}
        if path.startswith(DOWNLOAD_PATH):
            return "download", {"GET": self._download}
        action = {
            EXCHANGE_PATH: {"POST": self._exchange},
            REFRESH_PATH: {"POST": self._refresh},
            REVOKE_PATH: {"DELETE": self._revoke},
        }.get(path)
        return ("token", action) if action is not None else None

    async def handle(self, request: Request, word: str, methods: Mapping[str, Answer]) -> Reply:
        """Answer a request that :meth:`find` has found."""
        answer = partial(self._answer, request, methods)
        service = self._service_of(request) if self._faults.any_at(Point.REQUEST) else None
        fault = self._faults.strike(Point.REQUEST, (word,), service=service, wire=GUEST_HTTP)
        if fault is None:
            await trio.lowlevel.checkpoint()
            return answer()
        log.info("fault %s strikes %s", fault.name, word)
        return await suffer(fault, answer)

    def _service_of(self, request: Request) -> str | None:
        """Find the service that a request is about, if it names a deployment."""
        deployment = deployment_in(request.path) or query_of(request, "deploymentId")
        return self._settings.service_of(deployment) if deployment else None

    def _answer(self, request: Request, methods: Mapping[str, Answer]) -> Reply:
        answer = methods.get(request.method)
        if answer is None:
            return refused(405, f"{' or '.join(methods)}, please")
        try:
            return answer(request)
        except GuestError as error:
            # What has a number of its own in frames is a bad request here.
            return refused(error.code if error.code < 1000 else Code.BAD_REQUEST, error.text)

    # --- the socket ---

    def _upgrade(self, request: Request) -> Reply:
        if request.headers.get("upgrade", "").lower() != "websocket":
            return refused(426, "a WebSocket is spoken here")
        deployment = query_of(request, "deploymentId")
        if not self._settings.serves(deployment):
            # What the real service answers to this and the next one is not public.
            return refused(Code.FORBIDDEN, "there is no such deployment")
        origins = self._settings.origins
        if origins and request.headers.get("origin") not in origins:
            return refused(Code.FORBIDDEN, "this origin may not use the deployment")
        host = request.headers.get("host", "simulator")
        serve = partial(self._door.serve, deployment=deployment, root=f"http://{host}")
        return Reply(status=101, upgrade=serve)

    # --- the deployment and the history ---

    def _config(self, request: Request) -> Reply:
        deployment = deployment_in(request.path) or ""
        if not self._settings.serves(deployment) or "/" in deployment:
            return refused(404, "there is no such deployment")
        host = request.headers.get("host", "simulator")
        return written(config_of(self._settings, deployment, host))

    def _history(self, request: Request) -> Reply:
        page = number_of(request, "pageNumber", 1)
        size = number_of(request, "pageSize", PAGE_SIZE)
        return written(self._desk.history(bearer_of(request), page, min(size, MAX_PAGE_SIZE)))

    # --- files ---

    def _upload(self, request: Request) -> Reply:
        key = request.path.removeprefix(UPLOAD_PATH)
        upload = self._files.awaited(key, request.headers, now=self._clock())
        if upload is None:
            return refused(Code.FORBIDDEN, "there is nothing to be uploaded here, or no more")
        self._file_desk.take_upload(upload, request.body)
        return Reply()

    def _download(self, request: Request) -> Reply:
        content = self._file_desk.download(request.path.removeprefix(DOWNLOAD_PATH))
        if content is None:
            return refused(Code.FORBIDDEN, "there is nothing to be fetched here, or no more")
        # A test double on somebody's machine serves nothing that a browser would run.
        headers = (
            ("Content-Type", "application/octet-stream"),
            ("Content-Disposition", "attachment"),
        )
        return Reply(headers=headers, body=content)

    # --- those who sign in ---

    def _exchange(self, request: Request) -> Reply:
        """Give tokens for what an identity provider has given.

        The provider is not asked: all it gave is good, but what the settings refuse.
        """
        body = body_of(request)
        oauth = mapping(body.get("oauth"), "oauth")
        given = oauth.get("code") or oauth.get("idToken")
        if not self._settings.auth or not self._settings.serves(text_in(body, "deploymentId")):
            raise GuestError(Code.FORBIDDEN, "the deployment knows no authenticated sessions")
        if not isinstance(given, str):
            raise GuestError(Code.BAD_REQUEST, "oauth has neither code nor idToken")
        if given in self._settings.refused_codes:
            raise GuestError(Code.UNAUTHORIZED, "this code is refused")
        subject = self._tokens.new_subject()
        tokens = {"jwt": self._customer_jwt(subject)}
        if "code" in oauth:
            # Who comes with an ID token has nothing that could be renewed.
            lifetime = self._settings.duration
            tokens["refreshToken"], _ = self._tokens.write(subject, Use.REFRESH, lifetime=lifetime)
        return written(tokens)

    def _refresh(self, request: Request) -> Reply:
        claims = self._tokens.read(text_in(body_of(request), "refreshToken"), Use.REFRESH)
        return written({"jwt": self._customer_jwt(claims.subject)})

    def _revoke(self, request: Request) -> Reply:
        claims = self._tokens.read(bearer_of(request), Use.CUSTOMER)
        self._desk.sign_out(claims.subject)
        return Reply(status=204)

    def _customer_jwt(self, subject: str) -> str:
        lifetime = self._settings.auth_lifetime
        return self._tokens.write(subject, Use.CUSTOMER, lifetime=lifetime)[0]


async def suffer(fault: Fault, answer: Callable[[], Reply]) -> Reply:
    """Answer as a fault wants it."""
    match fault.name:
        case "http_500":
            return BROKEN
        case "html":
            return HTML_PAGE
        case "stall":
            await trio.sleep(fault.seconds)
            return answer()
        case "kill_connection":
            answer()
            await trio.sleep(fault.seconds)
            return Reply(abort=True)
    reply = answer()
    if fault.name == "slow_drip":
        return replace(reply, drip=1 / fault.seconds)
    assert fault.name == "truncated_json"
    return replace(reply, truncate_to=len(reply.body) // 2)


def config_of(settings: GuestSettings, deployment: str, host: str) -> dict[str, JSON]:
    """Write the configuration of a deployment.

    The members are those that the Kotlin SDK reads; values of what the simulator has no use for
    (languages, colours) are its own.
    """
    ends = settings.at_chat_end
    conversations: dict[str, JSON] = {
        "messagingEndpoint": f"ws://{host}",
        "showAgentTypingIndicator": True,
        "showUserTypingIndicator": settings.user_typing,
        "autoStart": {"enabled": settings.autostart},
        "conversationDisconnect": {
            "enabled": ends is not AtChatEnd.UNTOLD,
            "type": "ReadOnly" if ends is AtChatEnd.READ_ONLY else "Send",
        },
        "conversationClear": {"enabled": settings.clear},
    }
    modes: list[JSON] = [
        {"fileTypes": list(settings.file_types), "maxFileSizeKB": settings.max_file_kb}
    ]
    return {
        "id": deployment,
        "version": "1",
        "languages": ["en-us"],
        "defaultLanguage": "en-us",
        "apiEndpoint": f"http://{host}",
        "messenger": {
            "enabled": True,
            "apps": {"conversations": conversations},
            "styles": {"primaryColor": "#2f7d6b"},
            "launcherButton": {"visibility": "On"},
            "fileUpload": {"enableAttachments": True, "modes": modes},
        },
        "journeyEvents": {"enabled": False},
        "status": "Active",
        "auth": {"enabled": settings.auth, "allowSessionUpgrade": settings.session_upgrade},
    }


def deployment_in(path: str) -> str | None:
    """Read the deployment id out of the path of a configuration; None if it is no such path."""
    if not (path.startswith(CONFIG_PREFIX) and path.endswith(CONFIG_SUFFIX)):
        return None
    return path[len(CONFIG_PREFIX) : -len(CONFIG_SUFFIX)]


def written(value: Any) -> Reply:
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return Reply(headers=headers, body=orjson.dumps(value))


def refused(status: int, text: str) -> Reply:
    """Write an error; the shape of real ones is not public, and SDKs read no more than a text."""
    body = orjson.dumps({"status": int(status), "message": text})
    return Reply(status=int(status), headers=(("Content-Type", "application/json"),), body=body)


def query_of(request: Request, name: str) -> str:
    """Give a parameter of the query, or an empty text."""
    return parse_qs(request.query).get(name, [""])[0]


def number_of(request: Request, name: str, default: int) -> int:
    """Give a number of the query, from 1 on."""
    text = query_of(request, name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS and int(text)):
        raise GuestError(Code.BAD_REQUEST, f"{name} counts from 1")
    return int(text)


def bearer_of(request: Request) -> str:
    """Give the token of the ``Authorization`` header."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise GuestError(Code.UNAUTHORIZED, "a bearer token is needed")
    return token.strip()


def body_of(request: Request) -> dict[str, Any]:
    """Read a body of JSON."""
    try:
        return mapping(orjson.loads(request.body), "the body")
    except ValueError as error:
        raise GuestError(Code.BAD_REQUEST, f"this is no JSON: {error}") from error
