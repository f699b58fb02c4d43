"""Who has nothing but the HTML page can say what went wrong, for ten things that do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest

from botkit.cli import main

BOT = """\
botkit: 1
bot: reader
limits: {whole_chat: 3s}
steps:
  - wait_for: agent
    within: 1s
  - expect: how can I help
    within: 1s
  - say: Please close order A-4711
  - expect: {matches: 'CAS-\\d{6}'}
    within: 1s
  - expect_userdata: {SurveyURL: {starts_with: "https://survey.example.com/gold"}}
    within: 1s
"""

# Time enough for what is lost to be lost before the agent joins, or before she speaks.
AGENTS = """\
botkit-agents: 1
routing:
  - when: {}
    attach: {SurveyURL: "https://survey.example.com/SEGMENT"}
    to: [Grace]
    after: 300ms
agents:
  Grace:
    - pause: 300ms
    - say: Hello, how can I help you?
    - expect: order
    - ANSWER
"""

STAYS = "\n    - wait_for: ended\n      within: 60s"
GOOD = f"say: Your case number is CAS-000123{STAYS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is made to go wrong, and what a reader has to find, each as a part of its field.

    Attributes:
        answer: what the agent does in the end.
        faults: of the simulator, as its file has them.
    """

    what: str
    answer: str = GOOD
    segment: str = "gold"
    faults: str = ""
    step: str
    expected: str
    received: str
    frame: str


JOINING = "reader.yaml:5: wait_for: agent"
ASKED = "reader.yaml:10: expect: {matches: 'CAS-"
CASE_NUMBER = "a message matching CAS-"
ORDER = "Please close order A-4711"

TROUBLES = [
    Trouble(
        what="wrong answer",
        answer=f"say: Your case number is pending{STAYS}",
        step=ASKED,
        expected=CASE_NUMBER,
        received="Grace: Your case number is pending",
        frame="Your case number is pending",
    ),
    Trouble(
        what="late answer",
        faults="{name: delay_message, time: 3s, after: 1}",
        step=ASKED,
        expected=CASE_NUMBER,
        received="nothing",
        frame=ORDER,
    ),
    Trouble(
        what="agent never joins",
        faults="{name: agent_never_joins}",
        step=JOINING,
        expected="agent_connected",
        received="nothing",
        frame="ParticipantJoined",
    ),
    Trouble(
        what="HTTP 500",
        faults="{name: http_500, on: requestChat}",
        step="opening the chat",
        expected="the service opens the chat",
        received="500 to POST",
        frame="500 to POST",
    ),
    Trouble(
        what="truncated JSON",
        faults="{name: truncated_json, on: connect, after: 1}",
        step=JOINING,
        expected="agent_connected",
        received="closed the connection before its reply was whole",
        frame="no answer to POST",
    ),
    Trouble(
        what="killed connection",
        faults="{name: kill_connection, on: connect, after: 1}",
        step=JOINING,
        expected="agent_connected",
        received="closed the connection without a reply",
        frame="no answer to POST",
    ),
    Trouble(
        what="lost message",
        faults="{name: lost_message, after: 1}",
        step=ASKED,
        expected=CASE_NUMBER,
        received="nothing",
        frame=ORDER,
    ),
    Trouble(
        what="session expiry",
        faults="{name: session_expiry, after: 1}, {name: stall, on: handshake, after: 1}",
        step="reader.yaml:7: expect: how can I help",
        expected="how can I help",
        received="402::session_unknown",
        frame="402::session_unknown",
    ),
    Trouble(
        what="chat ended by the agent",
        answer="leave",
        step=ASKED,
        expected=CASE_NUMBER,
        received="the chat ended first (by service)",
        frame="ParticipantLeft",
    ),
    Trouble(
        what="wrong user data",
        segment="bronze",
        step="reader.yaml:12: expect_userdata",
        expected='SurveyURL starting with "https://survey.example.com/gold"',
        received="https://survey.example.com/bronze",
        frame="https://survey.example.com/bronze",
    ),
]


class Reader(HTMLParser):
    """Reads the fields of a page as a person does: all words in each ``dd`` of a class."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._field = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "dd":
            self._field = dict(attrs).get("class") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "dd":
            self._field = ""

    def handle_data(self, data: str) -> None:
        if self._field:
            self.fields[self._field] = self.fields.get(self._field, "") + data


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.what)
def test_a_reader_of_the_page_alone_can_say_what_went_wrong(
    trouble: Trouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    agents = AGENTS.replace("SEGMENT", trouble.segment).replace("ANSWER", trouble.answer)
    for name, text in {"reader": BOT, "agents": agents}.items():
        Path(f"{name}.yaml").write_text(text)
    faults = ["--faults", "faults.yaml"] if trouble.faults else []
    Path("faults.yaml").write_text(f"{{seed: 7, faults: [{trouble.faults}]}}")
    code = main(
        ["run", "reader.yaml", "--agents", "agents.yaml", "--seed", "7", *faults]
        + ["--record-frames", "--html", "page.html", "--json", "result.json"]
    )
    (journey,) = json.loads(Path("result.json").read_text())["journeys"]
    assert (code, journey["verdict"]) == (1, "failed"), journey["message"]
    fields = Reader(Path("page.html").read_text()).fields
    for name in ("step", "expected", "received", "frame"):
        assert getattr(trouble, name) in fields[name], name
