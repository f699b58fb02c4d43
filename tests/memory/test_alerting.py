"""Whole afternoons of checks on virtual time, and who is paged."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from botkit.chat import PartyKind, Row
from botkit.errors import ConfigError, ConnectorError
from botkit.monitor.alerts import alerting as alerting_module
from botkit.monitor.alerts.alerting import Alerting
from botkit.monitor.alerts.outbox import Route
from botkit.monitor.alerts.rules import Rules, Share
from botkit.monitor.alerts.told import Overdue
from botkit.monitor.alerts.undelivered import Undelivered
from botkit.monitor.contract import Check, Health
from botkit.results import Alert, JourneyResult, Reason, StepResult, Verdict

STEP = StepResult(
    number=3,
    path="steps[2]",
    verb="expect",
    text="expect case number",
    file="bots/smoke.yaml",
    line=12,
    verdict=Verdict.FAILED,
    reason=Reason.TIMEOUT,
    started=3.0,
    duration=30.0,
    expected='a message containing "case number"',
    received=("Grace: one moment please: no such words",),
    message="nothing that fits came within 30 s",
)
ROWS = (
    Row(at=101.0, who="Grace", kind="message", text="hello", party=PartyKind.AGENT),
    Row(at=102.5, who="Grace", kind="message", text="one moment please", party=PartyKind.AGENT),
)
NIGHT = 1_800_000_000.0
VERDICTS = {
    "P": Verdict.PASSED,
    "D": Verdict.DEGRADED,
    "F": Verdict.FAILED,
    "E": Verdict.ERROR,
}


def check(letter: str, minute: int, *, monitor: str = "smoke", location: str = "") -> Check:
    verdict = VERDICTS[letter]
    failed = verdict is Verdict.FAILED
    result = JourneyResult(
        run_id="r",
        journey_id=f"j{minute}",
        bot="smoke",
        name="smoke",
        title="An agent answers",
        verdict=verdict,
        reason=Reason.TIMEOUT if failed else Reason.OK,
        message=STEP.message if failed else "",
        step=STEP if failed else None,
        started_utc=NIGHT + 60.0 * minute,
        began=100.0,
        duration=33.0,
        transcript=ROWS,
        server="https://chat.example.com/genesys/cometd",
        session_id="0001HaBC",
    )
    link = f"https://status.example.com/journeys/j{minute}"
    return Check(monitor=monitor, location=location, result=result, link=link)


class Sink:
    """Takes alerts, after what was queued first: errors, or seconds to wait."""

    def __init__(self, *queued: Exception | float) -> None:
        self.queued = list(queued)
        self.asked = 0
        self.times: list[float] = []
        self.taken: list[Alert] = []

    async def deliver(self, alert: Alert) -> None:
        self.asked += 1
        self.times.append(trio.current_time())
        queued = self.queued.pop(0) if self.queued else 0.0
        if isinstance(queued, Exception):
            raise queued
        await trio.sleep(queued)
        self.taken.append(alert)

    @property
    def told(self) -> list[str]:
        return [f"{alert.monitor}:{alert.kind if alert.firing else 'over'}" for alert in self.taken]


class GroupSink(Sink):
    """Takes several at once."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[list[str]] = []

    async def deliver_group(self, alerts: Sequence[Alert]) -> None:
        await trio.lowlevel.checkpoint()
        self.groups.append([alert.title for alert in alerts])
        self.taken += alerts


async def show(alerting: Alerting, letters: str, *, monitor: str = "smoke", first: int = 1) -> None:
    """Tell of a check a minute."""
    for minute, letter in enumerate(letters, start=first):
        await trio.sleep(60)
        alerting.decide(check(letter, minute, monitor=monitor))


async def test_an_outage_pages_once_and_is_over_once(
    nursery: trio.Nursery, autojump_clock: object
) -> None:
    sink = Sink()
    alerting = Alerting([Route(name="pager", sink=sink)])
    await nursery.start(alerting.run)
    await show(alerting, "PFPPPPPPFFFFFFPPPPPPPPPF")
    await trio.sleep(60)
    assert sink.told == ["smoke:down", "smoke:over"]
    assert {alert.key for alert in sink.taken} == {"smoke"}
    [standing] = alerting.standings()
    assert (standing.delivered, standing.failed, standing.waiting) == (2, 0, 0)
    nursery.cancel_scope.cancel()


async def test_an_alert_says_what_a_person_needs_at_night(
    nursery: trio.Nursery, autojump_clock: object
) -> None:
    sink = Sink()
    alerting = Alerting([Route(name="pager", sink=sink)])
    await nursery.start(alerting.run)
    await show(alerting, "PFFPP")
    await trio.sleep(60)
    begun, over = sink.taken
    assert begun.title == "smoke is down: timeout: nothing that fits came within 30 s"
    assert begun.text.splitlines() == [
        "smoke is down since 2027-01-15 08:02:00 UTC.",
        "What it proves: An agent answers",
        "The last check: failed (timeout)",
        "nothing that fits came within 30 s",
        "Step: bots/smoke.yaml:12: expect case number",
        'Expected: a message containing "case number"',
        "Received:",
        "  Grace: one moment please: no such words",
        "The last lines of the chat:",
        "     +1.00s  Grace: hello",
        "     +2.50s  Grace: one moment please",
        "Server: https://chat.example.com/genesys/cometd",
        "Chat: 0001HaBC",
        "Evidence: https://status.example.com/journeys/j3",
    ]
    assert begun.link == "https://status.example.com/journeys/j3"
    assert (begun.since_utc, begun.ended_utc) == (NIGHT + 120, None)
    assert over.title == "smoke is up again"
    assert over.text.startswith("It lasted 3 min 0 s: from 2027-01-15 08:02:00 UTC to")
    assert (over.since_utc, over.ended_utc) == (NIGHT + 120, NIGHT + 300)
    nursery.cancel_scope.cancel()


async def test_what_breaks_together_is_told_together(
    nursery: trio.Nursery, autojump_clock: object
) -> None:
    grouping, single = GroupSink(), Sink()
    alerting = Alerting([Route(name="chat", sink=grouping), Route(name="pager", sink=single)])
    await nursery.start(alerting.run)
    for minute, letter in enumerate("PFFPP"):
        await trio.sleep(60)
        for name in ("voice", "web", "app"):
            alerting.decide(check(letter, minute, monitor=name))
            await trio.sleep(1)
    await trio.sleep(60)
    assert [len(group) for group in grouping.groups] == [3, 3]
    assert grouping.told == single.told
    assert len(single.taken) == 6
    assert all(standing.delivered == 6 for standing in alerting.standings())
    nursery.cancel_scope.cancel()


async def test_a_lone_alert_is_no_group(nursery: trio.Nursery, autojump_clock: object) -> None:
    sink = GroupSink()
    alerting = Alerting([Route(name="chat", sink=sink)])
    await nursery.start(alerting.run)
    await show(alerting, "FF")
    await trio.sleep(60)
    assert (sink.groups, sink.told) == ([], ["smoke:down"])
    nursery.cancel_scope.cancel()


async def test_a_sink_that_hangs_is_cut_off_and_delays_no_other(
    nursery: trio.Nursery, autojump_clock: object, caplog: pytest.LogCaptureFixture
) -> None:
    hanging, good = Sink(*[10_000.0] * 3), Sink()
    routes = [
        Route(name="hanging", sink=hanging, within=10, attempts=3, patience=30),
        Route(name="good", sink=good),
    ]
    alerting = Alerting(routes)
    await nursery.start(alerting.run)
    for minute in range(2):
        alerting.decide(check("F", minute))
    await trio.testing.wait_all_tasks_blocked()
    assert good.told == ["smoke:down"]
    await trio.sleep(60)
    stuck, fine = alerting.standings()
    assert (stuck.delivered, stuck.failed, stuck.waiting) == (0, 1, 0)
    assert stuck.trouble == "nothing came of it within 10 s"
    assert (fine.delivered, fine.trouble) == (1, "")
    assert hanging.asked == 3
    assert "hanging did not take an alert: nothing came of it within 10 s" in caplog.text
    nursery.cancel_scope.cancel()


async def test_a_sink_that_fails_is_asked_again_after_longer_and_longer_pauses(
    nursery: trio.Nursery, autojump_clock: object
) -> None:
    sink = Sink(ConnectorError("refused"), ValueError("a plugin's mistake"))
    alerting = Alerting([Route(name="pager", sink=sink, pause=2)])
    await nursery.start(alerting.run)
    await show(alerting, "FF")
    began = trio.current_time()
    await trio.sleep(60)
    assert [at - began for at in sink.times] == pytest.approx([0, 2, 6])
    [standing] = alerting.standings()
    assert sink.asked == 3
    nursery.cancel_scope.cancel()
    assert (standing.delivered, standing.trouble) == (1, "")


async def test_a_sink_that_is_out_of_order_for_hours_is_told_late(
    nursery: trio.Nursery, autojump_clock: object, caplog: pytest.LogCaptureFixture
) -> None:
    class Dead(Sink):
        async def deliver(self, alert: Alert) -> None:
            if trio.current_time() < 3 * 3600:
                self.asked += 1
                raise ConnectorError("busy")
            await super().deliver(alert)

    sink = Dead()
    alerting = Alerting([Route(name="pager", sink=sink)])
    await nursery.start(alerting.run)
    await show(alerting, "FFPP")
    await trio.sleep(4 * 3600)
    assert sink.told == ["smoke:down", "smoke:over"]
    assert [alert.title.partition(" (told ")[2] for alert in sink.taken] == [
        "2 h 58 min late)",
        "2 h 56 min late)",
    ]
    [standing] = alerting.standings()
    assert (standing.failed, standing.delivered, standing.trouble) == (0, 2, "")
    assert caplog.text.count("pager takes nothing, and is asked on: busy") == 1
    assert sink.asked < 2 * 3 * 60 + 20
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("groups", [False, True])
async def test_an_alert_that_a_sink_cannot_take_keeps_no_other_waiting(
    groups: bool, nursery: trio.Nursery, autojump_clock: object, caplog: pytest.LogCaptureFixture
) -> None:
    class Choosy(GroupSink):
        async def deliver(self, alert: Alert) -> None:
            if alert.monitor == "poison" and alert.firing:
                raise ConnectorError("500")
            await super().deliver(alert)

    sink = Choosy()
    if not groups:
        sink.deliver_group = None  # type: ignore[assignment, method-assign]
    alerting = Alerting([Route(name="pager", sink=sink)])
    await nursery.start(alerting.run)
    await show(alerting, "FFPP", monitor="poison")
    await show(alerting, "FF")
    await trio.sleep(600)
    assert sink.told == ["poison:over", "smoke:down"]
    [standing] = alerting.standings()
    assert (standing.failed, standing.delivered, standing.waiting) == (1, 2, 0)
    assert "pager did not take an alert: 500; the alert: poison is down" in caplog.text
    nursery.cancel_scope.cancel()


async def test_what_nobody_takes_is_given_up_in_the_end(
    nursery: trio.Nursery, autojump_clock: object
) -> None:
    class Dead(Sink):
        async def deliver(self, alert: Alert) -> None:
            raise ConnectorError("busy")

    alerting = Alerting([Route(name="pager", sink=Dead())])
    await nursery.start(alerting.run)
    await show(alerting, "FF")
    [standing] = alerting.standings()
    await trio.sleep(86000)
    assert (standing.failed, standing.waiting) == (0, 1)
    await trio.sleep(1000)
    assert (standing.failed, standing.waiting) == (1, 0)
    nursery.cancel_scope.cancel()


async def test_asking_again_is_of_no_use_where_the_settings_are_wrong(
    nursery: trio.Nursery, autojump_clock: object, caplog: pytest.LogCaptureFixture
) -> None:
    sink = Sink(ConfigError("it answers with status 403"))
    alerting = Alerting([Route(name="pager", sink=sink)])
    await nursery.start(alerting.run)
    await show(alerting, "FFPP")
    await trio.sleep(60)
    assert sink.told == ["smoke:over"]
    [standing] = alerting.standings()
    assert (standing.failed, standing.delivered) == (1, 1)
    assert "status 403" in caplog.text
    nursery.cancel_scope.cancel()


async def test_a_restart_pages_nobody_again(autojump_clock: object) -> None:
    before, after = Sink(), Sink()
    async with trio.open_nursery() as nursery:
        alerting = Alerting([Route(name="pager", sink=before)])
        await nursery.start(alerting.run)
        await show(alerting, "PFFF")
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    remembered = json.loads(json.dumps(alerting.state()))
    async with trio.open_nursery() as nursery:
        alerting = Alerting([Route(name="pager", sink=after)], remembered=remembered)
        await nursery.start(alerting.run)
        assert [alert.title for alert in alerting.alerts()] == [before.taken[0].title]
        await show(alerting, "FFFPP", first=5)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert (before.told, after.told) == (["smoke:down"], ["smoke:over"])
    assert after.taken[0].since_utc == before.taken[0].since_utc


def no_judges(state: Any) -> None:
    del state["judges"]


def broken_judges(state: Any) -> None:
    state["judges"][0]["known"] = {"chat": "?"}


def well_judges(state: Any) -> None:
    state["judges"][0]["known"] |= {"trouble": None, "broken": None}


@pytest.mark.parametrize("spoil", [no_judges, broken_judges, well_judges])
@pytest.mark.parametrize("kind", ["F", "E"])
async def test_what_people_were_told_ends_and_is_told_again_though_judges_forgot_it(
    kind: str, spoil: Callable[[Any], None], autojump_clock: object
) -> None:
    before, after = Sink(), Sink()
    async with trio.open_nursery() as nursery:
        alerting = Alerting([Route(name="pager", sink=before)])
        await nursery.start(alerting.run)
        await show(alerting, kind * 3)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    remembered = json.loads(json.dumps(alerting.state()))
    spoil(remembered)
    async with trio.open_nursery() as nursery:
        alerting = Alerting([Route(name="pager", sink=after)], remembered=remembered)
        await nursery.start(alerting.run)
        await show(alerting, f"{kind}PP{kind}{kind}", first=4)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    began = {"F": "smoke:down", "E": "smoke:broken"}[kind]
    assert (before.told, after.told) == ([began], ["smoke:over", began])


async def test_what_people_may_not_have_been_told_is_told_again(autojump_clock: object) -> None:
    sink = Sink()
    before = Alerting()
    await show(before, "FFF")
    remembered = json.loads(json.dumps(before.state()))
    remembered["told"][0]["at"] = "noon"
    async with trio.open_nursery() as nursery:
        alerting = Alerting([Route(name="pager", sink=sink)], remembered=remembered)
        await nursery.start(alerting.run)
        await show(alerting, "FFPP", first=4)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert sink.told == ["smoke:down", "smoke:over"]


def undelivered(folder: Path, clock: trio.testing.MockClock) -> Undelivered:
    return Undelivered(folder / "m.undelivered", lambda: NIGHT + clock.current_time())


async def test_what_was_not_delivered_is_delivered_after_the_next_start(
    tmp_path: Path, autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    state: Any = None
    for _ in range(2):
        dead = Sink(*[ConnectorError("nobody listens")] * 100_000)
        routes = [Route(name="pager", sink=dead)]
        alerting = Alerting(
            routes, remembered=state, undelivered=undelivered(tmp_path, autojump_clock)
        )
        async with trio.open_nursery() as nursery:
            await nursery.start(alerting.run)
            await show(alerting, "FF")
            nursery.cancel_scope.cancel()
        state = json.loads(json.dumps(alerting.state()))
        assert "pager: 1 alerts are not delivered, and are kept until the next start" in caplog.text
    [kept] = undelivered(tmp_path, autojump_clock).load()["pager"]
    assert (kept.alert.title, kept.alert.journey) == (alerting.alerts()[0].title, None)
    live, other = Sink(), Sink()
    routes = [Route(name="pager", sink=live), Route(name="other", sink=other)]
    alerting = Alerting(routes, remembered=state, undelivered=undelivered(tmp_path, autojump_clock))
    async with trio.open_nursery() as nursery:
        await nursery.start(alerting.run)
        await show(alerting, "PP")
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert (live.told, other.told) == (["smoke:down", "smoke:over"], ["smoke:over"])
    began, over = live.taken
    assert began.title.startswith("smoke is down: timeout")
    assert began.title.endswith("s late)")
    assert began.text.startswith("This comes ")
    assert "late" not in over.title
    assert undelivered(tmp_path, autojump_clock).load() == {}


async def test_what_is_refused_for_good_is_not_kept(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    sink = GroupSink()
    alerting = Alerting(
        [Route(name="chat", sink=sink)], undelivered=undelivered(tmp_path, autojump_clock)
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(alerting.run)
        sink.deliver_group = refuse  # type: ignore[method-assign]
        sink.queued = [ConfigError("no")]
        await show(alerting, "FF")
        nursery.cancel_scope.cancel()
    assert alerting.standings()[0].failed == 1
    assert undelivered(tmp_path, autojump_clock).load() == {}


async def refuse(alerts: Sequence[Alert]) -> None:
    await trio.lowlevel.checkpoint()
    raise ConfigError("no")


async def test_a_way_that_is_gone_loses_what_waited_and_says_so(
    tmp_path: Path, autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    alert = Alert(key="k", firing=True, title="smoke is down", text="", since_utc=NIGHT)
    undelivered(tmp_path, autojump_clock).save({"pager": [Overdue(alert=alert, age=60)]})
    sink = Sink()
    alerting = Alerting(
        [Route(name="chat", sink=sink)], undelivered=undelivered(tmp_path, autojump_clock)
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(alerting.run)
        nursery.cancel_scope.cancel()
    assert sink.taken == []
    assert "there is no way pager any more for what waited: smoke is down" in caplog.text


@pytest.mark.parametrize(
    "remembered",
    [None, 3, {"judges": 3}, {"judges": [{}]}, {"told": [{"key": "x"}]}, {"told": [None]}],
)
def test_what_cannot_be_read_is_not_remembered(remembered: object) -> None:
    alerting = Alerting(remembered=remembered)
    assert (alerting.alerts(), alerting.monitors()) == ([], frozenset())
    assert alerting.decide(check("P", 1)) is Health.UP


async def test_what_waits_when_it_stops_is_delivered(autojump_clock: object) -> None:
    slow, gathering = Sink(ConnectorError("busy")), GroupSink()
    alerting = Alerting([Route(name="slow", sink=slow), Route(name="chat", sink=gathering)])
    async with trio.open_nursery() as nursery:
        await nursery.start(alerting.run)
        await show(alerting, "FF")
        await trio.sleep(0.5)
        assert (slow.asked, gathering.taken) == (1, [])
        nursery.cancel_scope.cancel()
    assert (slow.told, gathering.told) == (["smoke:down"], ["smoke:down"])


async def test_what_cannot_be_delivered_when_it_stops_is_said(
    autojump_clock: object, caplog: pytest.LogCaptureFixture
) -> None:
    alerting = Alerting([Route(name="pager", sink=Sink(*[1000.0] * 9))])
    began = 0.0
    async with trio.open_nursery() as nursery:
        await nursery.start(alerting.run)
        await show(alerting, "FF")
        began = trio.current_time()
        nursery.cancel_scope.cancel()
    assert trio.current_time() - began == pytest.approx(alerting_module.LAST_WORDS, abs=0.1)
    assert "pager: 1 alerts are not delivered" in caplog.text


async def test_people_are_reminded_if_they_want(
    nursery: trio.Nursery, autojump_clock: object
) -> None:
    sink = Sink()
    alerting = Alerting([Route(name="pager", sink=sink)], remind=600)
    await nursery.start(alerting.run)
    await show(alerting, "F" * 25 + "PP")
    await trio.sleep(60)
    assert [alert.reminder for alert in sink.taken] == [0, 1, 2, 0]
    assert sink.taken[1].title.startswith("smoke still is down: timeout")
    nursery.cancel_scope.cancel()


async def test_a_route_is_for_some_monitors_and_kinds(
    nursery: trio.Nursery, autojump_clock: object
) -> None:
    web, down = Sink(), Sink()
    routes = [
        Route(name="web", sink=web, monitors=frozenset({"web"})),
        Route(name="down", sink=down, kinds=frozenset({"down"})),
    ]
    alerting = Alerting(routes)
    await nursery.start(alerting.run)
    await show(alerting, "DDD", monitor="web")
    await show(alerting, "FF", monitor="voice")
    await trio.sleep(60)
    assert (web.told, down.told) == (["web:degraded"], ["voice:down"])
    nursery.cancel_scope.cancel()


async def test_too_many_are_lost_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    alerting = Alerting([Route(name="pager", sink=Sink(), room=2)])
    for number in range(5):
        for minute in range(2):
            alerting.decide(check("F", minute, monitor=f"m{number}"))
    [standing] = alerting.standings()
    assert (standing.waiting, standing.dropped) == (2, 3)
    assert "there is no room for all" in caplog.text


async def test_what_is_taken_out_of_the_file_is_not_in_trouble_for_ever(
    nursery: trio.Nursery, autojump_clock: object
) -> None:
    sink = Sink()
    alerting = Alerting([Route(name="pager", sink=sink)])
    await nursery.start(alerting.run)
    await show(alerting, "FF")
    await show(alerting, "P", monitor="web")
    alerting.forget("smoke", now=NIGHT + 300)
    alerting.forget("web", now=NIGHT + 300)
    await trio.sleep(60)
    assert sink.told == ["smoke:down", "smoke:over"]
    assert sink.taken[1].title == "smoke is not watched any more"
    assert sink.taken[1].ended_utc == NIGHT + 300
    assert alerting.monitors() == frozenset()
    nursery.cancel_scope.cancel()


async def test_locations_are_judged_apart(nursery: trio.Nursery, autojump_clock: object) -> None:
    sink = Sink()
    alerting = Alerting([Route(name="pager", sink=sink)])
    await nursery.start(alerting.run)
    for minute in range(4):
        alerting.checked(check("F" if minute < 2 else "P", minute, location="paris"))
        alerting.checked(check("P", minute, location="rome"))
    await trio.sleep(60)
    assert [(alert.key, alert.firing) for alert in sink.taken] == [
        ("smoke@paris", True),
        ("smoke@paris", False),
    ]
    assert sink.taken[0].title.startswith("smoke (paris) is down")
    nursery.cancel_scope.cancel()


async def test_a_monitor_has_rules_of_its_own(
    nursery: trio.Nursery, autojump_clock: object
) -> None:
    sink = Sink()
    at_once = Rules(fail=Share(1, 1))
    alerting = Alerting(
        [Route(name="pager", sink=sink)],
        rules=lambda name: at_once if name == "vip" else Rules(),
    )
    await nursery.start(alerting.run)
    for name in ("vip", "smoke"):
        alerting.decide(check("F", 1, monitor=name))
    await trio.sleep(60)
    assert sink.told == ["vip:down"]
    nursery.cancel_scope.cancel()


async def test_what_was_said_in_a_chat_is_in_no_log(
    nursery: trio.Nursery, autojump_clock: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    alerting = Alerting([Route(name="pager", sink=Sink(ConfigError("no")))])
    await nursery.start(alerting.run)
    await show(alerting, "FF")
    await trio.sleep(1)
    assert "one moment please" not in caplog.text
    nursery.cancel_scope.cancel()
