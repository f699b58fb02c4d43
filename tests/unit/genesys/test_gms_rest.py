"""Calls of the GMS chat API over REST: what one half writes the other half reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit import chat
from botkit.errors import LocalProtocolError, RemoteProtocolError
from botkit.genesys import gms_rest
from botkit.genesys.gms_rest import FORM, Call, Called, Identity, RestNames

ADA = Identity(chat_id="00A1", user_id="U7", secure_key="k+/=", alias="204", position=5)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def received(call: Call, service: str = "demo") -> Called:
    """Let a call arrive at the server."""
    body, content_type = call.encode()
    called = gms_rest.decode_call(f"/{service}{call.path}", body, content_type or FORM)
    assert called is not None
    return called


@pytest.mark.parametrize(
    ("command", "path", "fields"),
    [
        (chat.SendMessage(text="a&b"), "send", {"message": "a&b"}),
        (
            chat.SendMessage(text="a", content_type="x"),
            "send",
            {"message": "a", "messageType": "x"},
        ),
        (chat.SendTyping(preview="I"), "startTyping", {"message": "I"}),
        (chat.SendTyping(is_typing=False), "stopTyping", {}),
        (chat.SetUserdata(userdata={"A b": "1"}), "updateData", {"userData[A b]": "1"}),
        (chat.DeleteUserdata(key="A"), "updateData", {"userData[A]": ""}),
        (chat.SendNotice(text="{}"), "customNotice", {"message": "{}"}),
        (chat.PushUrl(url="http://x/?a=1&b"), "pushUrl", {"pushUrl": "http://x/?a=1&b"}),
        (chat.UpdateNickname(nickname="Bo"), "updateNickname", {"nickname": "Bo"}),
        (chat.ReadReceipt(index=3), "readReceipt", {"transcriptPosition": "3"}),
        (chat.Leave(), "disconnect", {}),
        (chat.GetFileLimits(), "file/limits", {}),
        (chat.DownloadFile(file_id="a/b"), "file/a%2Fb/download", {}),
        (chat.DeleteFile(file_id="7"), "file/7/delete", {}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, chat.Command) else "",
)
def test_every_command_has_its_path_and_its_fields(
    command: chat.Command, path: str, fields: dict[str, str]
) -> None:
    call = gms_rest.call_for(command, ADA, RestNames())
    assert call.path == f"/00A1/{path}"
    common = {"userId": "U7", "secureKey": "k+/=", "alias": "204", "transcriptPosition": "5"}
    assert call.fields == {**common, **fields}


def test_paths_can_be_called_differently() -> None:
    names = RestNames(update_data="updateUserData", push_url="push", read_receipt="read")
    commands = (
        chat.SetUserdata(userdata={}),
        chat.PushUrl(url="x"),
        chat.ReadReceipt(index=1),
    )
    paths = [gms_rest.call_for(command, ADA, names).path for command in commands]
    assert paths == ["/00A1/updateUserData", "/00A1/push", "/00A1/read"]


def test_a_button_cannot_be_pressed() -> None:
    with pytest.raises(LocalProtocolError, match="PressButton"):
        gms_rest.call_for(chat.PressButton(text="Yes"), ADA, RestNames())


def test_what_is_no_text_cannot_be_sent() -> None:
    with pytest.raises(LocalProtocolError, match="UTF-8"):
        gms_rest.call_for(chat.SendMessage(text="\ud800"), ADA, RestNames()).encode()
    with pytest.raises(LocalProtocolError, match="UTF-8"):
        gms_rest.call_for(chat.DeleteFile(file_id="\ud800"), ADA, RestNames())


@given(nickname=TEXT, subject=st.none() | TEXT, userdata=st.dictionaries(TEXT, TEXT, max_size=4))
def test_the_request_for_a_chat_arrives_as_it_was_sent(
    nickname: str, subject: str | None, userdata: dict[str, str]
) -> None:
    called = received(gms_rest.request_chat(nickname=nickname, subject=subject, userdata=userdata))
    operation = called.operation
    assert (operation.name, operation.nickname) == ("requestChat", nickname)
    assert operation.subject == (subject or None)
    assert operation.userdata == userdata


@given(text=TEXT)
def test_a_line_arrives_as_it_was_sent(text: str) -> None:
    called = received(gms_rest.call_for(chat.SendMessage(text=text), ADA, RestNames()))
    assert called.operation.message == text
    assert called.operation.secure_key == "k+/="
    assert called.operation.transcript_position == 5
    assert (called.chat_id, called.user_id, called.alias) == ("00A1", "U7", "204")


@given(name=TEXT, content=st.binary(max_size=200))
def test_a_file_arrives_as_it_was_sent(name: str, content: bytes) -> None:
    called = received(
        gms_rest.call_for(chat.SendFile(name=name, content=content), ADA, RestNames())
    )
    assert called.operation.name == "fileUpload"
    assert called.operation.secure_key == "k+/="
    assert called.file is not None
    assert called.file.content == content
    escapes = ("%22", "%0D", "%0A")
    assert any(e in name for e in escapes) or called.file.name == name


def test_the_name_may_come_in_parts() -> None:
    called = gms_rest.decode_call("/demo", b"firstName=Ada&lastName=King&text=hi", FORM)
    assert called is not None
    assert (called.operation.nickname, called.operation.message) == ("Ada King", "hi")


@pytest.mark.parametrize(
    "path", ["/", "/demo/1/nothing", "/demo/1/file/2", "/demo/1/file/2/eat", "/demo/1/send/x"]
)
def test_there_is_nothing_at_other_paths(path: str) -> None:
    assert gms_rest.decode_call(path, b"", FORM) is None


@given(
    body=st.binary(max_size=100), kind=st.sampled_from([FORM, "multipart/form-data; boundary=x"])
)
def test_any_body_is_a_form_or_a_breach_of_the_protocol(body: bytes, kind: str) -> None:
    try:
        called = gms_rest.decode_call("/demo/1/send", body, kind)
    except RemoteProtocolError:
        return
    assert called is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "message", "errors", "advice", "x"]), inner)
    ),
    max_leaves=8,
)


@given(data=JSON)
def test_errors_are_looked_for_in_anything(data: object) -> None:
    for error in gms_rest.decode_errors(data):  # type: ignore[arg-type] # any JSON
        assert error.code is not None


@pytest.mark.parametrize(
    "data",
    [
        {"code": 5, "message": "no", "advice": "ask"},
        {"errors": [{"code": "5", "message": "no", "advice": "ask"}]},
    ],
)
def test_errors_are_found_in_both_places(data: dict[str, object]) -> None:
    (error,) = gms_rest.decode_errors(data)  # type: ignore[arg-type] # mypy takes it for any object
    assert (error.code, error.message, error.advice) == (5, "no", "ask")
