"""Files and sign-in over web messaging."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import trio
import trio.testing

from botkit import chat
from botkit.errors import ChatError, ChatRefused, LocalProtocolError
from botkit.genesys.web_content import Attachment, attachment_content
from botkit.genesys.web_records import AttachmentFailed

PNG = chat.SendFile(name="a.png", content=b"PNG", media_type="image/png")

# --- files ---------------------------------------------------------------------------------------


async def test_a_file_is_uploaded_and_put_into_a_message(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        file_id = await session.perform(PNG)
        await kit.until(lambda: kit.of(session, chat.File))
        (file,) = kit.of(session, chat.File)
        assert (file.file_id, file.own) == (file_id, True)
    (request,) = kit.peer.asked("onAttachment")
    assert (request.file_name, request.file_type, request.file_size) == ("a.png", "image/png", 3)
    assert request.errors_as_json
    assert kit.peer.files == {file_id: b"PNG"}
    (put,) = (sent for sent in kit.peer.fetched if sent.method == "PUT")
    names = set(put.headers) - {"content-length"}
    assert names == {"host", "x-amz-tagging"}
    assert put.url.query == b"signed=1"


async def test_a_file_is_fetched_and_taken_away(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.say("Look", attachment_content(Attachment(id="f1", name="b.pdf", size=3)))
        assert (await session.wait_for(chat.File)).name == "b.pdf"
        kit.peer.files["f1"] = b"PDF"
        assert await session.perform(chat.DownloadFile(file_id="f1")) == b"PDF"
        await session.perform(chat.DeleteFile(file_id="f1"))
        assert kit.of(session, chat.File)[-1].deleted


async def test_the_limits_are_those_of_the_session(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        limits = await session.perform(chat.GetFileLimits())
    assert limits == chat.FileLimits(
        max_file_bytes=10 * 1024,
        file_types=("image/png",),
        blocked_extensions=(".exe",),
        can_delete=True,
    )


@pytest.mark.parametrize("name", ["GenerateUrlError", "UploadFailureEvent"])
async def test_a_file_that_is_not_wanted_is_an_error(
    kit: Any, name: str, autojump_clock: trio.testing.MockClock
) -> None:
    def refuses(socket: Any, request: Any) -> bool:
        if request.action != "onAttachment":
            return False
        body = AttachmentFailed(attachment_id=request.attachment_id, code=4001, message="bad type")
        if name == "UploadFailureEvent":
            kit.peer.on_onAttachment(socket, request)
        socket.push(name, body)
        return True

    kit.peer.rules.append(refuses)
    kit.peer.web["PUT", "/x"] = lambda _: httpx.Response(200)
    async with kit.client.session() as session:
        with pytest.raises(ChatError) as caught:
            await session.perform(PNG)
        assert (caught.value.code, caught.value.description) == (4001, "bad type")
    assert kit.peer.lines == []


async def test_a_store_that_refuses_a_file_is_an_error(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    kit.peer.file = lambda request: httpx.Response(403, text="signature")
    async with kit.client.session() as session:
        with pytest.raises(ChatError, match=r"answered with HTTP 403 .*: signature"):
            await session.perform(PNG)


async def test_what_the_wire_lacks_is_said(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    commands = [
        chat.SendNotice(text="x"),
        chat.PushUrl(url="http://x"),
        chat.UpdateNickname(nickname="x"),
        chat.DeleteUserdata(key="x"),
        chat.ReadReceipt(index=1),
    ]
    assert set(kit.client.connector.lacks) == {type(command) for command in commands}
    async with kit.client.session() as session:
        for command in commands:
            with pytest.raises(LocalProtocolError, match=kit.client.connector.lacks[type(command)]):
                await session.perform(command)


# --- sign-in -------------------------------------------------------------------------------------

EXCHANGE = "/api/v2/webdeployments/token/oauthcodegrantjwtexchange"
REFRESH = "/api/v2/webdeployments/token/refresh"


def answering(asked: list[Any], *answers: Any) -> Any:
    remaining = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        answer = remaining.pop(0)
        if isinstance(answer, int):
            return httpx.Response(answer, text="no")
        return httpx.Response(200, json=answer)

    return answer


async def test_a_jwt_that_is_given_is_used(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session(options={"jwt": "jwt-1"}) as session:
        await session.send_message("Hi")
    (request,) = kit.peer.asked("configureAuthenticatedSession")
    assert request.auth_code == "jwt-1"


@pytest.mark.parametrize(
    ("options", "proof"),
    [
        (
            {"auth_code": "c", "redirect_uri": "https://r", "code_verifier": "v"},
            {"code": "c", "redirectUri": "https://r", "codeVerifier": "v"},
        ),
        ({"id_token": "i", "nonce": "n"}, {"idToken": "i", "nonce": "n"}),
    ],
)
async def test_a_proof_is_exchanged_once_and_refreshed_when_it_expires(
    kit: Any,
    options: dict[str, str],
    proof: dict[str, str],
    autojump_clock: trio.testing.MockClock,
) -> None:
    exchanged: list[Any] = []
    refreshed: list[Any] = []
    kit.peer.web["POST", EXCHANGE] = answering(exchanged, {"jwt": "j1", "refreshToken": "r1"})
    kit.peer.web["POST", REFRESH] = answering(refreshed, {"jwt": "j2"})
    rule, _ = kit.rejecting("configureAuthenticatedSession", 401, "User is unauthorized")
    kit.peer.rules.append(rule)
    async with kit.client.session(options=options):
        pass
    assert exchanged == [{"deploymentId": "d-1", "oauth": proof}]
    assert refreshed == [{"refreshToken": "r1"}]
    asked = kit.peer.asked("configureAuthenticatedSession")
    assert [request.auth_code for request in asked] == ["j1", "j2"]


async def test_a_sign_in_is_not_renewed_for_ever(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    kit.peer.web["POST", EXCHANGE] = answering([], {"jwt": "j1", "refreshToken": "r1"})
    refreshed: list[Any] = []
    kit.peer.web["POST", REFRESH] = answering(refreshed, *[{"jwt": "j"}] * 9)
    text = "Session authentication failed"
    rule, _ = kit.rejecting("configureAuthenticatedSession", 403, text, times=99)
    kit.peer.rules.append(rule)
    with pytest.raises(ChatRefused) as caught:
        async with kit.client.session(options={"auth_code": "c"}):
            pass
    assert caught.value.code == 403
    assert len(refreshed) == 3


async def test_a_refused_proof_is_no_chat(kit: Any, autojump_clock: trio.testing.MockClock) -> None:
    kit.peer.web["POST", EXCHANGE] = answering([], 401, 401, 401)
    with pytest.raises(ChatRefused) as caught:
        async with kit.client.session(options={"auth_code": "c"}):
            pass
    assert caught.value.code == 401


async def test_being_signed_out_ends_the_chat(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    from botkit.genesys.web_records import Opaque

    async with kit.client.session(options={"jwt": "j"}) as session:
        kit.peer.push("LogoutEvent", Opaque(value={}))
        ended = await session.wait_for(chat.SessionEnded)
    assert "signed out" in ended.description


async def test_a_jwt_that_expires_in_the_middle_is_renewed(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    kit.peer.web["POST", EXCHANGE] = answering([], {"jwt": "j1", "refreshToken": "r1"})
    kit.peer.web["POST", REFRESH] = answering([], {"jwt": "j2", "refreshToken": "r2"})
    rule, _ = kit.rejecting("onMessage", 403, "Try to authenticate again")
    kit.peer.rules.append(rule)
    options = {"auth_code": "c", "history": "off"}
    async with kit.client.session(options=options, keep_state=True) as session:
        with pytest.raises(ChatError, match="authenticate again"):
            await session.send_message("Hi")
        await session.send_message("Hi again")
        assert session.state is not None
        assert session.state["refresh_token"] == "r2"
    asked = kit.peer.asked("configureAuthenticatedSession")
    assert [request.auth_code for request in asked] == ["j1", "j2"]
