"""Entries of a chat as the ``StructuredMessage`` bodies that its guest gets. Pure.

The guest is told what was said, who types, and that the conversation is over. Nothing tells that
an agent joined or left, nor what is attached to the chat: the wire has no words for that. Notices
and pages of agents are sent as plain text, so that they are not lost.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from botkit.bayeux.messages import JSON
from botkit.chat import Button, EndedBy, PartyKind
from botkit.simulator.chats import Chat, Entry, EntryKind
from botkit.simulator.guest_files import DOWNLOAD_PATH, Upload
from botkit.simulator.guest_settings import AtChatEnd
from botkit.simulator.guest_wire import GuestMessage

TEXTS = frozenset({EntryKind.MESSAGE, EntryKind.NOTICE, EntryKind.PUSHED_URL})
TYPING_MS = 5000
"""How long typing is shown, unless something else comes."""
NAMESPACE = uuid.UUID("8e2f4b52-6d0e-4c8a-9d55-1b0f3a7c2e11")
MEDIA = ("Image", "Video", "Audio")


def body_of(
    chat: Chat, position: int, *, joined: bool, at_end: AtChatEnd, root: str = ""
) -> dict[str, JSON] | None:
    """Write an entry of the log; None if the guest does not see it.

    Args:
        joined: the guest began the conversation by ``Join``.
        root: how the guest reaches the simulator over HTTP.
    """
    entry = chat.log[position]
    own = entry.party.kind is PartyKind.CUSTOMER
    if entry.kind in TEXTS:
        return {**head_of(chat, position), **words_of(entry)}
    match entry.kind:
        case EntryKind.TYPING_STARTED | EntryKind.TYPING_STOPPED:
            events = typing_of(entry)
        case EntryKind.JOINED if own and joined:
            events = presence("Join")
        case EntryKind.FILE_UPLOADED if not own:
            content = file_of(chat, entry, root)
            return {**head_of(chat, position), "type": "Text", "text": "", "content": content}
        case EntryKind.ENDED if chat.ended_by is EndedBy.SERVICE and at_end is not AtChatEnd.UNTOLD:
            return ending_of(chat, position, at_end)
        case _:
            return None
    return {**head_of(chat, position), "type": "Event", "events": events}


def is_remembered(entry: Entry) -> bool:
    """Tell whether an entry is in the history; typing is not."""
    return entry.kind not in (EntryKind.TYPING_STARTED, EntryKind.TYPING_STOPPED)


def stamp(utc: float) -> str:
    """Write epoch seconds as the wire does."""
    moment = datetime.fromtimestamp(utc, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def head_of(chat: Chat, position: int) -> dict[str, JSON]:
    """Write what all bodies have."""
    entry = chat.log[position]
    id_ = str(uuid.uuid5(NAMESPACE, f"{chat.id}:{position}"))
    channel: dict[str, JSON] = {
        "time": stamp(entry.utc),
        "messageId": id_,
        "type": "Private",
        "from": {"nickname": entry.party.name},
    }
    if entry.party.kind is PartyKind.CUSTOMER and entry.kind is not EntryKind.ENDED:
        return {"id": id_, "direction": "Inbound", "channel": channel}
    human = entry.party.kind in (PartyKind.AGENT, PartyKind.SUPERVISOR)
    originator = "Human" if human else "Bot"
    return {
        "id": id_,
        "direction": "Outbound",
        "channel": channel,
        "originatingEntity": originator,
    }


def words_of(entry: Entry) -> dict[str, JSON]:
    content: list[JSON] = orjson.loads(entry.content) if entry.content else []
    content.extend(offer_of(entry.buttons))
    kind = entry.content_type or ("Structured" if content else "Text")
    body: dict[str, JSON] = {"type": kind, "text": entry.text}
    if content:
        body["content"] = content
    return body


def offer_of(buttons: Sequence[Button]) -> list[JSON]:
    return [
        {
            "contentType": "QuickReply",
            "quickReply": {
                "text": button.text,
                "payload": button.payload or button.text,
                "action": "Message",
            },
        }
        for button in buttons
    ]


def file_of(chat: Chat, entry: Entry, root: str) -> list[JSON]:
    """Write a file that an agent has sent."""
    about = entry.userdata
    url = f"{root}{DOWNLOAD_PATH}{file_key(chat, about['file-id'])}"
    return [
        attachment(about["file-id"], url, entry.text, int(about["file-size"]), about["file-type"])
    ]


def file_key(chat: Chat, file_id: str) -> str:
    """Name an agent's file so that nobody can guess it; it begins with the file's id."""
    return f"{file_id}-{uuid.uuid5(NAMESPACE, f'{chat.secure_key}:{file_id}').hex}"


def typing_of(entry: Entry) -> list[JSON]:
    if entry.kind is EntryKind.TYPING_STOPPED:
        return [{"eventType": "Typing", "typing": {"type": "Off"}}]
    typing: dict[str, JSON] = {"type": "On"}
    if entry.party.kind is not PartyKind.CUSTOMER:
        typing["duration"] = TYPING_MS
    return [{"eventType": "Typing", "typing": typing}]


def presence(kind: str) -> list[JSON]:
    return [{"eventType": "Presence", "presence": {"type": kind}}]


def ending_of(chat: Chat, position: int, at_end: AtChatEnd) -> dict[str, JSON]:
    """Write that the conversation is over; it comes from the platform, not from a person."""
    head = head_of(chat, position)
    time, id_ = stamp(chat.log[position].utc), head["id"]
    head |= {
        "originatingEntity": "Bot",
        "channel": {"time": time, "messageId": id_, "type": "Private"},
    }
    metadata: dict[str, JSON] = {"readOnly": "true"} if at_end is AtChatEnd.READ_ONLY else {}
    return {**head, "type": "Event", "metadata": metadata, "events": presence("Disconnect")}


# --- what a guest has said -----------------------------------------------------------------------


def content_of(message: GuestMessage, uploads: Sequence[Upload]) -> str:
    """Write the pressed buttons and the files of a guest's message as JSON text."""
    content: list[JSON] = []
    for press in message.presses:
        answer: dict[str, JSON] = {
            "text": press.text,
            "payload": press.payload,
            "type": press.kind,
        }
        if press.message_id:
            answer["originatingMessageId"] = press.message_id
        content.append({"contentType": "ButtonResponse", "buttonResponse": answer})
    content.extend(
        attachment(item.id, item.download_url, item.name, len(item.content or b""), item.type)
        for item in uploads
    )
    return orjson.dumps(content).decode() if content else ""


def attachment(id_: str, url: str, name: str, size: int, type_: str) -> JSON:
    """Write a file, whoever has sent it."""
    family = type_.partition("/")[0].capitalize()
    about: dict[str, JSON] = {
        "id": id_,
        "url": url,
        "filename": name,
        "fileSize": size,
        "mediaType": family if family in MEDIA else "File",
        "mime": type_,
    }
    return {"contentType": "Attachment", "attachment": about}
