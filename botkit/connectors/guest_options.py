"""The options of the wire ``genesys-cloud``, and the places that its URL leads to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args
from urllib.parse import parse_qs, urlsplit

from botkit.connectors.http.target import no_url
from botkit.errors import ConfigError
from botkit.masking import without_password

__all__ = ["Endpoints", "GuestOptions", "read_endpoints", "read_options"]

LeaveBy = Literal["close_session", "clear", "close"]
AttributesAt = Literal["message", "top"]
Join = Literal["auto", "on", "off"]

WEB_MESSAGING = "webmessaging."
MIN_ECHO = 30.0
"""Seconds: the official SDK checks no more often."""
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|)")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestOptions:
    """What sites and deployments have different, or what is not public.

    Attributes:
        config_url: the deployment's configuration; derived from the server unless given.
        api_url: the base of history and sign-in; derived from the server unless given.
        origin: the ``Origin`` of the upgrade, for deployments that allow only some.
        allow_plain: take ``ws://`` to other machines, too.
        custom_attributes_at: inside of the message, as both official SDKs have it, or on top of
            the request beside it.
        nickname_as, subject_as: the custom attributes that carry these; empty leaves them out.
        customer_id: the visitor's id of the journey context; empty leaves the context out.
        start_new: begin a new session even if the token has one.
        join: tell the service that the customer is there before the first line: as the
            deployment's configuration wants it, always, or never.
        fetch_config: read the deployment's configuration, which ``join: auto`` needs.
        leave_by: ``close_session`` closes the session for everybody who has its token;
            ``clear`` erases the conversation, which deployments have to allow; ``close`` only
            closes the connection, and the conversation stays open until it expires. Whether the
            agent's side ends with the session is not public.
        rate: messages a second.
        reorder: how long messages are held to put them in order, seconds.
        echo_every: health checks of an idle connection, seconds; 0 for none.
        history: fetch what was said while there was no connection.
        reconnect_every, reconnect_for: the attempts to win a lost connection back, seconds.
        jwt: of an authenticated session.
        auth_code, redirect_uri, code_verifier: to be exchanged for a JWT.
        id_token, nonce: the same, for the implicit flow.
    """

    config_url: str = ""
    api_url: str = ""
    origin: str = ""
    allow_plain: bool = False
    custom_attributes_at: AttributesAt = "message"
    nickname_as: str = "nickname"
    subject_as: str = "subject"
    customer_id: str = ""
    start_new: bool = False
    join: Join = "auto"
    fetch_config: bool = True
    leave_by: LeaveBy = "close_session"
    rate: float = 2.0
    reorder: float = 0.3
    echo_every: float = 30.0
    history: bool = True
    reconnect_every: float = 5.0
    reconnect_for: float = 300.0
    jwt: str = ""
    auth_code: str = ""
    redirect_uri: str = ""
    code_verifier: str = ""
    id_token: str = ""
    nonce: str = ""

    @property
    def is_authenticated(self) -> bool:
        """The customer has signed in."""
        return bool(self.jwt or self.auth_code or self.id_token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where a deployment is served."""

    socket: str
    deployment_id: str
    config: str
    history: str
    exchange: str
    refresh: str


def read_options(raw: Mapping[str, str]) -> GuestOptions:
    """Read the options as they were written.

    Raises:
        ConfigError: one is unknown, or has a value that makes no sense.
    """
    known = {field.name: field for field in fields(GuestOptions)}
    values: dict[str, Any] = {}
    for name, text in raw.items():
        if name not in known:
            raise ConfigError(
                f"genesys-cloud has no option {name!r}; it has {', '.join(sorted(known))}",
                key=f"options.{name}",
            )
        values[name] = READERS.get(name, read_string)(name, text)
    options = GuestOptions(**values)
    if options.rate <= 0:
        raise refused("rate", raw["rate"], "more than 0 messages a second")
    if 0 < options.echo_every < MIN_ECHO:
        raise refused("echo_every", raw["echo_every"], "30 s or more, or 0")
    return options


def read_endpoints(url: str, options: GuestOptions) -> Endpoints:
    """Read where the deployment of a WebSocket URL is.

    What is no ``webmessaging.`` host serves everything itself, as the simulator does.

    Raises:
        ConfigError: it is no WebSocket URL, names no deployment, or is not encrypted.
    """
    shown = without_password(url)
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        deployment_id = "".join(parse_qs(parts.query).get("deploymentId", [])[:1])
    except ValueError as error:
        raise no_url(url, "URL", error, key="server") from None
    example = "wss://webmessaging.{domain}/v1?deploymentId={id}"
    if parts.scheme not in ("ws", "wss") or not host:
        raise ConfigError(
            f"genesys-cloud needs a WebSocket URL like {example}; got {shown!r}", key="server"
        )
    if not deployment_id:
        raise ConfigError(f"{shown!r} names no deployment; give one like {example}", key="server")
    if parts.scheme == "ws" and not (options.allow_plain or is_loopback(host)):
        raise ConfigError(
            f"{shown!r} is not encrypted; use wss://, or set the option allow_plain", key="server"
        )
    domain = host.removeprefix(WEB_MESSAGING)
    own = f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}"
    is_cloud = domain != host
    cdn = f"https://api-cdn.{domain}" if is_cloud else own
    api = (options.api_url or (f"https://api.{domain}" if is_cloud else own)).rstrip("/")
    return Endpoints(
        socket=url,
        deployment_id=deployment_id,
        config=options.config_url
        or f"{cdn}/webdeployments/v1/deployments/{deployment_id}/config.json",
        history=f"{api}/api/v2/webmessaging/messages",
        exchange=f"{api}/api/v2/webdeployments/token/oauthcodegrantjwtexchange",
        refresh=f"{api}/api/v2/webdeployments/token/refresh",
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, or the one name of a network in memory."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "simulator")


# --- values --------------------------------------------------------------------------------------


def read_string(name: str, text: str) -> str:
    return text


def read_switch(name: str, text: str) -> bool:
    if text.lower() in ("on", "true", "yes", "1"):
        return True
    if text.lower() in ("off", "false", "no", "0"):
        return False
    raise refused(name, text, "on or off")


def read_number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if 0 <= number < 1e6:
        return number
    raise refused(name, text, "a number")


def read_duration(name: str, text: str) -> float:
    match = DURATION.fullmatch(text.strip())
    if match is None:
        raise refused(name, text, "a time like 300ms, 5s or 2m")
    return float(match[1]) * UNITS[match[2]]


def one_of(words: tuple[str, ...]) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if text in words:
            return text
        raise refused(name, text, f"one of {', '.join(words)}")

    return read


def refused(name: str, text: str, wanted: str) -> ConfigError:
    return ConfigError(f"{name} must be {wanted}, not {text!r}", key=f"options.{name}")


READERS: Mapping[str, Callable[[str, str], Any]] = {
    "allow_plain": read_switch,
    "start_new": read_switch,
    "fetch_config": read_switch,
    "history": read_switch,
    "rate": read_number,
    "reorder": read_duration,
    "echo_every": read_duration,
    "reconnect_every": read_duration,
    "reconnect_for": read_duration,
    "custom_attributes_at": one_of(get_args(AttributesAt)),
    "join": one_of(get_args(Join)),
    "leave_by": one_of(get_args(LeaveBy)),
}
"""How the options are read that are no texts."""
