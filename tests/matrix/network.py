"""Plays short journeys over bad networks, on real sockets, and tells how they ended."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import trio
import trustme
from matrix_model import Column
from network_rows import Network, Proxy, Tls
from rogues import listening, serving

from botkit.chat import AgentConnected
from botkit.default_plugins import genesys_cloud, gms_cometd, gms_rest
from botkit.errors import ConfigError
from botkit.interfaces import ConnectOptions, JourneyPlan, Limits, NetworkSettings, Session
from botkit.journey import Run, RunSettings
from botkit.plugins import Plugins
from botkit.results import ExitCode, Reason, Verdict, exit_code

CONNECTORS = {"gms-cometd": gms_cometd, "gms-rest": gms_rest, "genesys-cloud": genesys_cloud}
PATHS = {
    "gms-cometd": "/genesys/cometd",
    "gms-rest": "/genesys/2/chat",
    "genesys-cloud": "/v1?deploymentId=demo",
}
PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
BEYOND = "127.0.0.1:9"
"""The server beyond a proxy, which nobody gets to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a journey ended; without a verdict, it was refused before anything was started."""

    verdict: Verdict | None
    reason: Reason | None
    code: ExitCode
    message: str
    seconds: float


class Script:
    """Expects an agent, who never comes."""

    @staticmethod
    async def run(session: Session) -> None:
        await session.wait_for(AgentConnected, within=1)


def url_of(connector: str, host: str, *, tls: bool = False) -> str:
    """Write the URL of a server."""
    scheme = "ws" if connector == "genesys-cloud" else "http"
    return f"{scheme}{'s' if tls else ''}://{host}{PATHS[connector]}"


async def attempt(
    connector: str,
    url: str,
    *,
    options: Mapping[str, str],
    network: NetworkSettings,
    open_within: float,
) -> Outcome:
    """Play one journey."""
    began = trio.current_time()
    plan = JourneyPlan(
        bot="caller",
        name="caller",
        new_script=Script,
        limits=Limits(whole_chat=20.0),
        connect=ConnectOptions(
            connector=connector,
            server=url,
            options=options,
            network=network,
            open_within=open_within,
        ),
    )
    plugins = Plugins()
    plugins.freeze()
    try:
        run = Run(
            [plan],
            RunSettings(run_id="matrix"),
            connectors=CONNECTORS,
            dispatcher=plugins.dispatcher,
        )
        result = await run.play()
    except ConfigError as error:
        return Outcome(
            verdict=None, reason=None, code=ExitCode.USAGE, message=str(error), seconds=0.0
        )
    finally:
        plugins.close()
    (journey,) = result.journeys
    return Outcome(
        verdict=journey.verdict,
        reason=journey.reason,
        code=exit_code(result),
        message=journey.message,
        seconds=trio.current_time() - began,
    )


# --- building a row ------------------------------------------------------------------------------


class Certificates:
    """An authority, and servers' contexts with certificates of every sort.

    Args:
        folder: for the files.
    """

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(self.ca_file)
        own = folder / "own.pem"
        self.authority.private_key_pem.write_to_path(own)
        self.authority.cert_pem.write_to_path(own, append=True)
        issue = self.authority.issue_cert
        self.contexts: dict[Tls, ssl.SSLContext | None] = {
            Tls.NO: None,
            Tls.NONE: None,
            # The tunnel to it ends before any TLS.
            Tls.VALID: None,
            Tls.UNASKED: context_with(issue("127.0.0.1")),
            Tls.EXPIRED: context_with(issue("127.0.0.1", not_after=PAST)),
            Tls.OTHER_HOST: context_with(issue("127.0.0.2")),
            Tls.UNKNOWN_CA: context_with(trustme.CA().issue_cert("127.0.0.1")),
            Tls.SELF_SIGNED: ssl.create_default_context(ssl.Purpose.CLIENT_AUTH),
        }
        self_signed = self.contexts[Tls.SELF_SIGNED]
        assert self_signed is not None
        self_signed.load_cert_chain(own)

    def network_for(self, tls: Tls, proxy: str | None) -> NetworkSettings:
        """Trust the authority, unless its own certificate is to be met as a stranger's."""
        trusted = None if tls is Tls.SELF_SIGNED else self.ca_file
        return NetworkSettings(trust_env=False, ca_file=trusted, proxy=proxy)


def context_with(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


async def cause(row: Network, column: Column, certificates: Certificates) -> tuple[Outcome, str]:
    """Build a row, and play a journey on one wire.

    Returns:
        How it ended, and the address of the rogue.
    """
    context = certificates.contexts[row.tls]
    async with AsyncExitStack() as stack:
        other_end = listening() if row.rogue is None else serving(row.rogue, context)
        at = f"127.0.0.1:{await stack.enter_async_context(other_end)}"
        proxy, host = None, row.host or at
        if row.proxy is not Proxy.NO:
            proxy = f"http://{'proxy.invalid:3128' if row.proxy is Proxy.NAMELESS else at}"
            host = BEYOND
        options = dict(column.options)
        if row.host and column.connector == "genesys-cloud":
            options["allow_plain"] = "on"
        is_asked = row.tls not in (Tls.NO, Tls.UNASKED)
        url = url_of(column.connector, host, tls=is_asked)
        network = certificates.network_for(row.tls, proxy)
        outcome = await attempt(
            column.connector, url, options=options, network=network, open_within=row.open_within
        )
        return outcome, at
