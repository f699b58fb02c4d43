"""Files of guests: announced, brought, sent, fetched, forgotten."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from botkit.chat import PartyKind
from botkit.simulator.chats import EntryKind
from botkit.simulator.guest_files import DOWNLOAD_PATH, UPLOAD_PATH

New = Any
PICTURE = {"attachmentId": "a-1", "fileName": "a.png", "fileType": "image/png"}


def announce(socket: Any, **members: Any) -> Any:
    [answer] = socket.ask("onAttachment", **{**PICTURE, **members})
    return answer


def bring(world: Any, socket: Any, content: bytes, **members: Any) -> Any:
    """Announce and upload a file; returns what the guest is told in the end."""
    answer = announce(socket, **members)["body"]
    key = answer["url"].removeprefix(f"http://simulator{UPLOAD_PATH}")
    upload = world.guests.files.awaited(key, answer["headers"], now=world.now)
    if upload is None:
        return None
    world.guests.file_desk.take_upload(upload, content)
    return socket.frames[-1]


def send(socket: Any, id_: str = "a-1", **members: Any) -> Any:
    content = [{"contentType": "Attachment", "attachment": {"id": id_}}]
    [answer] = socket.say("", content=content, **members)
    return answer


def test_a_file_travels(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    answer = announce(socket, fileSize=3, errorsAsJson=True)
    assert (answer["type"], answer["class"]) == ("response", "PresignedUrlResponse")
    body = answer["body"]
    assert (body["attachmentId"], body["fileName"], body["fileSize"]) == ("a-1", "a.png", 3)
    assert list(body["headers"]) == ["x-amz-tagging"]
    told = bring(world, socket, b"png", fileSize=3)
    assert (told["type"], told["class"]) == ("message", "UploadSuccessEvent")
    assert told["body"]["attachmentId"] == "a-1"
    assert told["body"]["timestamp"] == "2023-11-14T22:15:00.000Z"
    copy = send(socket)["body"]
    [content] = copy["content"]
    assert (copy["type"], content["contentType"]) == ("Text", "Attachment")
    assert content["attachment"] == {
        "id": "a-1",
        "url": told["body"]["downloadUrl"],
        "filename": "a.png",
        "fileSize": 3,
        "mediaType": "Image",
        "mime": "image/png",
    }
    key = told["body"]["downloadUrl"].removeprefix(f"http://simulator{DOWNLOAD_PATH}")
    assert world.guests.files.download(key).content == b"png"


def test_a_fresh_download_url(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    bring(world, socket, b"png")
    [answer] = socket.ask("getAttachment", attachmentId="a-1")
    assert (answer["class"], answer["body"]["headers"]) == ("PresignedUrlResponse", {})
    assert answer["body"]["fileSize"] == 3
    assert DOWNLOAD_PATH in answer["body"]["url"]


def test_a_file_is_deleted(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    bring(world, socket, b"png")
    [answer] = socket.ask("deleteAttachment", attachmentId="a-1")
    assert (answer["type"], answer["class"]) == ("message", "AttachmentDeletedResponse")
    assert answer["body"] == {"attachmentId": "a-1"}
    assert send(socket)["code"] == 4009
    assert socket.ask("deleteAttachment", attachmentId="a-1")[0]["code"] == 4009


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"fileType": "audio/x-song"}, 4001),
        ({"fileType": ""}, 4001),
        ({"fileName": "virus.EXE"}, 4001),
        ({"fileSize": 10_240 * 1024 + 1}, 4002),
        ({"fileSize": 0}, 4002),
        ({"fileName": ""}, 4004),
        ({"fileName": "../a.png"}, 4004),
        ({"fileName": "a" * 252 + ".png"}, 4005),
    ],
)
def test_what_may_not_be_sent(members: dict[str, Any], code: int, new_world: New) -> None:
    socket = new_world().configured()
    answer = announce(socket, **members)
    assert (answer["class"], answer["code"]) == ("string", code)
    answer = announce(socket, errorsAsJson=True, **members)
    assert (answer["type"], answer["class"], answer["code"]) == ("message", "GenerateUrlError", 200)
    assert (answer["body"]["attachmentId"], answer["body"]["errorCode"]) == ("a-1", code)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"attachmentId": None}, 4020),
        ({"fileSize": "big"}, 400),
        ({"fileSize": True}, 400),
        ({"errorsAsJson": 1}, 400),
        ({"fileName": ["a"]}, 400),
    ],
)
def test_what_announces_nothing(members: dict[str, Any], code: int, new_world: New) -> None:
    assert announce(new_world().configured(), **members)["code"] == code


def test_any_type_where_all_are_allowed(new_world: New) -> None:
    socket = new_world(file_types=("*/*",)).configured()
    assert announce(socket, fileType="audio/x-song")["code"] == 200
    socket = new_world(file_types=("image/*",)).configured()
    assert announce(socket, fileType="image/webp")["code"] == 200


@pytest.mark.parametrize(
    ("content", "members", "code"),
    [
        (b"", {}, 4002),
        (b"x" * 2049, {}, 4002),
        (b"png", {"fileSize": 4}, 4003),
        (b"png", {"fileMd5": "0" * 32}, 4003),
    ],
)
def test_bytes_that_are_not_what_was_announced(
    content: bytes, members: dict[str, Any], code: int, new_world: New
) -> None:
    world = new_world(max_file_kb=2)
    socket = world.configured()
    told = bring(world, socket, content, **members)
    assert (told["class"], told["code"]) == ("UploadFailureEvent", 200)
    assert (told["body"]["errorCode"], told["body"]["attachmentId"]) == (code, "a-1")
    assert send(socket)["code"] == 4009


def test_a_digest_in_either_spelling(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    digest = hashlib.md5(b"png", usedforsecurity=False)
    for spelled in (digest.hexdigest(), base64.b64encode(digest.digest()).decode()):
        assert bring(world, socket, b"png", fileMd5=spelled)["class"] == "UploadSuccessEvent"


def test_a_file_must_be_uploaded_before_it_is_sent(new_world: New) -> None:
    socket = new_world().configured()
    assert send(socket)["code"] == 4009
    announce(socket)
    assert send(socket)["code"] == 4010


def test_a_file_that_waits_for_too_long(new_world: New) -> None:
    world = new_world(upload_lifetime=60.0)
    socket = world.configured()
    bring(world, socket, b"png")
    bring(world, socket, b"png", attachmentId="a-2")
    assert send(socket, "a-2")["code"] == 200
    answer = announce(socket, attachmentId="a-3")["body"]
    world.now += 60.0
    assert send(socket)["code"] == 4008
    assert socket.ask("getAttachment", attachmentId="a-2")[0]["code"] == 200
    key = answer["url"].rpartition("/")[2]
    assert world.guests.files.awaited(key, answer["headers"], now=world.now) is None


def test_an_upload_must_repeat_the_headers_and_happens_once(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    answer = announce(socket)["body"]
    key = answer["url"].rpartition("/")[2]
    files = world.guests.files
    assert files.awaited(key, {}, now=world.now) is None
    assert files.awaited(key[::-1], answer["headers"], now=world.now) is None
    upload = files.awaited(key, answer["headers"], now=world.now)
    files.receive(upload, b"png")
    assert files.awaited(key, answer["headers"], now=world.now) is None
    assert files.download(key) is None


def test_guests_do_not_see_each_others_files(new_world: New) -> None:
    world = new_world()
    bring(world, world.configured(), b"png")
    other = world.configured("guest-2")
    assert send(other)["code"] == 4009
    assert other.ask("getAttachment", attachmentId="a-1")[0]["code"] == 4009


def test_agents_see_that_a_file_came(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    bring(world, socket, b"png")
    send(socket)
    line, file = world.chat.log[-2:]
    assert (line.kind, file.kind) == (EntryKind.MESSAGE, EntryKind.FILE_UPLOADED)
    assert (file.text, file.userdata["file-id"], file.userdata["file-size"]) == (
        "a.png",
        "a-1",
        "3",
    )
    copies = [frame for frame in socket.frames if frame["class"] == "StructuredMessage"]
    assert len(copies) == 1


def test_guests_get_the_files_of_agents(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    socket.say("hello")
    agent = world.centre.join(world.chat, "Grace", now=world.now, kind=PartyKind.AGENT)
    about = {"name": "case.pdf", "media_type": "application/pdf", "content": b"pdf"}
    world.centre.upload(world.chat, agent, **about, now=world.now)
    body = socket.frames[-1]["body"]
    assert (body["type"], body["direction"]) == ("Text", "Outbound")
    [content] = body["content"]
    assert content["attachment"]["filename"] == "case.pdf"
    assert content["attachment"]["mediaType"] == "File"
    key = content["attachment"]["url"].removeprefix(f"http://simulator{DOWNLOAD_PATH}")
    assert world.guests.file_desk.download(key) == b"pdf"
    assert world.guests.file_desk.download(key[:-1]) is None
    [file_id] = world.chat.room.files
    world.centre.delete_file(world.chat, agent, file_id, now=world.now)
    assert world.guests.file_desk.download(key) is None
    assert socket.frames[-1]["body"] == body


def test_the_oldest_bytes_are_forgotten_when_there_are_too_many(new_world: New) -> None:
    world = new_world(max_kept_bytes=10)
    socket = world.configured()
    for number in range(5):
        bring(world, socket, b"1234", attachmentId=f"a-{number}")
    codes = [
        socket.ask("getAttachment", attachmentId=f"a-{number}")[0]["code"] for number in range(5)
    ]
    assert codes == [4008, 4008, 4008, 200, 200]


def test_the_oldest_files_are_forgotten_when_there_are_too_many(new_world: New) -> None:
    world = new_world(keep_files=3)
    socket = world.configured()
    for number in range(5):
        bring(world, socket, b"1234", attachmentId=f"a-{number}")
    codes = [
        socket.ask("getAttachment", attachmentId=f"a-{number}")[0]["code"] for number in range(5)
    ]
    assert codes == [4009, 4009, 200, 200, 200]


def test_a_file_of_a_session_that_is_gone_is_told_to_nobody(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    answer = announce(socket)["body"]
    key = answer["url"].rpartition("/")[2]
    upload = world.guests.files.awaited(key, answer["headers"], now=world.now)
    socket.presence("Clear")
    before = len(socket.frames)
    world.guests.file_desk.take_upload(upload, b"png")
    assert len(socket.frames) == before
