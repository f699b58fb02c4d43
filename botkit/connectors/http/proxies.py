"""Which proxy a request goes through, decided as httpx decides it."""

from __future__ import annotations

import functools
import ipaddress
import os
import re
from urllib.parse import urlsplit
from urllib.request import getproxies

from botkit.connectors.http.target import Target, parse_target
from botkit.errors import ConfigError
from botkit.interfaces import NetworkSettings
from botkit.masking import without_password

__all__ = ["proxy_for", "way_to"]

NAMES = tuple(
    spelled
    for scheme in ("http", "https", "all", "no")
    for spelled in (f"{scheme}_proxy", f"{scheme}_proxy".upper())
)


def proxy_for(target: Target, settings: NetworkSettings) -> str | None:
    """The URL of the proxy for this target, None for a direct connection.

    A proxy that was named is always used; otherwise HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and
    NO_PROXY decide, if the environment is trusted.

    Source: httpx documentation, "Environment Variables"; httpx ``get_environment_proxies``.
    """
    if settings.proxy:
        return settings.proxy
    if not settings.trust_env:
        return None
    proxies = environment_proxies(tuple(os.environ.get(name) for name in NAMES))
    exceptions = (entry.strip() for entry in proxies.get("no", "").split(","))
    if any(is_exempt(target, entry) for entry in exceptions if entry):
        return None
    proxy = proxies.get(target.scheme) or proxies.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


@functools.lru_cache(maxsize=4)
def environment_proxies(environment: tuple[str | None, ...]) -> dict[str, str]:
    """What the environment says, asked once: it looks through all of it, for each chat anew."""
    return getproxies()


def way_to(url: str, settings: NetworkSettings) -> str:
    """Say for a message where a URL leads to, and through which proxy."""
    try:
        proxy = proxy_for(parse_target(re.sub(r"^ws", "http", url)), settings)
    except ConfigError:
        proxy = None
    shown = without_password(url)
    return f"{shown} through the proxy {without_password(proxy)}" if proxy else shown


def is_exempt(target: Target, entry: str) -> bool:
    """Whether an entry of NO_PROXY covers the target.

    ``example.com`` covers its subdomains too, ``.example.com`` them alone, an address or a URL
    itself alone.
    """
    if entry == "*":
        return True
    if "://" in entry:
        return is_same_server(target, entry)
    pattern = entry.lower()
    if pattern == "localhost" or is_address(pattern):
        return target.host == pattern
    if pattern.startswith("."):
        return target.host.endswith(pattern)
    return target.host == pattern or target.host.endswith(f".{pattern}")


def is_same_server(target: Target, entry: str) -> bool:
    parts = urlsplit(entry)
    return (
        parts.scheme in ("all", target.scheme)
        and parts.hostname in (None, target.host)
        and parts.port in (None, target.port)
    )


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
