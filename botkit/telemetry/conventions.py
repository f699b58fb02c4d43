"""The names of attributes: OpenTelemetry's own, of one version, and botkit's beside them.

A test holds them against the package ``opentelemetry-semantic-conventions``.

Source: OpenTelemetry Semantic Conventions 1.36.0: HTTP spans, and the attributes ``code``,
``error``, ``network``, ``server``, ``service`` and ``url``; all of them are stable.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = "1.36.0"
SCHEMA_URL: Final = f"https://opentelemetry.io/schemas/{VERSION}"
"""Tells a receiver by which version the attributes are named."""

CODE_FILE_PATH: Final = "code.file.path"
CODE_LINE_NUMBER: Final = "code.line.number"
ERROR_TYPE: Final = "error.type"
HTTP_REQUEST_METHOD: Final = "http.request.method"
HTTP_RESPONSE_STATUS_CODE: Final = "http.response.status_code"
NETWORK_PROTOCOL_NAME: Final = "network.protocol.name"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
URL_FULL: Final = "url.full"

# No convention knows of these.
ASSERTED: Final = "botkit.asserted"
BOT: Final = "botkit.bot"
CANCELLED: Final = "botkit.exchange.cancelled"
"""The exchange was given up: most often a poll that was held when the chat was left."""
CONNECTOR: Final = "botkit.connector"
DROPPED: Final = "botkit.exchanges.dropped"
"""So many exchanges and frames of the journey have no span: the latest are kept."""
FRAME_SIZE: Final = "botkit.frame.characters"
JOURNEY: Final = "botkit.journey"
JOURNEY_ID: Final = "botkit.journey.id"
LEFT: Final = "botkit.left"
ON_SIMULATOR: Final = "botkit.on_simulator"
REASON: Final = "botkit.reason"
ROW: Final = "botkit.row"
RUN_ID: Final = "botkit.run.id"
SESSION_ID: Final = "botkit.session.id"
STEP_NUMBER: Final = "botkit.step.number"
STEP_PATH: Final = "botkit.step.path"
STEP_VERB: Final = "botkit.step.verb"
TAGS: Final = "botkit.tags"
VERDICT: Final = "botkit.verdict"
