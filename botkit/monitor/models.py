"""The shape of a file of monitors, as pydantic sees it."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from botkit.bot import field_schemas as schemas
from botkit.bot.fields import (
    Count,
    Duration,
    Key,
    Name,
    Names,
    Number,
    Templates,
    Text,
    TextTemplate,
    TextTemplates,
    Time,
    refuse,
)
from botkit.bot.models import Model
from botkit.monitor.alerts.rules import THREE_OF_FIVE, TWO_OF_THREE
from botkit.monitor.fields import (
    CronExpression,
    Day,
    KindOfAlert,
    LongTime,
    Moment,
    OpenSpans,
    Percent,
    ShareOfChecks,
    ShareOrNever,
    Zone,
)

VERSION = "1"


def _version(value: Any) -> str:
    if value != VERSION:
        refuse(f"this botkit reads version {VERSION} of such files, not {value!r}")
    return VERSION


FileVersion = Annotated[str, BeforeValidator(_version), WithJsonSchema(schemas.VERSION)]


class HoursModel(Model):
    """When the service is open."""

    open: OpenSpans = Field(
        description="The hours, in the time zone of the file.",
        examples=[["mon-fri 08:00-18:00", "sat 09:00-12:00"]],
    )
    holidays: list[Day] = Field(
        default_factory=list, description="Days on which it is closed.", examples=[["2026-12-25"]]
    )


class CapsModel(Model):
    """What the contact centre can bear, over all monitors."""

    chats: Count | None = Field(default=None, description="So many chats at once, at most.")
    chats_per_hour: Count | None = Field(
        default=None, description="So many chats within any 60 minutes, at most."
    )


class WindowModel(Model):
    """A maintenance: nothing is played and nobody is paged."""

    begin: Moment = Field(alias="from", description="When it begins.")
    end: Moment = Field(alias="until", description="When it is over.")
    monitors: Names = Field(
        default_factory=list, description="Those that it is for; otherwise all."
    )
    because: Text = Field(default="", description="What is written beside it.")

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.end <= self.begin:
            refuse("this maintenance is over before it begins", path=("until",))
        return self


class RetentionModel(Model):
    """How long the history goes back."""

    journeys: LongTime = Field(default=90 * 86400.0, description="Journeys with their evidence.")
    counts: LongTime = Field(default=400 * 86400.0, description="The counts that bars show.")


class HistoryModel(Model):
    """Where finished journeys are kept."""

    url: TextTemplate | None = Field(
        default=None,
        description="A file of SQLite, or the URL of a PostgreSQL database.",
        examples=["monitor.db", "postgresql://botkit@db.example.com/botkit"],
    )
    spool: Text | None = Field(
        default=None,
        description="A folder of this probe alone, where journeys wait for a store that is down.",
        examples=["monitor.spool"],
    )
    keep: RetentionModel = Field(default_factory=RetentionModel)


class PageModel(Model):
    """The status page, with the metrics."""

    host: Text = Field(
        default="127.0.0.1",
        description="The address to listen on; any but this machine's own needs a token.",
    )
    port: Number = Field(default=8600, description="The port; 0 takes any.")
    token: TextTemplate | None = Field(
        default=None,
        description="Whoever has it may run monitors and begin maintenances.",
        examples=["${secret.MONITOR_TOKEN}"],
    )
    url: Text | None = Field(
        default=None,
        description="Where people reach the page; alerts link to it.",
        examples=["https://chat-status.example.com"],
    )


class HeartbeatModel(Model):
    """Signs of life for a dead-man switch, such as Healthchecks."""

    url: TextTemplate = Field(
        description="The URL that is asked for while all goes well; keep it out of the file.",
        examples=["${secret.HEARTBEAT_URL}"],
    )
    every: Duration = Field(default=60.0, description="The time from one to the next.")
    stuck_after: LongTime = Field(
        default=900.0,
        description="So late a monitor is stuck, and no more are sent: longer than any chat takes.",
    )


class ProbeModel(Model):
    """`/probe`: the bot of a monitor is played whenever somebody asks, Prometheus say."""

    targets: Templates = Field(
        default_factory=list,
        description="Servers that may be named beside a monitor's own; * is a part of a name.",
        examples=[["https://chat-*.example.com/genesys/cometd"]],
    )
    within: Duration = Field(
        default=120.0, description="No probe takes longer, however long the one who asks waits."
    )


class RulesModel(Model):
    """When people are paged."""

    fail: ShareOfChecks = Field(
        default=TWO_OF_THREE, description="So many failures among so many checks: it is down."
    )
    degraded: ShareOrNever = Field(
        default=THREE_OF_FIVE,
        description="So many slow checks among so many: it is degraded; or 'never'.",
    )
    flapping: ShareOrNever = Field(
        default=THREE_OF_FIVE,
        description="So many changes among so many checks: it is flapping; or 'never'.",
    )
    broken: ShareOfChecks = Field(
        default=TWO_OF_THREE, description="So many errors among so many checks: nobody watches."
    )
    recover: Count = Field(
        default=2, description="So many good checks in a row, and the trouble is over."
    )


class RouteModel(Model):
    """A way to people."""

    sink: Text = Field(
        description="Where to: command, email, pagerduty, slack, webhook, or what plugins offer.",
        examples=["webhook"],
    )
    settings: dict[Key, Any] = Field(
        default_factory=dict,
        alias="with",
        description="What the sink has to know.",
        examples=[{"url": "${secret.ALERT_URL}"}],
    )
    monitors: Names = Field(
        default_factory=list, description="Those that it is told of; otherwise all."
    )
    kinds: list[KindOfAlert] = Field(
        default_factory=list, description="The kinds of trouble that it is told of; otherwise all."
    )


class AlertsModel(Model):
    """Who has to know, and when."""

    rules: RulesModel = Field(default_factory=RulesModel)
    remind: LongTime | None = Field(
        default=None, description="Tell again what goes on, each time this has passed."
    )
    to: dict[Name, RouteModel] = Field(
        default_factory=dict, description="The ways to people, by names of your own."
    )


class RetestModel(Model):
    """A journey that did not pass is played again before anybody is told."""

    after: Time = Field(default=15.0, description="How long to wait before.")
    times: Count = Field(default=1, description="So often, until one passes.")


class SloModel(Model):
    """What is promised of the service."""

    target: Percent = Field(
        description="The part of the checks that work: that pass, or are degraded."
    )
    over: LongTime = Field(default=30 * 86400.0, description="Within this time.")


class MonitorModel(Model):
    """A bot that is played on a schedule."""

    bot: Text = Field(
        description="The bot's file, beside this one, or the name of a bot that a plugin offers.",
        examples=["bots/smoke.yaml"],
    )
    row: Text | None = Field(
        default=None,
        description="The row of the bot's data; otherwise its rows are played in turn.",
    )
    title: Text = Field(default="", description="What it proves; otherwise the bot's own title.")
    server: TextTemplate | None = Field(
        default=None,
        description="The URL of the chat server, over what the bot says.",
        examples=["${env.CHAT_URL}"],
    )
    connector: Text | None = Field(
        default=None,
        description="The wire; 'simulator' watches a simulator in this process.",
    )
    service: TextTemplate | None = Field(default=None, description="The chat service.")
    userdata: TextTemplates | None = Field(
        default=None, description="User data that the request for the chat carries."
    )
    options: TextTemplates | None = Field(
        default=None, description="What the connector alone knows."
    )
    every: Duration | None = Field(
        default=None, description="The time from one journey to the next.", examples=["5m"]
    )
    cron: CronExpression | None = Field(default=None, description="When to play, as in crontab.")
    jitter: Time = Field(
        default=0.0, description="So much later at random, so that not all come at once."
    )
    business_hours: HoursModel | None = Field(
        default=None, description="When the service is open; otherwise those of the file."
    )
    retest: RetestModel | None = None
    slo: SloModel | None = None
    rules: RulesModel | None = Field(
        default=None, description="When people are paged; otherwise those of `alerts`."
    )
    needs: Names = Field(
        default_factory=list,
        description="Monitors without which this one makes no sense: it rests while one is down.",
    )

    @model_validator(mode="after")
    def _one_rhythm(self) -> Self:
        if (self.every is None) == (self.cron is None):
            refuse("a monitor is played 'every' so often or by 'cron': give one of them")
        if self.every is not None and self.jitter >= self.every:
            refuse("the jitter must be shorter than the time between two", path=("jitter",))
        return self


class MonitorsModel(Model):
    """A file of monitors."""

    version: FileVersion = Field(
        alias="botkit-monitors", description="The version; it makes the file one of monitors."
    )
    time_zone: Zone | None = Field(
        default=None, description="That of all hours and dates here; UTC unless set."
    )
    location: Text = Field(
        default="", description="Where this probe stands.", examples=["frankfurt"]
    )
    history: HistoryModel = Field(default_factory=HistoryModel)
    page: PageModel | None = None
    probe: ProbeModel | None = None
    caps: CapsModel = Field(default_factory=CapsModel)
    kill_switch: Text | None = Field(
        default=None, description="While this file is there, no chat is begun.", examples=["STOP"]
    )
    business_hours: HoursModel | None = Field(
        default=None, description="When the services are open; otherwise always."
    )
    alerts: AlertsModel = Field(default_factory=AlertsModel)
    heartbeat: HeartbeatModel | None = None
    maintenance: list[WindowModel] = Field(default_factory=list)
    monitors: dict[Name, Annotated[Any, WithJsonSchema(schemas.ref("monitor"))]] = Field(
        description="The monitors by their names, each validated on its own.",
        json_schema_extra={"minProperties": 1},
    )
