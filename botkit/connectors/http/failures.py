"""Foreign exceptions of the network, translated once into words a person can act on."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

import trio

from botkit.errors import BotkitError, ConnectorError, LocalProtocolError

__all__ = ["causes_of", "connect_failure", "ended_early", "exchange_failure"]

# Numbers of X509_V_ERR_* in OpenSSL's x509_vfy.h, which the ssl module hands on unnamed.
CERTIFICATE_FAULTS = {
    9: "is not valid yet: compare the clocks of both machines",
    10: "has expired: it must be renewed there",
    18: "is self-signed: give it as ca_file to trust it",
    19: "was issued by an authority that is unknown here: give its certificate as ca_file",
    20: "was issued by an authority that is unknown here: give its certificate as ca_file",
    21: "was issued by an authority that is unknown here: give its certificate as ca_file",
    62: "was issued for another host name: check the name in the URL",
    64: "was issued for another address: use the host name that it was issued for",
}
TLS_REASONS = {
    "WRONG_VERSION_NUMBER": "does not speak TLS on this port: is it http:// there?",
    "HTTP_REQUEST": "does not speak TLS on this port: is it http:// there?",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "wants a client certificate: set client_cert",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "found no TLS parameters in common, or wants client_cert",
}


def connect_failure(error: BaseException, address: str) -> ConnectorError:
    """Translate what opening a connection raised; nothing has been sent.

    Args:
        address: the server as scheme, host and port.
    """
    causes = tuple(causes_of(error))
    tls = tls_failure(causes, address, sent=False)
    if tls is not None:
        return tls
    message, kind = f"cannot connect to {address}: {error}", "network"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        message, kind = f"the host name of {address} cannot be resolved", "unknown_host"
    elif any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        message, kind = f"{address} refuses connections: is the server running?", "refused"
    elif any(isinstance(cause, TimeoutError) for cause in causes):
        message, kind = f"{address} did not accept a connection in time", "timeout"
    elif any(isinstance(c, OSError) and c.errno in (errno.EMFILE, errno.ENFILE) for c in causes):
        message = f"cannot connect to {address}: too many open files; raise the limit (ulimit -n)"
    elif any(isinstance(cause, trio.BrokenResourceError) for cause in causes):
        message, kind = f"{address} closed the connection during the TLS handshake", "tls"
    return ConnectorError(message, kind=kind, sent=False)


def exchange_failure(error: BaseException, address: str) -> BotkitError:
    """Translate what sending a request or receiving its reply raised."""
    causes = tuple(causes_of(error))
    if any(isinstance(cause, trio.ClosedResourceError) for cause in causes):
        return LocalProtocolError(f"the exchange with {address} was closed by this side")
    tls = tls_failure(causes, address, sent=True)
    if tls is not None:
        return tls
    return ConnectorError(f"{address} broke the connection before its reply was whole", kind="lost")


def ended_early(address: str, *, has_begun: bool, sent: bool = True) -> ConnectorError:
    """Say that a server closed the connection instead of replying.

    Args:
        has_begun: something of a reply had come.
    """
    if has_begun:
        message = f"{address} closed the connection before its reply was whole"
    else:
        message = f"{address} closed the connection without a reply"
        scheme = address.partition(":")[0]
        if scheme in ("http", "ws"):
            message += f": is it {scheme}s:// there?"
    return ConnectorError(message, kind="lost", sent=sent)


def tls_failure(
    causes: tuple[BaseException, ...], address: str, *, sent: bool
) -> ConnectorError | None:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            fault = CERTIFICATE_FAULTS.get(cause.verify_code, f"is refused: {cause.verify_message}")
            message = f"the certificate of {address} {fault} (verify: false skips the check)"
            return ConnectorError(message, kind="tls", sent=sent)
        # An end without the closing alert is a lost connection, not a quarrel about TLS.
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            reason = cause.reason or str(cause)
            message = f"{address} {TLS_REASONS.get(reason, f'failed in TLS: {reason}')}"
            return ConnectorError(message, kind="tls", sent=sent)
    return None


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that led to it; members of a group count as causes."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += (cause.__cause__, cause.__context__)
        if isinstance(cause, BaseExceptionGroup):
            waiting += cause.exceptions
