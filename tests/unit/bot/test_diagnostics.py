"""How problems are shown."""

from botkit.bot.diagnostics import (
    MAX_PROBLEMS,
    Mark,
    Problem,
    Problems,
    Severity,
    did_you_mean,
    format_github,
    format_text,
)


def problem(**changes: object) -> Problem:
    given: dict[str, object] = {"file": "a.yaml", "mark": Mark(2, 5), "message": "it is wrong"}
    return Problem(**(given | changes))  # type: ignore[arg-type]


def test_place_message_and_hint_stand_on_one_line() -> None:
    assert str(problem(hint="did you mean 'x'?")) == "a.yaml:2:5: it is wrong; did you mean 'x'?"
    assert str(problem(message="it is\n  wrong")) == "a.yaml:2:5: it is wrong"


def test_warning_says_that_it_is_one() -> None:
    assert str(problem(severity=Severity.WARNING)) == "a.yaml:2:5: warning: it is wrong"


def test_problem_of_the_whole_file_has_no_place() -> None:
    assert str(problem(mark=None)) == "a.yaml: it is wrong"


def test_caret_stands_below_the_place() -> None:
    text = format_text(problem(source="\tab xx"))

    assert text == "a.yaml:2:5: it is wrong\n    \tab xx\n    \t   ^"


def test_long_line_is_shown_around_the_place() -> None:
    shown = format_text(problem(mark=Mark(1, 1001), source="a" * 1000 + "X" + "b" * 1000))
    _, source, caret = shown.split("\n")

    assert len(source) < 130
    assert source[caret.index("^")] == "X"


def test_control_characters_are_not_shown() -> None:
    assert "\x1b" not in format_text(problem(source="a \x1b[31m b"))


def test_github_annotation_is_escaped() -> None:
    annotation = format_github(problem(file="a,b:c.yaml", message="100%"))

    assert annotation == "::error file=a%2Cb%3Ac.yaml,line=2,col=5::100%25"
    assert format_github(problem(mark=None, severity=Severity.WARNING)) == (
        "::warning file=a.yaml::it is wrong"
    )


def test_did_you_mean_offers_what_is_close() -> None:
    assert did_you_mean("witin", ["within", "mask"]) == "did you mean 'within'?"
    assert did_you_mean("zzz", ["within", "mask"]) == ""


def test_problems_are_told_once_and_in_order() -> None:
    problems = Problems("a.yaml", ["first", "second"])
    problems.add(Mark(2, 1), "b")
    problems.add(Mark(1, 1), "a")
    problems.add(Mark(2, 1), "b")

    assert [(p.message, p.source) for p in problems.sorted()] == [("a", "first"), ("b", "second")]


def test_problems_of_one_file_are_bounded() -> None:
    problems = Problems("a.yaml")
    for line in range(1, 1000):
        problems.add(Mark(line, 1), "wrong")

    assert len(problems.found) == MAX_PROBLEMS + 1
    assert problems.sorted()[-1].message == "there are more than 100 problems"
