"""Alerts by mail.

Each trouble is one thread: what ends it answers what began it.

Source: RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 8314 (TLS from the start), RFC 3834
(``Auto-Submitted``, which keeps absence notes away). A server of another project takes it in the
tests; how programs for mail show the threads is not checked.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

import trio

from botkit.errors import ConfigError, ConnectorError
from botkit.monitor.alerts.sinks.words import headline, name_of
from botkit.report.text import one_line
from botkit.results import Alert

STARTTLS, TLS, NONE = "starttls", "tls", "none"
PORTS = {STARTTLS: 587, TLS: 465, NONE: 25}
WITHIN = 15.0
"""Seconds that each answer of the server may take."""


class Mail:
    """Sends mail.

    Args:
        host: of the server.
        to: who gets it.
        sender: who it is from.
        now: tells the time, epoch seconds.
        port: None for what is usual.
        security: ``starttls``, ``tls`` from the start, or ``none``.
        username: None to send without logging in.
        password: for the user.
        ca_file: certificates to trust instead of the machine's; None for the machine's.

    Raises:
        ConfigError: these do not go together.
    """

    def __init__(
        self,
        *,
        host: str,
        to: Sequence[str],
        sender: str,
        now: Callable[[], float],
        port: int | None = None,
        security: str = STARTTLS,
        username: str | None = None,
        password: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        if security not in PORTS:
            raise ConfigError(f"security is {', '.join(PORTS)}", key="security")
        if (username is None) != (password is None):
            raise ConfigError("a username and a password go together", key="username")
        if username is not None and security == NONE:
            raise ConfigError("no password is sent without TLS", key="security")
        self._host, self._port, self._security = host, port or PORTS[security], security
        self._login = None if username is None or password is None else (username, password)
        self._to, self._sender, self._now, self._ca_file = list(to), sender, now, ca_file

    async def deliver(self, alert: Alert) -> None:
        """Send one alert."""
        await self.deliver_group([alert])

    async def deliver_group(self, alerts: Sequence[Alert]) -> None:
        """Send several alerts as one mail.

        Raises:
            ConfigError: the server refuses it for good.
            ConnectorError: the server cannot be reached, or is busy.
        """
        mail = self._mail(alerts)
        try:
            # Its answers have a time limit, so what is left behind ends soon.
            await trio.to_thread.run_sync(self._send, mail, abandon_on_cancel=True)
        except smtplib.SMTPException as error:
            raise self._refusal(error) from None
        except ssl.SSLCertVerificationError as error:
            raise ConfigError(f"{self._shown}: {error.verify_message}", key="host") from error
        except OSError as error:
            raise ConnectorError(f"{self._shown} could not be asked: {error}") from error

    @property
    def _shown(self) -> str:
        return f"the mail server {self._host}:{self._port}"

    def _mail(self, alerts: Sequence[Alert]) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = one_line(f"[botkit] {headline(alerts)}", 200)
        mail["From"], mail["To"] = self._sender, ", ".join(self._to)
        mail["Date"] = format_datetime(datetime.fromtimestamp(self._now(), UTC))
        mail["Message-ID"] = f"<{name_of(alerts)}@botkit.invalid>"
        mail["References"] = " ".join(_thread(alert) for alert in alerts)
        mail["Auto-Submitted"] = "auto-generated"
        parts = (f"{alert.title}\n\n{alert.text}" for alert in alerts)
        mail.set_content(f"\n\n{'-' * 70}\n\n".join(parts))
        return mail

    def _send(self, mail: EmailMessage) -> None:
        context = ssl.create_default_context(cafile=self._ca_file)
        with self._connection(context) as server:
            if self._security == STARTTLS:
                server.starttls(context=context)
            if self._login is not None:
                server.login(*self._login)
            server.send_message(mail)

    def _connection(self, context: ssl.SSLContext) -> smtplib.SMTP:
        if self._security == TLS:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=WITHIN, context=context)
        return smtplib.SMTP(self._host, self._port, timeout=WITHIN)

    def _refusal(self, error: smtplib.SMTPException) -> ConfigError | ConnectorError:
        """Say what became of it; codes from 500 on are for good (RFC 5321, 4.2.1)."""
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            codes = [code for code, _ in error.recipients.values()]
            message = f"{self._shown} refuses {', '.join(error.recipients)}"
        elif isinstance(error, smtplib.SMTPResponseException):
            codes = [error.smtp_code]
            said = error.smtp_error
            words = said.decode(errors="replace") if isinstance(said, bytes) else said
            message = f"{self._shown} answers {error.smtp_code}: {one_line(words, 200)}"
        else:
            codes = [500] if isinstance(error, smtplib.SMTPNotSupportedError) else [400]
            message = f"{self._shown}: {one_line(str(error), 200)}"
        for_good = all(code >= 500 for code in codes)
        return ConfigError(message, key="host") if for_good else ConnectorError(message)


def _thread(alert: Alert) -> str:
    """Name the mail that began it."""
    named = f"{alert.key}\n{alert.since_utc}".encode()
    return f"<{hashlib.sha256(named).hexdigest()[:32]}@botkit.invalid>"
