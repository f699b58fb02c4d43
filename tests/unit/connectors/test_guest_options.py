"""The options of genesys-cloud, and where its URL leads."""

from __future__ import annotations

import pytest

from botkit.connectors.genesys_cloud import GenesysCloud
from botkit.connectors.guest_options import GuestOptions, read_endpoints, read_options
from botkit.errors import ConfigError
from botkit.interfaces import Opening, connector_for

URL = "wss://webmessaging.usw2.pure.cloud/v1?deploymentId=d-1&application=botkit"


def test_everything_is_derived_from_the_url() -> None:
    places = read_endpoints(URL, GuestOptions())
    assert places.socket == URL
    assert places.deployment_id == "d-1"
    cdn, api = "https://api-cdn.usw2.pure.cloud", "https://api.usw2.pure.cloud/api/v2"
    assert places.config == f"{cdn}/webdeployments/v1/deployments/d-1/config.json"
    assert places.history == f"{api}/webmessaging/messages"
    assert places.exchange == f"{api}/webdeployments/token/oauthcodegrantjwtexchange"
    assert places.refresh == f"{api}/webdeployments/token/refresh"
    assert connector_for(URL) == "genesys-cloud"


def test_a_simulator_serves_everything_itself() -> None:
    places = read_endpoints("ws://127.0.0.1:8080/v1?deploymentId=demo", GuestOptions())
    assert places.config.startswith("http://127.0.0.1:8080/webdeployments/v1/deployments/demo/")
    assert places.history == "http://127.0.0.1:8080/api/v2/webmessaging/messages"


def test_places_can_be_named() -> None:
    options = read_options({"config_url": "https://c/x.json", "api_url": "https://a/"})
    places = read_endpoints(URL, options)
    assert places.config == "https://c/x.json"
    assert places.history == "https://a/api/v2/webmessaging/messages"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("", "needs a WebSocket URL"),
        ("https://webmessaging.pure.cloud/v1?deploymentId=d", "needs a WebSocket URL"),
        ("wss://webmessaging.pure.cloud/v1", "names no deployment"),
        ("wss://[webmessaging/v1?deploymentId=d", "is no URL"),
        ("ws://webmessaging.pure.cloud/v1?deploymentId=d", "not encrypted"),
    ],
)
def test_a_url_that_leads_nowhere_is_refused(url: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text) as caught:
        GenesysCloud().check(Opening(url=url))
    assert caught.value.key == "server"


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1/v1?deploymentId=d", "ws://[::1]:1/v1?deploymentId=d"]
)
def test_this_machine_needs_no_encryption(url: str) -> None:
    GenesysCloud().check(Opening(url=url))


def test_others_need_none_if_somebody_says_so() -> None:
    opening = Opening(url="ws://10.0.0.1/v1?deploymentId=d", options={"allow_plain": "on"})
    GenesysCloud().check(opening)


def test_options_are_read_as_they_are_written() -> None:
    options = read_options(
        {
            "reorder": "150ms",
            "echo_every": "2m",
            "reconnect_for": "60",
            "rate": "0.5",
            "history": "no",
            "start_new": "TRUE",
            "leave_by": "clear",
            "join": "off",
            "custom_attributes_at": "top",
            "nickname_as": "",
        }
    )
    assert options == GuestOptions(
        reorder=0.15,
        echo_every=120.0,
        reconnect_for=60.0,
        rate=0.5,
        history=False,
        start_new=True,
        leave_by="clear",
        join="off",
        custom_attributes_at="top",
        nickname_as="",
    )


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("colour", "red", "has no option 'colour'"),
        ("reorder", "soon", "a time like 300ms"),
        ("rate", "fast", "a number"),
        ("rate", "0", "more than 0"),
        ("rate", "-1", "a number"),
        ("rate", "nan", "a number"),
        ("echo_every", "5s", "30 s or more"),
        ("history", "maybe", "on or off"),
        ("leave_by", "running", "one of close_session, clear, close"),
        ("join", "yes", "one of auto, on, off"),
        ("custom_attributes_at", "below", "one of message, top"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(name: str, value: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text) as caught:
        GenesysCloud().check(Opening(url=URL, options={name: value}))
    assert caught.value.key == f"options.{name}"


@pytest.mark.parametrize("options", [{"jwt": "j"}, {"auth_code": "c"}, {"id_token": "i"}])
def test_a_customer_who_proves_it_is_authenticated(options: dict[str, str]) -> None:
    assert read_options(options).is_authenticated
    assert not GuestOptions().is_authenticated
