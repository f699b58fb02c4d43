"""What a guest of web messaging says, as messages; and which answers were offered. Pure.

Source: official Kotlin SDK, ``MessageStore.prepareMessage`` and its neighbours.
"""

from __future__ import annotations

from typing import Any

from botkit import chat
from botkit.errors import LocalProtocolError
from botkit.genesys.guest_attributes import GuestAttributes
from botkit.genesys.web_content import (
    BUTTON,
    QUICK_REPLY,
    Offer,
    Pressed,
    pressed_content,
    sent_attachment_content,
)
from botkit.genesys.web_records import GuestMessage, MessageEvent

MAX_OFFERS = 50
"""Messages whose offers are remembered."""


class GuestLines:
    """Writes the messages of one chat; the attributes travel with them.

    Args:
        attributes: of the guest.
        on_top: put the attributes beside the message instead of inside of it.
    """

    __slots__ = ("_attributes", "_offers", "_on_top")

    def __init__(self, attributes: GuestAttributes, *, on_top: bool = False) -> None:
        self._attributes = attributes
        self._on_top = on_top
        self._offers: dict[str, tuple[Offer, ...]] = {}

    def offered(self, message_id: str, offers: tuple[Offer, ...]) -> None:
        """Remember what a message offers."""
        self._offers[message_id] = offers
        if len(self._offers) > MAX_OFFERS:
            del self._offers[next(iter(self._offers))]

    def text(self, command: chat.SendMessage) -> GuestMessage:
        """Write a line.

        Raises:
            LocalProtocolError: it is of a type that the wire does not have.
        """
        if command.content_type != "text":
            raise LocalProtocolError(
                f"web messaging takes text from customers, not {command.content_type!r}"
            )
        return self._outgoing(text=command.text)

    def answer(self, command: chat.PressButton) -> GuestMessage:
        """Write the answer to what a message offers; what none offers is a quick reply."""
        message_id, offer = self._offer_of(command)
        pressed = Pressed(
            text=offer.text,
            payload=offer.payload,
            type=offer.type,
            originating_message_id=message_id,
        )
        content = (pressed_content(pressed),)
        if offer.type == BUTTON:
            return self._outgoing(type="Structured", text=offer.text, content=content)
        return self._outgoing(content=content)

    def file(self, attachment_id: str) -> GuestMessage:
        """Write the message that brings a file which was uploaded."""
        return self._outgoing(content=(sent_attachment_content(attachment_id),))

    def typing(self) -> GuestMessage:
        """Write that the customer is typing; there is no word for having stopped."""
        return GuestMessage(type="Event", events=(MessageEvent(type="Typing", value="On"),))

    def join(self) -> GuestMessage:
        """Write that the customer is there, before the first line."""
        return self._outgoing(type="Event", events=_presence("Join"))

    def clear(self) -> GuestMessage:
        """Write that the conversation is to be erased."""
        return GuestMessage(type="Event", events=_presence("Clear"))

    def _outgoing(self, **members: Any) -> GuestMessage:
        return GuestMessage(
            attributes=self._attributes.to_send, attributes_on_top=self._on_top, **members
        )

    def _offer_of(self, command: chat.PressButton) -> tuple[str, Offer]:
        """Find what was offered: in the message that is meant, or else in the latest."""
        ids = [command.message_id] if command.message_id else reversed(self._offers)
        for id in ids:
            for offer in self._offers.get(id, ()):
                if offer.text == command.text and command.payload in ("", offer.payload):
                    return id, offer
        payload = command.payload or command.text
        return command.message_id, Offer(text=command.text, payload=payload, type=QUICK_REPLY)


def _presence(value: str) -> tuple[MessageEvent, ...]:
    return (MessageEvent(type="Presence", value=value),)
