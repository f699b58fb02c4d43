"""An exception is masked with all that led to it."""

from __future__ import annotations

from botkit.errors import ChatError, ConnectorError, ExpectationFailed
from botkit.masking import Masker, mask_error


def masker() -> Masker:
    made = Masker()
    made.hide("s3cret")
    return made


def test_all_that_led_to_an_error_is_masked() -> None:
    first, second, other = OSError(5, "no s3cret"), ValueError("a s3cret", 7), KeyError("s3cret")
    error = ConnectorError("at s3cret")
    error.__cause__, second.__context__ = ExceptionGroup("s3crets", [first, second]), other
    # As one that is raised again may have it.
    other.__context__ = error

    mask_error(error, masker())

    assert (str(error), error.message) == ("at ***", "at ***")
    assert (first.args, second.args, other.args) == ((5, "no ***"), ("a ***", 7), ("***",))


def test_texts_that_an_error_keeps_are_masked() -> None:
    failed = ExpectationFailed("a s3cret", received=["s3cret one"])
    refused = ChatError(402, "not with s3cret")

    mask_error(failed, masker())
    mask_error(refused, masker())

    assert (failed.expected, failed.received) == ("a ***", ("*** one",))
    assert "s3cret" not in f"{failed} {failed!r} {refused} {refused!r}"
    assert (refused.code, refused.description) == (402, "not with ***")


def test_without_secrets_an_error_is_left_alone() -> None:
    error = ValueError("as it was", ("a", 1))
    mask_error(error, Masker())
    assert error.args == ("as it was", ("a", 1))
