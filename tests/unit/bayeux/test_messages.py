from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.bayeux.advice import Advice, Reconnect
from botkit.bayeux.messages import (
    Codec,
    ErrorText,
    Message,
    decode,
    encode,
    is_channel,
    is_channel_pattern,
    matching_patterns,
    parse_error,
)
from botkit.errors import LocalProtocolError, RemoteProtocolError


class StdlibCodec:
    """The slowest codec there is, and one that forgives more than orjson."""

    def loads(self, data: bytes, /) -> Any:
        return json.loads(data)

    def dumps(self, value: Any, /) -> bytes:
        return json.dumps(value).encode()


CODECS: list[Codec] = [orjson, StdlibCodec()]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**53), max_value=2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
names = st.text(max_size=20)
times = st.integers(min_value=-1_000_000, max_value=1_000_000).map(lambda ms: ms / 1000)
advices = st.builds(
    Advice,
    reconnect=st.none() | st.sampled_from(Reconnect),
    interval=st.none() | times,
    timeout=st.none() | times,
    max_interval=st.none() | times,
    multiple_clients=st.none() | st.booleans(),
)
messages = st.builds(
    Message,
    channel=names,
    id=st.none() | names,
    client_id=st.none() | names,
    successful=st.none() | st.booleans(),
    error=st.none() | names,
    data=json_values,
    advice=st.none() | advices,
    ext=st.none() | st.dictionaries(names, json_values, max_size=3),
    subscription=st.none() | st.lists(names, max_size=3).map(tuple),
    version=st.none() | names,
    minimum_version=st.none() | names,
    connection_type=st.none() | names,
    supported_connection_types=st.none() | st.lists(names, max_size=3).map(tuple),
    timestamp=st.none() | names,
)
# Members with the right names and any values come nearer to the edges than any JSON does.
wire_messages = st.dictionaries(
    st.sampled_from(
        [
            "channel",
            "id",
            "clientId",
            "successful",
            "error",
            "data",
            "advice",
            "ext",
            "subscription",
            "version",
            "supportedConnectionTypes",
            "timestamp",
        ]
    ),
    json_values | st.sampled_from(["/meta/connect", "/meta/handshake", "1", True]),
)


@given(st.lists(messages, max_size=4))
@settings(max_examples=200, deadline=None)
def test_what_is_written_can_be_read(sent: list[Message]) -> None:
    assert decode(encode(sent, orjson), orjson) == sent


@given(st.binary(max_size=200) | st.text(alphabet='[]{}:,"channel0', max_size=60).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_messages_or_the_peers_fault(body: bytes) -> None:
    for codec in CODECS:
        try:
            decoded = decode(body, codec)
        except RemoteProtocolError:
            continue
        assert all(isinstance(message, Message) for message in decoded)


@given(json_values | wire_messages | st.lists(wire_messages, max_size=4))
@settings(max_examples=300, deadline=None)
def test_any_json_is_messages_or_the_peers_fault(value: Any) -> None:
    try:
        decoded = decode(orjson.dumps(value), orjson)
    except RemoteProtocolError:
        return
    assert decode(encode(decoded, orjson), orjson) == decoded


def test_a_bare_message_is_as_good_as_an_array() -> None:
    message = Message(channel="/a", data=1)
    assert decode(b'{"channel":"/a","data":1}', orjson) == [message]
    assert decode(b'[{"channel":"/a","data":1}]', orjson) == [message]


def test_numbers_serve_as_ids_versions_and_stamps() -> None:
    body = b'[{"channel":"/a","id":7,"version":1.0,"minimumVersion":1,"timestamp":123}]'
    assert decode(body, orjson) == [
        Message(channel="/a", id="7", version="1.0", minimum_version="1", timestamp="123")
    ]


def test_what_is_unknown_is_ignored() -> None:
    body = b'[{"channel":"/a","reestablish":true,"x":{"y":[]},"error":null}]'
    assert decode(body, orjson) == [Message(channel="/a")]


def test_one_subscription_is_a_string_and_more_are_a_list() -> None:
    one = Message(channel="/meta/subscribe", subscription=("/a",))
    two = Message(channel="/meta/subscribe", subscription=("/a", "/b"))
    assert orjson.loads(encode([one, two], orjson)) == [
        {"channel": "/meta/subscribe", "subscription": "/a"},
        {"channel": "/meta/subscribe", "subscription": ["/a", "/b"]},
    ]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "not JSON"),
        (b"<html>502 Bad Gateway</html>", "not JSON"),
        (b'[{"channel":"/a"}', "not JSON"),
        (b"\xff", "not JSON"),
        (b"[1]", "not an object"),
        (b'"text"', "not an object"),
        (b"null", "not an object"),
        (b'[{"channel":1}]', "channel is not a string"),
        (b'[{"channel":"/a","id":true}]', "id is not a string"),
        (b'[{"channel":"/a","id":1.5}]', "id is not a string"),
        (b'[{"channel":"/a","successful":"yes"}]', "successful is not a boolean"),
        (b'[{"channel":"/a","ext":[]}]', "ext is not an object"),
        (b'[{"channel":"/a","subscription":[1]}]', "subscription is not a string"),
        (b'[{"channel":"' + b"a" * 1_001 + b'"}]', "more than 1000 characters"),
        (b"[" + b'{"channel":"/a"},' * 10_001 + b"{}]", "more than 10000 messages"),
        (b'[{"channel":"/a","subscription":[' + b'"/a",' * 1_000 + b'"/a"]}]', "1000 entries"),
    ],
)
def test_malformed_bodies_are_the_peers_fault(body: bytes, complaint: str) -> None:
    with pytest.raises(RemoteProtocolError, match=complaint):
        decode(body, orjson)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("depth", [250, 900, 5_000, 200_000])
@pytest.mark.parametrize("brackets", [(b"[", b"]"), (b'{"a":', b"}")])
def test_bottomless_bodies_are_the_peers_fault(
    codec: Any, depth: int, brackets: tuple[bytes, bytes]
) -> None:
    left, right = brackets
    body = b'[{"channel":"/a","data":' + left * depth + b"1" + right * depth + b"}]"
    with pytest.raises(RemoteProtocolError):
        decode(body, codec)


def test_wide_bodies_are_not_deep_ones() -> None:
    body = b'[{"channel":"/a","data":[' + b"[{}]," * 500 + b"0]}]"
    (message,) = decode(body, orjson)
    assert isinstance(message.data, list)
    assert len(message.data) == 501


@pytest.mark.parametrize("data", ["\ud800", {"a": 2**70}])
def test_what_json_cannot_say_is_our_fault(data: Any) -> None:
    with pytest.raises(LocalProtocolError, match="cannot be written"):
        encode([Message(channel="/a", data=data)], orjson)


@pytest.mark.parametrize(
    ("name", "channel", "pattern"),
    [
        ("/a", True, True),
        ("/service/chatV2/customer-support", True, True),
        ("/a/*", False, True),
        ("/a/**", False, True),
        ("/**", False, True),
        ("/a/*/b", False, False),
        ("/a/", False, False),
        ("/", False, False),
        ("a", False, False),
        ("", False, False),
        ("/a\n", False, False),
        ("/a.b", False, False),
    ],
)
def test_channels_are_spelled_as_specified(name: str, channel: bool, pattern: bool) -> None:
    assert (is_channel(name), is_channel_pattern(name)) == (channel, pattern)


def test_patterns_that_reach_a_channel() -> None:
    assert sorted(matching_patterns("/a/b")) == ["/**", "/a/*", "/a/**", "/a/b"]
    assert sorted(matching_patterns("/a")) == ["/*", "/**", "/a"]


@pytest.mark.parametrize(
    ("text", "parsed", "unknown"),
    [
        ("402::Unknown client", ErrorText(code=402, args=(), text="Unknown client"), True),
        ("402::session_unknown", ErrorText(code=402, args=(), text="session_unknown"), True),
        ("401:x1:Unknown client", ErrorText(code=401, args=("x1",), text="Unknown client"), True),
        (
            "402:x:Unknown Client ID",
            ErrorText(code=402, args=("x",), text="Unknown Client ID"),
            True,
        ),
        ("403::Unknown client", ErrorText(code=403, args=(), text="Unknown client"), True),
        (
            "402:clientId:Missing required parameter",
            ErrorText(code=402, args=("clientId",), text="Missing required parameter"),
            False,
        ),
        (
            "403:a,/b:Subscription denied",
            ErrorText(code=403, args=("a", "/b"), text="Subscription denied"),
            False,
        ),
        ("out of order", ErrorText(code=None, args=(), text="out of order"), False),
        ("12:30: lunch", ErrorText(code=None, args=(), text="12:30: lunch"), False),
        ("", ErrorText(code=None, args=(), text=""), False),
    ],
)
def test_errors_are_taken_apart(text: str, parsed: ErrorText, unknown: bool) -> None:
    assert parse_error(text) == parsed
    assert parse_error(text).is_unknown_session is unknown
