"""Files of the GMS chat API: limits, replies, and multipart forms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit import chat
from botkit.chat import FileLimits
from botkit.errors import LocalProtocolError, RemoteProtocolError
from botkit.genesys import gms_files, gms_side_door
from botkit.genesys.gms_files import Form, Upload

COUNTS = st.none() | st.integers(0, 10**15)
LIMITS = st.builds(
    FileLimits,
    max_files=COUNTS,
    max_file_bytes=COUNTS,
    max_total_bytes=COUNTS,
    file_types=st.lists(st.from_regex(r"[a-z/]{1,9}", fullmatch=True), max_size=4).map(tuple),
    needs_agent=st.booleans(),
    can_delete=st.booleans(),
    max_downloads=COUNTS,
    used_files=COUNTS,
    used_total_bytes=COUNTS,
    used_downloads=COUNTS,
)


@given(limits=LIMITS)
def test_limits_arrive_as_they_were_told(limits: FileLimits) -> None:
    assert gms_files.decode_limits({"userData": gms_files.encode_limits(limits)}) == limits  # type: ignore[dict-item] # texts are JSON


def test_limits_that_are_not_told_are_unknown() -> None:
    assert gms_files.decode_limits({"statusCode": 0}) == FileLimits()
    told = {"upload-file-types": "png; image/jpeg:pdf", "upload-need-agent": "TRUE"}
    limits = gms_files.decode_limits({"userData": told})  # type: ignore[dict-item] # texts are JSON
    assert limits.file_types == ("png", "image/jpeg", "pdf")
    assert limits.needs_agent


@pytest.mark.parametrize("count", ["many", "-1", "1.5", "9" * 30])
def test_a_limit_that_is_no_number_is_a_breach(count: str) -> None:
    with pytest.raises(RemoteProtocolError, match="upload-max-files"):
        gms_files.decode_limits({"userData": {"upload-max-files": count}})


@pytest.mark.parametrize("data", [None, [], {}, {"userData": {}}, {"userData": {"file-id": ""}}])
def test_a_file_without_a_name_is_a_breach(data: object) -> None:
    with pytest.raises(RemoteProtocolError):
        gms_files.decode_file_id(data)  # type: ignore[arg-type] # any JSON


def test_a_form_without_a_file_goes_through_the_side_door() -> None:
    call = gms_side_door.call_for(chat.DownloadFile(file_id="7"), "key")
    body, content_type = call.encode()
    assert content_type is not None
    form = gms_files.decode_multipart(body, content_type)
    assert form.fields == {"operation": "fileDownload", "secureKey": "key", "file-id": "7"}
    assert form.file is None


@pytest.mark.parametrize(
    ("bayeux", "side"),
    [
        ("http://h:8080/genesys/cometd", "http://h:8080/genesys/2/chat-ntf"),
        ("https://h/gms/genesys/cometd/", "https://h/gms/genesys/2/chat-ntf"),
        ("http://h/genesys/cometd?a=/b", "http://h/genesys/2/chat-ntf?a=/b"),
    ],
)
def test_the_side_door_is_beside_the_bayeux_server(bayeux: str, side: str) -> None:
    assert gms_side_door.url_beside(bayeux) == side


def test_contents_never_show() -> None:
    upload = Upload(name="a.png", media_type="image/png", content=b"secret")
    assert "secret" not in repr(Form(file=upload))


def test_a_boundary_is_none_that_occurs_in_the_file() -> None:
    content = b"\r\n--botkit-00000000\r\n--botkit-00000001--"
    upload = Upload(name="a", media_type="text/plain", content=content)
    body, content_type = gms_files.encode_multipart(Form(fields={"a": "1"}, file=upload))
    assert "botkit-00000002" in content_type
    assert gms_files.decode_multipart(body, content_type).file == upload


@pytest.mark.parametrize("media_type", ["", "image", "a/b\r\nX: y", "ä/b"])
def test_a_media_type_that_is_none_is_refused(media_type: str) -> None:
    upload = Upload(name="a", media_type=media_type, content=b"")
    with pytest.raises(LocalProtocolError, match="no media type"):
        gms_files.encode_multipart(Form(file=upload))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data"),
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\nno head--x--", "multipart/form-data; boundary=x"),
        (b"--x\r\nno head\r\n--x--", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
        (b"\r\n--x\r\n" * 200 + b"--x--", "multipart/form-data; boundary=x"),
    ],
)
def test_a_form_that_is_broken_is_a_breach(body: bytes, kind: str) -> None:
    with pytest.raises(RemoteProtocolError):
        gms_files.decode_multipart(body, kind)
