# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes quantities: ``500m``, ``64Mi``, ``1.5e3``.

Source: k8s.io/apimachinery ``resource.Quantity``. Values are exact; anything finer than 1n is rounded away from zero.
Kept apart from it on purpose: text without a digit (``.``, ``Ki``) is refused, as the documented grammar says, where
the Go scanner reads 0; and decimal values past 1000E keep the suffix ``E`` where Go loses it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import total_ordering
from typing import Literal, NamedTuple

Format = Literal["DecimalSI", "BinarySI", "DecimalExponent"]

DECIMAL_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY_SUFFIXES = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
MAX_BINARY = 2**63 - 1

# Near misses people write, and what they most likely meant.
_SUFFIX_HINTS = {
    "K": "k (1000) or Ki (1024)",
    "KB": "k (1000) or Ki (1024)",
    "kB": "k (1000) or Ki (1024)",
    "KiB": "Ki",
    "MB": "M (1000^2) or Mi (1024^2)",
    "MiB": "Mi",
    "mi": "Mi",
    "GB": "G (1000^3) or Gi (1024^3)",
    "GiB": "Gi",
    "gi": "Gi",
    "g": "G (1000^3) or Gi (1024^3)",
    "TB": "T (1000^4) or Ti (1024^4)",
    "TiB": "Ti",
}

_NANO_EXPONENT = -9
_DECIMAL_SYMBOLS = {exponent: suffix for suffix, exponent in DECIMAL_SUFFIXES.items()}
_BINARY_SYMBOLS = {0: "", **{exponent: suffix for suffix, exponent in BINARY_SUFFIXES.items()}}
_PARTS = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(.*)", re.DOTALL)
_EXPONENT = re.compile(r"[eE](?P<exponent>[+-]?[0-9]+)")

# Bounds no real quantity meets; they keep hostile input (1e999999999) from filling memory.
_MAX_CHARACTERS = 1000
_MAX_INTEGER_DIGITS = 100


class QuantityParts(NamedTuple):
    """The text of a quantity, cut but not yet judged: ``-1.025Ti`` is ``("-", "1", "025", "Ti")``."""

    sign: str
    whole: str
    fraction: str
    suffix: str


def split(text: str) -> QuantityParts:
    """Cut a quantity's text; never fails, the suffix takes whatever follows the number."""
    # Every group may be empty, so there is always a match, at the start.
    return QuantityParts(*_PARTS.findall(text)[0])


@total_ordering
@dataclass(frozen=True, eq=False)
class Quantity:
    """An exact number and the form it is written back in; equality and order go by the number alone.

    ``value`` is in the resource's base unit (CPU cores, bytes).
    """

    value: Fraction
    format: Format = "DecimalSI"

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _round_away(self.value, _NANO_EXPONENT))

    @classmethod
    def parse(cls, text: str | int | float) -> Quantity:
        """Read a quantity as written in YAML or JSON; raises ValueError with a reason for a person to read."""
        if isinstance(text, bool) or not isinstance(text, (str, int, float)):
            raise ValueError(f"{text!r} is not a quantity: expected a number or text such as 500m or 64Mi")
        written = text if isinstance(text, str) else repr(text)
        try:
            return cls._interpret(written)
        except _Malformed as fault:
            shown = written if len(written) <= 60 else written[:57] + "..."
            raise ValueError(f'"{shown}" is not a quantity: {fault}') from None

    @classmethod
    def _interpret(cls, text: str) -> Quantity:
        parts = split(text)
        _check_number(text, parts)
        base, exponent, form = _interpret_suffix(parts.suffix)
        magnitude = _magnitude(parts, base, exponent)
        if form == "BinarySI":
            magnitude = min(magnitude, Fraction(MAX_BINARY))
            if 0 < magnitude < 1:
                form = "DecimalSI"
        return cls(-magnitude if parts.sign == "-" else magnitude, form)

    def canonical(self) -> str:
        """The one spelling of this value in its format: no fraction, the largest suffix that fits, no precision lost.

        A BinarySI value below 1024 or with a fraction is written as DecimalSI.
        """
        if self.value == 0:
            return "0"
        if self.format == "BinarySI" and abs(self.value) >= 1024 and self.value.denominator == 1:
            mantissa, exponent = _extract(self.value.numerator, 1024, max(_BINARY_SYMBOLS) // 10)
            return f"{mantissa}{_BINARY_SYMBOLS[exponent * 10]}"
        largest = None if self.format == "DecimalExponent" else max(_DECIMAL_SYMBOLS) // 3
        nanos = self.value * 10**-_NANO_EXPONENT
        mantissa, thousands = _extract(nanos.numerator, 1000, None if largest is None else largest + 3)
        exponent = thousands * 3 + _NANO_EXPONENT
        if self.format == "DecimalExponent":
            return f"{mantissa}e{exponent}" if exponent else str(mantissa)
        return f"{mantissa}{_DECIMAL_SYMBOLS[exponent]}"

    def milli(self) -> int:
        """The value in thousandths (CPU: millicores), rounded away from zero."""
        return int(_round_away(self.value, -3) * 1000)

    def integer(self) -> int:
        """The value in whole units (memory: bytes), rounded away from zero."""
        return int(_round_away(self.value, 0))

    def round_up(self, exponent: int) -> Quantity:
        """This quantity rounded away from zero to a multiple of ``10**exponent``."""
        return Quantity(_round_away(self.value, exponent), self.format)

    def is_zero(self) -> bool:
        return self.value == 0

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.value + other.value, self.format if self.value else other.format)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.value - other.value, self.format if self.value else other.format)

    def __eq__(self, other: object) -> bool:
        return self.value == other.value if isinstance(other, Quantity) else NotImplemented

    def __lt__(self, other: Quantity) -> bool:
        return self.value < other.value if isinstance(other, Quantity) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.value)

    def __str__(self) -> str:
        return self.canonical()


class _Malformed(Exception):
    """The reason part of a parse error."""


def _check_number(text: str, parts: QuantityParts) -> None:
    if not text:
        raise _Malformed("it is empty")
    if any(character.isspace() for character in text):
        raise _Malformed("it holds white space")
    if len(text) > _MAX_CHARACTERS:
        raise _Malformed(f"it is longer than {_MAX_CHARACTERS} characters")
    if not parts.whole and not parts.fraction:
        raise _Malformed("it does not start with a number")


def _interpret_suffix(suffix: str) -> tuple[int, int, Format]:
    """The base, the exponent and the format a suffix stands for."""
    if suffix in DECIMAL_SUFFIXES:
        return 10, DECIMAL_SUFFIXES[suffix], "DecimalSI"
    if suffix in BINARY_SUFFIXES:
        return 2, BINARY_SUFFIXES[suffix], "BinarySI"
    match = _EXPONENT.fullmatch(suffix)
    if match:
        return 10, int(match["exponent"]), "DecimalExponent"
    meant = _SUFFIX_HINTS.get(suffix)
    advice = f"did you mean {meant}?" if meant else "use n u m k M G T P E, Ki Mi Gi Ti Pi Ei or an exponent such as e3"
    raise _Malformed(f'unknown suffix "{suffix}"; {advice}')


def _magnitude(parts: QuantityParts, base: int, exponent: int) -> Fraction:
    """The unsigned number, bounded before it is built: what is absurdly small still rounds up to 1n."""
    digits = (parts.whole + parts.fraction).lstrip("0")
    if not digits:
        return Fraction(0)
    places = len(parts.fraction)
    if base == 2:
        return Fraction(int(digits) * 2**exponent, 10**places)
    if len(digits) - places + exponent > _MAX_INTEGER_DIGITS:
        raise _Malformed(f"it is larger than 1e{_MAX_INTEGER_DIGITS}")
    shift = max(exponent - places, _NANO_EXPONENT - 1 - len(digits))
    return Fraction(int(digits)) * Fraction(10) ** shift


def _round_away(value: Fraction, exponent: int) -> Fraction:
    """``value`` rounded away from zero to a multiple of ``10**exponent``."""
    step = Fraction(10) ** exponent
    count = -(-abs(value) // step)
    return count * step if value >= 0 else -count * step


def _extract(number: int, factor: int, limit: int | None) -> tuple[int, int]:
    """Divide ``number`` by ``factor`` as often as it goes, ``limit`` times at most; ``(rest, times)``."""
    times = 0
    while number % factor == 0 and (limit is None or times < limit):
        number //= factor
        times += 1
    return number, times


def show_bytes(number: int) -> str:
    """A number of bytes as a person reads it: ``0``, ``640Ki``, ``1.4Mi``, ``7.6Gi``."""
    amount, unit = float(number), ""
    for larger in ("Ki", "Mi", "Gi", "Ti"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    digits = f"{amount:.1f}" if unit and amount < 10 else f"{amount:.0f}"
    return digits.removesuffix(".0") + unit
