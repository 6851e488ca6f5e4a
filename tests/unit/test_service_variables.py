# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of Services: their names and values, and what a container makes of them."""

from __future__ import annotations

from typing import Any

from ansible_collections.podwright.pods.plugins.module_utils._declaration import parse
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.rendering.materials import (
    Facts,
    Materials,
    environment,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.services.variables import service_variables


def variables(*services: dict[str, Any], **addresses: str) -> dict[str, str]:
    pods = [{"name": "a", "labels": {"app": "x"}, "containers": [{"name": "main", "image": "x"}]}]
    declared = [{"selector": {"app": "x"}, **one} for one in services]
    stack = parse_options({"name": "shop", "pods": pods, "services": declared})
    return service_variables(stack.services, addresses)


def test_those_of_kubernetes_own_example() -> None:
    # Source: kubernetes.io, concepts/services-networking/service, "Environment variables".
    assert variables({"name": "redis-primary", "ports": [{"port": 6379}]}, **{"redis-primary": "10.0.0.11"}) == {
        "REDIS_PRIMARY_SERVICE_HOST": "10.0.0.11",
        "REDIS_PRIMARY_SERVICE_PORT": "6379",
        "REDIS_PRIMARY_PORT": "tcp://10.0.0.11:6379",
        "REDIS_PRIMARY_PORT_6379_TCP": "tcp://10.0.0.11:6379",
        "REDIS_PRIMARY_PORT_6379_TCP_PROTO": "tcp",
        "REDIS_PRIMARY_PORT_6379_TCP_PORT": "6379",
        "REDIS_PRIMARY_PORT_6379_TCP_ADDR": "10.0.0.11",
    }


def test_named_ports_have_one_each_and_the_first_is_the_services() -> None:
    ports = [{"name": "http-web", "port": 80}, {"name": "metrics", "port": 9100}]
    found = variables({"name": "web", "ports": ports}, web="10.0.0.1")
    assert found["WEB_SERVICE_PORT"] == found["WEB_SERVICE_PORT_HTTP_WEB"] == "80"
    assert found["WEB_SERVICE_PORT_METRICS"] == found["WEB_PORT_9100_TCP_PORT"] == "9100"


def test_a_headless_one_has_none_nor_one_without_an_address() -> None:
    ports = [{"port": 80}]
    headless = {"name": "peers", "cluster_ip": "None", "ports": ports}
    assert variables(headless, {"name": "web", "ports": ports}) == {}


def test_a_container_can_use_them_and_its_own_come_first() -> None:
    env = [
        {"name": "URL", "value": "http://$(WEB_SERVICE_HOST):$(WEB_SERVICE_PORT)/"},
        {"name": "WEB_PORT", "value": "8080"},
    ]
    pod = parse.parse_options({"name": "a", "containers": [{"name": "main", "image": "x", "env": env}]})
    facts = Facts(services=variables({"name": "web", "ports": [{"port": 80}]}, web="10.0.0.1"))
    plain = environment(pod, pod.containers[0], Materials(), facts).plain
    assert plain["URL"] == "http://10.0.0.1:80/"
    assert plain["WEB_PORT"] == "8080"
    assert plain["WEB_PORT_80_TCP_ADDR"] == "10.0.0.1"
