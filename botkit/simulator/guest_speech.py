"""What guests say, into their conversations: lines, buttons, files, typing, ``Join``. Pure.

A conversation begins with the first line, or with ``Join``. The custom attributes that come with it
are the user data of the chat, for the routing and the agents to see; those that come later are
added. That is inferred: the sources say what is sent, not what becomes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from botkit.bayeux.messages import JSON
from botkit.simulator.centre import Centre, CentreError
from botkit.simulator.chats import Chat, ChatRequest, EntryKind
from botkit.simulator.faults import GUEST, Faults, Point
from botkit.simulator.guest_bodies import content_of, presence
from botkit.simulator.guest_files import GuestFiles, UploadState, stored
from botkit.simulator.guest_lines import GuestLines
from botkit.simulator.guest_sessions import Conversation, GuestSession, GuestSocket
from botkit.simulator.guest_settings import GuestSettings
from botkit.simulator.guest_wire import Code, GuestError, GuestMessage, push
from botkit.simulator.reception import Reception

__all__ = ["GuestSpeech"]

TYPING_OFF = "Turn on the Feature Toggle or fix the configuration."
"""Source: the tests of the Kotlin SDK."""
TYPING = {"On": EntryKind.TYPING_STARTED, "Off": EntryKind.TYPING_STOPPED}


class GuestSpeech:
    """Writes what guests say into their chats, and opens these.

    Args:
        centre: the chats.
        settings: what is allowed.
        lines: send what happens.
        files: of the guests.
        reception: opens the chats.
        faults: what goes wrong.
        clock: the loop's clock.
        new_id: names what is in no chat.
    """

    def __init__(
        self,
        *,
        centre: Centre,
        settings: GuestSettings,
        lines: GuestLines,
        files: GuestFiles,
        reception: Reception,
        faults: Faults,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._centre = centre
        self._settings = settings
        self._lines = lines
        self._files = files
        self._reception = reception
        self._faults = faults
        self._clock = clock
        self._new_id = new_id

    def take(
        self,
        session: GuestSession,
        socket: GuestSocket,
        message: GuestMessage,
        tracing_id: str | None,
    ) -> None:
        """Do what a message is for; the guest's own copy of it is the answer.

        Raises:
            GuestError: it is not allowed, or cannot be done; nothing has changed.
        """
        self._check(session, message)
        with self._lines.answering(socket, tracing_id):
            if message.kind != "Event":
                self._say(session, message)
            elif message.typing:
                self._type(session, socket, message, tracing_id)
            else:
                self._join(session, socket, message, tracing_id)

    def _check(self, session: GuestSession, message: GuestMessage) -> None:
        settings = self._settings
        if session.read_only:
            text = "Session is read-only, no new messages allowed"
            raise GuestError(Code.READ_ONLY, text)
        size = sum(len(f"{k}{v}".encode()) for k, v in message.attributes.items())
        if size > settings.max_custom_data_bytes:
            limit = settings.max_custom_data_bytes
            text = f"Custom Attributes in channel metadata is larger than {limit} bytes"
            raise GuestError(Code.CUSTOM_ATTRIBUTES_TOO_LARGE, text)
        if len(message.text) > settings.max_message:
            raise GuestError(Code.MESSAGE_TOO_LONG, "message too long")

    # --- lines ---

    def _say(self, session: GuestSession, message: GuestMessage) -> None:
        now = self._clock()
        uploads = [self._files.find(session.token, id_, now=now) for id_ in message.attachments]
        text = message.text or " ".join(press.text for press in message.presses)
        if not (text or message.presses or uploads):
            raise GuestError(Code.MISSING_PARAMETER, "the message has neither text nor content")
        chat = self._conversation(session, message.attributes, joined=False)
        try:
            self._centre.write(
                chat,
                EntryKind.MESSAGE,
                chat.customer,
                now=now,
                text=text,
                content_type=message.kind,
                content=content_of(message, uploads),
            )
            for upload in uploads:
                upload.state = UploadState.SENT
                self._centre.show_file(chat, stored(upload, chat.customer), now=now)
        except CentreError as error:
            raise GuestError(Code.UNEXPECTED, str(error)) from error

    # --- events ---

    def _type(
        self,
        session: GuestSession,
        socket: GuestSocket,
        message: GuestMessage,
        tracing_id: str | None,
    ) -> None:
        kind = TYPING.get(message.typing)
        if kind is None:
            raise GuestError(Code.BAD_REQUEST, "typing is On or Off")
        if not self._settings.user_typing:
            raise GuestError(Code.FORBIDDEN, TYPING_OFF)
        conversation = session.open_conversation
        if conversation is None:
            typing: list[JSON] = [{"eventType": "Typing", "typing": {"type": message.typing}}]
            self._confirm(socket, typing, tracing_id)
            return
        try:
            chat = conversation.chat
            self._centre.write(chat, kind, chat.customer, now=self._clock())
        except CentreError as error:
            raise GuestError(Code.UNEXPECTED, str(error)) from error

    def _join(
        self,
        session: GuestSession,
        socket: GuestSocket,
        message: GuestMessage,
        tracing_id: str | None,
    ) -> None:
        if message.presence != "Join":
            raise GuestError(Code.BAD_REQUEST, "the presence of a guest is Join or Clear")
        is_second = session.open_conversation is not None
        self._conversation(session, message.attributes, joined=True)
        if is_second:
            self._confirm(socket, presence("Join"), tracing_id)

    def _confirm(self, socket: GuestSocket, events: list[JSON], tracing_id: str | None) -> None:
        """Answer an event that is written down nowhere."""
        body: dict[str, JSON] = {
            "id": self._new_id(),
            "type": "Event",
            "direction": "Inbound",
            "events": events,
        }
        socket.send(push("StructuredMessage", body, tracing_id))

    # --- conversations ---

    def _conversation(
        self, session: GuestSession, attributes: Mapping[str, str], *, joined: bool
    ) -> Chat:
        """Give the chat that goes on, or open one; either way it has the attributes then."""
        conversation = session.open_conversation
        if conversation is None:
            return self._open(session, attributes, joined=joined)
        chat = conversation.chat
        new = {key: value for key, value in attributes.items() if chat.userdata.get(key) != value}
        if new:
            try:
                self._centre.attach(chat, new, chat.customer, now=self._clock(), visible=True)
            except CentreError as error:
                raise GuestError(Code.UNEXPECTED, str(error)) from error
        return chat

    def _open(self, session: GuestSession, attributes: Mapping[str, str], *, joined: bool) -> Chat:
        service = self._settings.service_of(session.deployment)
        fault = self._faults.strike(
            Point.OPERATION, ("requestChat",), service=service, customer=session.token, wire=GUEST
        )
        if fault is not None and fault.name == "refuse_chat":
            text = "no conversation is opened: the simulator was told to refuse it"
            raise GuestError(Code.FEATURE_UNAVAILABLE, text)
        request = self._chat_request(service, attributes)
        try:
            chat = self._reception.admit(request, customer=session.token, wire=GUEST)
        except CentreError as error:
            raise GuestError(Code.FEATURE_UNAVAILABLE, str(error)) from error
        self._lines.follow(session, Conversation(chat=chat, joined=joined))
        return chat

    def _chat_request(self, service: str, attributes: Mapping[str, str]) -> ChatRequest:
        settings = self._settings
        names = (attributes.get(key) for key in settings.nickname_attributes)
        return ChatRequest(
            service=service,
            nickname=next(filter(None, names), settings.nickname),
            subject=attributes.get(settings.subject_attribute),
            userdata=attributes,
        )
