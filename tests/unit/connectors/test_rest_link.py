"""One call over REST, and whatever is answered to it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from botkit.connectors.http import HttpReply, Lane, StoredCookie
from botkit.connectors.rest_link import Answer, ForeignReply, RestLink, in_doubt
from botkit.errors import BotkitError, ConnectorError, RemoteProtocolError
from botkit.genesys import gms_files
from botkit.genesys.gms_files import Upload
from botkit.genesys.gms_rest import Call

CALL = Call(path="/1/refresh", fields={"a": "b c"})


class Answering:
    """An ``Http`` that always gives the same answer.

    Attributes:
        posts: suffix, body and content type of what was posted.
    """

    url = "http://chat.example.com/2/chat"

    def __init__(self, status: int, body: bytes, *, kind: str = "", after: float = 0.0) -> None:
        self.posts: list[tuple[str, bytes, str | None]] = []
        self.lanes: list[Lane] = []
        self._reply = HttpReply(status=status, body=body, headers={"content-type": kind})
        self._after = after

    async def post(
        self, suffix: str, body: bytes, *, lane: Lane, content_type: str | None = None
    ) -> HttpReply:
        self.posts.append((suffix, body, content_type))
        self.lanes.append(lane)
        await trio.sleep(self._after)
        return self._reply

    def cookies(self) -> tuple[StoredCookie, ...]:
        return ()

    def add_cookies(self, cookies: Iterable[StoredCookie]) -> None:
        raise AssertionError("there are none")

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


def link_to(http: Answering) -> RestLink:
    return RestLink(http, path="/demo", reply_within=10.0)


def answered(status: int, body: bytes) -> Answer | BotkitError:
    async def main() -> Answer | BotkitError:
        try:
            return await link_to(Answering(status, body)).call(CALL)
        except (ConnectorError, RemoteProtocolError) as error:
            return error

    return trio.run(main)


async def test_a_call_is_a_form_below_the_service() -> None:
    http = Answering(200, b'{"statusCode": 0, "nextPosition": 4}')
    answer = await link_to(http).call(CALL)
    assert http.posts == [("/demo/1/refresh", b"a=b+c", None)]
    assert answer.push.next_position == 4


async def test_a_file_goes_beside_all_other_calls() -> None:
    http = Answering(200, b'{"userData": {"file-id": "7"}}')
    file = Upload(name="a.png", media_type="image/png", content=b"x")
    answer = await link_to(http).send_file(Call(path="/1/file", file=file))
    assert gms_files.decode_file_id(answer.data) == "7"
    assert http.lanes == [Lane.POLL]
    assert (http.posts[0][2] or "").startswith("multipart/form-data; boundary=")


@pytest.mark.parametrize(
    ("status", "body", "status_code", "code"),
    [
        (200, b'{"statusCode": 1}', 1, None),
        (200, b'{"statusCode": 2, "errors": [{"code": 8210}]}', 2, 8210),
        (403, b'{"code": 7, "message": "m"}', 2, 7),
        (429, b'{"code": 7, "message": "m"}', 1, 7),
        (408, b'{"errors": [{"code": 7}]}', 1, 7),
    ],
)
def test_answers_of_the_service(
    status: int, body: bytes, status_code: int, code: int | None
) -> None:
    answer = answered(status, body)
    assert isinstance(answer, Answer)
    assert answer.push.status_code == status_code
    assert [error.code for error in answer.push.errors] == ([] if code is None else [code])


@pytest.mark.parametrize(
    ("status", "body", "kind", "doubt"),
    [
        (500, b'{"code": 7}', "http", False),
        (404, b"", "http", False),
        (429, b"slowly", "http", False),
        (407, b"", "proxy", False),
        (504, b"", "timeout", True),
    ],
)
def test_servers_in_trouble(status: int, body: bytes, kind: str, doubt: bool) -> None:
    error = answered(status, body)
    assert isinstance(error, ConnectorError)
    assert (error.kind, in_doubt(error)) == (kind, doubt)
    assert f"HTTP {status}" in str(error)


def test_an_answer_that_breaks_off_was_one_and_a_page_was_none() -> None:
    cut_off = answered(200, b' {"statusCode": 0, "secureKey": "abc", "messa')
    assert type(cut_off) is RemoteProtocolError
    assert in_doubt(cut_off)
    assert "abc" not in str(cut_off)
    page = answered(200, b"<html>")
    assert type(page) is ForeignReply
    assert not in_doubt(page)


async def test_silence_has_a_limit(autojump_clock: MockClock) -> None:
    with pytest.raises(ConnectorError, match="did not answer within 10 s") as caught:
        await link_to(Answering(200, b"{}", after=60)).call(CALL)
    assert in_doubt(caught.value)
    assert trio.current_time() == 10


@pytest.mark.parametrize(
    ("kind", "body", "is_file"),
    [
        ("image/png", b"\x89PNG", True),
        ("text/html", b"<html>", True),
        ("application/json", b'{"sum": 7}', True),
        ("application/json", b"not json", True),
        ("application/json", b'{"statusCode": 2, "errors": [{"code": 1}]}', False),
        ("application/json", b'{"errors": [{"code": 1}]}', False),
    ],
)
async def test_a_file_is_told_from_an_error(kind: str, body: bytes, is_file: bool) -> None:
    answer = await link_to(Answering(200, body, kind=kind)).fetch_file(CALL, size=1)
    if is_file:
        assert (answer.body, answer.push.status_code) == (body, 0)
    else:
        assert answer.push.errors[0].code == 1


@given(
    status=st.sampled_from([200, 200, 200, 302, 400, 429, 500, 504]),
    body=st.binary(max_size=60)
    | st.builds(
        lambda text: text.encode("utf-8", "replace"),
        st.from_regex(
            r'\{"(statusCode|messages|errors|chatEnded|code)": ?[\[\]{}0-9a-z",: ]{0,20}\}'
        ),
    ),
)
def test_any_answer_is_read_or_is_an_error_that_is_known(status: int, body: bytes) -> None:
    answer = answered(status, body)
    assert isinstance(answer, Answer | ConnectorError | RemoteProtocolError)
