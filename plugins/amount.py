"""A matcher for amounts of money: ``amount: 45.90 EUR``, or from so much to so much.

It finds the amount however it is written (``1.234,56 €``, ``EUR 1,234.56``, ``1'234.56 EUR``), and
keeps it as ``${amount}``, written as a computer reads it: ``1234.56``::

    - expect: {amount: {currency: EUR, at_least: 10, at_most: 99.90}}
    - say: Are ${amount} euros to be paid at once?

Of several amounts in a message, the first that fits counts. One separator with three digits behind
it separates thousands: ``1.234 EUR`` is more than a thousand, whoever wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from botkit import ConfigError, hookimpl
from botkit.hookspecs import Register
from botkit.interfaces import Match, Matcher, Miss

SIGNS = {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}
"""How currencies are written besides their codes."""

SPACES = " \u00a0\u202f"
WHOLE = rf"(?:\d{{1,3}}(?:[.,'\u2019{SPACES}]\d{{3}}){{1,5}}|\d+)"
NUMBER = rf"(?<![\d.,]){WHOLE}(?:[.,]\d{{1,2}})?(?!\d)"
MINUS = r"(?<![\w.,])[-\u2212]"
BOUNDS = ("at_least", "at_most")


class Amount:
    """Fits a message that names an amount in a currency.

    Args:
        value: ``45.90 EUR``, or a mapping of ``currency``, ``at_least`` and ``at_most``.

    Raises:
        ConfigError: it is none of these.
    """

    captures = ("amount",)
    """The variables that it sets; so ``botkit check`` knows them."""

    def __init__(self, value: Any) -> None:
        settings = value if isinstance(value, Mapping) else exactly(str(value))
        for key in settings:
            if key not in ("currency", *BOUNDS):
                raise ConfigError(f"unknown key {key!r}; there are currency, {', '.join(BOUNDS)}")
        self._currency = currency_of(settings.get("currency"))
        self._least, self._most = (decimal_of(settings, bound) for bound in BOUNDS)
        if self._least is not None and self._most is not None and self._least > self._most:
            raise ConfigError(f"no amount is at least {self._least} and at most {self._most}")
        self._written = pattern(self._currency)

    def match(self, text: str) -> Match | Miss:
        found = list(self._amounts(text))
        for amount in found:
            if self._fits(amount):
                return Match(captures={"amount": f"{amount:f}"})
        if not found:
            return Miss(why=f"it names no amount in {self._currency}")
        named = ", ".join(f"{amount:f}" for amount in found)
        return Miss(why=f"it names {named} {self._currency}, not {self._wanted()}")

    def __str__(self) -> str:
        return f"a message naming {self._wanted()} {self._currency}"

    def _amounts(self, text: str) -> Iterator[Decimal]:
        for found in self._written.finditer(text):
            number = found["before"] or found["behind"]
            sign = -1 if found["minus"] else 1
            yield sign * read_number(number)

    def _fits(self, amount: Decimal) -> bool:
        return (self._least is None or amount >= self._least) and (
            self._most is None or amount <= self._most
        )

    def _wanted(self) -> str:
        if self._least is not None and self._least == self._most:
            return f"{self._least:f}"
        bounds = zip(("at least", "at most"), (self._least, self._most), strict=True)
        return " and ".join(f"{word} {bound:f}" for word, bound in bounds if bound is not None) or (
            "an amount"
        )


def exactly(text: str) -> dict[str, str]:
    """Read the short form, ``45.90 EUR``."""
    number, _, currency = text.strip().rpartition(" ")
    if not number:
        raise ConfigError(f"{text!r} is no amount; one is written 45.90 EUR")
    return {"currency": currency, "at_least": number, "at_most": number}


def currency_of(code: object) -> str:
    """Read the code of a currency, as ISO 4217 forms them."""
    if not isinstance(code, str) or not re.fullmatch("[A-Z]{3}", code):
        raise ConfigError(f"a currency is written in three capitals, such as EUR; got {code!r}")
    return code


def decimal_of(settings: Mapping[str, Any], bound: str) -> Decimal | None:
    """Read a bound, which is written with a point if with anything."""
    text = settings.get(bound)
    if text is None:
        return None
    if not re.fullmatch(r"-?\d+(\.\d+)?", str(text)):
        raise ConfigError(f"{bound}: {text!r} is no number; one is written 1234.56")
    return Decimal(str(text))


def pattern(currency: str) -> re.Pattern[str]:
    """Make the pattern of an amount, with its currency before or behind it."""
    unit = rf"(?<![a-z]){currency}(?![a-z])"
    if currency in SIGNS:
        unit = f"(?:{unit}|{re.escape(SIGNS[currency])})"
    gap = f"[{SPACES}]?"
    before, behind = rf"{unit}{gap}(?P<before>{NUMBER})", rf"(?P<behind>{NUMBER}){gap}{unit}"
    return re.compile(rf"(?P<minus>{MINUS})?(?:{before}|{behind})", re.IGNORECASE)


def read_number(text: str) -> Decimal:
    """Read ``1.234,56``: one or two digits behind the last separator are a fraction."""
    fraction = re.search(r"[.,](\d{1,2})$", text)
    whole = text[: fraction.start()] if fraction else text
    digits = re.sub(r"\D", "", whole)
    return Decimal(f"{digits}.{fraction[1]}" if fraction else digits)


@hookimpl
def register_matchers(register: Register[Callable[[Any], Matcher]]) -> None:
    register("amount", Amount)
