"""The side door of CometD, ``chat-ntf``: files of chats whose messages go over Bayeux.

Source: GMS Chat API v2 over CometD, file operations; public clients for the form, and for the
``BAYEUX_BROWSER`` cookie of the session, which they send along. What is answered without it is
inferred from CometD's own 402. A session that was opened over WebSocket has no such cookie, and
CometD finds it without; that its files then need the chat's key alone is inferred from that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import orjson
import trio

from botkit.bayeux.messages import JSON
from botkit.errors import RemoteProtocolError
from botkit.genesys import gms_files, gms_v2
from botkit.genesys.gms_files import FILE_ID, FORM_DATA, Form
from botkit.genesys.gms_v2 import Push
from botkit.simulator import file_desk, gms
from botkit.simulator.centre import Centre, CentreError
from botkit.simulator.chats import Chat
from botkit.simulator.door import COOKIE, JSON_HEADER
from botkit.simulator.faults import Faults, Point
from botkit.simulator.files import StoredFile
from botkit.simulator.http import Reply, Request
from botkit.simulator.suffering import suffer

__all__ = ["SideDoor", "file_reply", "refusal", "write"]

log = logging.getLogger(__name__)

UNKNOWN_CLIENT = 402


class SideDoor:
    """Answers the file requests of one simulator's CometD customers.

    Args:
        centre: the chats.
        faults: asked before each request.
        clock: the loop's clock.
        needs_cookie: tells whether the customer of a chat is known by a browser cookie; asked
            with None for a key that fits no chat.
    """

    def __init__(
        self,
        *,
        centre: Centre,
        faults: Faults,
        clock: Callable[[], float],
        needs_cookie: Callable[[Chat | None], bool],
    ) -> None:
        self._centre = centre
        self._faults = faults
        self._clock = clock
        self._needs_cookie = needs_cookie

    async def handle(self, request: Request) -> Reply:
        """Answer a request."""
        form = self._form_of(request)
        if isinstance(form, Reply):
            await trio.lowlevel.checkpoint()
            return form
        name = form.fields.get("operation", "")
        browser = request.cookies.get(COOKIE, "")
        chat = self._centre.by_key(form.fields.get("secureKey", ""))
        fault = self._faults.strike(
            Point.REQUEST, (name,), service=chat.service if chat else None, customer=browser
        )

        def answer() -> Reply:
            return self._answer(form, name, chat, browser)

        if fault is not None:
            log.info("fault %s strikes %s", fault.name, name)
            reply = await suffer(fault, answer)
            if reply is not None:
                return reply
        reply = answer()
        await trio.lowlevel.checkpoint()
        return reply

    def _form_of(self, request: Request) -> Form | Reply:
        content_type = request.headers.get("content-type", "")
        if request.method != "POST":
            return refusal(405, "files are sent by POST")
        if not content_type.lower().startswith(FORM_DATA):
            return refusal(415, f"files are sent as {FORM_DATA}, not {content_type!r:.60}")
        try:
            return gms_files.decode_multipart(request.body, content_type)
        except RemoteProtocolError as error:
            return refusal(400, str(error))

    def _answer(self, form: Form, name: str, chat: Chat | None, browser: str) -> Reply:
        if not browser and self._needs_cookie(chat):
            text = f"402::Unknown client: the cookie {COOKIE} is missing"
            return write(gms.failure(UNKNOWN_CLIENT, text))
        if chat is None:
            return write(gms.failure(gms.BAD_KEY, "no chat has this secureKey"))
        try:
            done = file_desk.perform(
                self._centre,
                chat,
                name,
                upload=form.file,
                file_id=form.fields.get(FILE_ID, ""),
                now=self._clock(),
            )
        except CentreError as error:
            return write(gms.failure(gms.BAD_REQUEST, str(error), chat=chat))
        if isinstance(done, StoredFile):
            return file_reply(done)
        push = Push(chat_id=chat.id, user_id=chat.user_id, secure_key=chat.secure_key)
        return write({**gms_v2.encode_push(push), "userData": dict(done)})


def write(data: Mapping[str, JSON]) -> Reply:
    """Write a response object."""
    return Reply(headers=(JSON_HEADER,), body=orjson.dumps(data))


def refusal(status: int, message: str) -> Reply:
    """Write what is no answer of the chat service: an API error under another status than 200."""
    body: dict[str, JSON] = {"code": gms.BAD_REQUEST, "message": message}
    return Reply(status=status, headers=(JSON_HEADER,), body=orjson.dumps(body))


def file_reply(file: StoredFile) -> Reply:
    """Write a file as the body of a reply."""
    kind = file.media_type if file.media_type.isprintable() else ""
    headers = (("Content-Type", kind.encode("ascii", "ignore").decode()),)
    return Reply(headers=headers, body=file.content)
