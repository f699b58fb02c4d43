"""The foreign programs against each other: what they do where botkit has no part in it.

A failure of botkit against one of them can then be laid at botkit's door.
"""

from __future__ import annotations

import pytest

# What each server answers to the connect of a session that it forgot.
UNKNOWN_CLIENT = {
    "cometd-node": "402::session_unknown",
    "faye": "Unknown client",
    "cometd-8": "402::session_unknown",
    "cometd-3.1": "402::Unknown client",
}


def assert_left(status):
    assert (status["open"], status["total"], status["sessions"]) == (0, 1, 0)


def expected_answer_to_subscribe(server):
    if server == "faye":
        return "403:/service/chatV2/support:Forbidden channel"
    return True


def test_a_whole_chat(client, server, ada):
    report = client.chat(server.url)
    report.assert_whole(ada.chat())
    assert report.events[1]["userData"] == {"SurveyURL": "https://survey.example.com/chat-1"}
    assert_left(server.status())
    [chat] = server.status()["chats"]
    assert (chat["service"], chat["userData"]) == ("support", {"Segment": "gold"})


def test_the_chat_does_not_depend_on_the_subscribe(client, server, ada):
    report = client.chat(server.url, "--subscribe")
    assert report.subscribed == expected_answer_to_subscribe(server.name)
    report.assert_whole(ada.chat())


def test_a_forgotten_session_is_resumed_without_loss_or_repetition(client, server, ada):
    forgotten = []
    report = client.chat(
        server.url, "--subscribe", forget=lambda: forgotten.append(server.forget(say=ada.QUESTION))
    )
    assert forgotten == [1]
    assert report.rehandshakes == 1
    assert report.replayed == 0
    report.assert_whole(ada.chat(asks=True))
    [refusal] = [each for each in report.meta_errors if each["meta"] == "connect"]
    assert UNKNOWN_CLIENT[server.name] in refusal["error"]
    assert refusal["advice"]["reconnect"] == "handshake"
    assert_left(server.status())


@pytest.mark.parametrize("name", ["faye", "cometd-8", "cometd-3.1"])
def test_a_whole_chat_over_websocket(name, js_client, start_server, ada):
    server = start_server(name)
    report = js_client.chat(server.url, "--transport", "websocket")
    report.assert_whole(ada.chat())
    assert_left(server.status())


@pytest.mark.parametrize(
    ("name", "transport"),
    [
        ("cometd-node", "long-polling"),
        ("cometd-8", "long-polling"),
        ("cometd-8", "websocket"),
        ("cometd-3.1", "websocket"),
    ],
)
def test_a_page_that_is_reloaded_goes_on_with_its_session(
    name, transport, js_client, start_server, ada
):
    server = start_server(name, EXTENSIONS="ack timesync")
    report = js_client.chat(server.url, "--transport", transport, "--ack", "--timesync", "--reload")
    before, after = report.client_ids
    assert before == after
    assert report.batches
    report.assert_whole(ada.chat())
    assert_left(server.status())
