"""Who gets in, and what browsers are told."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from status_site import NOW, TOKEN, Site

from botkit.errors import ConfigError
from botkit.monitor.web.access import SIGNED_IN
from botkit.monitor.web.gate import host_name

OUTSIDE = {"host": "0.0.0.0", "base": "http://status.example:8600"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def say_metrics(_: Request) -> PlainTextResponse:
    return PlainTextResponse("metrics")


METRICS: dict[str, Any] = {"routes": [Route("/metrics", say_metrics)]}


@pytest.mark.parametrize("host", ["127.0.0.1:8600", "localhost:8600", "[::1]:8600", "127.0.0.1"])
async def test_loopback_is_read_by_its_own_names(site: Site, host: str) -> None:
    async with site.visited(token=None) as client:
        assert (await client.get("/", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8600", "127.0.0.1.evil.example", "", "localhost.evil", "2130706433"]
)
async def test_loopback_is_not_read_by_foreign_names(site: Site, host: str) -> None:
    async with site.visited(**METRICS) as client:
        for path in ("/", "/api/monitors", "/healthz", "/metrics"):
            reply = await client.get(path, headers={"Host": host, **BEARER})
            assert reply.status_code == 421


async def test_a_proxy_may_have_a_name(site: Site) -> None:
    async with site.visited(hosts=["Status.example"]) as client:
        assert (await client.get("/", headers={"Host": "status.example"})).status_code == 200


async def test_elsewhere_reading_needs_the_token(site: Site) -> None:
    async with site.visited(**OUTSIDE, **METRICS) as client:
        for path in ("/", "/monitors/smoke", "/api/monitors", "/api/events", "/metrics"):
            reply = await client.get(path)
            assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
        wrong = await client.get("/", headers={"Authorization": f"Bearer {TOKEN}x"})
        assert wrong.status_code == 401
        person = await client.get("/", headers={"Accept": "text/html,*/*"})
        assert (person.status_code, person.headers["location"]) == (303, "/login")
        for path in ("/login", "/healthz", "/static/style.css"):
            assert (await client.get(path)).status_code == 200
        for path in ("/", "/metrics"):
            assert (await client.get(path, headers=BEARER)).status_code == 200


def test_elsewhere_nothing_is_made_without_a_token(site: Site) -> None:
    with pytest.raises(ConfigError, match="needs a token"):
        site.app(token=None, host="0.0.0.0")


async def test_who_signs_in_reads_until_the_cookie_is_too_old(site: Site) -> None:
    async with site.visited(**OUTSIDE) as client:
        wrong = await client.post("/login", data={"token": "guess"})
        assert (wrong.status_code, "not the token" in wrong.text) == (403, True)
        assert not client.cookies
        right = await client.post("/login", data={"token": f" {TOKEN} "})
        assert (right.status_code, right.headers["location"]) == (303, "/")
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert TOKEN not in right.headers["set-cookie"]
        assert (await client.get("/")).status_code == 200
        site.now = NOW + SIGNED_IN
        assert (await client.get("/")).status_code == 401


async def test_who_signs_out_is_out(site: Site) -> None:
    async with site.visited(**OUTSIDE) as client:
        await client.post("/login", data={"token": TOKEN})
        [proof, *_] = re.findall('name="proof" value="([0-9a-f]+)"', (await client.get("/")).text)
        assert (await client.post("/logout", data={"proof": "x"})).status_code == 403
        assert (await client.post("/logout", data={"proof": proof})).status_code == 303
        assert (await client.get("/")).status_code == 401


async def test_a_cookie_that_cannot_be_read_is_none(site: Site) -> None:
    async with site.visited(**OUTSIDE) as client:
        reply = await client.get("/", headers={"Cookie": 'a="; b=\\; [x]=1; botkit'})
    assert reply.status_code == 401


@pytest.mark.parametrize("path", ["/", "/none", "/healthz", "/static/page.js", "/api/monitors"])
async def test_browsers_are_told_what_they_may_do(site: Site, path: str) -> None:
    async with site.visited() as client:
        headers = (await client.get(path)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert ("immutable" if path.startswith("/static") else "no-store") in headers["cache-control"]


@pytest.mark.parametrize(
    ("header", "name"),
    [("a:1", "a"), ("A", "a"), ("[::1]:80", "::1"), ("[::1]", "::1"), ("a:", "a"), ("", "")],
)
def test_ports_are_no_part_of_names(header: str, name: str) -> None:
    assert host_name(header) == name
