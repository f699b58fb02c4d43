"""Mail, against a server of another project."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trio
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from botkit import default_plugins
from botkit.errors import ConfigError, ConnectorError
from botkit.results import Alert

CA = trustme.CA()
LIMIT = 20.0


class Mailbox:
    """Keeps what comes; answers with what was queued first."""

    def __init__(self) -> None:
        self.queued: list[str] = []
        self.mails: list[EmailMessage] = []
        self.to: list[list[str]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        if self.queued:
            return self.queued.pop(0)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.to.append(envelope.rcpt_tos)
        return "250 taken"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 there is no such person"
        envelope.rcpt_tos.append(address)
        return "250 yes"


def authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
) -> AuthResult:
    known = isinstance(data, LoginPassword) and data.password == b"pa55word"
    return AuthResult(success=known, handled=False)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def ca_file(tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    CA.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def serving() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def serve(stack: ExitStack, mailbox: Mailbox, security: str) -> dict[str, Any]:
    """Serve a mailbox; gives what a sink needs to get there."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    CA.issue_cert("127.0.0.1").configure_cert(context)
    extras: dict[str, dict[str, Any]] = {
        "none": {},
        "starttls": {"tls_context": context, "require_starttls": True},
        "tls": {"ssl_context": context},
    }
    if security == "starttls":
        extras[security] |= {"authenticator": authenticate, "auth_required": True}
    if security == "tls":
        # It does not know that its line is safe from the start.
        extras[security] |= {"authenticator": authenticate, "auth_require_tls": False}
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **extras[security])
    controller.start()
    stack.callback(controller.stop)
    return {"host": "127.0.0.1", "port": controller.port, "security": security}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


PEOPLE = {"to": ["night@example.com", "day@example.com"], "sender": "botkit@example.com"}
LOGIN = {"username": "botkit", "password": "pa55word"}


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
async def test_an_alert_and_its_end_arrive(
    security: str, mailbox: Mailbox, serving: ExitStack, ca_file: str, down: Alert, up: Alert
) -> None:
    server = serve(serving, mailbox, security)
    login = {} if security == "none" else LOGIN
    sink = default_plugins.mail_sink(**server, **PEOPLE, **login, ca_file=ca_file)
    with trio.fail_after(LIMIT):
        await sink.deliver(down)
        await sink.deliver(up)
    begun, over = mailbox.mails
    assert mailbox.to[0] == PEOPLE["to"]
    assert begun["Subject"] == "[botkit] smoke (paris) is down: timeout: nobody joins ☎"
    assert begun["Auto-Submitted"] == "auto-generated"
    assert down.text in begun.get_content().replace("\r\n", "\n")
    assert begun["References"] == over["References"]
    assert begun["Message-ID"] != over["Message-ID"]


async def test_a_wrong_password_is_told_and_not_shown(
    mailbox: Mailbox, serving: ExitStack, ca_file: str, down: Alert
) -> None:
    server = serve(serving, mailbox, "starttls")
    wrong = {"username": "botkit", "password": "s3cret"}
    sink = default_plugins.mail_sink(**server, **PEOPLE, **wrong, ca_file=ca_file)
    with trio.fail_after(LIMIT), pytest.raises(ConfigError, match="answers 535") as caught:
        await sink.deliver(down)
    assert "s3cret" not in str(caught.value)


async def test_a_certificate_of_nobody_known_is_refused(
    mailbox: Mailbox, serving: ExitStack, down: Alert
) -> None:
    server = serve(serving, mailbox, "starttls")
    sink = default_plugins.mail_sink(**server, **PEOPLE)
    with trio.fail_after(LIMIT), pytest.raises(ConfigError, match="certificate"):
        await sink.deliver(down)
    assert mailbox.mails == []


async def test_a_server_without_starttls_gets_nothing(
    mailbox: Mailbox, serving: ExitStack, down: Alert
) -> None:
    server = serve(serving, mailbox, "none") | {"security": "starttls"}
    sink = default_plugins.mail_sink(**server, **PEOPLE)
    with trio.fail_after(LIMIT), pytest.raises(ConfigError, match="STARTTLS"):
        await sink.deliver(down)


@pytest.mark.parametrize(
    ("answer", "error"), [("451 later", ConnectorError), ("554 never", ConfigError)]
)
async def test_what_the_server_answers_decides_whether_to_try_again(
    answer: str,
    error: type[Exception],
    mailbox: Mailbox,
    serving: ExitStack,
    down: Alert,
) -> None:
    server = serve(serving, mailbox, "none")
    mailbox.queued.append(answer)
    sink = default_plugins.mail_sink(**server, **PEOPLE)
    with trio.fail_after(LIMIT), pytest.raises(error, match=answer.split()[1]):
        await sink.deliver(down)


async def test_people_that_there_are_not(mailbox: Mailbox, serving: ExitStack, down: Alert) -> None:
    server = serve(serving, mailbox, "none")
    sink = default_plugins.mail_sink(**server, to=["nobody@example.com"], sender="b@example.com")
    with trio.fail_after(LIMIT), pytest.raises(ConfigError, match=r"refuses nobody@example\.com"):
        await sink.deliver(down)


async def test_nobody_listens(down: Alert) -> None:
    sink = default_plugins.mail_sink(host="127.0.0.1", port=9, security="none", **PEOPLE)
    with pytest.raises(ConnectorError, match="could not be asked"):
        await sink.deliver(down)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"security": "ssl"}, "security"),
        ({"username": "x"}, "username"),
        ({"username": "x", "password": "y", "security": "none"}, "security"),
    ],
)
def test_what_does_not_go_together_is_refused(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        default_plugins.mail_sink(host="mail.example.com", **PEOPLE, **settings)
    assert caught.value.key == key
