"""The shape of each step: its verb, the verb's value, and the modifiers that belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from botkit.bot.fields import (
    EVENT_WORDS,
    MATCHER_SCHEMA,
    Count,
    Duration,
    EventKind,
    HistoryWord,
    Identifier,
    Identifiers,
    MatcherField,
    Matchers,
    MediaType,
    Number,
    OutcomeWord,
    Steps,
    Text,
    TextTemplate,
    TextTemplates,
    Time,
    Typing,
    VerdictWord,
    YesNo,
    matcher_spec,
    refuse,
    text_of,
    word,
)
from botkit.bot.matchers import MatcherSpec
from botkit.bot.models import Model
from botkit.bot.script import DEFAULT_WITHIN
from botkit.bot.values import Template, TemplateError
from botkit.chat import Event, RestoreOutcome


class StepModel(Model):
    """The root of the shapes of steps.

    ``verb`` is the key that makes a step what it is; ``bare`` verbs need no value.
    """

    verb: ClassVar[str]
    bare: ClassVar[bool] = False

    @classmethod
    def modifiers(cls) -> tuple[str, ...]:
        """The keys that may stand beside the verb."""
        keys = ((field.alias or name) for name, field in cls.model_fields.items())
        return tuple(key for key in keys if key != cls.verb)


class TimedModel(StepModel):
    """A step that waits."""

    within: Duration = DEFAULT_WITHIN
    slow_after: Duration | None = None

    @model_validator(mode="after")
    def _slow_before_late(self) -> Self:
        if self.slow_after is not None and self.slow_after >= self.within:
            refuse(
                f"slow_after ({self.slow_after:g} s) must be shorter than within"
                f" ({self.within:g} s)",
                path=("slow_after",),
            )
        return self


def _nothing(value: Any) -> None:
    if value not in ("", None):
        refuse("this verb takes no value")


Nothing = Annotated[Any, BeforeValidator(_nothing), WithJsonSchema({"type": "null"})]


# --- what the customer does ----------------------------------------------------------------------


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


class StartModel(StepModel):
    verb = "start"
    bare = True
    start: Nothing = None
    userdata: TextTemplates = Field(default_factory=dict)


class LeaveModel(StepModel):
    verb = "leave"
    bare = True
    leave: Nothing = None


class SayModel(StepModel):
    verb = "say"
    say: Annotated[Line, BeforeValidator(_line), WithJsonSchema({"type": ["string", "object"]})]
    typing: Typing | None = None


class ShowTypingModel(StepModel):
    verb = "show_typing"
    show_typing: Duration


class SendNoticeModel(StepModel):
    verb = "send_notice"
    send_notice: TextTemplate


class PushUrlModel(StepModel):
    verb = "push_url"
    push_url: TextTemplate


class FileBody(Model):
    """The value of ``send_file``; a text alone is the file."""

    file: Text
    type: MediaType | None = None


def _file(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


class SendFileModel(StepModel):
    verb = "send_file"
    send_file: Annotated[FileBody, BeforeValidator(_file)]


class SetUserdataModel(StepModel):
    verb = "set_userdata"
    set_userdata: TextTemplates


class DeleteUserdataModel(StepModel):
    verb = "delete_userdata"
    delete_userdata: TextTemplate


# --- what the customer waits for -----------------------------------------------------------------


class WaitForModel(TimedModel):
    verb = "wait_for"
    wait_for: EventKind


class MessageModel(TimedModel):
    """What ``expect`` and ``expect_next`` share."""

    sender: Text | None = Field(default=None, alias="from")
    mask: Identifiers = Field(default_factory=list)


class ExpectModel(MessageModel):
    verb = "expect"
    expect: MatcherField


class ExpectNextModel(MessageModel):
    verb = "expect_next"
    expect_next: MatcherField


class ExpectNothingModel(StepModel):
    verb = "expect_nothing"
    expect_nothing: Duration
    matching: MatcherField | None = None


class ExpectUserdataModel(TimedModel):
    verb = "expect_userdata"
    expect_userdata: Matchers


# --- the order of things -------------------------------------------------------------------------


def _case(value: Any, info: ValidationInfo) -> MatcherSpec | type[Event]:
    if not isinstance(value, Mapping) or "event" not in value:
        return matcher_spec(value, info)
    if len(value) > 1:
        refuse("a case has a matcher, or the one key 'event'")
    kind: type[Event] = word("event", EVENT_WORDS, path=("event",))(value["event"])
    return kind


class CaseModel(Model):
    """A case of ``choose``."""

    when: Annotated[
        MatcherSpec | type[Event], BeforeValidator(_case), WithJsonSchema(MATCHER_SCHEMA)
    ]
    do: Steps


class ChooseModel(StepModel):
    verb = "choose"
    choose: list[CaseModel] = Field(min_length=1)
    within: Duration = DEFAULT_WITHIN
    otherwise: Steps | None = None


class RepeatBody(Model):
    """The value of ``repeat``."""

    times: Count
    until: MatcherField | None = None
    do: Steps


class RepeatModel(StepModel):
    verb = "repeat"
    repeat: RepeatBody


class ReloadBody(Model):
    """The value of ``reload``."""

    away_for: Time = 0.0


def _bare_mapping(value: Any) -> Any:
    return {} if value in ("", None) else value


class ReloadModel(StepModel):
    verb = "reload"
    bare = True
    reload: Annotated[ReloadBody, BeforeValidator(_bare_mapping)]


class RestoredBody(Model):
    """The value of ``expect_restored``."""

    outcome: OutcomeWord = RestoreOutcome.RESTORED
    same_chat: YesNo | None = None
    same_agent: YesNo | None = None
    history: HistoryWord | None = None
    code: Number | None = None

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


class ExpectRestoredModel(StepModel):
    verb = "expect_restored"
    bare = True
    expect_restored: Annotated[RestoredBody, BeforeValidator(_bare_mapping)]
    within: Duration = DEFAULT_WITHIN


class UseModel(StepModel):
    verb = "use"
    use: Text
    arguments: TextTemplates = Field(default_factory=dict, alias="with")


class CallModel(StepModel):
    verb = "call"
    call: Text
    arguments: TextTemplates = Field(default_factory=dict, alias="with")
    save_as: Identifier | None = Field(default=None, alias="as")
    within: Duration = DEFAULT_WITHIN


class PauseModel(StepModel):
    verb = "pause"
    pause: Duration


class NoteModel(StepModel):
    verb = "note"
    note: TextTemplate


class FinishModel(StepModel):
    verb = "finish"
    finish: VerdictWord
    because: TextTemplate | None = None


class WheneverModel(Model):
    """A reaction; ``matching`` stands behind the event's key in the file."""

    matching: Any = ""
    sender: Text | None = Field(default=None, alias="from")
    times: Count | None = None
    do: Steps


STEP_MODELS: Mapping[str, type[StepModel]] = MappingProxyType(
    {
        model.verb: model
        for model in (
            StartModel,
            LeaveModel,
            SayModel,
            ShowTypingModel,
            SendNoticeModel,
            PushUrlModel,
            SendFileModel,
            SetUserdataModel,
            DeleteUserdataModel,
            WaitForModel,
            ExpectModel,
            ExpectNextModel,
            ExpectNothingModel,
            ExpectUserdataModel,
            ChooseModel,
            RepeatModel,
            ReloadModel,
            ExpectRestoredModel,
            UseModel,
            CallModel,
            PauseModel,
            NoteModel,
            FinishModel,
        )
    }
)
"""The verbs of the language."""

REACTION_VERBS = (
    "say",
    "send_notice",
    "push_url",
    "send_file",
    "set_userdata",
    "note",
    "finish",
)
"""What a reaction may do: nothing that waits, and nothing that nests."""

VERBS_AFTER_LEAVE = ("wait_for", "reload", "expect_restored", "note", "finish")
"""What may follow ``leave``; of ``wait_for`` only the end of the chat."""
