"""Reading faults: what is right becomes records, what is wrong has its place."""

from pathlib import Path

import pytest

from botkit.errors import ConfigError
from botkit.simulator.fault_file import FaultFile, load_faults, parse_faults
from botkit.simulator.faults import make_fault


def read(text: str) -> FaultFile:
    return parse_faults(text, file="faults.yaml")


def test_a_whole_file() -> None:
    text = """\
seed: 7
faults:
  - {name: http_500, on: connect, times: 2, after: 3, service: x, probability: 0.1}
  - {name: delay_message, time: 500ms, session: 2, each_session: true}
  - {name: unknown_session, option: "402::Unknown client"}
  - agent_never_joins
"""
    assert read(text) == FaultFile(
        seed=7,
        faults=(
            make_fault("http_500", on="connect", times=2, after=3, service="x", probability=0.1),
            make_fault("delay_message", seconds=0.5, session=2, each_session=True),
            make_fault("unknown_session", option="402::Unknown client"),
            make_fault("agent_never_joins"),
        ),
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", "faults: []"])
def test_no_faults_at_all(text: str) -> None:
    assert read(text).faults == ()


def test_json_is_read_too() -> None:
    assert read('[{"name": "html", "times": 1}]').faults == (make_fault("html", times=1),)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("- http_501", "1:3: there is no fault 'http_501'; did you mean 'http_500'?"),
        ("- {name: stall, on: conect}", "1:21: stall cannot strike on 'conect'"),
        ("- {name: refuse_chat, on: sendMessage}", "1:27: refuse_chat cannot strike on"),
        ("- {name: stall, time: 5}", "1:23: a time needs a unit"),
        ("- {name: stall, time: 0s}", "1:23: this time must be longer than nothing"),
        ("- {name: html, time: 5s}", "1:22: html takes no time"),
        ("- {name: html, option: x}", "1:24: html has no option 'x'; it takes none"),
        ("- {name: refused_handshake, option: x}", "1:37: refused_handshake has no option 'x'"),
        ("- {name: html, times: 0}", "1:23: this counts from 1"),
        ("- {name: html, times: many}", "1:23: 'many' is no whole number"),
        ("- {name: html, after: -1}", "1:23: '-1' is no whole number"),
        ("- {name: html, probability: 1.5}", "1:29: '1.5' is no probability"),
        ("- {name: html, probability: nan}", "1:29: 'nan' is no probability"),
        ("- {name: html, each_session: yes}", "1:30: 'yes' is neither true nor false"),
        ("- {name: html, service: [a]}", "1:25: this takes one value"),
        ("- {name: html, service: ''}", "1:25: this must not be empty"),
        ("- {name: html, tmes: 1}", "1:16: a fault has no setting 'tmes'; did you mean 'times'?"),
        ("- {on: connect}", "1:3: a fault is a mapping with at least a name"),
        ("- [html]", "1:3: a fault is a mapping with at least a name"),
        ("html", "1:1: faults are a list"),
        ("faults: html", "1:9: faults are a list"),
        ("fault: []", "1:1: there is no key 'fault'"),
        ("seed: x", "1:7: 'x' is no whole number"),
        ("- {name: html", "1:"),
        ("- !!python/object:os.system {name: html}", "1:3: the tag"),
    ],
)
def test_what_is_wrong_has_its_place(text: str, error: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).startswith(f"faults.yaml:{error}")


def test_all_that_is_wrong_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        read("- one\n- two\n")
    first, second = str(caught.value).splitlines()
    assert first.startswith("faults.yaml:1:3: ")
    assert second.startswith("faults.yaml:2:3: ")


def test_a_file_is_loaded_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("- stall\n")
    assert load_faults(path).faults == (make_fault("stall"),)
    with pytest.raises(ConfigError, match=r"none\.yaml: there is no such file"):
        load_faults(tmp_path / "none.yaml")
