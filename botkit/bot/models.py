"""The shapes of bot files and agent files, as pydantic sees them.

Steps, reactions and guards are lists of anything here: each is validated on its own, with the model
of its verb (``step_models.py``), so that one wrong step hides no other.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from botkit.bot import field_schemas as schemas
from botkit.bot.fields import (
    Arguments,
    Duration,
    Key,
    Name,
    Names,
    SomeNames,
    SomeSteps,
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


Version = Annotated[str, BeforeValidator(_version), WithJsonSchema(schemas.VERSION)]


def _cell(value: Any) -> str:
    if not isinstance(value, str):
        refuse("a column holds a text, not a list or a mapping")
    return value


Cell = Annotated[str, BeforeValidator(_cell), WithJsonSchema(schemas.CELL)]

Reactions = list[Annotated[Any, WithJsonSchema(schemas.ref("reaction"))]]
Guards = list[Annotated[Any, WithJsonSchema(schemas.ref("guard"))]]
"""Reactions and guards are compiled one by one, as steps are."""


class AuthModel(Model):
    """User and password for HTTP basic authentication."""

    user: TextTemplate = Field(description="The user.", examples=["ada"])
    password: TextTemplate = Field(
        description="The password; keep it out of the file.", examples=["${secret.CHAT_PASSWORD}"]
    )


class ConnectModel(Model):
    """How the session is opened, and how the server is reached."""

    server: TextTemplate | None = Field(
        default=None,
        description="The URL of the chat server; without one the simulator answers.",
        examples=["${env.CHAT_URL}", "https://chat.example.com/genesys/cometd"],
    )
    connector: Text | None = Field(
        default=None,
        description="The wire that is spoken; otherwise the URL decides.",
        examples=["gms-cometd", "gms-rest", "genesys-cloud"],
    )
    service: TextTemplate | None = Field(
        default=None,
        description="The chat service that is asked for.",
        examples=["customer-support"],
    )
    nickname: TextTemplate | None = Field(
        default=None,
        description="What the customer is called.",
        examples=["Ada", "${row.first_name}"],
    )
    subject: TextTemplate | None = Field(
        default=None, description="What the chat is about.", examples=["My bill"]
    )
    userdata: TextTemplates = Field(
        default_factory=dict,
        description="User data that the request for the chat carries.",
        examples=[{"Segment": "gold"}],
    )
    options: TextTemplates = Field(
        default_factory=dict,
        description="What the connector alone knows.",
        examples=[{"transport": "websocket"}],
    )
    verify: YesNo | None = Field(
        default=None, description="Whether the server's certificate is checked."
    )
    ca_file: Text | None = Field(
        default=None,
        description="Certificates of authorities to trust, PEM, beside the bot's file.",
        examples=["ca.pem"],
    )
    client_cert: Text | None = Field(
        default=None,
        description="The client's certificate with its key, PEM, beside the bot's file.",
        examples=["client.pem"],
    )
    proxy: TextTemplate | None = Field(
        default=None, description="The proxy's URL.", examples=["http://proxy.example.com:3128"]
    )
    trust_env: YesNo | None = Field(
        default=None, description="Whether HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE count."
    )
    headers: TextTemplates = Field(
        default_factory=dict,
        description="HTTP headers of each request.",
        examples=[{"X-Api-Key": "${secret.API_KEY}"}],
    )
    auth: AuthModel | None = None
    user_agent: TextTemplate | None = Field(
        default=None, description="What the client calls itself.", examples=["Acme-Monitor/1"]
    )
    open_within: Duration | None = Field(
        default=None, description="How long opening the session may take; 15s unless set."
    )


class LimitsModel(Model):
    """What bounds the chat."""

    whole_chat: Duration = Field(
        default=300.0, description="How long the whole chat may take; what takes longer has failed."
    )


class DataModel(Model):
    """The rows that a bot is played with, one journey each: from a file, or written here."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["file"]}, {"required": ["rows"]}]}
    )

    file: Text | None = Field(
        default=None,
        description="A file that ends with .csv, .json or .yaml, beside the bot's file.",
        examples=["customers.csv"],
    )
    rows: list[dict[Key, Cell]] | None = Field(
        default=None,
        description="The rows themselves: each a mapping with the same columns.",
        examples=[[{"segment": "gold", "language": "en"}]],
        json_schema_extra={"minItems": 1},
    )
    name: TextTemplate | None = Field(
        default=None,
        description="What tells the journeys apart in reports.",
        examples=["${row.segment}-${row.language}"],
    )
    mask: Texts = Field(
        default_factory=list,
        description="Columns whose values appear in no output.",
        examples=[["email"]],
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.file is None) == (self.rows is None):
            refuse("data comes from a 'file' or from 'rows': give one of them")
        return self


class SimulatorModel(Model):
    """What the embedded simulator plays for this bot."""

    agents: Text = Field(
        description="A file of scripted agents, beside the bot's file.", examples=["agents.yaml"]
    )


class BotModel(Model):
    """A bot file: it plays the customer of one chat."""

    botkit: Version = Field(description="The version of the language; it makes the file a bot.")
    bot: Name | None = Field(
        default=None,
        description="The bot's name; otherwise that of its file.",
        examples=["order-status"],
    )
    title: Text = Field(
        default="", description="What the bot proves.", examples=["An agent knows the order"]
    )
    tags: Names = Field(
        default_factory=list,
        description="What 'botkit run --tag' selects bots by.",
        examples=[["nightly"]],
    )
    connect: ConnectModel = Field(default_factory=ConnectModel)
    limits: LimitsModel = Field(default_factory=LimitsModel)
    data: DataModel | None = None
    simulator: SimulatorModel | None = None
    mask: Templates = Field(
        default_factory=list,
        description="Texts that appear in no output.",
        examples=[["${env.PIN}"]],
    )
    never: Guards = Field(
        default_factory=list,
        description="What no message of the whole chat may be like.",
        examples=[[{"contains": "technical error"}]],
    )
    whenever: Reactions = Field(
        default_factory=list,
        description="What is done whenever something happens, beside the steps.",
        examples=[[{"message": "are you still there", "do": [{"say": "Yes"}]}]],
    )
    steps: SomeSteps = Field(
        description="What the customer does and waits for, one thing after another.",
        examples=[[{"wait_for": "agent"}, {"say": "Hello"}, {"expect": "how can I help"}]],
    )


class StepsFileModel(Model):
    """A file of steps that others use."""

    version: Version = Field(
        alias="botkit-steps",
        description="The version of the language; it makes the file one of steps.",
    )
    title: Text = Field(
        default="", description="What the steps do.", examples=["Sign in as a customer"]
    )
    args: Arguments = Field(
        default_factory=list,
        description="What the steps must be given, or have a usual value for: ${args.NAME}.",
        examples=[["order", {"language": "en"}]],
    )
    steps: SomeSteps = Field(
        description="The steps, in the words of a bot.",
        examples=[[{"say": "My order is ${args.order}"}]],
    )


class RequestModel(Model):
    """What a request for a chat must be like for a rule of the routing to fit."""

    service: Text | None = Field(
        default=None, description="The service that was asked for.", examples=["support"]
    )
    nickname: Text | None = Field(
        default=None, description="The customer's name.", examples=["Ada"]
    )
    subject: Text | None = Field(
        default=None, description="The chat's subject.", examples=["My bill"]
    )
    userdata: dict[Key, Text] = Field(
        default_factory=dict,
        description="User data that it carries, each with exactly this value.",
        examples=[{"Segment": "gold"}],
    )


class RuleModel(Model):
    """A rule of the routing."""

    when: RequestModel = Field(default_factory=RequestModel)
    attach: TextTemplates = Field(
        default_factory=dict,
        description="User data that the customer will see.",
        examples=[{"SurveyURL": "https://survey.example.com/${unique.uuid}"}],
    )
    to: SomeNames | None = Field(
        default=None,
        description="The agents that take the chat, in turn; otherwise all of them.",
        examples=[["Grace"]],
    )
    after: Time = Field(default=0.0, description="How long the customer waits for the agent.")


class AgentModel(Model):
    """An agent with more than steps."""

    steps: SomeSteps = Field(
        description="What the agent does and waits for.", examples=[[{"say": "How can I help?"}]]
    )
    never: Guards = Field(
        default_factory=list,
        description="What no message of the customer may be like.",
        examples=[[{"contains": "technical error"}]],
    )
    whenever: Reactions = Field(
        default_factory=list,
        description="What the agent does whenever something happens, beside the steps.",
        examples=[[{"message": "hello", "do": [{"say": "Hello"}]}]],
    )


class AgentsModel(Model):
    """A file of scripted agents, whom the simulator plays."""

    version: Version = Field(
        alias="botkit-agents",
        description="The version of the language; it makes the file one of agents.",
    )
    routing: list[RuleModel] = Field(
        default_factory=list,
        description="Who takes which chat: the first rule that fits the request.",
        examples=[[{"when": {"service": "support"}, "to": "Grace"}]],
    )
    agents: dict[Name, Annotated[Any, WithJsonSchema(schemas.ref("agent"))]] = Field(
        description="The agents by their names, each a list of steps, or a mapping with more.",
        examples=[{"Grace": [{"say": "How can I help?"}]}],
        json_schema_extra={"minProperties": 1},
    )
