"""Texts with references, and the values that fill them in."""

import random
import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.bot.values import Scope, Template, TemplateError, Unique, Values, VariableError


def render(text: str, **given: object) -> str:
    return Template.parse(text).render(Values(**given))  # type: ignore[arg-type]


def test_text_without_references_is_literal() -> None:
    template = Template.parse("costs $5 {not} $name")

    assert template.literal == "costs $5 {not} $name"
    assert template.names == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${row.first name}", "Ada"),
        ("<${env.HOME}>", "</root>"),
        ("${secret.PIN}", "4711"),
        ("${today}", "2025-01-31"),
        ("${case_no}${case_no}", "CAS-1CAS-1"),
        ("$${case_no} ${ case_no }", "${case_no} CAS-1"),
        ("$$${case_no}", "$${case_no}"),
        ("", ""),
    ],
)
def test_every_scope_is_filled_in(text: str, expected: str) -> None:
    assert expected == render(
        text,
        row={"first name": "Ada"},
        env={"HOME": "/root"},
        secrets={"PIN": "4711"},
        today=date(2025, 1, 31),
        variables={"case_no": "CAS-1"},
    )


def test_escaped_reference_alone_is_literal() -> None:
    assert Template.parse("a $${b}").literal == "a ${b}"


def test_escape_treats_values_and_not_the_text_around() -> None:
    template = Template.parse("a+${x}")

    assert template.render(Values(variables={"x": "b+"}), re.escape) == r"a+b\+"


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("ab ${c", 3),
        ("${}", 0),
        ("${foo.bar}", 0),
        ("x ${a b}", 2),
        ("${row.}", 0),
        ("${env.A-B}", 0),
        ("${a}${", 4),
        ("${a\n}", 0),
        ("${a${b}}", 0),
    ],
)
def test_malformed_reference_tells_its_place(text: str, offset: int) -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse(text)

    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("${row.x}", Scope.ROW),
        ("${env.X}", Scope.ENV),
        ("${secret.X}", Scope.SECRET),
        ("${unique.x}", Scope.UNIQUE),
        ("${today}", Scope.TODAY),
        ("${x}", Scope.VARIABLE),
    ],
)
def test_value_that_is_not_there_names_its_reference(text: str, scope: Scope) -> None:
    with pytest.raises(VariableError) as caught:
        render(text, env={"X": ""}, secrets={"X": ""})

    assert caught.value.reference.scope is scope
    assert text in str(caught.value)


@settings(deadline=None)
@given(st.text())
def test_parsing_gives_a_template_or_a_template_error(text: str) -> None:
    try:
        template = Template.parse(text)
    except TemplateError as error:
        offsets = [error.offset]
    else:
        offsets = [name.offset for name in template.names]
        assert (template.literal is None) == bool(offsets)

    assert all(text[offset : offset + 2] == "${" for offset in offsets)


# --- unique --------------------------------------------------------------------------------------


def test_unique_value_stays_the_same_within_a_journey() -> None:
    unique = Unique(random.Random(1))

    assert unique["order"] == unique["order"]
    assert unique["order"] != unique["other"]


def test_unique_values_differ_between_journeys() -> None:
    rng = random.Random(1)

    assert Unique(rng)["order"] != Unique(rng)["order"]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("uuid", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("uuid_2", r"[0-9a-f-]{36}"),
        ("number", r"[1-9]\d{8}"),
        ("email_friend", r"[a-z0-9]{10}@example\.com"),
        ("anything", r"[a-z0-9]{10}"),
    ],
)
def test_word_before_the_underscore_decides_the_kind(name: str, pattern: str) -> None:
    assert re.fullmatch(pattern, Unique(random.Random(1))[name])


def test_copy_keeps_what_was_made_and_makes_the_rest_anew() -> None:
    unique = Unique(random.Random(1))
    kept = unique["a"]
    one, two = unique.copy(), unique.copy()

    assert one["a"] == two["a"] == kept
    assert one["b"] != two["b"]


# --- masks ---------------------------------------------------------------------------------------


def test_secret_is_hidden_once_it_was_used() -> None:
    values = Values(secrets={"PIN": "4711"})
    Template.parse("my pin is ${secret.PIN}").render(values)

    assert values.mask("heard 4711 twice: 4711") == "heard *** twice: ***"


def test_longer_hidden_text_goes_before_its_part() -> None:
    values = Values()
    values.hide("abcd", "one")
    values.hide("abcdef", "the other")

    assert values.mask("abcdef abcd") == "*** ***"


def test_masked_capture_is_a_variable_that_is_not_shown() -> None:
    values = Values()
    values.capture("pin", "4711", mask=True)
    values.capture("name", "Ada")

    assert values.variables == {"pin": "4711", "name": "Ada"}
    assert values.mask("Ada 4711") == "Ada ***"


def test_empty_capture_hides_nothing() -> None:
    values = Values()
    values.capture("pin", "", mask=True)

    assert values.mask("text") == "text"
