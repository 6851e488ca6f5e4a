# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom an image is asked for as, by the Secrets of imagePullSecrets; what is wrong with them, never showing them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.parse import parse_documents, parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.place import Note
from ansible_collections.podwright.pods.plugins.module_utils._declaration.pull_secrets import credentials_for
from ansible_collections.podwright.pods.plugins.module_utils._errors import InvalidInput
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.rendering import materials as m

Document = dict[str, Any]


def auth(user: str, word: str) -> Document:
    return {"auth": base64.b64encode(f"{user}:{word}".encode()).decode()}


def secret(*names: str) -> dict[str, bytes]:
    """A Secret's content, whose users are called as their registries."""
    auths = {name: {"username": name, "password": "x"} for name in names}
    return {".dockerconfigjson": json.dumps({"auths": auths}).encode()}


@pytest.mark.parametrize(
    ("image", "registries", "asked_as"),
    [
        ("registry.example.com/shop:1", ["registry.example.com"], ["registry.example.com"]),
        ("registry.example.com/shop:1", ["https://registry.example.com/v2/"], ["https://registry.example.com/v2/"]),
        ("registry.example.com/shop:1", ["example.com", "registry.example.org"], []),
        ("registry.example.com:5000/shop", ["registry.example.com"], []),
        ("registry.example.com:5000/shop", ["registry.example.com:5000"], ["registry.example.com:5000"]),
        (
            "r.example.com/a/b:1",
            ["r.example.com", "r.example.com/a", "r.example.com/ab"],
            ["r.example.com/a", "r.example.com"],
        ),
        ("eu.example.com/a", ["*.example.com"], ["*.example.com"]),
        ("a.eu.example.com/a", ["*.example.com"], []),
        ("httpd", ["https://index.docker.io/v1/"], ["https://index.docker.io/v1/"]),
        ("docker.io/team/app", ["docker.io", "index.docker.io/team"], ["index.docker.io/team", "docker.io"]),
        ("0" * 64, ["docker.io"], []),
        ("Not An Image", ["docker.io"], []),
    ],
)
def test_the_registry_that_fits_best_is_asked_first(image: str, registries: list[str], asked_as: list[str]) -> None:
    assert [one.username for one in credentials_for(image, {"s": secret(*registries)})] == asked_as


def test_all_secrets_count_and_the_older_form_too() -> None:
    older = {".dockercfg": json.dumps({"r.example.com": {"username": "old", "password": "x"}}).encode()}
    found = credentials_for("r.example.com/a", {"a": older, "b": secret("r.example.com"), "c": {"else": b"1"}})
    assert [one.username for one in found] == ["old", "r.example.com"]


POD: Document = {"name": "web", "containers": [{"name": "a", "image": "x"}], "image_pull_secrets": [{"name": "reg"}]}


def document(secret_document: Document) -> list[Document]:
    spec = {"containers": POD["containers"], "imagePullSecrets": [{"name": "reg"}]}
    return [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}, secret_document]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("hush", "is not JSON text"),
        ('["hush"]', "is not JSON text with registries"),
        ('{"auths": "hush"}', "is not JSON text with registries"),
        ('{"auths": {"r": "hush"}}', "has a registry that is no mapping"),
        ('{"auths": {"r": {"auth": "hush!"}}}', "has a registry whose auth is not base64 of USER:PASSWORD"),
        ('{"auths": {"r": {"auth": "aHVzaA=="}}}', "has a registry without credentials"),
        ('{"auths": {"r": {"username": "hush"}}}', "has a registry without credentials"),
    ],
)
def test_what_holds_no_credentials_is_refused_unseen(content: str, reason: str) -> None:
    encoded = base64.b64encode(content.encode()).decode()
    for secret_options in ({"string_data": {".dockerconfigjson": content}}, {"data": {".dockerconfigjson": encoded}}):
        with pytest.raises(InvalidInput) as caught:
            parse_options({**POD, "secrets": [{"name": "reg", **secret_options}]})
        (fault,) = caught.value.faults
        assert fault.path == "image_pull_secrets[0].name"
        assert fault.reason.startswith(f".dockerconfigjson of 'reg' {reason}")
        assert "hush" not in str(fault)
    assert credentials_for("r/x", {"reg": {".dockerconfigjson": content.encode()}}) == ()


def test_a_secret_without_the_key_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"'reg' has no key \.dockerconfigjson"):
        parse_options({**POD, "secrets": [{"name": "reg", "string_data": {"password": "x"}}]})


def test_images_are_pulled_without_one_that_is_made_elsewhere_and_that_is_told() -> None:
    notes: list[Note] = []
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    pod = parse_documents(document(other), notes=notes)
    assert [reference.name for reference in pod.image_pull_secrets] == ["reg"]
    (note,) = notes
    assert (note.path, note.is_warning) == ("definition[0].spec.imagePullSecrets[0].name", False)
    with pytest.raises(InvalidInput, match="no secret is called 'reg'"):
        parse_documents(document(other))
    # What was accepted once can be read again.
    assert parse_options(s.to_options(pod)) == pod
    assert parse_options(POD).image_pull_secrets == pod.image_pull_secrets


def test_what_is_within_a_secret_is_masked_like_the_secret() -> None:
    content = json.dumps({"auths": {"r": auth("deploy", "hush-hush")}})
    pod = parse_options({**POD, "secrets": [{"name": "reg", "string_data": {".dockerconfigjson": content}}]})
    assert {content, "hush-hush", auth("deploy", "hush-hush")["auth"]} <= {*m.secret_values(m.gather(pod, {}))}
