"""TLS contexts, made once for all chats with the same settings: each costs 20 ms and 0.8 MB."""

from __future__ import annotations

import functools
import os
import ssl
from pathlib import Path

from botkit.errors import ConfigError
from botkit.interfaces import NetworkSettings

__all__ = ["tls_context"]


def tls_context(settings: NetworkSettings) -> ssl.SSLContext:
    """The context for these settings, shared in the process.

    Raises:
        ConfigError: a certificate file is missing or is not what it should be.
    """
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR") if settings.trust_env else ()
    environment = tuple(os.environ.get(name) for name in names)
    return make_context(settings.verify, settings.ca_file, settings.client_cert, environment)


@functools.lru_cache(maxsize=16)
def make_context(
    verify: bool,
    ca_file: Path | None,
    client_cert: Path | None,
    environment: tuple[str | None, ...],
) -> ssl.SSLContext:
    context = trusting_context(verify, ca_file, environment)
    context.set_alpn_protocols(["http/1.1"])
    if client_cert is not None:
        try:
            context.load_cert_chain(client_cert)
        except OSError as error:
            raise unusable("client_cert", str(client_cert), error) from error
    return context


def trusting_context(
    verify: bool, ca_file: Path | None, environment: tuple[str | None, ...]
) -> ssl.SSLContext:
    if verify and ca_file is not None:
        try:
            return ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise unusable("ca_file", str(ca_file), error) from error
    # httpx is imported where it is needed alone: it costs a command 50 ms of start-up.
    from httpx import create_ssl_context

    try:
        return create_ssl_context(verify=verify, trust_env=bool(environment))
    except OSError as error:
        key = "SSL_CERT_FILE" if environment[0] else "SSL_CERT_DIR"
        raise unusable(key, os.environ.get(key, ""), error) from error


def unusable(key: str, file: str, error: OSError) -> ConfigError:
    reason = "is no usable PEM file" if isinstance(error, ssl.SSLError) else error.strerror
    return ConfigError(f"{key} {file!r}: {reason}", key=key)
