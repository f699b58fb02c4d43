"""What a web message holds besides its text: quick replies, cards, pickers, files. Pure.

An element of ``content`` is kept as it came, so that nothing is lost of the many types that exist;
what botkit has a word for is read out of it.

Source: official Kotlin SDK, ``StructuredMessage.Content``; official Java SDK for the other types.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from botkit.bayeux.messages import JSON
from botkit.errors import RemoteProtocolError
from botkit.genesys.web_members import (
    as_object,
    read_int,
    read_list,
    read_object,
    read_text,
)

__all__ = [
    "BUTTON",
    "DATE_PICKER",
    "QUICK_REPLY",
    "Attachment",
    "Content",
    "Offer",
    "Pressed",
    "attachment_content",
    "attachments_in",
    "card_content",
    "carousel_content",
    "content_as_text",
    "decode_content",
    "offers_in",
    "pressed_content",
    "pressed_in",
    "quick_reply_content",
    "sent_attachment_content",
    "titles_in",
]

QUICK_REPLY = "QuickReply"
BUTTON = "Button"
DATE_PICKER = "DatePicker"
ANSWERING = ("postback", "button")
"""Actions of a card that answer; the others (Link) open something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One element of ``content``: its ``contentType``, and the whole of it."""

    kind: str
    body: Mapping[str, JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An answer that a message offers; ``type`` is what the answer has to call itself."""

    text: str
    payload: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """An answer that was given: the content ``ButtonResponse``."""

    text: str
    payload: str
    type: str
    originating_message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file in a message."""

    id: str
    name: str = ""
    url: str = ""
    mime: str = ""
    size: int | None = None


def decode_content(raw: JSON) -> Content:
    """Read an element of ``content``, whatever its type.

    Raises:
        RemoteProtocolError: it is no object, or what botkit reads out of it is malformed.
    """
    body = as_object(raw, "an element of content")
    content = Content(kind=read_text(body, "contentType"), body=body)
    # Read once now, so that what is malformed is refused before anything is told.
    one = (content,)
    offers_in(one), titles_in(one), pressed_in(one), attachments_in(one), content_as_text(one)
    return content


def content_as_text(contents: Sequence[Content]) -> str:
    """Write all elements as one JSON array; empty if there are none.

    Raises:
        RemoteProtocolError: they are nested too deeply.
    """
    if not contents:
        return ""
    try:
        return json.dumps([content.body for content in contents], ensure_ascii=False)
    except RecursionError as error:
        raise RemoteProtocolError("content is nested too deeply") from error


# --- what is read out of it ----------------------------------------------------------------------


def offers_in(contents: Iterable[Content]) -> tuple[Offer, ...]:
    """Find the answers that a message offers, in order."""
    return tuple(offer for content in contents for offer in _offers(content))


def _offers(content: Content) -> Iterator[Offer]:
    match content.kind:
        case "QuickReply":
            reply = read_object(content.body, "quickReply")
            text = read_text(reply, "text")
            yield Offer(text=text, payload=read_text(reply, "payload"), type=QUICK_REPLY)
        case "Card" | "Carousel":
            for card in _cards(content):
                for raw in read_list(card, "actions"):
                    action = as_object(raw, "an action")
                    if read_text(action, "type").lower() in ANSWERING:
                        text, payload = read_text(action, "text"), read_text(action, "payload")
                        yield Offer(text=text, payload=payload, type=BUTTON)
        case "DatePicker":
            for raw in read_list(read_object(content.body, "datePicker"), "availableTimes"):
                time = read_text(as_object(raw, "an available time"), "dateTime")
                yield Offer(text=time, payload=time, type=DATE_PICKER)
        case _:
            return


def titles_in(contents: Iterable[Content]) -> str:
    """Say what a person reads of content without a text of its own, a line each."""
    lines = (line for content in contents for line in _titles(content))
    return "\n".join(line for line in lines if line)


def _titles(content: Content) -> Iterator[str]:
    match content.kind:
        case "Card" | "Carousel":
            for card in _cards(content):
                yield read_text(card, "title")
                yield read_text(card, "description")
        case "DatePicker":
            yield read_text(read_object(content.body, "datePicker"), "title")
        case "QuickReply":
            yield read_text(read_object(content.body, "quickReply"), "text")
        case "ButtonResponse":
            yield read_text(read_object(content.body, "buttonResponse"), "text")
        case _:
            return


def _cards(content: Content) -> Iterator[dict[str, JSON]]:
    if content.kind == "Card":
        yield read_object(content.body, "card")
        return
    for raw in read_list(read_object(content.body, "carousel"), "cards"):
        yield as_object(raw, "a card")


def pressed_in(contents: Iterable[Content]) -> Pressed | None:
    """Find the answer that a message gives."""
    for content in contents:
        if content.kind == "ButtonResponse":
            raw = read_object(content.body, "buttonResponse")
            return Pressed(
                text=read_text(raw, "text"),
                payload=read_text(raw, "payload"),
                type=read_text(raw, "type"),
                originating_message_id=read_text(raw, "originatingMessageId"),
            )
    return None


def attachments_in(contents: Iterable[Content]) -> tuple[Attachment, ...]:
    """Find the files of a message."""
    return tuple(
        _attachment(read_object(content.body, "attachment"))
        for content in contents
        if content.kind == "Attachment"
    )


def _attachment(raw: Mapping[str, JSON]) -> Attachment:
    return Attachment(
        id=read_text(raw, "id"),
        name=read_text(raw, "filename"),
        url=read_text(raw, "url"),
        mime=read_text(raw, "mime"),
        size=read_int(raw, "fileSize"),
    )


# --- how it is made ------------------------------------------------------------------------------


def quick_reply_content(text: str, payload: str) -> Content:
    """Offer a quick reply."""
    reply: JSON = {"text": text, "payload": payload, "action": "Message"}
    return _content(QUICK_REPLY, "quickReply", reply)


def card_content(title: str, description: str, offers: Sequence[Offer]) -> Content:
    """Show a card with its buttons."""
    return _content("Card", "card", _card(title, description, offers))


def carousel_content(cards: Sequence[tuple[str, str, Sequence[Offer]]]) -> Content:
    """Show several cards: title, description and buttons of each."""
    return _content("Carousel", "carousel", {"cards": [_card(*card) for card in cards]})


def pressed_content(pressed: Pressed) -> Content:
    """Give an answer."""
    raw: dict[str, JSON] = {
        "text": pressed.text,
        "payload": pressed.payload,
        "type": pressed.type,
    }
    if pressed.originating_message_id:
        raw["originatingMessageId"] = pressed.originating_message_id
    return _content("ButtonResponse", "buttonResponse", raw)


def sent_attachment_content(attachment_id: str) -> Content:
    """Put a file that was uploaded into a message."""
    return _content("Attachment", "attachment", {"id": attachment_id})


def attachment_content(attachment: Attachment) -> Content:
    """Show a file."""
    return _content(
        "Attachment",
        "attachment",
        {
            "id": attachment.id,
            "filename": attachment.name,
            "fileSize": attachment.size,
            "mediaType": "Image" if attachment.mime.startswith("image/") else "File",
            "mime": attachment.mime,
            "url": attachment.url,
        },
    )


def _card(title: str, description: str, offers: Sequence[Offer]) -> dict[str, JSON]:
    actions: list[JSON] = [
        {"type": "Postback", "text": offer.text, "payload": offer.payload} for offer in offers
    ]
    return {"title": title, "description": description, "actions": actions}


def _content(kind: str, member: str, value: JSON) -> Content:
    return Content(kind=kind, body={"contentType": kind, member: value})
