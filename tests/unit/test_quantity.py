# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.module_utils._declaration.quantity import Quantity, show_bytes, split

TABLE = json.loads((Path(__file__).parent / "data" / "quantity.json").read_text())


def rows(name):
    return [pytest.param(row, id=f"{number}-{next(iter(row.values()))}") for number, row in enumerate(TABLE[name])]


@pytest.mark.parametrize("sign", ["", "-", "+"])
@pytest.mark.parametrize("row", rows("parse"))
def test_parse(row, sign):
    quantity = Quantity.parse(sign + row["input"])
    expected = Fraction(row["value"])
    assert quantity.value == (-expected if sign == "-" else expected)
    assert quantity.format == row["format"]


@pytest.mark.parametrize("row", rows("parse_int64_edges"))
def test_parse_beyond_64_bits(row):
    quantity = Quantity.parse(row["input"])
    assert quantity.value == Fraction(row["value"])
    assert quantity.canonical() == row["canonical"]


@pytest.mark.parametrize("row", rows("parse_errors"))
def test_parse_errors(row):
    with pytest.raises(ValueError, match="is not a quantity"):
        Quantity.parse(row["input"])


@pytest.mark.parametrize("row", rows("emit_canonical"))
def test_canonical(row):
    assert Quantity.parse(row["input"]).canonical() == row["canonical"]


@pytest.mark.parametrize("row", rows("to_string"))
def test_canonical_of_value_and_format(row):
    quantity = Quantity(Fraction(row["value"]), row["format"])
    assert quantity.canonical() == str(quantity) == row["canonical"]
    if "alternate_input" in row:
        assert Quantity.parse(row["alternate_input"]) == quantity


@pytest.mark.parametrize("row", rows("round_up"))
def test_round_up(row):
    quantity = Quantity.parse(row["input"])
    rounded = quantity.round_up(row["scale"])
    assert rounded.value == Fraction(row["value"])
    assert (rounded == quantity) is row["exact"]


@pytest.mark.parametrize("row", rows("compare"))
def test_compare(row):
    a, b = Quantity.parse(row["a"]), Quantity.parse(row["b"])
    assert ((a > b) - (a < b)) == row["cmp"]
    assert (a == b) is (row["cmp"] == 0)
    assert (a <= b) is (row["cmp"] <= 0)


@pytest.mark.parametrize("row", rows("split"))
def test_split(row):
    sign, whole, fraction, suffix = split(row["input"])
    assert (sign != "-") is row["positive"]
    # The table reads a missing whole part as 0.
    assert (whole.lstrip("0") or "0", fraction, suffix) == (row["num"], row["denom"], row["suffix"])
    assert row["input"] == row["value"] + suffix


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", '"" is not a quantity: it is empty'),
        ("1 Gi", "white space"),
        ("1Gi\n", "white space"),
        (".", "does not start with a number"),
        ("-.", "does not start with a number"),
        ("Ki", "does not start with a number"),
        ("12Q", 'unknown suffix "Q"; use n u m k M G T P E'),
        ("64MB", r"did you mean M \(1000\^2\) or Mi \(1024\^2\)\?"),
        ("1K", r"did you mean k \(1000\) or Ki \(1024\)\?"),
        ("1e3e", "unknown suffix"),
        ("１", "does not start with a number"),
        ("1e101", "larger than 1e100"),
        ("1e999999999999", "larger than 1e100"),
        ("1" * 2000, "longer than 1000 characters"),
        (float("nan"), "does not start with a number"),
        (float("inf"), "does not start with a number"),
        (True, "expected a number or text"),
        (None, "expected a number or text"),
        ([1], "expected a number or text"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_reasons(text, reason):
    with pytest.raises(ValueError, match=reason):
        Quantity.parse(text)


@pytest.mark.parametrize(
    ("number", "canonical"),
    [(1, "1"), (0.5, "500m"), (134217728, "134217728"), (1500.0, "1500"), (-2, "-2"), (0.0, "0"), (1e22, "10e21")],
)
def test_plain_numbers(number, canonical):
    assert Quantity.parse(number).canonical() == canonical


@pytest.mark.parametrize(
    ("text", "milli", "integer"),
    [
        ("1", 1000, 1),
        ("100m", 100, 1),
        ("1500u", 2, 1),
        ("64Mi", 64 * 1024**2 * 1000, 64 * 1024**2),
        ("1.5Gi", 1536 * 1024**2 * 1000, 1536 * 1024**2),
        ("100.035Ki", 102435840, 102436),
        ("-0.5", -500, -1),
        ("1e-9", 1, 1),
        ("1e-500", 1, 1),
        ("0", 0, 0),
    ],
)
def test_milli_and_integer_round_up(text, milli, integer):
    assert Quantity.parse(text).milli() == milli
    assert Quantity.parse(text).integer() == integer


@pytest.mark.parametrize(
    ("a", "b", "total", "difference"),
    [
        ("1Gi", "512Mi", "1536Mi", "512Mi"),
        ("100m", "1", "1100m", "-900m"),
        ("0", "1Ki", "1Ki", "-1Ki"),
        ("1k", "1Ki", "2024", "-24"),
    ],
)
def test_add_and_subtract(a, b, total, difference):
    assert (Quantity.parse(a) + Quantity.parse(b)).canonical() == total
    assert (Quantity.parse(a) - Quantity.parse(b)).canonical() == difference


def test_equal_values_are_one_key():
    assert len({Quantity.parse(text) for text in ("1Gi", "1024Mi", "1073741824", "1073741824.0")}) == 1
    assert Quantity.parse("1") != 1
    assert Quantity.parse("0Mi").is_zero()


@pytest.mark.parametrize(("value", "canonical"), [(1000, "1k"), (1023, "1023"), (1024, "1Ki"), (1025, "1025")])
def test_binary_below_1024_is_written_as_decimal(value, canonical):
    assert Quantity(Fraction(value), "BinarySI").canonical() == canonical


def test_sums_past_the_largest_suffix_keep_it():
    assert Quantity.parse("1000E").canonical() == "1000E"
    assert (Quantity.parse("4Ei") + Quantity.parse("4Ei")).canonical() == "8Ei"
    assert Quantity(Fraction(2**80), "BinarySI").canonical() == "1048576Ei"


SUFFIXES = ["", *"numkMGTPE", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3", "E-5", "e+12", "e0"]
texts = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-", "+"]),
    st.integers(0, 10**25),
    st.one_of(st.just(""), st.from_regex(r"\.[0-9]{0,15}", fullmatch=True)),
    st.sampled_from(SUFFIXES),
)


@given(texts)
def test_canonical_round_trips(text):
    quantity = Quantity.parse(text)
    again = Quantity.parse(quantity.canonical())
    assert again == quantity
    assert again.canonical() == quantity.canonical()


@given(texts)
def test_whole_numbers_never_lose(text):
    quantity = Quantity.parse(text)
    assert abs(quantity.integer()) >= abs(quantity.value) > abs(quantity.integer()) - 1 or quantity.is_zero()
    assert abs(quantity.milli()) >= abs(quantity.value * 1000)


@given(texts, texts)
def test_order_follows_the_value(a, b):
    first, second = Quantity.parse(a), Quantity.parse(b)
    assert (first < second) == (first.value < second.value)
    assert (first + second) - second == first


@given(st.text(alphabet="0123456789.+-eEinumkKMGTP ", max_size=12))
def test_parse_answers_or_refuses(text):
    try:
        quantity = Quantity.parse(text)
    except ValueError:
        return
    assert Quantity.parse(quantity.canonical()) == quantity


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (376832, "368Ki"),
        (1_468_006, "1.4Mi"),
        (1 << 20, "1Mi"),
        (128 << 20, "128Mi"),
        (8_123_456_789, "7.6Gi"),
    ],
)
def test_bytes_for_people(number, shown):
    assert show_bytes(number) == shown
