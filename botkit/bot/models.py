"""The shapes of bot files and agent files, as pydantic sees them.

Steps, reactions and guards are lists of anything here: each is validated on its own, with the model
of its verb (``step_models.py``), so that one wrong step hides no other.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from botkit.bot.fields import (
    SCALAR_SCHEMA,
    Arguments,
    Duration,
    Key,
    Name,
    Names,
    SomeNames,
    Steps,
    Templates,
    Text,
    Texts,
    TextTemplate,
    TextTemplates,
    Time,
    YesNo,
    refuse,
)

LANGUAGE_VERSION = "1"


class Model(BaseModel):
    """What all shapes share: unknown keys are wrong, and nothing changes later."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=False
    )


def _version(value: Any) -> str:
    if value != LANGUAGE_VERSION:
        refuse(f"this botkit reads version {LANGUAGE_VERSION} of the language, not {value!r}")
    return LANGUAGE_VERSION


Version = Annotated[str, BeforeValidator(_version), WithJsonSchema({"const": 1})]


def _cell(value: Any) -> str:
    if not isinstance(value, str):
        refuse("a column holds a text, not a list or a mapping")
    return value


Cell = Annotated[str, BeforeValidator(_cell), WithJsonSchema(SCALAR_SCHEMA)]


class AuthModel(Model):
    """User and password for HTTP basic authentication."""

    user: TextTemplate
    password: TextTemplate


class ConnectModel(Model):
    """How the session is opened, and how the server is reached."""

    server: TextTemplate | None = None
    connector: Text | None = None
    service: TextTemplate | None = None
    nickname: TextTemplate | None = None
    subject: TextTemplate | None = None
    userdata: TextTemplates = Field(default_factory=dict)
    options: TextTemplates = Field(default_factory=dict)
    verify: YesNo | None = None
    ca_file: Text | None = None
    client_cert: Text | None = None
    proxy: TextTemplate | None = None
    trust_env: YesNo | None = None
    headers: TextTemplates = Field(default_factory=dict)
    auth: AuthModel | None = None
    user_agent: TextTemplate | None = None
    open_within: Duration | None = None


class LimitsModel(Model):
    """What bounds the chat."""

    whole_chat: Duration = 300.0


class DataModel(Model):
    """The rows that a bot is played with, one journey each."""

    file: Text | None = None
    rows: list[dict[Key, Cell]] | None = None
    name: TextTemplate | None = None
    mask: Texts = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.file is None) == (self.rows is None):
            refuse("data comes from a 'file' or from 'rows': give one of them")
        return self


class SimulatorModel(Model):
    """What the embedded simulator plays for this bot."""

    agents: Text


class BotModel(Model):
    """A bot file."""

    botkit: Version
    bot: Name | None = None
    title: Text = ""
    tags: Names = Field(default_factory=list)
    connect: ConnectModel = Field(default_factory=ConnectModel)
    limits: LimitsModel = Field(default_factory=LimitsModel)
    data: DataModel | None = None
    simulator: SimulatorModel | None = None
    mask: Templates = Field(default_factory=list)
    never: list[Any] = Field(default_factory=list)
    whenever: list[Any] = Field(default_factory=list)
    steps: Steps


class StepsFileModel(Model):
    """A file of steps that others use."""

    version: Version = Field(alias="botkit-steps")
    title: Text = ""
    args: Arguments = Field(default_factory=list)
    steps: Steps


class RequestModel(Model):
    """What a request for a chat must be like for a rule of the routing to fit."""

    service: Text | None = None
    nickname: Text | None = None
    subject: Text | None = None
    userdata: dict[Key, Text] = Field(default_factory=dict)


class RuleModel(Model):
    """A rule of the routing."""

    when: RequestModel = Field(default_factory=RequestModel)
    attach: TextTemplates = Field(default_factory=dict)
    to: SomeNames | None = None
    after: Time = 0.0


class AgentModel(Model):
    """An agent with more than steps."""

    steps: Steps
    never: list[Any] = Field(default_factory=list)
    whenever: list[Any] = Field(default_factory=list)


class AgentsModel(Model):
    """A file of scripted agents."""

    version: Version = Field(alias="botkit-agents")
    routing: list[RuleModel] = Field(default_factory=list)
    agents: dict[Name, Any]
