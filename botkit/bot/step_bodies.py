"""What stands behind verbs where it is more than a text, a time or a matcher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from botkit.bot import field_schemas as schemas
from botkit.bot.fields import (
    HistoryWord,
    MediaType,
    Number,
    OutcomeWord,
    Text,
    Time,
    YesNo,
    refuse,
    text_of,
)
from botkit.bot.models import Model
from botkit.bot.values import Template, TemplateError
from botkit.chat import RestoreOutcome


def _nothing(value: Any) -> None:
    if value not in ("", None):
        refuse("this verb takes no value")


Nothing = Annotated[Any, BeforeValidator(_nothing), WithJsonSchema(schemas.NOTHING)]


# --- say -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """The value of ``say``.

    Attributes:
        text: what is said, or the text of the button that is pressed.
        button: a button is pressed.
        buttons: what is offered with the text.
    """

    text: Template
    button: bool = False
    buttons: tuple[Template, ...] = ()


def _line(value: Any) -> Line:
    if not isinstance(value, Mapping):
        return Line(_part(value))
    if set(value) == {"button"}:
        return Line(_part(value["button"], "button"), button=True)
    if set(value) != {"text", "buttons"}:
        refuse(
            "say takes a text, {button: TEXT} to press a button,"
            " or {text: TEXT, buttons: [TEXT, ...]} for an agent to offer some"
        )
    return Line(_part(value["text"], "text"), buttons=_buttons(value["buttons"]))


def _buttons(value: Any) -> tuple[Template, ...]:
    if not isinstance(value, list) or not value:
        refuse("buttons are a list of texts", path=("buttons",))
    return tuple(_part(item, "buttons", number) for number, item in enumerate(value))


def _part(value: Any, *path: str | int) -> Template:
    """Read a text that values may be filled into; ``path`` leads to it."""
    try:
        return Template.parse(text_of(value, path=path))
    except TemplateError as error:
        refuse(error.message, path=path, offset=error.offset)


SayValue = Annotated[Line, BeforeValidator(_line), WithJsonSchema(schemas.ref("line"))]

# --- send_file -----------------------------------------------------------------------------------


class FileBody(Model):
    """A file with its type; a text alone is the file."""

    file: Text = Field(
        description="The file, beside the bot's own; up to 10 MB.", examples=["photo.png"]
    )
    type: MediaType | None = Field(
        default=None, description="The type of its contents; otherwise its name tells."
    )


def _file(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


FileValue = Annotated[FileBody, BeforeValidator(_file), schemas.Or(schemas.PLAIN_TEXT)]

# --- reload and expect_restored ------------------------------------------------------------------


def _bare_mapping(value: Any) -> Any:
    return {} if value in ("", None) else value


_MAY_BE_BARE = BeforeValidator(_bare_mapping)


class ReloadBody(Model):
    """How the page is reloaded."""

    away_for: Time = Field(default=0.0, description="How long the customer is away.")


ReloadValue = Annotated[ReloadBody, _MAY_BE_BARE, schemas.Or(schemas.NOTHING)]


class RestoredBody(Model):
    """What the reload came to."""

    model_config = ConfigDict(json_schema_extra={"allOf": schemas.FITTING_OUTCOMES})

    outcome: OutcomeWord = Field(
        default=RestoreOutcome.RESTORED, description="How coming back ended."
    )
    same_chat: YesNo | None = Field(
        default=None, description="It is the chat that it was; asked for unless it is false."
    )
    same_agent: YesNo | None = Field(default=None, description="Everybody is there who was there.")
    history: HistoryWord | None = Field(
        default=None, description="All that was seen before was repeated."
    )
    code: Number | None = Field(default=None, description="The code that the service refused with.")

    @model_validator(mode="after")
    def _fits_its_outcome(self) -> Self:
        said = self.model_fields_set - {"outcome"}
        if self.outcome is RestoreOutcome.RESTORED:
            self._refuse(said & {"code"}, "a chat that came back has no 'code'")
        else:
            message = "a chat that did not come back has no {!r}"
            self._refuse(said & {"same_chat", "same_agent", "history"}, message)
        if self.outcome is RestoreOutcome.NO_SESSION:
            self._refuse(said & {"code"}, "where nothing was stored there is no 'code'")
        return self

    def _refuse(self, keys: set[str], message: str) -> None:
        for key in sorted(keys):
            refuse(message.format(key), path=(key,), at_key=True)


RestoredValue = Annotated[RestoredBody, _MAY_BE_BARE, schemas.Or(schemas.NOTHING)]
