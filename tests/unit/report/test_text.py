from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.report.text import INVISIBLE, one_line, xml_text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b2Jgone", "gone"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link", "link"),
        ("\x1b]0;never ends", "]0;never ends"),
        ("\x1bcreset", "reset"),
        ("a\r\nb\tc\u2028d", "a b c d"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("half\ud800", "half"),
        ("\u0645\u200c\u06cc", "\u0645\u200c\u06cc"),
        ("[bold]not markup[/bold]", "[bold]not markup[/bold]"),
    ],
)
def test_text_loses_what_commands_a_terminal(hostile: str, shown: str) -> None:
    assert one_line(hostile) == shown


def test_long_text_is_cut_and_the_rest_counted() -> None:
    assert one_line("x" * 25, 10) == "x" * 10 + "... (15 more characters)"
    assert one_line("x" * 1_000_000, 10).endswith("... (999990 more characters)")


@settings(max_examples=100)
@given(st.text())
def test_nothing_invisible_is_left(text: str) -> None:
    assert INVISIBLE.search(one_line(text)) is None
    assert "\n" not in one_line(text)


@settings(max_examples=100)
@given(st.text(alphabet=st.characters(codec=None, exclude_categories=())))
def test_xml_text_is_what_xml_can_hold(text: str) -> None:
    for character in xml_text(text):
        assert character in "\t\n\r" or 0x20 <= ord(character) <= 0xD7FF or ord(character) >= 0xE000
        assert ord(character) not in {0xFFFE, 0xFFFF}
