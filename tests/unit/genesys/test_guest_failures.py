"""What follows from each error of web messaging."""

from __future__ import annotations

import pytest

from botkit.genesys.guest_failures import FailureKind, failure_of
from botkit.genesys.web_records import (
    AttachmentFailed,
    Frame,
    Opaque,
    SessionInfo,
    TooManyRequests,
)

TABLE = {
    FailureKind.WAIT: (429, 4029),
    FailureKind.EXPIRED: (4006, 4007),
    FailureKind.SIGN_IN: (401,),
    FailureKind.NEW_TOKEN: (4017,),
    FailureKind.READ_ONLY: (409,),
    FailureKind.ATTRIBUTES: (4013,),
    FailureKind.UNEXPECTED: (408, 500, 503, 5000),
    FailureKind.REFUSED: (
        300, 400, 403, 404, 4000, 4001, 4002, 4003, 4004, 4005, 4008, 4009, 4010, 4011, 4012, 4014,
        4020, 4028,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "kind"), [(code, kind) for kind, codes in TABLE.items() for code in codes]
)
def test_a_code_says_what_follows(code: int, kind: FailureKind) -> None:
    failure = failure_of(Frame(name="string", code=code, body="why"))
    assert failure is not None
    assert (failure.code, failure.description, failure.kind) == (code, "why", kind)


def test_success_is_no_failure() -> None:
    assert failure_of(Frame(name="string", body="fine")) is None
    assert failure_of(Frame(name="SessionResponse", body=SessionInfo())) is None


def test_how_long_to_wait_is_what_the_service_says() -> None:
    body = TooManyRequests(retry_after=3.0, code=4029, message="too fast")
    failure = failure_of(Frame(name="TooManyRequestsErrorMessage", code=429, body=body))
    assert failure is not None
    assert (failure.code, failure.retry_after) == (4029, 3.0)
    unsaid = failure_of(Frame(name="TooManyRequestsErrorMessage", code=429, body=TooManyRequests()))
    assert unsaid is not None
    assert (unsaid.code, unsaid.retry_after) == (429, 1.0)


@pytest.mark.parametrize("text", ["Session authentication failed", "Try to authenticate again"])
def test_some_of_the_forbidden_want_another_sign_in(text: str) -> None:
    failure = failure_of(Frame(name="string", code=403, body=text))
    assert failure is not None
    assert failure.kind is FailureKind.SIGN_IN


def test_a_file_that_failed_brings_its_own_code() -> None:
    body = AttachmentFailed(attachment_id="f", code=4002, message="too large")
    failure = failure_of(Frame(name="UploadFailureEvent", body=body))
    assert failure is not None
    assert (failure.code, str(failure)) == (4002, "too large (code 4002)")


def test_a_failure_without_words_gets_some() -> None:
    failure = failure_of(Frame(name="Error", code=4000, body=Opaque()))
    assert failure is not None
    assert "4000" in failure.description
