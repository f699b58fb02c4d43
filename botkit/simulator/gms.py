"""The contact centre as GMS Chat v2 shows it: operations in, pushes out. Pure.

Source: GMS Chat API v2 over CometD, operations and common response object; the numbers of its
errors are not public, except those that the Chat Server itself is known by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from botkit.bayeux.messages import JSON
from botkit.chat import EndedBy, PartyKind
from botkit.genesys import gms_v2
from botkit.genesys.gms_v2 import GIVE_UP, GmsError, GmsEvent, Operation, Push, Sender
from botkit.simulator.centre import Centre, CentreError
from botkit.simulator.chats import Chat, ChatRequest, Entry, EntryKind

BAD_KEY = 8210
"""Source: Genesys community thread on Chat Server codes."""
BAD_REQUEST = 1
"""The simulator's own: what was asked for cannot be done."""
REFUSED = 2
"""The simulator's own: no chat is opened."""

EVENT_TYPES: Mapping[EntryKind, str] = MappingProxyType(
    {
        EntryKind.JOINED: "ParticipantJoined",
        EntryKind.LEFT: "ParticipantLeft",
        EntryKind.MESSAGE: "Message",
        EntryKind.TYPING_STARTED: "TypingStarted",
        EntryKind.TYPING_STOPPED: "TypingStopped",
        EntryKind.NICKNAME: "NicknameUpdated",
        EntryKind.PUSHED_URL: "PushUrl",
        EntryKind.NOTICE: "CustomNotice",
        EntryKind.FILE_UPLOADED: "FileUploaded",
        EntryKind.FILE_DELETED: "FileDeleted",
        EntryKind.IDLE_ALERT: "IdleAlert",
        EntryKind.IDLE_CLOSE: "IdleClose",
    }
)
SENDER_TYPES: Mapping[PartyKind, str] = MappingProxyType(
    {
        PartyKind.CUSTOMER: "Client",
        PartyKind.AGENT: "Agent",
        PartyKind.SUPERVISOR: "Supervisor",
        PartyKind.EXTERNAL: "External",
    }
)


# --- pushes --------------------------------------------------------------------------------------


def push_of(chat: Chat, entries: Sequence[Entry]) -> dict[str, JSON]:
    """Write entries as a push to the customer; those for agents alone are left out.

    The end of the chat is told with the entry that ended it, not before.
    """
    return gms_v2.encode_push(
        Push(
            chat_ended=any(entry.kind is EntryKind.ENDED for entry in entries),
            chat_id=chat.id,
            user_id=chat.user_id,
            secure_key=chat.secure_key,
            alias=chat.alias,
            next_position=chat.next_index,
            events=tuple(event_of(entry) for entry in entries if entry.index is not None),
        )
    )


def event_of(entry: Entry) -> GmsEvent:
    """Write one entry as an element of ``messages``."""
    party = entry.party
    return GmsEvent(
        type=EVENT_TYPES[entry.kind],
        index=entry.index,
        sender=Sender(nickname=party.name, participant_id=party.id, type=SENDER_TYPES[party.kind]),
        text=text_of(entry),
        message_type=entry.content_type,
        utc=entry.utc,
        userdata=entry.userdata,
    )


def text_of(entry: Entry) -> str:
    """Give the line, with the answers that it offers in brackets: the wire has no other way."""
    return " ".join(filter(None, [entry.text, *(f"[{button.text}]" for button in entry.buttons)]))


def failure(code: int, message: str, *, chat: Chat | None = None) -> dict[str, JSON]:
    """Write an error that repeating will not mend; without a chat the chat counts as over."""
    return gms_v2.encode_push(
        Push(
            status_code=GIVE_UP,
            chat_ended=chat is None or not chat.is_open,
            chat_id=chat.id if chat else "",
            errors=(GmsError(code=code, message=message),),
        )
    )


# --- operations ----------------------------------------------------------------------------------


def chat_request(operation: Operation, service: str) -> ChatRequest:
    """Read what ``requestChat`` asks for."""
    return ChatRequest(
        service=service,
        nickname=operation.nickname,
        subject=operation.subject,
        userdata=operation.userdata,
    )


def perform(centre: Centre, chat: Chat, operation: Operation, *, now: float) -> None:
    """Do what the customer of a chat asks for.

    Raises:
        CentreError: it cannot be done; nothing has changed.
    """
    do = OPERATIONS.get(operation.name)
    if do is None:
        raise CentreError(f"there is no operation {operation.name!r:.60}")
    do(centre, chat, operation, now)


def send_message(centre: Centre, chat: Chat, operation: Operation, now: float) -> None:
    if operation.message is None:
        raise CentreError("sendMessage needs a message")
    centre.write(
        chat,
        EntryKind.MESSAGE,
        chat.customer,
        now=now,
        text=operation.message,
        content_type=operation.message_type,
    )


def start_typing(centre: Centre, chat: Chat, operation: Operation, now: float) -> None:
    text = operation.message or ""
    centre.write(chat, EntryKind.TYPING_STARTED, chat.customer, now=now, text=text)


def stop_typing(centre: Centre, chat: Chat, operation: Operation, now: float) -> None:
    text = operation.message or ""
    centre.write(chat, EntryKind.TYPING_STOPPED, chat.customer, now=now, text=text)


def send_notice(centre: Centre, chat: Chat, operation: Operation, now: float) -> None:
    if operation.message is None:
        raise CentreError("customNotice needs a message")
    centre.write(chat, EntryKind.NOTICE, chat.customer, now=now, text=operation.message)


def push_url(centre: Centre, chat: Chat, operation: Operation, now: float) -> None:
    if not operation.push_url:
        raise CentreError("pushUrl needs a pushUrl")
    centre.write(chat, EntryKind.PUSHED_URL, chat.customer, now=now, text=operation.push_url)


def update_nickname(centre: Centre, chat: Chat, operation: Operation, now: float) -> None:
    centre.rename_customer(chat, operation.nickname, now=now)


def update_data(centre: Centre, chat: Chat, operation: Operation, now: float) -> None:
    centre.attach(chat, operation.userdata, chat.customer, now=now, visible=True)


def read_receipt(centre: Centre, chat: Chat, operation: Operation, now: float) -> None:
    if operation.transcript_position is None:
        raise CentreError("readReceipt needs a transcriptPosition")
    centre.mark_read(chat, operation.transcript_position, now=now)


def disconnect(centre: Centre, chat: Chat, operation: Operation, now: float) -> None:
    centre.end(chat, EndedBy.CUSTOMER, now=now)


OPERATIONS: Mapping[str, Callable[[Centre, Chat, Operation, float], None]] = MappingProxyType(
    {
        "sendMessage": send_message,
        "startTyping": start_typing,
        "stopTyping": stop_typing,
        "customNotice": send_notice,
        "pushUrl": push_url,
        "updateNickname": update_nickname,
        "updateData": update_data,
        "readReceipt": read_receipt,
        "disconnect": disconnect,
    }
)
"""What a customer may do in an open chat; ``requestChat`` and ``requestNotifications`` are apart,
for they concern who gets the pushes."""
