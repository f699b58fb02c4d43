"""The foreign programs against each other: what they do where botkit has no part in it.

A failure of botkit against one of them can then be laid at botkit's door.
"""

from __future__ import annotations

from typing import Any

import pytest

# A whole chat with three messages, as (type, from, text).
CHAT = [
    ("ParticipantJoined", "Client", None),
    ("ParticipantJoined", "Agent", None),
    ("Message", "Agent", "Hello, how can I help?"),
    ("Message", "Client", "message 1"),
    ("Message", "Agent", "You said: message 1"),
    ("Message", "Client", "message 2"),
    ("Message", "Agent", "You said: message 2"),
    ("Message", "Client", "message 3"),
    ("Message", "Agent", "You said: message 3"),
    ("ParticipantLeft", "Client", None),
]
GAP = ("Message", "Agent", "Are you still there?")
CHAT_WITH_GAP = [*CHAT[:5], GAP, *CHAT[5:]]

# What each server answers to the connect of a session that it forgot.
UNKNOWN_CLIENT = {
    "cometd-node": "402::session_unknown",
    "faye": "Unknown client",
    "cometd-8": "402::session_unknown",
    "cometd-3.1": "402::Unknown client",
}


def seen(report: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(event["type"], event["from"], event["text"]) for event in report["events"]]


def assert_whole(report: dict[str, Any], expected: list[tuple[str, str, str | None]]) -> None:
    assert report["errors"] == []
    assert seen(report) == expected
    assert [event["index"] for event in report["events"]] == list(range(1, len(expected) + 1))


def assert_left(status: dict[str, Any]) -> None:
    assert (status["open"], status["total"], status["sessions"]) == (0, 1, 0)


def expected_answer_to_subscribe(server: str) -> object:
    if server == "faye":
        return "403:/service/chatV2/support:Forbidden channel"
    return True


@pytest.fixture(params=["js_client", "aiocometd_client"])
def client(request):
    """Each of the two foreign clients in turn."""
    return request.getfixturevalue(request.param)


def test_a_whole_chat(client, server):
    report = client.chat(server.url)
    assert_whole(report, CHAT)
    assert report["events"][1]["userData"] == {"SurveyURL": "https://survey.example.com/chat-1"}
    assert_left(server.status())
    [chat] = server.status()["chats"]
    assert (chat["service"], chat["userData"]) == ("support", {"Segment": "gold"})


def test_the_chat_does_not_depend_on_the_subscribe(client, server):
    report = client.chat(server.url, "--subscribe")
    assert report["subscribed"] == expected_answer_to_subscribe(server.name)
    assert_whole(report, CHAT)


def test_a_forgotten_session_is_resumed_without_loss_or_repetition(client, server):
    forgotten = []
    report = client.chat(
        server.url, "--subscribe", forget=lambda: forgotten.append(server.forget(say=GAP[2]))
    )
    assert forgotten == [1]
    assert report["rehandshakes"] == 1
    assert report["replayed"] == 0
    assert_whole(report, CHAT_WITH_GAP)
    [refusal] = [each for each in report["metaErrors"] if each["meta"] == "connect"]
    assert UNKNOWN_CLIENT[server.name] in refusal["error"]
    assert refusal["advice"]["reconnect"] == "handshake"
    assert_left(server.status())


def test_faye_pushes_over_websocket_too(js_client, start_server):
    faye = start_server("faye")
    report = js_client.chat(faye.url, "--transport", "websocket")
    assert_whole(report, CHAT)
    assert_left(faye.status())
