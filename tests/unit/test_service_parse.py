# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services as they are declared: what is refused, what is passed over with a note, and where one listens.

The table of what is refused is data/malformed_services.yml: adding a case is adding an entry.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from malformed import changed, faults_of, native, snake

from ansible_collections.podwright.pods.plugins.module_utils._declaration.kubernetes import to_documents
from ansible_collections.podwright.pods.plugins.module_utils._declaration.place import Note
from ansible_collections.podwright.pods.plugins.module_utils._declaration.services.spec import Service, ServicePort
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.options import to_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options

DATA = Path(__file__).parent / "data"
MALFORMED = yaml.safe_load((DATA / "malformed_services.yml").read_text(encoding="utf-8"))


def matches(found: list[tuple[str, str]], case: dict[str, Any], prefix: str, respell: Any) -> None:
    expected = [tuple(line.split(" | ", 1)) for line in case["faults"]]
    assert len(found) == len(expected), found
    for (path, reason), (wanted, words) in zip(sorted(found), sorted(expected), strict=True):
        inner = wanted if wanted.startswith("metadata") else respell(wanted)
        assert path == f"{prefix}{inner}", found
        assert words.partition("by ")[0] in reason or words in reason, found


@pytest.mark.parametrize("case", MALFORMED["cases"], ids=lambda case: str(case["faults"][0])[:60])
def test_refused_as_a_document(case: dict[str, Any]) -> None:
    found = faults_of({}, [MALFORMED["deployment"], changed(MALFORMED["service"], case["set"])])
    inner = "metadata." if "metadata.name" in case["set"] else "spec."
    prefix = "x[1]." if case.get("only") else f"x[1].{inner}"
    matches(found, case, prefix, lambda path: path)


@pytest.mark.parametrize(
    "case", [case for case in MALFORMED["cases"] if "only" not in case], ids=lambda case: str(case["faults"][0])[:60]
)
def test_refused_as_an_option(case: dict[str, Any]) -> None:
    document = changed(MALFORMED["service"], case["set"])
    service = {"name": document["metadata"]["name"], **native(document["spec"])}
    found = faults_of({"services": [service]}, [MALFORMED["deployment"]])
    matches(found, case, "services[0].", snake)


def test_what_a_cluster_has_written_into_a_document_is_passed_over() -> None:
    document = copy.deepcopy(MALFORMED["service"])
    document["metadata"] |= {"labels": {"app": "web"}, "annotations": {"note": "x"}, "uid": "1"}
    document["spec"] |= {
        "clusterIP": "10.96.0.7",
        "clusterIPs": ["10.96.0.7"],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
        "sessionAffinity": "None",
    }
    stack = parse_options({"name": "shop"}, [MALFORMED["deployment"], document | {"status": {"loadBalancer": {}}}])
    assert stack.services == (Service("web", {"app": "web"}, (ServicePort(80, target_port="http"),)),)


def test_what_is_not_kept_is_noted() -> None:
    document = copy.deepcopy(MALFORMED["service"])
    document["spec"] |= {"externalTrafficPolicy": "Local", "loadBalancerIP": "192.0.2.1"}
    notes: list[Note] = []
    parse_options({"name": "shop"}, [MALFORMED["deployment"], document], "x", notes)
    assert [note.path for note in notes] == ["x[1].spec.externalTrafficPolicy", "x[1].spec.loadBalancerIP"]


def test_two_services_of_one_name_or_host_port() -> None:
    service = {"name": "web", "selector": {"app": "web"}, "ports": [{"port": 80, "host_port": 8080}]}
    twin = {**service, "ports": [{"port": 81, "host_port": 8081}]}
    deployment = [MALFORMED["deployment"]]
    assert faults_of({"services": [service, twin]}, deployment) == [
        ("services[1].name", "the service 'web' is already given by services[0].name")
    ]
    assert faults_of({"services": [service, {**service, "name": "other"}]}, deployment) == [
        ("services[1].ports[0].host_port", "8080/TCP of the host is already used by service web")
    ]


def test_round_trip() -> None:
    service = {
        "name": "web",
        "selector": {"app": "web"},
        "type": "NodePort",
        "ports": [
            {"port": 80, "name": "http", "target_port": "http", "host_port": 8088},
            {"port": 443, "name": "tls", "node_port": 30443, "app_protocol": "https"},
        ],
        "session_affinity": "ClientIP",
        "session_affinity_config": {"client_ip": {"timeout_seconds": 60}},
        "publish_not_ready_addresses": True,
        "drain_seconds": 5,
    }
    stack = parse_options({"name": "shop", "services": [service]}, [MALFORMED["deployment"]])
    assert parse_options(to_options(stack)) == stack
    assert parse_options({"name": "shop"}, to_documents(stack)) == stack


@pytest.mark.parametrize(
    ("kind", "ports", "expected"),
    [
        ("ClusterIP", [{"port": 80}], [None]),
        ("ClusterIP", [{"port": 80, "host_port": 8080}], [8080]),
        ("LoadBalancer", [{"port": 80}], [80]),
        ("LoadBalancer", [{"port": 80, "host_port": 80}], [80]),
        ("LoadBalancer", [{"port": 80, "node_port": 30080}], [80, 30080]),
        ("NodePort", [{"port": 80, "node_port": 30080}], [30080]),
    ],
)
def test_where_the_host_listens(kind: str, ports: list[Any], expected: list[Any]) -> None:
    service = {"name": "web", "selector": {"app": "web"}, "type": kind, "ports": ports}
    stack = parse_options({"name": "shop", "services": [service]}, [MALFORMED["deployment"]])
    found = [number for _port, number in stack.services[0].host_ports("shop")]
    assert found == [number for number in expected if number]


def test_a_node_port_that_is_not_declared_stays_the_same() -> None:
    ports = tuple(ServicePort(number, name=f"p{number}") for number in range(1, 400))
    service = Service("web", {"app": "web"}, ports, type="NodePort")
    found = [number for _port, number in service.host_ports("shop")]
    assert len({*found}) == len(found) == 399
    assert all(30000 <= number <= 32767 for number in found)
    assert found == [number for _port, number in service.host_ports("shop")]
    assert found != [number for _port, number in service.host_ports("other")]


@pytest.mark.parametrize(
    ("port", "is_http"),
    [
        (ServicePort(80), True),
        (ServicePort(8080), True),
        (ServicePort(5432), False),
        (ServicePort(80, name="db"), False),
        (ServicePort(5432, name="http"), True),
        (ServicePort(5432, name="http-metrics"), True),
        (ServicePort(80, app_protocol="tcp"), False),
        (ServicePort(80, name="http", app_protocol="https"), False),
        (ServicePort(5432, app_protocol="http"), True),
        (ServicePort(5432, app_protocol="kubernetes.io/ws"), True),
        (ServicePort(80, app_protocol="kubernetes.io/h2c"), False),
    ],
)
def test_what_carries_http(port: ServicePort, is_http: bool) -> None:
    assert port.is_http is is_http
