"""The calls of one chat to GMS over REST: each a post, each answer read and judged.

What an answer means is told apart here. The service's own answers, failures included, come back as
an :class:`Answer`; everything else is an error. A status other than 200 with API error codes in its
body is the service's own answer: 4xx as one that repeating will not mend, those that ask for
patience as ``statusCode`` 1.

Source: GMS Chat API v2, API responses: every reply has an HTTP status and either a ``statusCode``
or error codes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import trio

from botkit.bayeux.messages import JSON
from botkit.connectors import codec
from botkit.connectors.http import Http, HttpReply, Lane
from botkit.connectors.http.excerpt import shown_status
from botkit.connectors.http.patience import patience
from botkit.errors import BotkitError, ConnectorError, RemoteProtocolError
from botkit.genesys import gms_rest, gms_v2
from botkit.genesys.gms_rest import Call
from botkit.genesys.gms_v2 import GIVE_UP, RETRY, Push

__all__ = ["Answer", "ForeignReply", "RestLink", "in_doubt"]

PATIENCE = (408, 425, 429)
"""Statuses by which a server asks to come again."""
PROXY_REFUSES = 407
GATEWAY_TIMEOUT = 504
BYTES_A_SECOND = 50_000
"""What a file takes longer than any other call: a slow line."""
SHOWN = 80
"""Characters of a reply that an error shows."""


SECRET = re.compile(r'("secureKey"\s*:\s*")[^"]*')


class ForeignReply(RemoteProtocolError):
    """What answered is not the chat service (a page of HTML, say): nothing was done there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service answered.

    Attributes:
        push: the common response object.
        data: the same as it came, for what only some calls bring.
        body: the bytes of the reply.
        retry_after: seconds that the service asked to be left alone for; 0 if it did not.
    """

    push: Push
    data: JSON = None
    body: bytes = b""
    retry_after: float = 0.0


class RestLink:
    """Makes the calls of one chat.

    Args:
        http: its connections; closing them stays with the caller.
        path: what all calls have in common of their paths, after that of ``http``.
        reply_within: how long an answer may take, seconds; files are given more.
    """

    __slots__ = ("_http", "_path", "_reply_within")

    def __init__(self, http: Http, *, path: str, reply_within: float) -> None:
        self._http = http
        self._path = path
        self._reply_within = reply_within

    @property
    def url(self) -> str:
        """Where the calls go."""
        return f"{self._http.url}{self._path}"

    async def call(self, call: Call, *, within: float | None = None) -> Answer:
        """Make a call.

        Args:
            within: how long the answer may take; None for the usual time.

        Raises:
            ConnectorError: no answer came, or one that only a server in trouble gives.
            RemoteProtocolError: the answer is none of the chat service.
            LocalProtocolError: the call cannot be written.
        """
        return self._read(await self._post(call, Lane.CALL, within or self._reply_within))

    async def send_file(self, call: Call) -> Answer:
        """Make a call that carries a file, beside all others; raises as :meth:`call`."""
        size = len(call.file.content) if call.file is not None else 0
        within = self._reply_within + size / BYTES_A_SECOND
        return self._read(await self._post(call, Lane.POLL, within))

    async def fetch_file(self, call: Call, *, size: int) -> Answer:
        """Make a call whose answer is a file, beside all others.

        The file is the body of the answer. An answer that is JSON with an error in it is a failure:
        nothing else tells the two apart.

        Args:
            size: bytes that the file may have.

        Raises:
            ConnectorError, RemoteProtocolError, LocalProtocolError: as :meth:`call`.
        """
        within = self._reply_within + size / BYTES_A_SECOND
        reply = await self._post(call, Lane.POLL, within)
        if reply.status != 200:
            return self._read_failure(reply)
        if "json" in reply.headers.get("content-type", ""):
            answer = self._read_json(reply)
            if answer is not None and (answer.push.status_code or answer.push.errors):
                return answer
        return Answer(push=Push(), body=reply.body)

    async def _post(self, call: Call, lane: Lane, within: float) -> HttpReply:
        body, content_type = call.encode()
        path = self._path + call.path
        with trio.move_on_after(within):
            return await self._http.post(path, body, lane=lane, content_type=content_type)
        raise ConnectorError(f"{self.url} did not answer within {within:.0f} s", kind="timeout")

    def _read(self, reply: HttpReply) -> Answer:
        if reply.status != 200:
            return self._read_failure(reply)
        answer = self._read_json(reply)
        if answer is None:
            text = f"{self.url} answered with something that is not JSON: {shown(reply.body)}"
            # What begins as an answer and breaks off was one: the call may have been done.
            is_cut_off = reply.body.lstrip()[:1] == b"{"
            raise RemoteProtocolError(text) if is_cut_off else ForeignReply(text)
        return answer

    def _read_json(self, reply: HttpReply) -> Answer | None:
        """Read the response object; None if this is no JSON.

        Raises:
            RemoteProtocolError: it is JSON, and no response object.
        """
        try:
            data: JSON = codec.loads(reply.body)
        except ValueError:
            return None
        try:
            return Answer(push=gms_v2.decode_push(data), data=data, body=reply.body)
        except RemoteProtocolError as error:
            text = f"{self.url} answered with something that is not GMS Chat ({error})"
            raise RemoteProtocolError(f"{text}: {shown(reply.body)}") from error

    def _read_failure(self, reply: HttpReply) -> Answer:
        """Read an answer whose status is not 200.

        Raises:
            ConnectorError: it is not the service's own, or the service is in trouble.
        """
        try:
            errors = gms_rest.decode_errors(codec.loads(reply.body))
        except ValueError:
            errors = ()
        if errors and (reply.status in PATIENCE or 400 <= reply.status < 500):
            status_code = RETRY if reply.status in PATIENCE else GIVE_UP
            push = Push(status_code=status_code, errors=errors)
            return Answer(push=push, retry_after=patience(reply.headers))
        raise ConnectorError(
            f"{self.url} answered with {shown_status(reply.status, reply.headers)}:"
            f" {shown(reply.body)}",
            kind=kind_of(reply.status),
            retry_after=patience(reply.headers),
        )


def kind_of(status: int) -> str:
    """Name the kind of failure that an HTTP status stands for."""
    if status == PROXY_REFUSES:
        return "proxy"
    return "timeout" if status == GATEWAY_TIMEOUT else "http"


def in_doubt(error: BotkitError) -> bool:
    """Tell whether a call that failed like this may have been done all the same.

    It was not if no byte of it was sent, if a server said by its status that it failed (a gateway
    that waited in vain says nothing of the kind), or if somebody else answered.
    """
    if isinstance(error, ConnectorError):
        return error.sent and error.kind not in ("http", "proxy")
    return not isinstance(error, ForeignReply)


def shown(body: bytes) -> str:
    """Show the beginning of a body in an error, without the secret of the chat."""
    text = " ".join(body[: SHOWN * 4].decode("utf-8", "replace").split())
    text = SECRET.sub(r"\1...", text)
    return repr(text[:SHOWN] + ("..." if len(text) > SHOWN else ""))
