# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets within text: gone in every form, with nothing left of one that another is part of."""

from __future__ import annotations

import base64
import itertools
import json
import pickle

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._declaration.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.rendering.materials import (
    Facts,
    environment,
    gather,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.secrecy import (
    MASK,
    Hidden,
    masked,
    masked_within,
)

LOGIN = parse_options(
    {
        "name": "web",
        "containers": [
            {
                "name": "main",
                "image": "image",
                "env": [
                    {"name": "PASSWORD", "value_from": {"secret_key_ref": {"name": "login", "key": "password"}}},
                    {"name": "URL", "value": "db://$(PASSWORD)@localhost"},
                    {"name": "OPEN", "value": "1"},
                ],
            }
        ],
        "secrets": [{"name": "login", "string_data": {"password": "tiger"}}],
    }
)
KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASCBK\n}\n-----END KEY-----\n"


@pytest.mark.parametrize(
    ("text", "secrets", "expected"),
    [
        ("bad value tiger-lily-9 given", ("tiger", "tiger-lily-9"), f"bad value {MASK} given"),
        ("tiger and tiger-lily-9", ("tiger", "tiger-lily-9"), f"{MASK} and {MASK}"),
        ("abcdefgh", ("abcde", "defgh"), MASK),
        ("abcdefgh", ("defgh", "abcde"), MASK),
        ("tigertiger", ("tiger",), MASK + MASK),
        ("abababa.", ("abab!", "ababa"), f"{MASK}."),
        ("no secret here", ("tiger", ""), "no secret here"),
        ("", ("tiger",), ""),
        ("a web of 1 and abc", ("a", "1", "web", "abc"), "a web of 1 and abc"),
        ("1111 and ********", ("1111", "********"), f"{MASK} and {MASK}"),
        ("PIN 1234.", ("1234",), f"PIN {MASK}."),
    ],
)
def test_text(text: str, secrets: tuple[str, ...], expected: str) -> None:
    for order in itertools.permutations(secrets):
        assert masked(text, order) == expected


@pytest.mark.parametrize(
    "secret", ["tiger lily", 'qu"o\\te', "new\nline-1234", "tab\tbed", "schl\xfcssel", "\u2028seps"]
)
def test_forms(secret: str) -> None:
    forms = {
        "as it is": secret,
        "as JSON": json.dumps({"x": secret}),
        "as JSON of UTF-8": json.dumps({"x": secret}, ensure_ascii=False),
        "as a Secret holds it": base64.b64encode(secret.encode()).decode(),
    }
    for name, form in forms.items():
        told = masked(f"before {form} after", [secret])
        assert MASK in told, name
        assert secret not in told, name
        assert json.dumps(secret)[1:-1] not in told, name
        assert (told[:7], told[-6:]) == ("before ", " after"), name


def test_each_line_of_a_key() -> None:
    told = masked("\n".join(f"> {line}" for line in KEY.splitlines()), [KEY])
    assert told == f"> {MASK}\n> {MASK}\n> {MASK}\n> }}\n> {MASK}"


def test_documents() -> None:
    told = {"a": ["tiger", {"tiger": "x tiger y"}], "b": 1, "c": None, "d": ("tiger",)}
    assert masked_within(told, ["tiger"]) == {"a": [MASK, {"tiger": f"x {MASK} y"}], "b": 1, "c": None, "d": [MASK]}
    assert masked_within(told, ["", "a"]) is told


def test_a_hidden_value_is_printed_by_nothing() -> None:
    hidden = Hidden("tiger")
    for told in (
        str(hidden),
        repr(hidden),
        f"{hidden}",
        f"{hidden!r:>12}",
        str([hidden]),
        str({1: hidden}),
    ):
        assert MASK in told
        assert "tiger" not in told
    with pytest.raises(TypeError):
        json.dumps(hidden)
    with pytest.raises(TypeError):
        pickle.dumps(hidden)
    assert hidden.reveal() == "tiger"
    assert (hidden == Hidden("tiger"), hidden == Hidden("lion"), hidden == "tiger") == (True, False, False)


def test_a_pods_secrets_are_printed_by_nothing() -> None:
    materials = gather(LOGIN, {})
    variables = environment(LOGIN, LOGIN.containers[0], materials, Facts())
    assert variables.lookup("URL") == "db://tiger@localhost"
    assert {*variables.secret} == {"PASSWORD", "URL"}
    for thing in (LOGIN, LOGIN.secrets, materials, variables, variables.secret):
        assert "tiger" not in repr(thing)
