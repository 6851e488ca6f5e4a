# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ingresses as they are declared: what is refused, what is passed over with a note, and what annotations say.

The table of what is refused is data/malformed_ingresses.yml: adding a case is adding an entry.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from malformed import changed, faults_of, native, snake

from ansible_collections.podwright.pods.plugins.module_utils._declaration.ingresses.spec import Ingress
from ansible_collections.podwright.pods.plugins.module_utils._declaration.kubernetes import to_documents
from ansible_collections.podwright.pods.plugins.module_utils._declaration.place import Note
from ansible_collections.podwright.pods.plugins.module_utils._declaration.quantity import Quantity
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.options import to_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options

DATA = Path(__file__).parent / "data"
MALFORMED = yaml.safe_load((DATA / "malformed_ingresses.yml").read_text(encoding="utf-8"))
OTHERS = MALFORMED["others"]
NGINX = "nginx.ingress.kubernetes.io/"


def ident(case: dict[str, Any]) -> str:
    return str(case["faults"][0])[:70]


def matches(found: list[tuple[str, str]], expected: list[tuple[str, str]]) -> None:
    assert len(found) == len(expected), found
    for (path, reason), (wanted, words) in zip(sorted(found), sorted(expected), strict=True):
        assert path == wanted, found
        assert words in reason, found


@pytest.mark.parametrize("case", MALFORMED["cases"], ids=ident)
def test_refused_as_a_document(case: dict[str, Any]) -> None:
    found = faults_of({}, [*OTHERS, changed(MALFORMED["ingress"], case["set"])])
    expected = [line.split(" | ", 1) for line in case["faults"]]
    inner = "spec." if next(iter(case["set"])).startswith("spec.") else ""
    matches(found, [(f"x[{len(OTHERS)}].{inner}{path}", words) for path, words in expected])


@pytest.mark.parametrize(
    "case", [case for case in MALFORMED["cases"] if next(iter(case["set"])).startswith("spec.")], ids=ident
)
def test_refused_as_an_option(case: dict[str, Any]) -> None:
    document = changed(MALFORMED["ingress"], case["set"])
    found = faults_of({"ingresses": [{"name": "web", **native(document["spec"])}]}, OTHERS)
    expected = [line.split(" | ", 1) for line in case["faults"]]
    matches(found, [(f"ingresses[0].{snake(path)}", words) for path, words in expected])


@pytest.mark.parametrize("case", MALFORMED["settings"], ids=str)
def test_settings_that_are_refused(case: dict[str, Any]) -> None:
    if "annotation" in case:
        annotations = {f"{NGINX}{case['annotation']}": case["value"]}
        found = faults_of({}, [*OTHERS, changed(MALFORMED["ingress"], {"metadata.annotations": annotations})])
        path = f'x[{len(OTHERS)}].metadata.annotations["{NGINX}{case["annotation"]}"]'
        matches(found, [(path, case["reason"])])
    if "option" in case:
        spec = native(MALFORMED["ingress"]["spec"])
        ((path, reason),) = faults_of({"ingresses": [{"name": "web", **spec, **case["option"]}]}, OTHERS)
        assert path.startswith(f"ingresses[0].{next(iter(case['option']))}")
        assert case["reason"] in reason


@pytest.mark.parametrize("pattern", MALFORMED["patterns"])
def test_regular_expressions_that_are_refused(pattern: str) -> None:
    settings = {"metadata.annotations": {f"{NGINX}use-regex": "true"}, "spec.rules.0.http.paths.0.path": pattern}
    ((path, reason),) = faults_of({}, [*OTHERS, changed(MALFORMED["ingress"], settings)])
    assert path.endswith(".spec.rules[0].http.paths[0].path")
    assert "regular expression" in reason


def parsed(changes: dict[str, Any], notes: list[Note] | None = None) -> Ingress:
    (ingress,) = parse_options(
        {"name": "shop"}, [*OTHERS, changed(MALFORMED["ingress"], changes)], "x", notes
    ).ingresses
    return ingress


def test_two_ingresses_with_one_rule_or_name() -> None:
    twin = changed(MALFORMED["ingress"], {"metadata.name": "twin", "spec.tls": None})
    at, other = f"x[{len(OTHERS) + 1}]", f"x[{len(OTHERS)}]"
    assert faults_of({}, [*OTHERS, MALFORMED["ingress"], twin]) == [
        (
            f"{at}.spec.rules[0].http.paths[0].path",
            f"Prefix / of shop.example.com is already led elsewhere by {other}.spec.rules[0].http.paths[0].path",
        )
    ]
    named = changed(twin, {"metadata.name": "web", "spec.rules.0.host": "other.example.com"})
    assert faults_of({}, [*OTHERS, MALFORMED["ingress"], named]) == [
        (f"{at}.metadata.name", f"the ingress 'web' is already given by {other}.metadata.name")
    ]
    default = {
        "spec.rules": None,
        "spec.tls": None,
        "spec.defaultBackend": {"service": {"name": "web", "port": {"number": 80}}},
    }
    defaults = [changed(MALFORMED["ingress"], {**default, "metadata.name": name}) for name in ("a", "b")]
    ((path, reason),) = faults_of({}, [*OTHERS, *defaults])
    assert (path, reason.partition(" is ")[0]) == (f"{at}.spec.defaultBackend", "what no rule")


def test_what_annotations_say() -> None:
    annotations = {
        "ssl-redirect": "false",
        "force-ssl-redirect": "true",
        "proxy-body-size": "8m",
        "proxy-connect-timeout": "5",
        "proxy-read-timeout": "300",
        "proxy-send-timeout": 200,
        "rewrite-target": "/$2",
        "use-regex": "true",
        "whitelist-source-range": "10.0.0.0/8, 192.0.2.1",
    }
    ingress = parsed({"metadata.annotations": {f"{NGINX}{name}": value for name, value in annotations.items()}}, [])
    assert ingress.ssl_redirect is False
    assert ingress.force_ssl_redirect is True
    assert ingress.proxy_body_size == Quantity.parse("8Mi")
    assert (ingress.proxy_connect_timeout, ingress.proxy_read_timeout, ingress.proxy_send_timeout) == (5, 300, 200)
    assert (ingress.rewrite_target, ingress.use_regex) == ("/$2", True)
    assert ingress.whitelist_source_range == ("10.0.0.0/8", "192.0.2.1")


def test_what_is_not_kept_is_noted_by_name() -> None:
    annotations = {
        "cert-manager.io/cluster-issuer": "x",
        f"{NGINX}auth-url": "https://example.com",
        f"{NGINX}proxy-buffering": "off",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "meta.helm.sh/release-name": "web",
        "note": "x",
        f"{NGINX}backend-protocol": "GRPC",
    }
    notes: list[Note] = []
    path = "spec.rules.0.http.paths.0.pathType"
    changes = {"metadata.annotations": annotations, "spec.ingressClassName": "nginx", path: "ImplementationSpecific"}
    parsed(changes, notes)
    at = f"x[{len(OTHERS)}]"
    assert [(note.path, note.is_warning) for note in notes] == [
        (f'{at}.metadata.annotations["cert-manager.io/cluster-issuer"]', False),
        (f'{at}.metadata.annotations["{NGINX}auth-url"]', True),
        (f'{at}.metadata.annotations["{NGINX}proxy-buffering"]', False),
        (f'{at}.metadata.annotations["{NGINX}backend-protocol"]', True),
        (f"{at}.spec.ingressClassName", False),
        (f"{at}.spec.rules[0].http.paths[0].pathType", False),
    ]
    refused = faults_of({}, [*OTHERS, changed(MALFORMED["ingress"], changes)])
    assert [path for path, _reason in refused] == [note.path for note in notes[:4]]


def test_round_trip() -> None:
    document = changed(
        MALFORMED["ingress"],
        {
            "metadata.annotations": {f"{NGINX}rewrite-target": "/$2", f"{NGINX}proxy-body-size": "8m"},
            "spec.rules.0.http.paths.0.path": "/api(/|$)(.*)",
            "spec.rules.0.http.paths.0.pathType": "ImplementationSpecific",
            "spec.defaultBackend": {"service": {"name": "web", "port": {"name": "admin"}}},
            "spec.ingressClassName": "nginx",
        },
    )
    stack = parse_options({"name": "shop"}, [*OTHERS, document], "x", [])
    assert parse_options(to_options(stack)) == stack
    documents = to_documents(stack)
    assert parse_options({"name": "shop"}, documents, "x", []) == stack
    assert documents[-1]["spec"] == document["spec"]


def test_an_empty_path_is_all() -> None:
    without = copy.deepcopy(MALFORMED["ingress"])
    del without["spec"]["rules"][0]["http"]["paths"][0]["path"]
    (ingress,) = parse_options({"name": "shop"}, [*OTHERS, without]).ingresses
    assert ingress.rules[0].paths[0].path == "/"
