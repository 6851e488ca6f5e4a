# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks whose runs are killed or meet each other, and one that is large: only what has to changes."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pod_runs import Options, container, plan, pod
from podman_host import PodmanHost
from stack_runs import StackRuns, results

from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import run as stack_run
from playbooks import HERE, REPOSITORY

IS_FULL = bool(os.environ.get("PODWRIGHT_TEST_FULL"))
KILL_STEP = 1 if IS_FULL else 30
PODS = 50 if IS_FULL else 12
SHARES = 10

pytestmark = pytest.mark.integration


def apply_elsewhere(
    host: PodmanHost, directory: Path, options: Options, kill_after: int = 1000
) -> subprocess.Popen[str]:
    """A run in a process of its own, which is killed right after so many operations."""
    path = directory / f"options-{kill_after}.json"
    path.write_text(json.dumps(options))
    return subprocess.Popen(
        [sys.executable, HERE / "interruption.py", path, str(kill_after)],
        env={**host.environment, "PYTHONPATH": str(REPOSITORY / "collections")},
        stderr=subprocess.PIPE,
        text=True,
    )


def was_killed(process: subprocess.Popen[str]) -> bool:
    _output, errors = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), errors
    return process.returncode != 0


# --- killed ----------------------------------------------------------------------------------------------------------


def workshop(level: str, *names: str) -> Options:
    """Pods that depend on each other in a chain; they share a volume, a network, a file, a variable and a secret."""
    env = [
        {"name": "LEVEL", "value_from": {"config_map_key_ref": {"name": "settings", "key": "level"}}},
        {"name": "TOKEN", "value_from": {"secret_key_ref": {"name": "tokens", "key": "made"}}},
    ]
    volumes = [
        {"name": "data", "persistent_volume_claim": {"claim_name": "workshop-data"}},
        {"name": "page", "config_map": {"name": "settings"}},
    ]
    mounts = [{"name": volume["name"], "mount_path": f"/{volume['name']}"} for volume in volumes]
    return {
        "name": "workshop",
        "pods": [
            pod(container(env=env, volume_mounts=mounts), name=name, volumes=volumes, networks=["workshop"])
            for name in names
        ],
        "depends_on": {later: [{"pod": earlier}] for earlier, later in itertools.pairwise(names)},
        "config_maps": [{"name": "settings", "data": {"level": level}}],
        "secrets": [{"name": "tokens", "generate": {"made": 16}}],
        "volumes": [{"name": "workshop-data"}],
        "networks": [{"name": "workshop", "dns": False}],
    }


def test_killed_anywhere_the_next_run_converges(runs: StackRuns, tmp_path: Path) -> None:
    """Five pods become five others: two go, two come, three restart. Killed after each operation, or some of them."""
    first = workshop("1", "a", "b", "c", "d", "e")
    second = workshop("2", "f", "c", "b", "g", "e")
    number, is_killed = 1, True
    while is_killed:
        stack_run.run_stack({"name": "workshop", "state": "absent"}, False)
        stack_run.run_stack(first, False)
        is_killed = was_killed(apply_elsewhere(runs.host, tmp_path, second, number))
        revision = runs.info("workshop")
        assert revision["revision"] in (1, 2), f"after operation {number}"
        assert [entry["number"] for entry in revision["revisions"]] == [1, 2][: revision["revision"]]
        stack_run.run_stack(second, False)
        runs.unchanged(second)
        assert {name.partition("-")[0] for name in runs.host.containers()} == {"b", "c", "e", "f", "g"}
        assert (runs.info("workshop")["revision"], runs.info("workshop")["is_good"]) == (2, True)
        number += KILL_STEP
    assert number > 25


# --- two at once -----------------------------------------------------------------------------------------------------


def test_two_control_nodes_at_once_end_as_one_of_them(runs: StackRuns, tmp_path: Path) -> None:
    declared = [workshop("1", "a", "b", "c"), workshop("2", "b", "c", "d")]
    processes = [
        apply_elsewhere(runs.host, tmp_path, options, kill_after=1000 + number)
        for number, options in enumerate(declared)
    ]
    assert [was_killed(process) for process in processes] == [False, False]
    assert sum(not stack_run.run_stack(options, True)["changed"] for options in declared) == 1
    assert runs.info("workshop")["revision"] == 2
    left = {frozenset(pod["name"] for pod in options["pods"]) for options in declared}
    assert {name.partition("-")[0] for name in runs.host.containers()} in left


# --- many pods -------------------------------------------------------------------------------------------------------


def many(changed: str = "value") -> Options:
    """Pods of two containers each; ten ConfigMaps and ten Secrets among them. One variable of one is ``changed``."""
    pods = []
    for number in range(PODS):
        share = number % SHARES
        sources = [{"config_map_ref": {"name": f"map-{share}"}}, {"secret_ref": {"name": f"secret-{share}"}}]
        env = [{"name": "WORD", "value": changed if number == PODS // 2 else "value"}]
        pods.append(
            pod(container("one", env_from=sources, env=env), container("two", env_from=sources), name=f"pod-{number}")
        )
    return {
        "name": "many",
        "pods": pods,
        "config_maps": [{"name": f"map-{share}", "data": {"WORDS": f"{share}"}} for share in range(SHARES)],
        "secrets": [{"name": f"secret-{share}", "string_data": {"TOKEN": f"t{share}"}} for share in range(SHARES)],
    }


def test_one_value_of_many_costs_one_container(runs: StackRuns) -> None:
    runs.create(many())
    before = runs.starts()
    assert len(before) == 3 * PODS
    told = runs.create(many(changed="another"))
    assert runs.changed_since(before) == {f"pod-{PODS // 2}-one"}
    assert [name for name, result in results(told).items() if result != "unchanged"] == [f"Pod pod-{PODS // 2}"]
    assert plan(told)[0] == "record revision 2 of stack many: pods changed"
