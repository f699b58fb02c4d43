"""TLS with certificates of every sort, on real sockets."""

import datetime
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest
import trio
import trustme

from botkit.connectors.http import Http, Lane, LeanHttp, open_http
from botkit.connectors.http.tls import tls_context
from botkit.errors import ConfigError, ConnectorError
from botkit.interfaces import NetworkSettings
from botkit.simulator.http import Reply, Request
from botkit.simulator.server import serve_http

AUTHORITY = trustme.CA()
PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
FUTURE = datetime.datetime(2090, 1, 1, tzinfo=datetime.UTC)
VALID = AUTHORITY.issue_cert("127.0.0.1")


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


@pytest.fixture(params=["lean", "httpx"])
def auth(request: pytest.FixtureRequest) -> httpx.Auth | None:
    """None lets the lean client be chosen; a scheme makes it httpx."""
    return None if request.param == "lean" else httpx.Auth()


async def echo(request: Request) -> Reply:
    await trio.lowlevel.checkpoint()
    return Reply(body=request.body)


def context_with(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


@asynccontextmanager
async def serving(context: ssl.SSLContext | None) -> AsyncIterator[str]:
    """An echo over TLS, or over plain TCP without a context."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    served: trio.abc.Listener[trio.abc.Stream] = (
        trio.SSLListener(listener, context, https_compatible=True) if context else listener
    )
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            await nursery.start(serve_http, echo, [served])
            yield f"https://127.0.0.1:{port}"
            nursery.cancel_scope.cancel()


async def failure(http: Http) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await http.post("", b"[]", lane=Lane.CALL)
    await http.aclose()
    assert caught.value.kind == "tls"
    return caught.value


async def test_a_trusted_certificate_serves_both_lanes(
    ca_file: Path, auth: httpx.Auth | None
) -> None:
    async with serving(context_with(VALID)) as url:
        http = open_http(url, NetworkSettings(ca_file=ca_file), auth=auth)
        for lane in (Lane.POLL, Lane.CALL) * 3:
            assert (await http.post("", b"hello", lane=lane)).body == b"hello"
        await http.aclose()


async def test_the_environment_names_whom_to_trust(
    ca_file: Path, auth: httpx.Auth | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    async with serving(context_with(VALID)) as url:
        http = open_http(url, NetworkSettings(), auth=auth)
        assert (await http.post("", b"hello", lane=Lane.CALL)).body == b"hello"
        await http.aclose()
        deaf = open_http(url, NetworkSettings(trust_env=False), auth=auth)
        assert "authority" in (await failure(deaf)).message


async def test_without_verification_every_certificate_will_do(auth: httpx.Auth | None) -> None:
    async with serving(context_with(VALID)) as url:
        http = open_http(url, NetworkSettings(verify=False), auth=auth)
        assert (await http.post("", b"hello", lane=Lane.CALL)).body == b"hello"
        await http.aclose()


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (AUTHORITY.issue_cert("127.0.0.1", not_after=PAST), "has expired"),
        (AUTHORITY.issue_cert("127.0.0.1", not_before=FUTURE), "is not valid yet"),
        (AUTHORITY.issue_cert("127.0.0.2"), "issued for another address"),
        (trustme.CA().issue_cert("127.0.0.1"), "authority that is unknown"),
    ],
    ids=["expired", "future", "address", "authority"],
)
async def test_a_bad_certificate_is_refused_in_words(
    certificate: trustme.LeafCert, words: str, ca_file: Path, auth: httpx.Auth | None
) -> None:
    async with serving(context_with(certificate)) as url:
        error = await failure(open_http(url, NetworkSettings(ca_file=ca_file), auth=auth))
    assert words in error.message
    assert url in error.message
    assert "verify: false" in error.message
    assert not error.sent


async def test_a_self_signed_certificate_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_bytes(
        AUTHORITY.private_key_pem.bytes() + AUTHORITY.cert_pem.bytes()
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "own.pem")
    async with serving(context) as url:
        error = await failure(open_http(url, NetworkSettings(trust_env=False)))
    assert "is self-signed: give it as ca_file" in error.message


async def test_a_wrong_host_name_is_told(ca_file: Path) -> None:
    async with serving(context_with(AUTHORITY.issue_cert("other.example"))) as url:
        port = url.rpartition(":")[2]

        async def open_here(host: str, _: int) -> trio.abc.Stream:
            return await trio.open_tcp_stream("127.0.0.1", int(port))

        settings = NetworkSettings(ca_file=ca_file)
        http = LeanHttp("https://chat.example", settings, open_stream=open_here)
        assert "another host name" in (await failure(http)).message


async def test_a_server_without_tls_is_told(auth: httpx.Auth | None, ca_file: Path) -> None:
    async with serving(None) as url:
        error = await failure(open_http(url, NetworkSettings(ca_file=ca_file), auth=auth))
    assert "does not speak TLS on this port" in error.message


def wanting_a_certificate() -> ssl.SSLContext:
    context = context_with(VALID)
    context.verify_mode = ssl.CERT_REQUIRED
    AUTHORITY.configure_trust(context)
    return context


async def test_a_client_certificate_is_shown(ca_file: Path, tmp_path: Path) -> None:
    own = AUTHORITY.issue_cert("customer@example.com")
    own.private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    async with serving(wanting_a_certificate()) as url:
        settings = NetworkSettings(ca_file=ca_file, client_cert=tmp_path / "own.pem")
        http = open_http(url, settings)
        assert (await http.post("", b"hello", lane=Lane.CALL)).body == b"hello"
        await http.aclose()


async def test_a_client_certificate_that_is_missing_is_told(ca_file: Path) -> None:
    """The server is a blocking one in a thread, since trio's keeps its last alert to itself."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        listener.settimeout(5)

        def refuse_one() -> None:
            plain, _ = listener.accept()
            plain.settimeout(5)
            with plain.dup() as rest:
                with suppress(ssl.SSLError):
                    wanting_a_certificate().wrap_socket(plain, server_side=True)
                plain.close()
                while rest.recv(65536):  # a close with bytes unread would reset the alert away
                    pass

        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.to_thread.run_sync, refuse_one)
                http = open_http(f"https://127.0.0.1:{port}", NetworkSettings(ca_file=ca_file))
                error = await failure(http)
    assert "wants a client certificate: set client_cert" in error.message


async def test_a_server_that_hangs_up_in_the_handshake_is_told() -> None:
    async def hang_up(stream: trio.SocketStream) -> None:
        await stream.receive_some()

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            serve_tcp = partial(trio.serve_tcp, hang_up, 0, host="127.0.0.1")
            listeners = await nursery.start(serve_tcp)
            port = listeners[0].socket.getsockname()[1]
            http = open_http(f"https://127.0.0.1:{port}", NetworkSettings(verify=False))
            error = await failure(http)
            nursery.cancel_scope.cancel()
    assert "handshake" in error.message


def test_chats_of_the_same_settings_share_a_context(ca_file: Path) -> None:
    one, other = NetworkSettings(ca_file=ca_file), NetworkSettings(ca_file=ca_file)
    assert tls_context(one) is tls_context(other)
    assert tls_context(one) is not tls_context(NetworkSettings(verify=False))


@pytest.mark.parametrize("content", [None, b"no certificate"])
@pytest.mark.parametrize("key", ["ca_file", "client_cert"])
def test_a_file_that_cannot_be_used_is_named(
    key: str, content: bytes | None, tmp_path: Path
) -> None:
    file = tmp_path / "broken.pem"
    if content is not None:
        file.write_bytes(content)
    settings = NetworkSettings(**{key: file})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"broken\.pem") as caught:
        tls_context(settings)
    assert caught.value.key == key


def test_a_file_of_the_environment_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigError, match=r"SSL_CERT_FILE.*missing\.pem"):
        tls_context(NetworkSettings())
