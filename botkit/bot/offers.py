"""The buttons that were offered in a chat, to be found again by their text. Pure."""

from __future__ import annotations

from botkit.bot.matcher_kinds import fold
from botkit.chat import Message, PartyKind, PressButton
from botkit.chat.events import is_own

MAX_OFFERS = 1_000
"""Different texts that are remembered; then the oldest are forgotten."""


class Offers:
    """Remembers the newest button of each text."""

    __slots__ = ("_newest",)

    def __init__(self) -> None:
        self._newest: dict[str, PressButton] = {}

    def note(self, message: Message) -> None:
        """Take a message in; what the customer says offers nothing."""
        party = message.party
        if is_own(message) or (party is not None and party.kind is PartyKind.CUSTOMER):
            return
        for button in message.buttons:
            self._newest.pop(button.text, None)
            self._newest[button.text] = PressButton(
                text=button.text, payload=button.payload, message_id=message.message_id
            )
            if len(self._newest) > MAX_OFFERS:
                del self._newest[next(iter(self._newest))]

    def find(self, text: str) -> PressButton | None:
        """Find how to press the newest button of a text; case is ignored if none has it exactly."""
        exact = self._newest.get(text)
        if exact is not None:
            return exact
        wanted = fold(text.strip())
        newest_first = reversed(self._newest.items())
        return next((press for known, press in newest_first if fold(known.strip()) == wanted), None)

    def __str__(self) -> str:
        """Name all of them, oldest first."""
        return ", ".join(self._newest)
