# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.module_utils._declaration.expansion import expand, references

TABLE = json.loads((Path(__file__).parent / "data" / "expansion.json").read_text())
CASES = [pytest.param(row, id=f"{number}-{row['name']}") for number, row in enumerate(TABLE["cases"])]


def in_order(contexts):
    return lambda name: next((context[name] for context in contexts if name in context), None)


@pytest.mark.parametrize("row", CASES)
def test_expand(row):
    assert expand(row["input"], TABLE["context"].get) == row["expected"]


@pytest.mark.parametrize("row", CASES)
def test_expand_from_several_contexts(row):
    assert expand(row["input"], in_order(TABLE["dual_contexts"])) == row["expected"]


def test_ordered_env():
    values = {}
    for name, text in TABLE["ordered_env"]["env"]:
        values[name] = expand(text, values.get)
    assert values == TABLE["ordered_env"]["expected"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("$(A)", ("A",)),
        ("$(B)-$(A)-$(B)", ("B", "A")),
        ("$$(A)", ()),
        ("$$$(A)", ("A",)),
        ("${A} $A $(A", ()),
        ("$(A$(B))", ("A$(B",)),
        ("$(A)$$", ("A",)),
        ("$($(A)", ("$(A",)),
    ],
)
def test_references(text, names):
    assert references(text) == names


def test_unclosed_references_take_linear_time():
    assert expand("$(" * 200_000, lambda name: "x") == "$(" * 200_000


hostile = st.text(alphabet="$()AB ", max_size=40)


@given(hostile)
def test_expand_never_fails_and_asks_only_for_references(text):
    asked = []
    expand(text, lambda name: asked.append(name) or "x")
    assert tuple(dict.fromkeys(asked)) == references(text)


@given(st.text())
def test_text_without_operator_stays(text):
    plain = text.replace("$", "")
    assert expand(plain, lambda name: "x") == plain


@given(hostile)
def test_escaping_every_operator_gives_the_text_back(text):
    assert expand(text.replace("$", "$$"), lambda name: "x") == text


@given(hostile)
def test_undefined_references_stay(text):
    assert expand(text, lambda name: None) == expand(text, lambda name: f"$({name})")
