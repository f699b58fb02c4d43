"""The shape of each step: its verb, the verb's value, and the modifiers that belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from botkit.bot import field_schemas as schemas
from botkit.bot.fields import (
    EVENT_WORDS,
    Count,
    Duration,
    EventKind,
    Identifier,
    Identifiers,
    MatcherField,
    Matchers,
    Sender,
    SlowAfter,
    SomeSteps,
    Steps,
    Text,
    TextTemplate,
    TextTemplates,
    Typing,
    VerdictWord,
    Within,
    matcher_spec,
    refuse,
    word,
)
from botkit.bot.matchers import MatcherSpec
from botkit.bot.models import Model
from botkit.bot.script import DEFAULT_WITHIN
from botkit.bot.step_bodies import FileValue, Nothing, ReloadValue, RestoredValue, SayValue
from botkit.chat import Event


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

    within: Within = DEFAULT_WITHIN
    slow_after: SlowAfter = None

    @model_validator(mode="after")
    def _slow_before_late(self) -> Self:
        if self.slow_after is not None and self.slow_after >= self.within:
            refuse(
                f"slow_after ({self.slow_after:g} s) must be shorter than within"
                f" ({self.within:g} s)",
                path=("slow_after",),
            )
        return self


# --- what the customer does ----------------------------------------------------------------------


class StartModel(StepModel):
    """Open the chat; only a first step can say so, to attach user data."""

    verb = "start"
    bare = True
    start: Nothing = None
    userdata: TextTemplates = Field(
        default_factory=dict,
        description="User data that the request for the chat carries.",
        examples=[{"Segment": "gold"}],
    )


class LeaveModel(StepModel):
    """Leave the chat; at the end that is done unasked."""

    verb = "leave"
    bare = True
    leave: Nothing = None


class SayModel(StepModel):
    """Say a line, or press a button that was offered."""

    verb = "say"
    say: SayValue = Field(examples=["Hello, my order is ${row.order}"])
    typing: Typing | None = Field(
        default=None, description="Show typing first: for a time, or as long as a human takes."
    )


class ShowTypingModel(StepModel):
    """Show typing for a time."""

    verb = "show_typing"
    show_typing: Duration


class SendNoticeModel(StepModel):
    """Send a machine-readable note."""

    verb = "send_notice"
    send_notice: TextTemplate = Field(examples=["cobrowse=123-456"])


class PushUrlModel(StepModel):
    """Push a page to the other side."""

    verb = "push_url"
    push_url: TextTemplate = Field(examples=["https://example.com/my-bill"])


class SendFileModel(StepModel):
    """Put a file into the chat."""

    verb = "send_file"
    send_file: FileValue = Field(examples=["photo.png", {"file": "photo", "type": "image/png"}])


class SetUserdataModel(StepModel):
    """Attach user data to the chat."""

    verb = "set_userdata"
    set_userdata: TextTemplates = Field(examples=[{"CaseNumber": "${case_no}"}])


class DeleteUserdataModel(StepModel):
    """Take a key away from the user data."""

    verb = "delete_userdata"
    delete_userdata: TextTemplate = Field(examples=["CaseNumber"])


# --- what the customer waits for -----------------------------------------------------------------


class WaitForModel(TimedModel):
    """Wait for an event that is not a message."""

    verb = "wait_for"
    wait_for: EventKind


class MessageModel(TimedModel):
    """What ``expect`` and ``expect_next`` share."""

    sender: Sender | None = Field(default=None, alias="from")
    mask: Identifiers = Field(
        default_factory=list,
        description="Captured variables whose values appear in no output.",
        examples=[["pin"]],
    )


class ExpectModel(MessageModel):
    """Scan on to the first message that fits."""

    verb = "expect"
    expect: MatcherField = Field(
        examples=["how can I help", {"matches": "order (?P<order>[0-9]+)"}]
    )


class ExpectNextModel(MessageModel):
    """The very next message must fit."""

    verb = "expect_next"
    expect_next: MatcherField = Field(examples=[{"starts_with": "Welcome"}])


class ExpectNothingModel(StepModel):
    """For that time no new message may come, or none that fits."""

    verb = "expect_nothing"
    expect_nothing: Duration
    matching: MatcherField | None = Field(
        default=None, description="Only such messages may not come.", examples=["technical error"]
    )


class ExpectUserdataModel(TimedModel):
    """Wait until user data fit, all keys at once."""

    verb = "expect_userdata"
    expect_userdata: Matchers = Field(examples=[{"SurveyURL": {"starts_with": "https://"}}])


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
        MatcherSpec | type[Event], BeforeValidator(_case), WithJsonSchema(schemas.ref("case"))
    ] = Field(
        description="The message that decides for this case, or an event.",
        examples=[{"contains": "one moment"}, {"event": "agent_left"}],
    )
    do: Steps = Field(description="What is done then.", examples=[[{"say": "Thank you"}]])


class ChooseModel(StepModel):
    """Wait for the first event that fits one of several cases, and do what it says."""

    verb = "choose"
    choose: list[CaseModel] = Field(
        min_length=1, examples=[[{"when": "one moment", "do": [{"expect": "I am back"}]}]]
    )
    within: Within = DEFAULT_WITHIN
    otherwise: Steps | None = Field(
        default=None,
        description="What is done if nothing fits in time; without it that has failed.",
        examples=[[{"finish": "skipped"}]],
    )


class RepeatBody(Model):
    """Rounds of steps: how many, and what ends them before."""

    times: Count = Field(description="How many rounds at most.")
    until: MatcherField | None = Field(
        default=None, description="The message that ends the rounds.", examples=["you are next"]
    )
    do: SomeSteps = Field(description="One round.", examples=[[{"say": "Hello?"}, {"pause": "2s"}]])


class RepeatModel(StepModel):
    """Do steps several times."""

    verb = "repeat"
    repeat: RepeatBody = Field(examples=[{"times": 3, "do": [{"say": "Hello?"}]}])


class ReloadModel(StepModel):
    """Drop the connection as a browser does that reloads its page, and come back."""

    verb = "reload"
    bare = True
    reload: ReloadValue = Field(examples=[{"away_for": "8s"}])


class ExpectRestoredModel(StepModel):
    """Judge the latest reload."""

    verb = "expect_restored"
    bare = True
    expect_restored: RestoredValue = Field(
        examples=[{"same_chat": True, "history": "complete"}, {"outcome": "no_session"}]
    )
    within: Within = DEFAULT_WITHIN


class UseModel(StepModel):
    """Do the steps of another file."""

    verb = "use"
    use: Text = Field(examples=["sign-in.yaml"])
    arguments: TextTemplates = Field(
        default_factory=dict,
        alias="with",
        description="What the file of steps is given.",
        examples=[{"order": "${order}"}],
    )


class CallModel(StepModel):
    """Run an action of a plugin."""

    verb = "call"
    call: Annotated[Text, WithJsonSchema(schemas.ref("action"))]
    arguments: TextTemplates = Field(
        default_factory=dict,
        alias="with",
        description="What the action is given.",
        examples=[{"order": "${order}"}],
    )
    save_as: Identifier | None = Field(
        default=None,
        alias="as",
        description="The variable that keeps the action's result.",
        examples=["order"],
    )
    within: Within = DEFAULT_WITHIN


class PauseModel(StepModel):
    """Wait for a time."""

    verb = "pause"
    pause: Duration


class NoteModel(StepModel):
    """Write something down for the report."""

    verb = "note"
    note: TextTemplate = Field(examples=["the case is ${case_no}"])


class FinishModel(StepModel):
    """End the bot here, with a verdict."""

    verb = "finish"
    finish: VerdictWord
    because: TextTemplate | None = Field(
        default=None, description="Why, in a sentence for the report.", examples=["it is Sunday"]
    )


class WheneverModel(Model):
    """What stands beside the event in a reaction."""

    sender: Sender | None = Field(default=None, alias="from")
    times: Count | None = Field(
        default=None, description="How often it is done at most; every time unless set."
    )
    do: Annotated[Steps, WithJsonSchema(schemas.REACTION_STEPS)] = Field(
        description="What is done, between what the steps do.", examples=[[{"say": "Yes"}]]
    )


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
