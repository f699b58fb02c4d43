"""What the token allows: by programs, and by people on the page."""

from __future__ import annotations

import re

import httpx
import pytest
import trio
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message
from status_site import NOW, TOKEN, Site
from trio.testing import MockClock

from botkit.monitor.contract import Maintenance, MonitorView
from botkit.monitor.web.actions import LONGEST, MAX_BODY, read_form

BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def sign_in(client: httpx.AsyncClient) -> str:
    """Sign in; gives the proof that the forms of this visitor carry."""
    await client.post("/login", data={"token": TOKEN})
    found = re.search('name="proof" value="([0-9a-f]+)"', (await client.get("/")).text)
    assert found
    return found[1]


# --- programs -------------------------------------------------------------------------------------


async def test_monitors_are_listed(site: Site) -> None:
    site.controls.going_on[None] = Maintenance(monitor=None, until_utc=NOW + 60, because="move")
    async with site.visited() as client:
        told = (await client.get("/api/monitors")).json()
    assert told["monitors"][0]["name"] == "smoke"
    assert told["monitors"][0]["health"] == "up"
    assert told["maintenances"] == [{"monitor": None, "until_utc": NOW + 60, "because": "move"}]
    assert told["history"] == {"waiting": 0, "down": None, "set_aside": 0, "lost": 0}


async def test_a_program_plays_a_journey(site: Site) -> None:
    site.controls.views.append(MonitorView(name="a/run now?"))
    async with site.visited(headers=BEARER) as client:
        replies = [
            await client.post("/api/monitors/smoke/run"),
            await client.post("/api/monitors/a%2Frun%20now%3F/run"),
            await client.post("/api/monitors/none/run"),
        ]
    assert [reply.status_code for reply in replies] == [202, 202, 404]
    assert replies[2].json() == {"error": "There is no monitor 'none'."}
    assert site.controls.asked == ["smoke", "a/run now?"]


async def test_a_program_begins_and_ends_maintenances(site: Site) -> None:
    async with site.visited(headers=BEARER) as client:
        one = {"monitor": "smoke", "for": 60, "because": " router "}
        begun = await client.post("/api/maintenance", json=one)
        await client.post("/api/maintenance", json={"monitor": None, "for": 3600.5})
        made = dict(site.controls.going_on)
        ended = [
            await client.delete("/api/maintenance", params={"monitor": "smoke"}),
            await client.delete("/api/maintenance"),
            await client.delete("/api/maintenance"),
        ]
    expected = Maintenance(monitor="smoke", until_utc=NOW + 60, because="router")
    assert (begun.status_code, begun.json()["until_utc"]) == (201, NOW + 60)
    assert made == {"smoke": expected, None: Maintenance(monitor=None, until_utc=NOW + 3600.5)}
    assert [reply.status_code for reply in ended] == [204, 204, 404]
    assert not site.controls.going_on


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{",
        "\udcff",
        "[" * 16_000,
        '{"for": 60}',
        '{"monitor": 1, "for": 60}',
        '{"monitor": null}',
        '{"monitor": null, "for": 0}',
        '{"monitor": null, "for": -1}',
        '{"monitor": null, "for": NaN}',
        '{"monitor": null, "for": 1e999}',
        f'{{"monitor": null, "for": {LONGEST + 1}}}',
        '{"monitor": null, "for": 60, "because": 1}',
        f'{{"monitor": null, "for": 60, "because": "{"x" * 301}"}}',
    ],
)
async def test_a_maintenance_that_makes_no_sense_is_refused(site: Site, body: str) -> None:
    data = body.encode("utf-8", "surrogateescape")
    async with site.visited(headers=BEARER) as client:
        reply = await client.post("/api/maintenance", content=data)
    assert reply.status_code == 400
    assert reply.json()["error"].endswith(".")
    assert not site.controls.going_on


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ({"type": "http.request", "body": b"x" * MAX_BODY, "more_body": True}, 413),
        ({"type": "http.disconnect"}, 400),
    ],
)
async def test_a_body_without_end_is_refused(message: Message, status: int) -> None:
    async def receive() -> Message:
        return message

    with pytest.raises(HTTPException) as refused:
        await read_form(Request({"type": "http", "headers": []}, receive))
    assert refused.value.status_code == status


async def test_a_body_that_does_not_come_is_refused(autojump_clock: MockClock) -> None:
    with pytest.raises(HTTPException) as refused:
        await read_form(Request({"type": "http", "headers": []}, trio.sleep_forever))
    assert refused.value.status_code == 408


async def test_without_the_token_nothing_is_done(site: Site) -> None:
    site.controls.going_on[None] = Maintenance(monitor=None, until_utc=NOW)
    for token in (TOKEN, None):
        async with site.visited(token=token, headers={"Authorization": "Bearer guess"}) as client:
            replies = [
                await client.post("/api/monitors/smoke/run"),
                await client.post("/api/maintenance", json={"monitor": None, "for": 60}),
                await client.delete("/api/maintenance"),
            ]
        assert [reply.status_code for reply in replies] == [401, 401, 401]
    assert (site.controls.asked, len(site.controls.going_on)) == ([], 1)


async def test_a_cookie_is_not_enough_for_what_programs_do(site: Site) -> None:
    async with site.visited() as client:
        await sign_in(client)
        assert (await client.post("/api/monitors/smoke/run")).status_code == 401


# --- people ---------------------------------------------------------------------------------------


async def test_buttons_are_for_those_who_signed_in(site: Site) -> None:
    async with site.visited() as client:
        before = (await client.get("/")).text
        await sign_in(client)
        after = (await client.get("/")).text
    assert "Sign in" in before
    assert "Run now" not in before
    assert "Run now" in after
    async with site.visited(token=None) as client:
        never, login = (await client.get("/")).text, (await client.get("/login")).text
    assert "Sign in" not in never
    assert "has no token" in login


async def test_a_person_plays_a_journey_and_is_back(site: Site) -> None:
    async with site.visited() as client:
        form = {"proof": await sign_in(client), "monitor": "smoke", "back": "/monitors/smoke?a=b"}
        done = await client.post("/actions/run", data=form)
        none = await client.post("/actions/run", data={**form, "monitor": "none"})
    assert (done.status_code, done.headers["location"]) == (303, "/monitors/smoke?a=b")
    assert none.status_code == 404
    assert site.controls.asked == ["smoke"]


async def test_a_person_begins_and_ends_maintenances(site: Site) -> None:
    async with site.visited() as client:
        proof = await sign_in(client)
        for name in ("smoke", ""):
            form = {"proof": proof, "monitor": name, "for": "1800", "because": "move"}
            assert (await client.post("/actions/maintenance", data=form)).status_code == 303
        shown = (await client.get("/")).text
        made = dict(site.controls.going_on)
        for name in ("smoke", ""):
            form = {"proof": proof, "monitor": name}
            assert (await client.post("/actions/maintenance/end", data=form)).status_code == 303
    assert {None, "smoke"} == set(made)
    assert made["smoke"].until_utc == NOW + 1800
    assert shown.count("End it") == 2
    assert "of all monitors until" in shown
    assert not site.controls.going_on


@pytest.mark.parametrize("proof", ["", "x", "é"])
async def test_a_form_from_elsewhere_does_nothing(site: Site, proof: str) -> None:
    async with site.visited() as client:
        await sign_in(client)
        form = {"proof": proof, "monitor": "smoke", "for": "60"}
        for path in ("/actions/run", "/actions/maintenance", "/actions/maintenance/end"):
            assert (await client.post(path, data=form)).status_code == 403
    assert (site.controls.asked, site.controls.going_on) == ([], {})


async def test_the_proof_of_somebody_else_does_nothing(site: Site) -> None:
    async with site.visited() as client:
        proof = await sign_in(client)
        site.now += 1
        await sign_in(client)
        form = {"proof": proof, "monitor": "smoke"}
        assert (await client.post("/actions/run", data=form)).status_code == 403


async def test_a_form_without_a_cookie_does_nothing(site: Site) -> None:
    async with site.visited() as client:
        form = {"proof": await sign_in(client), "monitor": "smoke"}
        client.cookies.clear()
        assert (await client.post("/actions/run", data=form)).status_code == 403


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", ""])
async def test_forms_lead_to_pages_of_ours_only(site: Site, back: str) -> None:
    async with site.visited() as client:
        form = {"proof": await sign_in(client), "monitor": "smoke", "back": back}
        assert (await client.post("/actions/run", data=form)).headers["location"] == "/"


async def test_nothing_is_done_by_reading(site: Site) -> None:
    async with site.visited(headers=BEARER) as client:
        for path in ("/actions/run", "/api/monitors/smoke/run", "/logout"):
            assert (await client.get(path)).status_code == 405
