"""The JUnit files of `botkit run` before Jenkins' own schema."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

# --server is left out: botkit's own simulator answers.
SIMULATOR = None
MEETS = "botkit: 1\nbot: {name}\nsteps:\n  - wait_for: agent\n"
BOTS = {
    "passed.yaml": MEETS,
    "degraded.yaml": MEETS + "    slow_after: 1ms\n",
    "failed.yaml": MEETS + "  - expect: xyzzy\n    within: 200ms\n",
    "error.yaml": "botkit: 1\nbot: {name}\nsteps:\n  - say: Nobody is asked anything\n",
    "skipped.yaml": MEETS + "  - finish: skipped\n    because: it is Sunday\n",
}
WAITS = MEETS + "  - say: I am here\n  - expect: xyzzy\n    within: 60s\n"
# The agent repeats what is said, so that it comes from the server as well.
HOSTILE = {
    "escapes.yaml": MEETS
    + r"""  - say: "\x07\e[31m \x85 ]]> & </system-out> \u202e \ufdd0 \U0010ffff"
  - expect: {{equals: "\x0c ]]>"}}
    within: 200ms
""",
    "raises.py": r"""
import botkit

@botkit.bot(name="<&\x01]]>", title="\x1b[31m")
class Raises:
    async def run(self, session):
        raise RuntimeError("\x00 \x1b[31m \ufffe \ud800 ]]> & </error>")
""",
}


@pytest.fixture(scope="module")
def schema(jenkins_schema):
    return xmlschema.XMLSchema(str(jenkins_schema))


@pytest.fixture
def junit(tmp_path):
    return tmp_path / "junit.xml"


def written(bots: dict[str, str], folder: Path) -> Path:
    """Write bots into a folder of their own."""
    folder = folder / "bots"
    folder.mkdir()
    for name, text in bots.items():
        path = folder / name
        path.write_text(text if path.suffix == ".py" else text.format(name=path.stem))
    return folder


def outcomes(junit: Path) -> dict[str, list[str]]:
    """Give what stands in each test case."""
    cases = ET.parse(junit).iter("testcase")
    return {case.attrib["name"]: [element.tag for element in case] for case in cases}


def test_the_schema_refuses_what_is_no_junit_file(schema, junit):
    junit.write_text("<testsuites><testsuite><testcase/></testsuite></testsuites>")
    assert not schema.is_valid(str(junit))


def test_every_verdict(schema, tmp_path, junit, start_botkit):
    run = start_botkit(written(BOTS, tmp_path), SIMULATOR, "--junit", junit).finish()
    schema.validate(str(junit))
    assert {journey["name"]: journey["verdict"] for journey in run["journeys"]} == {
        name: name for name in ("passed", "degraded", "failed", "error", "skipped")
    }
    assert outcomes(junit) == {
        "passed": ["system-out"],
        "degraded": ["system-out"],
        "failed": ["failure", "system-out"],
        "error": ["error", "system-out"],
        "skipped": ["skipped", "system-out"],
    }


def test_a_run_that_is_interrupted(schema, tmp_path, junit, start_botkit):
    bots = written({"first.yaml": WAITS, "second.yaml": WAITS}, tmp_path)
    run = start_botkit(bots, SIMULATOR, "--junit", junit, "-n", "1")
    run.wait_until_told("agent You said: I am here")
    run.process.send_signal(signal.SIGTERM)
    assert run.finish()["interrupted"] is True
    schema.validate(str(junit))
    assert outcomes(junit) == {
        "first": ["error", "system-out"],
        "second": ["skipped", "system-out"],
    }


def test_a_server_that_is_not_there(schema, tmp_path, junit, start_botkit):
    bots = written({"alone.yaml": MEETS}, tmp_path)
    with socket.socket() as reserved:
        # A port that is taken and not listened on.
        reserved.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{reserved.getsockname()[1]}/cometd"
        assert start_botkit(bots, nowhere, "--junit", junit).finish()["exit_code"] == 12
    schema.validate(str(junit))
    assert outcomes(junit) == {"alone": ["failure", "system-out"]}


def test_a_run_of_nothing(schema, tmp_path, junit, start_botkit):
    bots = written({"left_out.yaml": MEETS}, tmp_path)
    run = start_botkit(bots, SIMULATOR, "--junit", junit, "--tag", "no-such-tag")
    assert run.finish()["exit_code"] == 5
    schema.validate(str(junit))
    assert outcomes(junit) == {}


def test_characters_that_xml_cannot_hold(schema, tmp_path, junit, start_botkit):
    start_botkit(written(HOSTILE, tmp_path), SIMULATOR, "--junit", junit).finish()
    schema.validate(str(junit))
    assert outcomes(junit) == {
        "escapes": ["failure", "system-out"],
        "<&]]>": ["error", "system-out"],
    }
    story = " ".join(ET.parse(junit).getroot().itertext())
    assert "You said: " in story
    assert "]]> & </system-out>" in story
    assert "\x1b" not in story
