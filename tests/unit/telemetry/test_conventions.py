"""The names that are written down are those of the package, and of the version that is named."""

from __future__ import annotations

import pytest
from opentelemetry.semconv.attributes import (
    code_attributes,
    error_attributes,
    http_attributes,
    network_attributes,
    server_attributes,
    service_attributes,
    url_attributes,
)
from opentelemetry.semconv.schemas import Schemas

from botkit.telemetry import conventions

MODULES = (
    code_attributes,
    error_attributes,
    http_attributes,
    network_attributes,
    server_attributes,
    service_attributes,
    url_attributes,
)
NAMES = sorted(name for name in vars(conventions) if name.isupper())
OTHER = {"SCHEMA_URL", "VERSION"}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OTHER])
def test_a_name_is_in_the_package_or_botkits_own(name: str) -> None:
    value: str = getattr(conventions, name)
    known = next((getattr(m, name) for m in MODULES if hasattr(m, name)), None)
    assert value == known if known else value.startswith("botkit.")


def test_the_version_is_one_that_there_is() -> None:
    assert Schemas.V1_36_0.value == conventions.SCHEMA_URL
