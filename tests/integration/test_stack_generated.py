# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated stacks on real Podman: a second run finds nothing to do, and where a stack came from leaves no trace."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from podman_host import BUSYBOX, PodmanHost
from pods import Site, runnable_pods

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import run as stack_run

pytestmark = pytest.mark.integration

IS_FULL = bool(os.environ.get("PODWRIGHT_TEST_FULL"))
NAMES = ("one", "two", "three")


@st.composite
def stack_options(draw: st.DrawFn, directory: str) -> dict[str, Any]:
    """The options of a stack of one to three pods, which share their configuration; one may wait for another."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    pods: list[dict[str, Any]] = []
    shared: dict[str, Any] = {}
    for name in names:
        first_port = 28100 + 10 * NAMES.index(name)
        site = Site(BUSYBOX, name, tuple(range(first_port, first_port + 10)), f"{directory}/{name}")
        options = s.to_options(draw(runnable_pods(site)))
        shared = {group: options.pop(group) for group in ("config_maps", "secrets")}
        pods.append(options)
    waits = {names[0]: [{"pod": names[-1]}]} if len(names) > 1 and draw(st.booleans()) else {}
    return {"name": "generated", "pods": pods, "depends_on": waits, "wait_timeout": 60, **shared}


def apply(options: dict[str, Any]) -> dict[str, Any]:
    """One run, held to what check mode said of it, and to changing nothing when it is run again."""
    predicted = stack_run.run_stack(options, True)
    told = stack_run.run_stack(options, False)
    assert told["actions"] == predicted["actions"]
    again = stack_run.run_stack(options, False)
    assert (again["actions"], again["changed"]) == ([], False)
    return told


def held(host: PodmanHost) -> dict[str, Any]:
    """What a stack makes of its host, by name: containers as they were made, and files that were written."""
    containers = {name: (each["Labels"], each["Image"], each["IsInfra"]) for name, each in host.containers().items()}
    pods = host.state_directory / "pods"
    files = {
        str(path.relative_to(pods)): (path.read_bytes(), path.stat().st_mode)
        for path in pods.glob("*/files/*/..data/**/*")
        if path.is_file()
    }
    return {"containers": containers, "files": files}


@settings(
    max_examples=100 if IS_FULL else 4,
    derandomize=not IS_FULL,
    report_multiple_bugs=False,
    suppress_health_check=[*HealthCheck],
)
@given(st.data())
def test_the_way_to_a_stack_does_not_matter(in_host: PodmanHost, tmp_path: Path, data: st.DataObject) -> None:
    in_host.clean()
    one, other = (data.draw(stack_options(str(tmp_path))) for _turn in range(2))
    apply(one)
    fresh = held(in_host)
    apply(other)
    apply(one)
    assert held(in_host) == fresh
    stack_run.run_stack({"name": "generated", "state": "absent"}, False)
    assert in_host.containers() == {}
