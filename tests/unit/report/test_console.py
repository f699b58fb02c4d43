from __future__ import annotations

import io
from typing import Any

import pytest

from botkit.chat import Row
from botkit.report.console import ConsoleReporter, make_console, wants_live_view
from botkit.report.plain import Detail
from botkit.results import Reason, StepResult, Verdict


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def console(stream: io.StringIO, *, live: bool = False, **options: Any) -> ConsoleReporter:
    made = make_console(stream, {"TERM": "xterm", "NO_COLOR": "1"} if live else {})
    return ConsoleReporter(made, live=live, clock=lambda: 102.0, **options)


def test_each_journey_is_one_line_and_what_failed_has_its_evidence(
    make_journey: Any, make_run: Any
) -> None:
    out = io.StringIO()
    reporter = console(out)
    passed, failed = make_journey(Verdict.PASSED, on_simulator=True), make_journey()
    reporter.journey_finished(passed)
    reporter.journey_finished(failed)
    reporter.run_finished(make_run(passed, failed))
    assert out.getvalue() == (
        "PASSED     support[gold]  12.3 s  on the simulator\n"
        "FAILED     support[gold]  12.3 s  timeout: no such message within 10 s\n"
        "\n"
        "FAILED     support[gold]  12.3 s  timeout: no such message within 10 s\n"
        "  Support answers\n"
        '  bots/support.yaml:17: expect a message containing "case number" (10.0 s)\n'
        '    expected: a message containing "case number"\n'
        "    received:\n"
        '      Grace: hello (does not contain "case number")\n'
        "  transcript:\n"
        "       +0.50s  [agent_connected] Grace\n"
        "       +1.00s  Grace: hello\n"
        "  warnings:\n"
        "    slow start\n"
        "  measured:\n"
        "    first_reply: 0.25 s\n"
        "  chat chat-1, at http://chat.example/cometd, by gms-cometd, journey run1-1\n"
        "\n"
        "1 passed, 1 failed in 12.5 s, 1 on the simulator\n"
    )


def test_what_was_stepped_by_hand_is_not_taken_for_more(make_journey: Any) -> None:
    out = io.StringIO()
    console(out).journey_finished(make_journey(Verdict.PASSED, on_simulator=True, by_hand=True))
    assert out.getvalue() == "PASSED     support[gold]  12.3 s  on the simulator  stepped by hand\n"


def test_lines_are_never_wrapped_and_markup_is_text(make_journey: Any) -> None:
    out = io.StringIO()
    console(out).journey_finished(make_journey(message="[red]x[/red] " + "long " * 80))
    assert out.getvalue().count("\n") == 1
    assert "[red]x[/red]" in out.getvalue()


def test_quiet_tells_only_what_did_not_pass(make_journey: Any, make_run: Any) -> None:
    out = io.StringIO()
    reporter = console(out, detail=Detail.QUIET)
    passed = make_journey(Verdict.PASSED)
    reporter.journey_finished(passed)
    reporter.run_finished(make_run(passed))
    assert out.getvalue() == "\n1 passed in 12.5 s\n"


def test_verbose_tells_the_steps_of_what_passed(make_journey: Any, make_run: Any) -> None:
    out = io.StringIO()
    passed = make_journey(Verdict.PASSED, steps=make_journey().steps)
    console(out, detail=Detail.VERBOSE).run_finished(make_run(passed))
    assert "  steps:\n    failed  bots/support.yaml:17: expect" in out.getvalue()


def test_a_thousand_failures_do_not_flood_the_console(make_journey: Any, make_run: Any) -> None:
    out = io.StringIO()
    console(out).run_finished(make_run(*[make_journey()] * 1000))
    assert "... and 980 more did not pass" in out.getvalue()
    assert out.getvalue().count("\n") < 500


def test_a_run_of_nothing_and_a_stopped_run_say_so(make_journey: Any, make_run: Any) -> None:
    out = io.StringIO()
    console(out).run_finished(make_run())
    assert "no journey was run" in out.getvalue()
    console(out).run_finished(make_run(make_journey(Verdict.SKIPPED), interrupted=True))
    assert "1 skipped: not_started\n" in out.getvalue()
    assert "1 skipped in 12.5 s, stopped by a signal" in out.getvalue()


def test_a_chat_that_was_not_left_is_told(make_journey: Any, make_run: Any) -> None:
    out = io.StringIO()
    left_open = make_journey(reason=Reason.NOT_LEFT, left=False)
    console(out).run_finished(make_run(left_open))
    assert "the service did not confirm that this chat was left" in out.getvalue()


def test_the_live_view_shows_who_is_where(make_journey: Any, make_run: Any, info: Any) -> None:
    out = Terminal()
    journey = info("run1-1", name="support[gold]", on_simulator=True)
    with console(out, live=True, limits={"support[gold]": 60.0}, total=3) as reporter:
        reporter.journey_started(journey)
        reporter.event(journey, Row(at=1, who="Grace", kind="message", text="hi \x1b[2J[b]you"))
        reporter.step_finished(journey, make_journey().steps[0])
        reporter.tick()
        view = out.getvalue()
        reporter.journey_finished(make_journey())
        reporter.run_finished(make_run(make_journey(), make_journey(Verdict.PASSED)))
    assert "1 running, 2 waiting" in view
    assert "support[gold] on the simulator  58 s left  step 1 done: expect" in view
    assert "\x1b[2J" not in view
    assert "verdict" in out.getvalue()
    assert out.getvalue().endswith("1 passed, 1 failed in 12.5 s\n")


def test_watching_costs_nothing_between_two_ticks(info: Any) -> None:
    out = Terminal()
    with console(out, live=True) as reporter:
        before = out.getvalue()
        for number in range(1000):
            reporter.journey_started(info(f"run1-{number}"))
        assert out.getvalue() == before
        reporter.tick()
        view = out.getvalue()
    assert "1000 running" in view
    assert "... and 990 more" in view
    assert view.count("\n") < 30


@pytest.mark.parametrize(
    ("environ", "live", "colour"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"TERM": "xterm", "CI": "true"}, False, True),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False, True),
        ({"TERM": "xterm", "FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
)
def test_the_terminal_is_heeded(
    environ: dict[str, str], live: bool, colour: bool, make_journey: Any
) -> None:
    out = Terminal()
    made = make_console(out, environ)
    assert wants_live_view(out, environ) is live
    ConsoleReporter(made, live=False, clock=lambda: 0.0).journey_finished(make_journey())
    assert ("\x1b[31m" in out.getvalue()) is colour


def test_a_file_is_coloured_only_when_forced(make_journey: Any) -> None:
    for environ, colour in (({}, False), ({"FORCE_COLOR": "1"}, True)):
        out = io.StringIO()
        made = make_console(out, environ)
        ConsoleReporter(made, live=False, clock=lambda: 0.0).journey_finished(make_journey())
        assert ("\x1b[" in out.getvalue()) is colour
        assert not wants_live_view(out, environ)


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("detail", [Detail.QUIET, Detail.NORMAL])
def test_an_explanation_is_told_of_every_journey_once(
    live: bool, detail: Detail, make_journey: Any, make_run: Any
) -> None:
    step = StepResult(
        number=1,
        path="steps[0]",
        verb="expect",
        text="expect: hello",
        verdict=Verdict.PASSED,
        reason=Reason.OK,
        started=0.0,
        duration=1.0,
        took="Grace: hello",
        seq=7,
    )
    passed = make_journey(Verdict.PASSED, steps=(step,))
    stream = Terminal() if live else io.StringIO()
    with console(stream, live=live, detail=detail, explain=True) as reporter:
        reporter.journey_finished(passed)
        reporter.run_finished(make_run(passed))
    assert stream.getvalue().count("took #7 Grace: hello") == 1
