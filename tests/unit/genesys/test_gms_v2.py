"""The GMS objects: client and server half agree, and nonsense raises one error alone."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit import chat
from botkit.errors import LocalProtocolError, RemoteProtocolError
from botkit.genesys import gms_v2
from botkit.genesys.gms_v2 import GmsError, GmsEvent, GmsNames, Push, Sender

WIRE = Path(__file__).parents[2] / "wire" / "gms"

texts = st.text(max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=15,
)
MEMBERS = [
    "statusCode", "chatEnded", "chatId", "secureKey", "messages", "errors", "operation", "index",
    "type", "from", "utcTime", "userData", "text", "transcriptPosition", "nickname", "code",
]  # fmt: skip
gms_like = st.dictionaries(st.sampled_from(MEMBERS), json_values, max_size=8)


@pytest.mark.parametrize("file", sorted(WIRE.glob("*.json")), ids=lambda file: file.stem)
def test_golden_pushes_are_read_and_written_alike(file: Path) -> None:
    golden = json.loads(file.read_text())
    push = gms_v2.decode_push(golden["data"])
    assert gms_v2.decode_push(gms_v2.encode_push(push)) == push
    written = gms_v2.encode_push(push)
    assert {key: written[key] for key in golden["data"]} == golden["data"]


events = st.builds(
    GmsEvent,
    type=st.sampled_from(["Message", "ParticipantJoined", "PushUrl", "Whatever"]),
    index=st.none() | st.integers(0, 10_000),
    sender=st.builds(
        Sender,
        nickname=texts,
        participant_id=st.none() | st.integers(0, 99).map(str),
        type=st.sampled_from(["Client", "Agent", "External", ""]),
    ),
    text=texts,
    message_type=texts,
    utc=st.none() | st.integers(0, 2_000_000_000).map(float),
    userdata=st.dictionaries(texts, texts, max_size=3),
)


@given(
    st.builds(
        Push,
        status_code=st.sampled_from([0, 1, 2]),
        chat_ended=st.booleans(),
        chat_id=texts,
        secure_key=texts,
        next_position=st.none() | st.integers(0, 9999),
        events=st.lists(events, max_size=4).map(tuple),
        errors=st.lists(st.builds(GmsError, code=st.integers(), message=texts), max_size=2).map(
            tuple
        ),
    )
)
def test_a_push_survives_the_wire(push: Push) -> None:
    assert gms_v2.decode_push(gms_v2.encode_push(push)) == push


@given(json_values | gms_like)
def test_any_json_raises_nothing_but_the_protocol_error(data: object) -> None:
    for decode in (gms_v2.decode_push, gms_v2.decode_operation):
        with contextlib.suppress(RemoteProtocolError):
            decode(data)  # type: ignore[arg-type]


def test_numbers_are_taken_as_text_and_as_numbers() -> None:
    push = gms_v2.decode_push(
        {"statusCode": "0", "messages": [{"index": "7", "type": "Message", "text": 12}]}
    )
    assert push.events[0].index == 7
    assert push.events[0].text == "12"


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        (chat.SendMessage(text="hi"), {"operation": "sendMessage", "message": "hi"}),
        (
            chat.SendMessage(text="{}", content_type="json"),
            {"operation": "sendMessage", "message": "{}", "messageType": "json"},
        ),
        (chat.SendTyping(), {"operation": "startTyping"}),
        (chat.SendTyping(is_typing=False), {"operation": "stopTyping"}),
        (chat.SetUserdata(userdata={"A": "1"}), {"operation": "attach", "userData": {"A": "1"}}),
        (chat.DeleteUserdata(key="A"), {"operation": "attach", "userData": {"A": ""}}),
        (chat.SendNotice(text="n"), {"operation": "customNotice", "message": "n"}),
        (chat.PushUrl(url="http://x"), {"operation": "pushUrl", "pushUrl": "http://x"}),
        (chat.UpdateNickname(nickname="B"), {"operation": "updateNickname", "nickname": "B"}),
        (chat.ReadReceipt(index=3), {"operation": "readReceipt", "transcriptPosition": 3}),
        (chat.Leave(), {"operation": "disconnect"}),
    ],
)
def test_commands_become_operations_that_the_server_half_reads(
    command: chat.Command, fields: dict[str, object]
) -> None:
    data = gms_v2.encode_command(command, "KEY", GmsNames(update_data="attach"))
    assert data == {**fields, "secureKey": "KEY"}
    operation = gms_v2.decode_operation(data)
    assert operation.name == fields["operation"]
    assert operation.secure_key == "KEY"


def test_a_command_that_the_wire_lacks_is_the_callers_mistake() -> None:
    with pytest.raises(LocalProtocolError, match="SendFile"):
        gms_v2.encode_command(chat.SendFile(name="a", content=b""), "K", GmsNames())


def test_a_request_for_a_chat_reads_the_full_name_where_there_is_no_nickname() -> None:
    operation = gms_v2.decode_operation(
        {"operation": "requestChat", "firstName": "Ada", "lastName": "Lovelace"}
    )
    assert operation.nickname == "Ada Lovelace"
