"""What opens a door is told by no problem of a file of monitors, and by nothing made of it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from botkit.bot.diagnostics import format_text
from botkit.bot.loader import load_file
from botkit.bot.yaml_bot import Surroundings
from botkit.monitor.config import LoadedMonitors, World, load_monitors
from botkit.plugins import load_plugins

ENV = {"DB_PASSWORD": "pg-pa55-word", "HOOK": "k3y-of-the-hook", "SEGMENT": "segment-of-ada"}
SECRETS = {
    "the database": "pg-pa55-word",
    "the page": "page-t0ken-1",
    "a slack hook": "/services/T0AAA/B0BBB/xyz123",
    "the query of a webhook": "sig=0a1b2c3d",
    "an HMAC key": "hmac-9f8e7d",
    "a header": "hdr-55aa66",
    "a token in a header": "brr-77bb88",
    "a routing key": "rk-112233445566",
    "a mail password": "ma1l-pass",
    "a program's argument": "arg-t0k3n",
    "an assigned argument": "arg-4ss1gned",
    "a server": "srv-pa55",
    "a server's parameter": "prm-0099",
    "user data": "s3ssion-55",
    "a filled in secret": "k3y-of-the-hook",
}
FILE = """
    botkit-monitors: 1
    history: {url: "postgresql://botkit:${env.DB_PASSWORD}@db.example.com/botkit"}
    page: {host: 127.0.0.1, port: 0, token: page-t0ken-1}
    alerts:
      to:
        slack: {sink: slack, with: {url: "https://hooks.example.com/services/T0AAA/B0BBB/xyz123"}}
        hook:
          sink: webhook
          with:
            url: https://example.com/alerts?sig=0a1b2c3d
            secret: hmac-9f8e7d
            headers: {X-Api-Key: hdr-55aa66, Authorization: Bearer brr-77bb88}
        duty: {sink: pagerduty, with: {routing_key: rk-112233445566}}
        mail:
          sink: email
          with: {host: m.example.com, to: [a@b.example], sender: c@d.example, username: x,
                 password: ma1l-pass}
        call:
          sink: command
          with: {run: [call, "--token=arg-t0k3n", "X-Secret: arg-4ss1gned"]}
    monitors:
      token-service:
        bot: bot.yaml
        every: 5m
        server: http://ada:srv-pa55@127.0.0.1:9/cometd?token=prm-0099
        userdata:
          Segment: "${env.SEGMENT}"
          Key: "${secret.HOOK}"
          CustomerKey: c-of-gold
          SessionToken: s3ssion-55
"""
BOT = """\
botkit: 1
steps:
  - say: Hello
  - expect: hi
"""


def load(folder: Path, text: str) -> LoadedMonitors:
    (folder / "bot.yaml").write_text(BOT)
    path = folder / "m.yaml"
    path.write_text(textwrap.dedent(text))
    plugins = load_plugins(folders=[], environ={})
    try:
        return load_monitors(
            path,
            World(
                surroundings=Surroundings(env=ENV, secrets=ENV),
                load=load_file,
                connectors=plugins.connectors,
                sinks=plugins.alert_sinks,
                now=1_795_000_000.0,
            ),
        )
    finally:
        plugins.close()


@pytest.mark.parametrize("name", SECRETS)
def test_a_file_knows_what_it_must_not_tell(name: str, tmp_path: Path) -> None:
    loaded = load(tmp_path, FILE)

    assert loaded.file is not None, loaded.problems
    assert loaded.file.masker(f"so: {SECRETS[name]}!") in ("so: ***!", "so: sig=***!")


def test_what_is_no_secret_is_told(tmp_path: Path) -> None:
    loaded = load(tmp_path, FILE)
    told = "token-service botkit segment-of-ada c-of-gold db.example.com m.example.com x, ada, Key"

    assert loaded.masker(told) == told
    assert loaded.masker("https://example.com/alerts") == "https://example.com/alerts"


def test_the_address_of_the_page_is_no_secret(tmp_path: Path) -> None:
    text = """
        botkit-monitors: 1
        page: {url: "https://example.com/status-of-chats", token: page-t0ken-1}
        monitors:
          chat: {bot: bot.yaml, every: 5m, connector: simulator, title: "token: what they say"}
    """
    loaded = load(tmp_path, text)

    assert loaded.file is not None, loaded.problems
    told = "https://example.com/status-of-chats token: what they say"
    assert loaded.masker(f"{told} page-t0ken-1") == f"{told} ***"


def test_a_dead_mans_switch_is_a_secret_wherever_it_stands(tmp_path: Path) -> None:
    loaded = load(
        tmp_path, FILE + '    heartbeat: {url: "https://hc.example.com/0a1b-2c3d-4e5f"}\n'
    )

    assert (
        loaded.masker("at https://hc.example.com/0a1b-2c3d-4e5f") == "at https://hc.example.com***"
    )


def test_journeys_hide_what_the_file_gives_them(tmp_path: Path) -> None:
    file = load(tmp_path, FILE).file
    assert file is not None

    (plan,) = file.monitors[0].plans()

    assert plan.masker("k3y-of-the-hook segment-of-ada") == "*** segment-of-ada"


BROKEN = {
    "unknown keys": FILE.replace("port: 0", "prot: 0") + "    tokn: {secret: other-s3cret}\n",
    "a sink that takes no such thing": FILE.replace("routing_key: rk", "ruoting_key: rk"),
    "a wrong type": FILE.replace("token: page-t0ken-1", "token: [page-t0ken-1]"),
    "a URL of no server": FILE.replace("https://example.com/alerts", "//u:srv-pa55@/alerts"),
    "no URL at all": FILE.replace("https://hooks.example.com", "https://[hooks"),
    "a history that is none": FILE.replace("postgresql://", "mysql://"),
    "a reference to nothing": FILE.replace("${env.DB_PASSWORD}", "pg-pa55-word${env.NONE}"),
    "a quote that never ends": FILE.replace("token: page-t0ken-1", "token: 'page-t0ken-1"),
    "a bracket too few": FILE.replace("Bearer brr-77bb88}", "Bearer brr-77bb88"),
    "a key twice": FILE.replace(
        "secret: hmac-9f8e7d", "secret: a\n            secret: hmac-9f8e7d"
    ),
    "no such wire": FILE.replace("every: 5m", "every: 5m\n        connector: carrier-pigeon"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_no_problem_tells_a_secret(name: str, tmp_path: Path) -> None:
    loaded = load(tmp_path, BROKEN[name])

    shown = "\n".join(f"{format_text(problem)} {problem!r}" for problem in loaded.problems)

    assert [secret for secret in (*SECRETS.values(), "other-s3cret") if secret in shown] == []
    if name != "a history that is none":
        assert loaded.file is None
