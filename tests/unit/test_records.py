"""Records made quickly are the records that dataclasses would have made."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from botkit.records import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    at: float
    party: str | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Base):
    text: str
    marks: Mapping[str, str] = field(default_factory=dict)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    pass


def test_fields_are_taken_and_defaults_filled_in():
    said = Said(at=1.5, text="hi")
    assert (said.at, said.party, said.text, said.marks) == (1.5, None, "hi", {})
    assert said.marks is not Said(at=1.5, text="hi").marks
    assert said == Said(at=1.5, party=None, text="hi", marks={})
    assert repr(said).endswith("Said(at=1.5, party=None, text='hi', marks={})")
    assert Nothing() == Nothing()


def test_it_is_as_frozen_as_before():
    said = Said(at=1.5, text="hi")
    with pytest.raises(FrozenInstanceError):
        said.text = "ho"  # type: ignore[misc]
    with pytest.raises((FrozenInstanceError, TypeError)):
        said.more = 1  # type: ignore[attr-defined]


def test_it_is_copied_replaced_and_pickled():
    said = Said(at=1.5, text="hi", marks={"a": "b"})
    assert replace(said, text="ho") == Said(at=1.5, text="ho", marks={"a": "b"})
    assert copy.deepcopy(said) == said
    assert pickle.loads(pickle.dumps(said)) == said


def test_what_is_missing_or_too_much_is_named():
    with pytest.raises(TypeError, match=r"Said\.__init__\(\) missing 1 .* argument: 'text'"):
        Said(at=1.5)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'txet'"):
        Said(at=1.5, text="hi", txet="ho")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional"):
        Said(1.5, text="hi")  # type: ignore[misc]


def test_the_signature_is_that_of_the_fields():
    assert list(inspect.signature(Said).parameters) == ["at", "party", "text", "marks"]
    assert Said.__init__.__annotations__["text"] == "str"


def test_a_record_that_does_more_is_refused():
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Checks:
        text: str

        def __post_init__(self) -> None:
            raise AssertionError

    @dataclass(frozen=True, slots=True)
    class Positional:
        text: str

    @dataclass(frozen=True, kw_only=True)
    class WithoutSlots:
        text: str

    for record in Checks, Positional, WithoutSlots:
        with pytest.raises(TypeError, match=record.__name__):
            quickly_made(record)
