"""What people read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
from status_site import NOW, Site, result_of

from botkit.monitor.contract import Health, Maintenance, MonitorView
from botkit.monitor.history import History
from botkit.monitor.web.questions import Page, journeys
from botkit.results import Verdict

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
HOUR = 3600.0


def older(reply: httpx.Response) -> str | None:
    found = re.search(r'rel="next" href="([^"]+)"', reply.text)
    return found and found[1].replace("&amp;", "&")


def journeys_on(reply: httpx.Response) -> list[str]:
    return re.findall(r'<td><a href="/journeys/([^"]+)"', reply.text)


async def test_the_overview_says_how_each_chat_does(site: Site) -> None:
    site.controls.views = [
        MonitorView(name="orders", health=Health.DOWN, since_utc=NOW - 2 * HOUR, slo_left=-0.5),
        MonitorView(name="returns", title="Returns desk", quiet="night", slo_left=0.75),
        MonitorView(name="smoke", health=Health.UP, since_utc=NOW - 90, next_utc=NOW + 60),
    ]
    site.add(result_of(at=-HOUR), monitor="smoke")
    site.add(result_of("bad", at=-60, verdict=Verdict.FAILED, message="no agent"), monitor="orders")
    async with site.visited() as client:
        text = (await client.get("/")).text
    assert "1 of 3 chats is down" in text
    assert "for 2 h" in text
    assert "budget overspent" in text
    assert "Returns desk" in text
    assert "night" in text
    assert "75 % of the error budget left" in text
    assert "next in 1 min" in text
    assert "100 %</b>" in text
    assert re.search('href="/journeys/bad">no agent</a>', text)


async def test_a_span_is_chosen_by_its_link(site: Site) -> None:
    site.add(result_of(at=-5 * 24 * HOUR))
    async with site.visited() as client:
        day, week = await client.get("/"), await client.get("/?span=7d")
    assert "no checks in 24 hours" in day.text
    assert "100 % of 1 checks worked in 7 days" in week.text


async def test_without_monitors_there_is_a_page(site: Site) -> None:
    site.controls.views = []
    async with site.visited() as client:
        reply = await client.get("/")
    assert (reply.status_code, "No monitors" in reply.text) == (200, True)


async def test_a_monitor_has_its_spans_incidents_and_journeys(site: Site) -> None:
    site.add(result_of("good", at=-2 * HOUR))
    site.add(result_of("bad", at=-HOUR, verdict=Verdict.FAILED, message="no agent"))
    async with site.visited() as client:
        text = (await client.get("/monitors/smoke")).text
    for label in ("24 hours", "7 days", "90 days"):
        assert f"50.00 % of 2 checks worked in {label}" in text
    assert text.count('class="plot"') == 3
    assert "for 1 h" in text
    assert re.search('href="/journeys/good"', text)


async def test_journeys_are_paged_by_when_they_began(site: Site) -> None:
    # 120 of them, three at each moment: one for each of three locations.
    for n in range(40):
        for place in ("fra", "nyc", "syd"):
            site.add(result_of(f"{place}-{n:02}", at=-60.1 * n), location=place)
    seen: list[str] = []
    async with site.visited() as client:
        address: str | None = "/monitors/smoke"
        while address:
            reply = await client.get(address)
            seen += journeys_on(reply)
            address = older(reply)
        there = await client.get("/monitors/smoke", params={"location": "nyc"})
    assert len(seen) == len(set(seen)) == 120
    assert seen[0].endswith("-00")
    assert {name[:3] for name in journeys_on(there)} == {"nyc"}


def test_journeys_of_one_moment_are_never_torn_apart(site: Site) -> None:
    for n in range(7):
        site.add(result_of(f"early-{n}", at=-60))
    site.add(result_of("late", at=0))

    def page(before: float | None) -> Page:
        return site.history.ask(journeys, "smoke", before=before, size=3)

    first = page(None)
    assert [entry.journey_id for entry in first.entries] == ["late"]
    second = page(first.older)
    assert len(second.entries) == 7
    assert second.older is None


async def test_a_time_that_is_none_is_told(site: Site) -> None:
    async with site.visited() as client:
        replies = [await client.get(f"/monitors/smoke?before={x}") for x in ("soon", "nan", "inf")]
    assert [reply.status_code for reply in replies] == [400, 400, 400]


async def test_names_may_hold_anything(site: Site) -> None:
    name = "50 % off/now? <&> ü"
    site.controls.views = [MonitorView(name=name)]
    site.add(result_of("a/b c"), monitor=name)
    async with site.visited() as client:
        overview = await client.get("/")
        [address] = re.findall(r'<h2><a href="(/monitors/[^"]+)"', overview.text)
        monitor = await client.get(address)
        [journey] = journeys_on(monitor)
        assert (await client.get(f"/journeys/{journey}")).status_code == 200
    assert "50 % off/now? &lt;&amp;&gt; ü" in monitor.text


async def test_one_that_is_not_watched_any_more_keeps_its_page(site: Site) -> None:
    site.add(result_of(), monitor="old")
    async with site.visited() as client:
        old, none = await client.get("/monitors/old"), await client.get("/monitors/none")
    assert "Not watched any more" in old.text
    assert (none.status_code, "There is no monitor" in none.text) == (404, True)


async def test_a_journey_shows_its_evidence(site: Site) -> None:
    step = {"text": "expect: hello", "verdict": "failed", "expected": "a greeting"}
    step |= {"came": [{"line": "Grace: good day", "why": "another word"}]}
    rows = [{"kind": "message", "party": "agent", "who": "Grace", "text": "good day", "at": 1.5}]
    evidence = {"steps": [step], "transcript": rows}
    site.add(result_of("bad", verdict=Verdict.FAILED, message="no greeting"), evidence=evidence)
    async with site.visited() as client:
        page = await client.get("/journeys/bad")
        whole = await client.get("/journeys/bad/evidence.json")
        none = await client.get("/journeys/none")
    for words in ("no greeting", "a greeting", "another word", "good day", "+1.5 s"):
        assert words in page.text
    assert whole.json() == evidence
    assert whole.headers["content-disposition"].startswith("attachment")
    assert (none.status_code, "not in the history" in none.text) == (404, True)


async def test_text_from_chats_is_text(site: Site) -> None:
    step = {"text": EVIL, "expected": EVIL, "verdict": EVIL, "received": [EVIL], "message": EVIL}
    row = {"kind": "message", "party": EVIL, "who": EVIL, "text": EVIL}
    evidence = {"title": EVIL, "steps": [step], "transcript": [row], "notes": [EVIL]}
    site.controls.views = [MonitorView(name=EVIL, title=EVIL, quiet=EVIL)]
    site.controls.going_on[EVIL] = Maintenance(monitor=EVIL, until_utc=NOW, because=EVIL)
    bad = result_of("bad", verdict=Verdict.FAILED, message=EVIL, name=EVIL, server=EVIL)
    site.add(bad, monitor=EVIL, location=EVIL, evidence=evidence)
    async with site.visited() as client:
        overview = await client.get("/")
        [address] = re.findall(r'<h2><a href="(/monitors/[^"]+)"', overview.text)
        pages = [overview, await client.get(address), await client.get("/journeys/bad")]
    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "&lt;script&gt;" in page.text


async def test_no_page_needs_inline_scripts_or_styles(site: Site) -> None:
    site.add(result_of("one"), evidence={"steps": [{"text": "a"}]})
    async with site.visited() as client:
        for path in ("/", "/monitors/smoke", "/journeys/one", "/login", "/none"):
            text = (await client.get(path)).text
            assert not re.search(r"<script(?! src=)|\sstyle=|<style|\son\w+=|javascript:", text), (
                path
            )


async def test_a_history_that_is_down_is_a_sentence(site: Site, tmp_path: Path) -> None:
    # SQLite cannot open a folder.
    nowhere = History(str(tmp_path))
    site.keeper._history = nowhere  # type: ignore[attr-defined]
    async with site.visited() as client:
        overview, monitor = await client.get("/"), await client.get("/monitors/smoke")
        journey, health = await client.get("/journeys/one"), await client.get("/healthz")
    nowhere.close()
    for reply in (overview, monitor):
        assert reply.status_code == 200
        assert re.search("The history (does not answer now|cannot be read)", reply.text)
        assert "smoke" in reply.text
    assert (journey.status_code, "The history" in journey.text) == (503, True)
    assert health.json() == {"status": "ok"}


async def test_damaged_evidence_is_a_sentence(site: Site) -> None:
    site.add(result_of("bad"), evidence=[json.dumps(1)])
    async with site.visited() as client:
        reply = await client.get("/journeys/bad")
    assert (reply.status_code, "the evidence is no journey" in reply.text) == (503, True)


@pytest.mark.parametrize("path", ["/none", "/static/../page.py", "/static/none.css"])
async def test_what_is_not_there_is_not_found(site: Site, path: str) -> None:
    async with site.visited() as client:
        assert (await client.get(path)).status_code == 404
