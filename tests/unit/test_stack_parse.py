# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks as a whole: the rules between their objects, and that many objects take no longer than they have to."""

from __future__ import annotations

import cProfile
import pstats
from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.order import cycle, ordered, waves
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import pod_with_configuration
from ansible_collections.podwright.pods.plugins.module_utils._errors import InvalidInput


def pod(name: str, *containers: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "containers": [{"name": one, "image": "x"} for one in containers], **fields}


def faults_of(options: dict[str, Any]) -> list[str]:
    try:
        parse_options({"name": "s", **options})
    except InvalidInput as error:
        return [f"{fault.path} | {fault.reason}" for fault in error.faults]
    return []


def test_a_pod_gets_all_objects_that_it_refers_to_and_no_others() -> None:
    ways = ("all-keys", "one-key", "volume", "projected")
    sources = [{"config_map_ref": {"name": "all-keys"}}, {"secret_ref": {"name": "all-keys"}}]
    keys = {"A": "config_map_key_ref", "B": "secret_key_ref"}
    variables = [{"name": name, "value_from": {way: {"name": "one-key", "key": "a"}}} for name, way in keys.items()]
    one = pod(
        "p",
        volumes=[
            {"name": "v", "config_map": {"name": "volume"}},
            {"name": "w", "secret": {"secret_name": "volume"}},
            {"name": "x", "projected": {"sources": [{way: {"name": "projected"}} for way in ("config_map", "secret")]}},
        ],
    )
    one["containers"] = [{"name": "a", "image": "x", "env_from": sources, "env": variables}]
    config_maps = [{"name": name, "data": {"a": "b"}} for name in (*ways, "other")]
    secrets = [{"name": name, "string_data": {"a": "b"}} for name in (*ways, "other")]
    stack = parse_options({"name": "s", "pods": [one], "config_maps": config_maps, "secrets": secrets})
    given = pod_with_configuration(stack, stack.pods[0])
    assert [item.name for item in given.config_maps] == [item.name for item in given.secrets] == [*ways]


# --- many objects ----------------------------------------------------------------------------------------------------


def large(count: int) -> dict[str, Any]:
    """A stack of this many pods, all of which refer to one another and to objects of their own."""
    pods = [pod(f"p{number}", "a", "b") for number in range(count)]
    for number, one in enumerate(pods):
        one["containers"][0].update(
            ports=[{"container_port": 80, "host_port": 10_000 + number}],
            env_from=[{"config_map_ref": {"name": f"c{number}"}}, {"secret_ref": {"name": f"s{number}"}}],
        )
        one["volumes"] = [{"name": "v", "config_map": {"name": f"c{count - 1 - number}"}}]
    return {
        "name": "large",
        "pods": pods,
        "config_maps": [{"name": f"c{number}", "data": {"a": "b"}} for number in range(count)],
        "secrets": [{"name": f"s{number}", "string_data": {"a": "b"}} for number in range(count)],
        "depends_on": {f"p{number}": [{"pod": f"p{number - 1}"}] for number in range(1, count)},
    }


def calls_for(count: int) -> int:
    options, profile = large(count), cProfile.Profile()
    profile.runcall(parse_options, options)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def test_reading_takes_as_long_as_there_are_objects() -> None:
    assert calls_for(400) < 4.4 * calls_for(100)


def test_a_chain_may_be_longer_than_functions_can_call_one_another() -> None:
    names = [f"p{number}" for number in reversed(range(5000))]
    waits_for = {f"p{number}": [f"p{number - 1}"] for number in range(1, 5000)}
    assert ordered(names, waits_for) == tuple(reversed(names))
    assert cycle(waits_for) == ()
    circle = cycle({**waits_for, "p0": ["p4999"]})
    assert (len(circle), circle[0]) == (5001, circle[-1])


@pytest.mark.parametrize(
    ("names", "waits_for", "expected"),
    [
        ("abc", {}, "abc"),
        ("abc", {"a": "bc", "b": "c"}, "cba"),
        ("cab", {"a": "b", "c": "a"}, "bac"),
        ("ab", {"a": "x", "x": "b"}, "ba"),
        ("ab", {"a": "b", "c": "a"}, "ba"),
    ],
)
def test_order(names: str, waits_for: dict[str, str], expected: str) -> None:
    assert "".join(ordered(names, waits_for)) == expected
    assert cycle(waits_for) == ()


@pytest.mark.parametrize(
    ("waits_for", "expected"),
    [
        ({}, []),
        ({"a": "", "b": ""}, ["ab"]),
        ({"a": "bc", "b": "c", "c": ""}, ["c", "b", "a"]),
        ({"a": "c", "b": "c", "c": "", "d": ""}, ["cd", "ab"]),
        ({"a": "bd", "b": "", "c": "a", "d": "b"}, ["b", "d", "a", "c"]),
    ],
)
def test_waves(waits_for: dict[str, str], expected: list[str]) -> None:
    assert ["".join(sorted(wave)) for wave in waves(waits_for)] == expected


# --- one space of names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        ([pod("q", "r"), pod("q-r", "a")], ["pods[1].name | it is called q-r in Podman, as container r of pod q is"]),
        (
            [pod("q-r", "a"), pod("q", "r")],
            ["pods[1].name | its container r would be called q-r in Podman, as pod q-r is"],
        ),
        (
            [pod("s-a", "b"), pod("s-a-b", "c")],
            ["pods[1].name | it is called s-a-b in Podman, as container b of pod s-a is"],
        ),
        (
            [pod("a", "b-c"), pod("a-b", "c")],
            ["pods[1].name | its container c would be called a-b-c in Podman, as container b-c of pod a is"],
        ),
        (
            [pod("a", "b"), pod("a-infra", "b")],
            ["pods[1].name | it is called a-infra in Podman, as infra container of pod a is"],
        ),
        (
            [pod("a", "b"), pod("c", "d", infra={"name": "a-b"})],
            ["pods[1].name | its infra container would be called a-b in Podman, as container b of pod a is"],
        ),
        (
            [pod("a", "b", infra={"name": "x"}), pod("c", "d", infra={"name": "x"})],
            ["pods[1].name | its infra container would be called x in Podman, as infra container of pod a is"],
        ),
        ([pod("a", "b", infra={"name": "a"})], ["infra.name | 'a' is the name of the pod"]),
        ([pod("q", "r"), pod("q-s", "r"), pod("r", "q")], []),
    ],
)
def test_pods_and_containers_share_their_names_in_podman(pods: list[dict[str, Any]], expected: list[str]) -> None:
    found = faults_of({"pods": pods})
    assert len(found) == len(expected), found
    assert all(fault.startswith(start) for fault, start in zip(found, expected, strict=True)), found


# --- claims ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, "data"),
        ({"volumeName": ""}, "data"),
        ({"volumeName": "fast-disk"}, "fast-disk"),
        ({"volumeName": "pvc-0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"}, "data"),
        ({"selector": {"matchLabels": {"tier": "fast"}}}, "data"),
    ],
)
def test_a_claim_is_a_volume_of_podman(spec: dict[str, Any], expected: str) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec},
    }
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "a", "image": "x"}], "volumes": [volume]},
    }
    stack = parse_options({"name": "s"}, [claim, document])
    assert [one.name for one in stack.volumes] == [expected]
    used = stack.pods[0].volumes[0].persistent_volume_claim
    assert used
    assert used.claim_name == expected
