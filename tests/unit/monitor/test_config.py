"""Files of monitors: what they come to, and each mistake at its place, all in one pass."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from botkit.bot.loader import load_file
from botkit.bot.yaml_bot import Surroundings
from botkit.monitor.config import LoadedMonitors, World, load_monitors
from botkit.monitor.schedule import Cron, Every
from botkit.monitor.slo import Objective
from botkit.plugins import load_plugins

BOT = """\
botkit: 1
connect: {server: "http://127.0.0.1:9/cometd"}
steps:
  - say: Hello
  - expect: hi
"""
ROWS = BOT + "data: {rows: [{name: Ada}, {name: Bea}], name: '${row.name}'}\n"
HOMELESS = "botkit: 1\nsteps:\n  - say: Hello\n  - expect: hi\n"
WRONG = "botkit: 1\nsteps:\n  - sya: Hello\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (
        ("bot.yaml", BOT),
        ("rows.yaml", ROWS),
        ("homeless.yaml", HOMELESS),
        ("wrong.yaml", WRONG),
    ):
        (tmp_path / name).write_text(text)
    return tmp_path


def load(folder: Path, text: str, env: Mapping[str, str] | None = None) -> LoadedMonitors:
    path = folder / "m.yaml"
    path.write_text(textwrap.dedent(text))
    plugins = load_plugins(folders=[], environ={})
    try:
        return load_monitors(
            path,
            World(
                surroundings=Surroundings(env=env or {}, secrets=env or {}),
                load=load_file,
                connectors=plugins.connectors,
                sinks=plugins.alert_sinks,
                now=datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp(),
            ),
        )
    finally:
        plugins.close()


def test_a_small_file_says_all_that_is_needed(folder: Path) -> None:
    loaded = load(folder, "botkit-monitors: 1\nmonitors:\n  chat: {bot: bot.yaml, every: 5m}\n")
    assert loaded.problems == ()
    file = loaded.file
    assert file is not None
    assert (file.zone, file.location, file.page, file.kill_switch) == (UTC, "", None, None)
    assert file.history == str(folder / "m.db")
    assert file.spool == folder / "m.spool"
    (monitor,) = file.monitors
    assert monitor.name == "chat"
    assert monitor.schedule.rhythm == Every(period=300)
    assert [plan.name for plan in monitor.plans()] == ["bot"]


def test_a_heart_beats_each_minute_unless_the_file_says_otherwise(folder: Path) -> None:
    text = "botkit-monitors: 1\nmonitors: {chat: {bot: bot.yaml, every: 5m}}\n"
    env = {"HEART": "https://hc.example.com/uuid"}
    beats = []
    for more in ("", ", every: 20s, stuck_after: 1h"):
        loaded = load(folder, f"{text}heartbeat: {{url: '${{secret.HEART}}'{more}}}\n", env)
        assert loaded.file is not None
        assert loaded.file.heartbeat is not None
        beats.append((loaded.file.heartbeat.every, loaded.file.heartbeat.stuck_after))
    assert beats == [(60, 900), (20, 3600)]


def test_a_file_may_say_all_there_is(folder: Path) -> None:
    text = """
        botkit-monitors: 1
        time_zone: Europe/Berlin
        location: frankfurt
        history:
          url: postgresql://botkit@db.example.com/${env.DB}
          spool: waiting
          keep: {journeys: 30d, counts: 365d}
        page: {host: 0.0.0.0, port: 80, token: "${secret.TOKEN}", url: "https://s.example.com/"}
        probe: {targets: "${env.URL}", within: 90s}
        caps: {chats: 3, chats_per_hour: 60}
        kill_switch: STOP
        business_hours:
          open: [mon-fri 08:00-18:00, sat 09:00-12:00]
          holidays: [2026-12-25]
        alerts:
          rules: {fail: 3 of 4, flapping: never, recover: 1}
          remind: 4h
          to:
            ops: {sink: webhook, with: {url: "${env.URL}", secret: "${secret.TOKEN}"}}
            call:
              sink: command
              with: {run: [call, me], within: 5s}
              monitors: chat
              kinds: [down]
        maintenance:
          - {from: 2026-11-24 22:00, until: 2026-11-25T02:00, monitors: chat, because: release}
        monitors:
          chat:
            bot: rows.yaml
            row: Bea
            title: The chat answers
            server: ${env.URL}
            service: support
            userdata: {Segment: gold}
            options: {channel: /x}
            cron: "*/5 * * * *"
            jitter: 30s
            retest: {after: 20s, times: 2}
            slo: {target: 99.5%, over: 7d}
          other:
            bot: bot.yaml
            every: 1m
            business_hours: {open: 00:00-24:00}
            needs: chat
            rules: {fail: 1 of 1}
    """
    loaded = load(
        folder, text, {"DB": "chats", "TOKEN": "t" * 16, "URL": "http://127.0.0.1:8/cometd"}
    )
    assert [str(problem) for problem in loaded.problems] == []
    file = loaded.file
    assert file is not None
    berlin = ZoneInfo("Europe/Berlin")
    assert file.history == "postgresql://botkit@db.example.com/chats"
    assert (file.spool, file.kill_switch) == (folder / "waiting", folder / "STOP")
    assert (file.retention.journeys, file.retention.bars) == (30 * 86400, 365 * 86400)
    assert file.page is not None
    assert (file.page.host, file.page.token, file.page.url) == (
        "0.0.0.0",
        "t" * 16,
        "https://s.example.com",
    )
    assert file.probe is not None
    assert [one.pattern for one in file.probe.targets] == [r"http://127\.0\.0\.1:8/cometd"]
    assert file.probe.within == 90
    assert (file.limits.chats, file.limits.chats_per_hour) == (3, 60)
    (window,) = file.windows
    assert window.begin == datetime(2026, 11, 24, 22, tzinfo=berlin).timestamp()
    assert (window.end - window.begin, window.monitors) == (4 * 3600, {"chat"})
    ops, call = file.routes
    assert (ops.name, ops.monitors, ops.kinds) == ("ops", frozenset(), frozenset())
    assert (call.monitors, call.kinds) == ({"chat"}, {"down"})
    assert file.remind == 4 * 3600
    chat, other = file.monitors
    assert (chat.rules.fail, chat.rules.flapping, chat.rules.recover) == ((3, 4), None, 1)
    assert (chat.rules.degraded, other.rules.fail) == ((3, 5), (1, 1))
    assert [plan.name for plan in chat.plans()] == ["rows[Bea]"]
    assert chat.override.server == "http://127.0.0.1:8/cometd"
    assert (chat.override.userdata, chat.override.options) == (
        {"Segment": "gold"},
        {"channel": "/x"},
    )
    assert chat.schedule.rhythm == Cron(expression="*/5 * * * *", zone=berlin)
    assert chat.retest is not None
    assert (chat.retest.after, chat.retest.times) == (20, 2)
    assert chat.objective == Objective(target=0.995, window=7 * 86400)
    assert other.needs == ("chat",)
    assert other.schedule.hours is not None
    assert other.schedule.hours.is_open(0.0)


def test_rows_are_played_in_turn_unless_one_is_named(folder: Path) -> None:
    loaded = load(folder, "botkit-monitors: 1\nmonitors: {m: {bot: rows.yaml, every: 5m}}\n")
    assert loaded.file is not None
    plans = loaded.file.monitors[0].plans()
    assert [plan.name for plan in plans] == ["rows[Ada]", "rows[Bea]"]


GOOD = "monitors:\n  good: {bot: bot.yaml, every: 5m}\n"

MISTAKES = {
    "other file": ("botkit: 1", "1:1: this is no file of monitors"),
    "version": ("botkit-monitors: 2\n" + GOOD, "1:18: this botkit reads version 1"),
    "none": ("botkit-monitors: 1\nmonitors: {}", "2:11: there are no monitors here"),
    "list": ("botkit-monitors: 1\nmonitors: [a]", "2:11: this takes a mapping"),
    "missing": ("botkit-monitors: 1", "1:1: the key 'monitors' is missing"),
    "key": ("caps: {chat: 3}", "2:8: unknown key 'chat'; did you mean 'chats'?"),
    "zone": ("time_zone: Mars/Base", "2:12: there is no time zone 'Mars/Base'"),
    "hours": ("business_hours: {open: 8-18}", "2:24: '8-18' are no hours"),
    "holiday": (
        "business_hours: {open: 8:00-9:00, holidays: [2026-13-01]}",
        "2:46: '2026-13-01' is no date",
    ),
    "moment": ("maintenance: [{from: today, until: 2026-01-01 00:00}]", "2:22: 'today' is no date"),
    "no such day": (
        "maintenance: [{from: 2026-02-30 10:00, until: 2026-03-01 00:00}]",
        "2:22: there is no such time as '2026-02-30 10:00'",
    ),
    "backwards": (
        "maintenance: [{from: 2026-02-20 10:00, until: 2026-02-20 09:00}]",
        "2:47: this maintenance is over before it begins",
    ),
    "window of nobody": (
        "maintenance: [{from: 2026-02-20 10:00, until: 2026-02-21 10:00, monitors: [god]}]",
        "2:76: there is no monitor 'god'; did you mean 'good'?",
    ),
    "keep": ("history: {keep: {journeys: 90}}", "2:28: a time needs a unit"),
    "secret": (
        "page: {token: '${secret.TOKEN}'}",
        "2:16: ${secret.TOKEN}: there is no such",
    ),
    "nowhere to ask": ("probe: {}", "2:1: nothing serves /probe; give 'page', too"),
    "no target": (
        "page: {}\nprobe: {targets: ['http://a/', chat.example.com]}",
        "3:32: 'chat.example.com' is no address of servers; one is written https://chat-*",
    ),
    "every target": (
        "page: {}\nprobe: {targets: 'https://*'}",
        "3:18: 'https://*' lets every server be named",
    ),
    "time of a probe": ("page: {}\nprobe: {within: 5}", "3:17: a time needs a unit"),
    "key of a probe": (
        "page: {}\nprobe: {target: 'http://a/'}",
        "3:9: unknown key 'target'",
    ),
    "strangers": ("page: {host: 0.0.0.0}", "2:7: others reach the page at '0.0.0.0'"),
    "sink": (
        "alerts: {to: {ops: {sink: slak}}}",
        "2:27: there is no alert sink 'slak'; did you mean 'slack'?",
    ),
    "settings of a sink": (
        "alerts: {to: {ops: {sink: slack, with: {urll: x}}}}",
        "2:40: slack: missing a required argument: 'url'",
    ),
    "wrong setting of a sink": (
        "alerts: {to: {ops: {sink: slack, with: {url: nowhere}}}}",
        "2:46: this needs the URL of a server",
    ),
    "time of a sink": (
        "alerts: {to: {ops: {sink: command, with: {run: a, within: 5}}}}",
        "2:59: a time needs a unit",
    ),
    "monitor of a sink": (
        "alerts: {to: {ops: {sink: command, with: {run: a}, monitors: [goud]}}}",
        "2:63: there is no monitor 'goud'; did you mean 'good'?",
    ),
    "kind": (
        "alerts: {to: {ops: {sink: command, with: {run: a}, kinds: [dwn]}}}",
        "2:60: unknown kind of alert 'dwn'; did you mean 'down'?",
    ),
    "heartbeat to nowhere": ("heartbeat: {url: nowhere}", "2:18: this needs the URL of a server"),
    "heartbeat without a URL": ("heartbeat: {every: 1m}", "2:12: the key 'url' is missing"),
    "heartbeat of a failure": (
        "heartbeat: {url: https://hc.example.com/uuid/fail}",
        "2:18: this needs the URL of the check itself, without /fail",
    ),
    "heartbeat that never beats": (
        "heartbeat: {url: https://hc.example.com/uuid, every: 0s}",
        "2:54: this time must be longer than nothing",
    ),
    "time of a heartbeat": (
        "heartbeat: {url: https://hc.example.com/uuid, stuck_after: 900}",
        "2:60: a time needs a unit",
    ),
    "key of a heartbeat": (
        "heartbeat: {url: https://hc.example.com/uuid, evry: 1m}",
        "2:47: unknown key 'evry'",
    ),
    "secret of a heartbeat": (
        "heartbeat: {url: '${secret.HEART}'}",
        "2:19: ${secret.HEART}: there is no such",
    ),
    "share": ("alerts: {rules: {fail: 3 of 2}}", "2:24: 3 of 2 cannot be"),
    "no share": ("alerts: {rules: {fail: 3}}", "2:24: '3' is no share of checks"),
    "row value": ("page: {token: '${row.token}'}", "2:16: ${row.token}: there are no data here"),
}
OF_MONITORS = {
    "no bot": ("every: 1m", "4:5: the key 'bot' is missing"),
    "no file": ("bot: bto.yaml\n    every: 1m", "4:10: there is no file"),
    "wrong bot": ("bot: wrong.yaml\n    every: 1m", "4:10: the bot 'wrong.yaml' has problems"),
    "no rhythm": ("bot: bot.yaml", "4:5: a monitor is played 'every' so often or by 'cron'"),
    "two rhythms": (
        "bot: bot.yaml\n    every: 1m\n    cron: '* * * * *'",
        "4:5: a monitor is played 'every' so often or by 'cron'",
    ),
    "cron": ("bot: bot.yaml\n    cron: '61 * * * *'", "5:11: '61 * * * *' is no cron expression"),
    "jitter": ("bot: bot.yaml\n    every: 1m\n    jitter: 1m", "6:13: the jitter must be shorter"),
    "target": (
        "bot: bot.yaml\n    every: 1m\n    slo: {target: 100%}",
        "6:19: 100% cannot be kept to",
    ),
    "percent": (
        "bot: bot.yaml\n    every: 1m\n    slo: {target: 0.99}",
        "6:19: '0.99' is no percentage; one is written 99.5%",
    ),
    "homeless": (
        "bot: homeless.yaml\n    every: 1m",
        "4:10: no server is named; give 'server', or 'connector: simulator'",
    ),
    "connector": (
        "bot: bot.yaml\n    every: 1m\n    connector: gms",
        "6:16: there is no connector 'gms'",
    ),
    "row": (
        "bot: rows.yaml\n    every: 1m\n    row: Adda",
        "6:10: the bot has no row 'Adda'; did you mean 'Ada'?",
    ),
    "row of none": (
        "bot: bot.yaml\n    every: 1m\n    row: Ada",
        "6:10: the bot has no row 'Ada'; it has no data at all",
    ),
    "needs": (
        "bot: bot.yaml\n    every: 1m\n    needs: [godo]",
        "6:13: there is no monitor 'godo'; did you mean 'good'?",
    ),
    "itself": (
        "bot: bot.yaml\n    every: 1m\n    needs: bad",
        "6:12: 'bad' needs itself, by way of 'bad'",
    ),
    "environment": (
        "bot: bot.yaml\n    every: 1m\n    server: ${env.NONE}",
        "6:13: ${env.NONE}: the environment variable is not set",
    ),
    "never": (
        "bot: bot.yaml\n    cron: '0 3 * * *'\n    business_hours: {open: 08:00-18:00}",
        "5:5: this is never due within the business hours",
    ),
}


def told(loaded: LoadedMonitors) -> list[str]:
    assert loaded.file is None
    return [str(problem).rpartition("m.yaml:")[2] for problem in loaded.problems]


@pytest.mark.parametrize(("text", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_of_the_file_is_told_at_its_place(folder: Path, text: str, words: str) -> None:
    whole = text if "botkit" in text else f"botkit-monitors: 1\n{text}\n{GOOD}"
    found = told(load(folder, whole))
    assert len(found) == 1
    assert found[0].startswith(words)


@pytest.mark.parametrize(("text", "words"), OF_MONITORS.values(), ids=OF_MONITORS)
def test_a_mistake_of_a_monitor_is_told_at_its_place(folder: Path, text: str, words: str) -> None:
    whole = (
        f"botkit-monitors: 1\nmonitors:\n  bad:\n    {text}\n  good: {{bot: bot.yaml, every: 5m}}\n"
    )
    found = told(load(folder, whole))
    mine = [line for line in found if "wrong.yaml:" not in line]
    assert len(mine) == 1
    assert mine[0].startswith(words)


def test_all_mistakes_come_in_one_pass(folder: Path) -> None:
    bad = "\n".join(f"  m{n}:\n    {text}" for n, (text, _) in enumerate(OF_MONITORS.values()))
    found = told(load(folder, f"botkit-monitors: 1\ntime_zone: Mars\nmonitors:\n{bad}\n"))
    # That a monitor needs itself goes by its name, which is another one here.
    assert len([line for line in found if "wrong.yaml:" not in line]) == len(OF_MONITORS) + 1


def test_a_monitor_that_cannot_be_played_hides_no_mistake_of_the_file(folder: Path) -> None:
    loaded = load(
        folder,
        "botkit-monitors: 1\nheartbeat: {url: 'ftp://x/a'}\n"
        "monitors: {a: {bot: homeless.yaml, every: 5m}}\n",
    )
    assert [problem.mark.line for problem in loaded.problems if problem.mark] == [2, 3]


def test_a_ring_of_needs_is_told_for_each_of_it(folder: Path) -> None:
    text = "botkit-monitors: 1\nmonitors:\n" + "".join(
        f"  {name}: {{bot: bot.yaml, every: 1m, needs: {needed}}}\n"
        for name, needed in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"))
    )
    found = told(load(folder, text))
    assert [line.partition(": ")[2] for line in found] == [
        "'a' needs itself, by way of 'b'",
        "'b' needs itself, by way of 'c'",
        "'c' needs itself, by way of 'a'",
    ]


def test_what_a_wire_cannot_do_is_told_at_the_bots_line(folder: Path) -> None:
    (folder / "cloud.yaml").write_text(
        "botkit: 1\nconnect: {server: 'http://127.0.0.1:9/2/chat', connector: gms-rest}\n"
        "steps:\n  - say: {button: 'Yes'}\n  - expect: hi\n"
    )
    loaded = load(folder, "botkit-monitors: 1\nmonitors: {m: {bot: cloud.yaml, every: 5m}}\n")
    assert loaded.file is None
    assert "cloud.yaml:4:" in str(loaded.problems[0])
