"""Log records of all loggers are masked before any handler sees them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from botkit.log_masking import keep_out_of_logs, masked
from botkit.masking import Masker

logger = logging.getLogger("somebody.else")


@pytest.fixture(autouse=True)
def usual_records() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(before)


def masker(value: str) -> Masker:
    made = Masker()
    made.hide(value, "a value")
    keep_out_of_logs(made)
    return made


def test_a_record_is_masked(caplog: pytest.LogCaptureFixture) -> None:
    kept = masker("s3cret-1")
    logger.warning("it is %s, %d times", "s3cret-1", 2)

    assert caplog.messages == ["it is ***, 2 times"]
    assert "s3cret" not in repr(vars(caplog.records[0]))
    assert kept


def test_a_traceback_is_masked(caplog: pytest.LogCaptureFixture) -> None:
    kept = masker("s3cret-2")
    try:
        raise ValueError("s3cret-2")
    except ValueError:
        logger.exception("it broke")

    assert "ValueError: ***" in caplog.text
    assert "s3cret-2" not in repr(vars(caplog.records[0]))
    assert kept


def test_a_stack_is_masked(caplog: pytest.LogCaptureFixture) -> None:
    kept = masker("s3cret-6")
    logger.warning("here", stack_info=bool("s3cret-6"))

    (record,) = caplog.records
    assert "stack_info=bool" in (record.stack_info or "")
    assert "s3cret-6" not in caplog.text
    assert kept


def test_a_record_without_secrets_stays_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    kept = masker("s3cret-3")
    logger.warning("it is %s", "well")

    assert (caplog.records[0].msg, caplog.records[0].args) == ("it is %s", ("well",))
    assert kept


def test_a_record_that_cannot_be_written_is_left_to_logging() -> None:
    kept = masker("s3cret-4")
    record = logging.getLogRecordFactory()("a", 10, "f.py", 1, "%d", ("x",), None)

    assert record.args == ("x",)
    assert kept


def test_a_masker_is_heeded_for_as_long_as_somebody_holds_it() -> None:
    kept, other = masker("s3cret-5"), masker("5-other")

    assert masked("s3cret-5-other") == "***"
    del other
    assert masked("s3cret-5-other") == "***-other"
    assert kept
