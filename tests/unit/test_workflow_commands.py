from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from botkit.workflow_commands import hold, release, workflow_command


def read(line: str) -> tuple[str, dict[str, str], str]:
    """Read a command as the runner does (``ActionCommand.TryParseV2``)."""
    head, _, data = line.removeprefix("::").partition("::")
    name, _, rest = head.partition(" ")
    pairs = (pair.partition("=") for pair in rest.split(",") if pair)
    return name, {key: unescaped(value) for key, _, value in pairs}, unescaped(data)


def unescaped(text: str) -> str:
    for code, character in {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}.items():
        text = text.replace(code, character)
    return text


@given(message=st.text(), file=st.text(min_size=1), title=st.text(alphabet="a:,%=\r\n"))
def test_a_runner_reads_what_was_written(message: str, file: str, title: str) -> None:
    line = workflow_command("error", message, file=file, title=title)
    assert "\n" not in line
    assert "\r" not in line
    properties = {"file": file, "title": title} if title else {"file": file}
    assert read(line) == ("error", properties, message)


def test_a_command_without_properties() -> None:
    assert workflow_command("warning", "100 %\nmore") == "::warning::100 %25%0Amore"
    assert workflow_command("error", "x", file="", line="") == "::error::x"


def test_commands_are_held_until_the_token_comes() -> None:
    assert hold("abc") == "::stop-commands::abc"
    assert release("abc") == "::abc::"
