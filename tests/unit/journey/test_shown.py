"""What leaves a journey, and what opens the door to its server."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from botkit.chat import Row
from botkit.errors import ConfigError
from botkit.interfaces import ConnectOptions, JourneyPlan, NetworkSettings
from botkit.journey.openings import hide_credentials, resolve
from botkit.journey.shown import shown_result
from botkit.masking import Masker
from botkit.results import JourneyResult, Reason, StepResult, Verdict

NO_TEXTS = {"run_id", "journey_id", "bot", "file", "tags", "connector"}
"""Named by the author or by botkit: histories and reports find a journey by them."""


def result_of(text: str) -> JourneyResult:
    step = StepResult(
        number=1,
        path="steps[0]",
        verb="say",
        text=text,
        verdict=Verdict.FAILED,
        reason=Reason.TIMEOUT,
        started=0.0,
        duration=1.0,
        expected=text,
        received=(text,),
        took=text,
        passed_over=(text,),
        message=text,
    )
    return JourneyResult(
        run_id="r",
        journey_id="j",
        bot="b",
        name=text,
        title=text,
        verdict=Verdict.FAILED,
        reason=Reason.TIMEOUT,
        message=text,
        step=step,
        started_utc=0.0,
        began=0.0,
        duration=1.0,
        steps=(step,),
        transcript=(Row(at=0.0, who=text, kind=text, text=text),),
        server=text,
        session_id=text,
        notes=(text,),
        measurements={text: 1.0, f"{text}!": 2.0},
        captured={"name": text},
        warnings=(text,),
    )


def masker(*values: str) -> Masker:
    made = Masker()
    for value in values:
        made.hide(value, "a value")
    return made


def test_every_text_of_a_result_is_masked() -> None:
    result = result_of("<s3cret>")
    shown = shown_result(result, masker("s3cret"))

    assert "s3cret" not in repr(shown)
    for member in fields(JourneyResult):
        told = "s3cret" in repr(getattr(result, member.name))
        assert ("***" in repr(getattr(shown, member.name))) == told, member.name
    assert shown.step == shown.steps[0]


def test_measurements_with_masked_names_are_all_kept() -> None:
    shown = shown_result(result_of("s3cret"), masker("s3cret", "s3cret!"))

    assert shown.measurements == {"***": 1.0, "*** #2": 2.0}


def test_what_cannot_be_masked_well_is_a_warning() -> None:
    shown = shown_result(result_of("x"), masker("7"))

    assert len(shown.warnings) == 2
    assert shown.warnings[1].startswith("a value has only 1 character: ")


def test_what_opens_the_door_is_hidden() -> None:
    mask = Masker()
    network = NetworkSettings(
        headers={"X-Api-Key": "header-1", "X-Env": "staging"},
        auth=("ada", "auth-22"),
        proxy="http://ada:proxy-3@host:1",
    )
    options = {"client_secret": "option-4", "channel": "/chat"}
    server = "http://ada:server-5@host/x?token=token-6"
    hide_credentials(mask, ConnectOptions(server=server, network=network, options=options))

    told = f"{network} {options} {server}"
    assert mask(told).count("***") == 6
    assert mask("staging /chat ada host") == "staging /chat ada host"


@pytest.mark.parametrize("connector", ["simulator", "gms-cometd"])
def test_an_error_about_an_opening_tells_no_password(connector: str) -> None:
    plan = JourneyPlan(bot="b", name="b", new_script=object)
    options = ConnectOptions(connector=connector, server="http://ada:s3cret@host", faults=Path("f"))
    with pytest.raises(ConfigError) as caught:
        resolve(
            plan,
            override=options,
            fallback=ConnectOptions(),
            run_id="r",
            connectors={"simulator": 1, "gms-cometd": 2},
        )

    assert "//host" in str(caught.value)
    assert "s3cret" not in str(caught.value)
