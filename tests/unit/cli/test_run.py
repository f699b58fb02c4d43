from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from botkit.cli import main
from botkit.cli.reporting import Wanted

BROKEN = "botkit: 1\nbot: broken\nsteps:\n  - say_hello: hi\n"
NEVER_COMES = "botkit: 1\nbot: late\nsteps:\n  - expect: xyzzy\n    within: 200ms\n"
SLOW = "botkit: 1\nbot: slow\nsteps:\n  - wait_for: agent\n  - finish: degraded\n"
ASSERTS_NOTHING = "botkit: 1\nbot: idle\nsteps:\n  - note: nothing\n"
NAMED_SERVER = (
    "botkit: 1\nbot: named\nconnect: {server: '${env.CHAT_URL}'}\nsteps:\n  - wait_for: agent\n"
)


def test_all_passed(write_bot: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write_bot()
    assert main(["run"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("PASSED     smoke")
    assert "1 passed in" in out
    assert out.count("on the simulator") == 2


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        (NEVER_COMES, [], 1),
        (ASSERTS_NOTHING, [], 3),
        (BROKEN, [], 4),
        (SLOW, [], 0),
        (SLOW, ["--fail-on", "degraded"], 10),
        (NAMED_SERVER, [], 4),
    ],
)
def test_exit_codes(text: str, arguments: list[str], code: int, write_bot: Any) -> None:
    write_bot(text=text)
    assert main(["run", *arguments]) == code


def test_an_unreachable_server(
    write_bot: Any, dead_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot()
    assert main(["run", "--server", dead_url]) == 12
    out = capsys.readouterr().out
    assert "unreachable" in out
    assert "simulator" not in out


def test_nothing_to_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--junit", "out.xml"]) == 5
    assert "no journey was run" in capsys.readouterr().out
    assert ET.parse("out.xml").getroot().attrib["tests"] == "0"


def test_tags_choose_and_a_misspelled_one_is_named(
    write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot("one", tags="smoke")
    write_bot("two", tags="slow")
    assert main(["run", "--tag", "!slow"]) == 0
    assert "1 passed" in capsys.readouterr().out
    assert main(["run", "--not-tag", "smoke", "-t", "slow"]) == 0
    assert "PASSED     two" in capsys.readouterr().out
    assert main(["run", "--tag", "smkoe"]) == 5
    assert "no bot has the tag 'smkoe'" in capsys.readouterr().err


def test_a_missing_path_starts_nothing(write_bot: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write_bot()
    assert main(["run", "bots", "no/such.yaml"]) == 4
    captured = capsys.readouterr()
    assert "no/such.yaml" in captured.err
    assert captured.out == ""


def test_json_on_stdout_sends_people_to_stderr(
    write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot()
    assert main(["run", "--json", "-"]) == 0
    captured = capsys.readouterr()
    run = json.loads(captured.out)
    assert run["exit_code"] == 0
    assert run["journeys"][0]["on_simulator"] is True
    assert "1 passed" in captured.err


def test_files_are_written(write_bot: Any, project: Path) -> None:
    write_bot()
    write_bot("late", NEVER_COMES)
    arguments = ["--junit", "out.xml", "--json", "out.json", "--report", "json=again.json"]
    assert main(["run", *arguments]) == 1
    assert ET.parse("out.xml").getroot().attrib["failures"] == "1"
    assert json.loads(Path("out.json").read_bytes())["counts"] == {"passed": 1, "failed": 1}
    assert Path("again.json").exists()


def test_a_reporter_that_fails_is_told_and_changes_the_code(
    write_bot: Any, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot()
    assert main(["run", "--junit", "/dev/full"]) == 3
    captured = capsys.readouterr()
    assert "JUnitReporter failed" in captured.err
    assert "No space left" in captured.err
    assert "1 passed" in captured.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--junit", "no/such/out.xml"], "there is no folder no/such"),
        (["--json", "."], ". is a folder"),
        (["--server", ""], "it is empty; is a variable unset?"),
        (["--servr", "x"], "No such option"),
        (["--jobs", "0"], "0 is not in the range"),
        (["--auth", "hunter2"], "it must be USER:PASSWORD"),
        (["--header", "hunter2"], "it must be NAME:VALUE"),
        (["--connector", "gms-comet"], "there is no connector 'gms-comet'"),
        (["--report", "jsn=x"], "there is no reporter 'jsn'"),
        (["--server", "http://127.0.0.1:1", "--connector", "simulator"], "server of its own"),
        (["--option", "nonsense=1"], "nonsense"),
    ],
)
def test_wrong_usage_starts_nothing(
    arguments: list[str], message: str, write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot()
    assert main(["run", *arguments]) == 4
    captured = capsys.readouterr()
    assert message in captured.err
    assert "hunter2" not in captured.err
    assert captured.out == ""


def test_an_empty_server_variable_does_not_mean_the_simulator(
    write_bot: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot()
    monkeypatch.setenv("BOTKIT_SERVER", "")
    assert main(["run"]) == 4
    assert "BOTKIT_SERVER is set and empty" in capsys.readouterr().err


def test_flag_beats_variable_beats_bot_beats_file(
    write_bot: Any, project: Path, dead_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def server(*arguments: str) -> str:
        main(["run", "--json", "out.json", *arguments])
        (journey,) = json.loads(Path("out.json").read_bytes())["journeys"]
        return str(journey["server"]).removeprefix(dead_url)

    write_bot()
    (project / "botkit.toml").write_text(f'server = "{dead_url}/file"')
    assert server() == "/file"
    bot = "botkit: 1\nbot: named\nconnect: {server: URL/bot}\nsteps:\n  - wait_for: agent\n"
    write_bot(text=bot.replace("URL", dead_url))
    assert server() == "/bot"
    monkeypatch.setenv("BOTKIT_SERVER", f"{dead_url}/variable")
    assert server() == "/variable"
    assert server("--server", f"{dead_url}/flag") == "/flag"


def test_var_stands_in_for_the_environment(write_bot: Any, dead_url: str) -> None:
    write_bot(text=NAMED_SERVER)
    assert main(["run", "--var", f"CHAT_URL={dead_url}"]) == 12


def test_a_bot_of_a_plugin_is_run_by_its_name(project: Path) -> None:
    (project / "plugins").mkdir()
    (project / "plugins" / "ping.py").write_text(PLUGIN)
    (project / "botkit.toml").write_text('plugins = ["plugins"]')
    assert main(["run", "ping", "--json", "out.json"]) == 0
    assert main(["run"]) == 0
    (journey,) = json.loads(Path("out.json").read_bytes())["journeys"]
    assert journey["bot"] == "ping"


PLUGIN = """
from botkit import hookimpl
from botkit.chat import AgentConnected
from botkit.interfaces import JourneyPlan

class Script:
    async def run(self, session):
        await session.wait_for(AgentConnected, within=10)

class Ping:
    name = "ping"
    tags = ()
    def plans(self):
        return [JourneyPlan(bot="ping", name="ping", new_script=Script)]

@hookimpl
def register_bots(register):
    register("ping", Ping())
"""


def test_what_the_wire_cannot_do_starts_nothing(
    write_bot: Any, dead_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot()
    write_bot("a", "botkit: 1\nbot: a\nsteps:\n  - wait_for: agent\n  - say: {button: 'Yes'}\n")
    assert main(["run", "--server", dead_url]) == 4
    captured = capsys.readouterr()
    assert "bots/a.yaml:5:5: 'say' cannot be done over gms-cometd: " in captured.err
    assert "nothing was started" in captured.err
    assert captured.out == ""


REFUSAL = "seed: 7\nfaults:\n  - refuse_chat\n"


def test_faults_of_the_embedded_simulator(
    write_bot: Any, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot()
    (project / "faults.yaml").write_text(REFUSAL)
    assert main(["run", "--faults", "faults.yaml", "--seed", "3"]) == 1
    assert "the simulator was told to refuse it" in capsys.readouterr().out


def test_faults_are_not_for_servers_with_a_name(
    write_bot: Any, project: Path, dead_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot()
    (project / "faults.yaml").write_text(REFUSAL)
    assert main(["run", "--faults", "faults.yaml", "--server", dead_url]) == 4
    assert f"faults are for the simulator; {dead_url} has its own" in capsys.readouterr().err


def test_a_wrong_file_of_faults_starts_nothing(
    write_bot: Any, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot()
    (project / "faults.yaml").write_text("- htp_500\n")
    assert main(["run", "--faults", "faults.yaml"]) == 4
    assert "faults.yaml:1:3: there is no fault 'htp_500'; did you mean" in capsys.readouterr().err


EXPLAINED = """\
botkit: 1
bot: explained
steps:
  - wait_for: agent
  - expect: hello
  - say: one two
  - say: three
  - expect: three
"""
MISSED = EXPLAINED + "  - say: case nummber\n  - expect: case number\n    within: 300ms\n"


def test_explain_tells_what_each_step_took_and_passed_over(
    write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot(text=EXPLAINED)
    assert main(["run", "--explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r" +took #\d+ \[agent_connected\] Alex", lines[2])
    assert re.fullmatch(r" +took #\d+ Alex: Hello, how can I help you\?", lines[4])
    last = next(n for n, line in enumerate(lines) if "expect: three" in line)
    passed_over, [took] = lines[last + 1 : -3], lines[-3:-2]
    reasons = "\n".join(passed_over)
    assert "Customer: one two - the customer's own line" in reasons
    assert 'Alex: You said: one two - does not contain "three"' in reasons
    assert re.fullmatch(r" +took #\d+ Alex: You said: three", took)


def test_a_miss_is_explained_the_same_everywhere(
    write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot(text=MISSED)
    assert main(["run", "--explain", "--json", "out.json", "--junit", "out.xml"]) == 1
    differs = "…case [-number-]{+nummber+}"
    closest = json.loads(Path("out.json").read_text())["journeys"][0]["step"]["closest"]
    assert closest["line"] == "Alex: You said: case nummber"
    assert (closest["wanted"], closest["marked"]) == ("case number", differs)
    [failure] = ET.parse("out.xml").getroot().iter("failure")
    out = capsys.readouterr().out
    for text in (out, failure.text or ""):
        assert f"closest: #{closest['seq']} Alex: You said: case nummber" in text
        assert f"differs: {differs}" in text
        assert "Customer: case nummber - the customer's own line" in text
    assert out.count(differs) == 2


def test_an_html_page_is_written(project: Path, write_bot: Any) -> None:
    write_bot("one")
    assert main(["run", "--html", "out.html"]) == 0
    assert '<article class="passed">' in Path("out.html").read_text("utf-8")


def test_events_are_written_as_they_happen_and_mask_what_is_captured_late(
    write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot(
        text="botkit: 1\nbot: hush\nsteps:\n"
        "  - say: my code is 4711\n"
        "  - expect: {matches: '(?P<code>4711)'}\n    mask: [code]\n"
    )
    assert main(["run", "--events", "-"]) == 0
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    types = [line["type"] for line in lines]
    assert (types[0], types[-2:]) == ("journey_started", ["journey_finished", "run_finished"])
    assert {"event", "step_finished"} < set(types)
    heard = [line["text"] for line in lines if line.get("party") == "agent"]
    assert any("***" in text for text in heard)
    assert not any("4711" in text for text in heard)
    assert "1 passed" in captured.err


def test_two_documents_cannot_both_have_standard_output(
    write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot()
    assert main(["run", "--events", "-", "--json", "-"]) == 4
    assert "only one of --json, --events" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "arguments", "code", "begins"),
    [
        (None, [], 0, "CHATBOT OK - 1 passed in "),
        (SLOW, [], 1, "CHATBOT WARNING - 1 degraded in "),
        (NEVER_COMES, [], 2, "CHATBOT CRITICAL - 1 failed in "),
        (ASSERTS_NOTHING, [], 3, "CHATBOT UNKNOWN - 1 error in "),
        (None, ["--tag", "none"], 3, "CHATBOT UNKNOWN - no journey was run"),
        (BROKEN, [], 3, "CHATBOT UNKNOWN - wrong usage or an invalid file"),
        (None, ["-n", "many"], 3, "CHATBOT UNKNOWN - Invalid value for"),
        (None, ["--json", "-"], 3, "CHATBOT UNKNOWN - only one of"),
        (None, ["--step"], 3, "CHATBOT UNKNOWN - --step is for people"),
        (None, ["--connector", "pigeon"], 3, "CHATBOT UNKNOWN - "),
        (None, ["--junit", "no/such/folder"], 3, "CHATBOT UNKNOWN - Invalid value for '--junit'"),
    ],
)
def test_a_check_of_a_monitoring(
    text: str | None,
    arguments: list[str],
    code: int,
    begins: str,
    write_bot: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_bot(**({} if text is None else {"text": text}))
    assert main(["run", "--format", "nagios", *arguments]) == code
    captured = capsys.readouterr()
    assert captured.out.startswith(begins)
    assert captured.err


def test_pages_beside_the_junit_file(project: Path, write_bot: Any) -> None:
    write_bot(text=NEVER_COMES)
    assert main(["run", "--junit", "j.xml", "--junit-attachments", "pages"]) == 1
    (page,) = (project / "pages").iterdir()
    assert f"\n[[ATTACHMENT|pages/{page.name}]]" in (project / "j.xml").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--junit-attachments", "pages"], "goes with --junit"),
        (["--junit", "j.xml", "--junit-attachments", "botkit.toml"], "is no folder"),
        (["--junit", "j.xml", "--junit-attachments", "no/such"], "there is no folder no"),
        (["--junit", "j.xml", "--junit-attachments", "a|b"], "would end the path"),
        (["--junit", "j.xml", "--junit-attachments", ""], "it is empty"),
    ],
)
def test_a_folder_of_attachments_that_does_not_work(
    arguments: list[str], told: str, write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot()
    assert main(["run", *arguments]) == 4
    assert told in capsys.readouterr().err


def test_github_is_told_by_annotations_and_a_summary(
    write_bot: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot(text=NEVER_COMES)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    assert main(["run", "--format", "github"]) == 1
    begin, *lines, release, annotation = capsys.readouterr().out.splitlines()
    token = begin.removeprefix("::stop-commands::")
    assert len(token) == 64
    assert release == f"::{token}::"
    assert any(line.startswith("FAILED") for line in lines)
    assert annotation.startswith("::error file=bots/smoke.yaml,line=")
    assert "| failed on the simulator | " in Path("summary.md").read_text()


def test_an_agent_gives_no_commands_to_github(
    project: Path,
    write_bot: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = "::add-mask::a ##[add-path]b | <script>c</script> `d` ::stop-commands::e"
    (project / "agents.yaml").write_text(
        f"botkit-agents: 1\nagents:\n  Eve:\n    - say: {json.dumps(said)}\n    - note: '{said}'\n"
    )
    write_bot(
        text="botkit: 1\nbot: b\nsteps:\n  - expect: {matches: '(?P<it>::add.*)'}\n"
        "  - note: ${it}\n  - expect: zzz\n    within: 100ms\n"
    )
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    assert main(["run", "--format", "github", "--agents", "agents.yaml"]) == 1
    begin, *held, release, annotation = capsys.readouterr().out.splitlines()
    assert begin.replace("::stop-commands::", "::") + "::" == release
    assert any(line.strip().startswith("::add-mask::") for line in held)
    assert annotation.startswith("::error file=bots/smoke.yaml,line=6,")
    summary = Path("summary.md").read_text()
    assert "&lt;script&gt;c" in summary
    assert "<script>" not in summary
    assert all(line.count("|") == 6 for line in summary.splitlines() if line.startswith("|"))


def test_annotations_leave_standard_output_to_data(
    write_bot: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot(text=SLOW)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert main(["run", "--format", "github", "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["exit_code"] == 0
    assert captured.err.splitlines()[-1].startswith("::warning file=bots/smoke.yaml,line=")


def test_commands_are_obeyed_again_where_a_run_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = Wanted(form="github", token="t0ken")
    with pytest.raises(RuntimeError), wanted.holding_commands():
        raise RuntimeError
    assert capsys.readouterr().out == "::stop-commands::t0ken\n::t0ken::\n"


def test_problems_of_files_are_annotations_for_github(
    write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot(text=BROKEN)
    assert main(["run", "--format", "github"]) == 4
    assert capsys.readouterr().err.startswith("::error file=bots/smoke.yaml,line=")
    assert main(["run", "--format", "github", "--step"]) == 4


@pytest.mark.parametrize("broken", [False, True])
def test_a_check_may_be_asked_for_by_the_environment(
    broken: bool,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BOTKIT_RUN_FORMAT", "nagios")
    if broken:
        (project / "botkit.toml").write_text("[")
    assert main(["run"]) == 3
    assert capsys.readouterr().out.startswith("CHATBOT UNKNOWN - ")


def test_a_check_may_be_asked_for_by_the_settings(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "botkit.toml").write_text('run-format = "nagios"\n')
    assert main(["run", "--jobs", "0"]) == 3
    assert capsys.readouterr().out.startswith("CHATBOT UNKNOWN - ")
    assert main(["run", "--jobs", "0", "--format", "text"]) == 4
    assert main(["check", "--format", "nagios"]) == 4
    assert "CHATBOT" not in capsys.readouterr().out
