# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and limits as the kernel has them, of containers and of the pod; what the host has no room for."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pod_runs import Options, PodRuns, cgroup_path, container, pod, read_shares, write_memory_limit

from ansible_collections.podwright.pods.plugins.module_utils._errors import Refused
from ansible_collections.podwright.pods.plugins.module_utils._host.podman import service as podman_service

pytestmark = pytest.mark.integration

MEBIBYTE = 1 << 20


def limited(name: str = "main", cpu: str = "200m", memory: str = "32Mi", **fields: object) -> Options:
    return container(name, resources={"limits": {"cpu": cpu, "memory": memory}}, **fields)


def test_limits_are_in_the_cgroups(pods: PodRuns) -> None:
    options = pod(limited("one"), limited("two", "300m", "16Mi"))
    pods.create(options)
    assert pods.limits("web-one") == (32 * MEBIBYTE, 20_000)
    assert pods.limits("web-two") == (16 * MEBIBYTE, 30_000)
    assert pods.pod_limits("web") == (48 * MEBIBYTE, 50_000)
    assert cgroup_path(pods.pid("web-one")).startswith(pods.pod_cgroup("web") + "/")


def test_pod_without_limits_has_none(pods: PodRuns) -> None:
    pods.create(pod(limited("one"), container("two")))
    assert pods.limits("web-two") == (None, None)
    assert pods.pod_limits("web") == (None, None)


def test_requests_are_shares(pods: PodRuns) -> None:
    main = container(resources={"requests": {"cpu": "250m", "memory": "8Mi"}})
    options = pod(main)
    pods.create(options)
    assert pods.limits("web-main") == (None, None)
    if (Path("/sys/fs/cgroup") / "cpu").is_dir():
        assert read_shares(cgroup_path(pods.pid("web-main"))) == 256
        assert read_shares(pods.pod_cgroup("web")) == 256
    main["resources"]["requests"]["cpu"] = "500m"
    before = pods.identity("web-main")
    pods.apply(options)
    pods.unchanged(options)
    assert pods.identity("web-main") == before
    if (Path("/sys/fs/cgroup") / "cpu").is_dir():
        assert read_shares(cgroup_path(pods.pid("web-main"))) == 512
        assert read_shares(pods.pod_cgroup("web")) == 512


def test_limits_of_the_pod_itself(pods: PodRuns) -> None:
    options = pod(container("one"), limited("two"), resources={"limits": {"cpu": "400m", "memory": "64Mi"}})
    pods.create(options)
    assert pods.pod_limits("web") == (64 * MEBIBYTE, 40_000)
    assert pods.limits("web-one") == (None, None)
    before = pods.identity("web-one"), pods.identity("web-two")
    options["resources"]["limits"]["memory"] = "80Mi"
    pods.change(options, ["record pod web: resources changed", "resize pod web: its containers are about to grow"])
    assert pods.pod_limits("web") == (80 * MEBIBYTE, 40_000)
    options["resources"]["limits"]["memory"] = "64Mi"
    pods.change(options, ["record pod web: resources changed", "resize pod web: the sum of its limits is less"])
    assert pods.pod_limits("web") == (64 * MEBIBYTE, 40_000)
    assert (pods.identity("web-one"), pods.identity("web-two")) == before


def test_limits_are_for_the_pods_own_processes(pods: PodRuns) -> None:
    """What Podman keeps beside a container would use up the memory of a small pod, and be held up by its CPU limit.

    The monitor of the infra container is the one that cannot be kept out.
    """
    main = limited("main", "100m", "16Mi", readiness_probe={"exec": {"command": ["true"]}, "timeout_seconds": 30})
    pods.create(pod(main), wait=True)
    expected = ["catatonit", "conmon", "sh", "sleep"]
    assert pods.programs_in_cgroup("web") == expected
    with podman_service.connect() as session:
        for _try in range(5):
            assert session.exec("web-main", ["true"], timeout_seconds=60).exit_code == 0
    assert pods.programs_in_cgroup("web") == expected
    assert pods.pod_limits("web") == (16 * MEBIBYTE, 10_000)


def test_limits_of_a_pod_that_is_stopped_and_started(pods: PodRuns) -> None:
    """It has none while its infra container ends, and those of its new declaration once it runs again."""
    main = limited()
    options = pod(main)
    pods.create(options)
    stopped = {**options, "state": "stopped"}
    assert pods.apply(stopped)["changed"]
    pods.unchanged(stopped)
    main["resources"]["limits"]["memory"] = "24Mi"
    assert not any("resize pod" in line for line in pods.apply(options)["actions"])
    assert pods.pod_limits("web") == pods.limits("web-main") == (24 * MEBIBYTE, 20_000)
    pods.unchanged(options)


def test_resize_in_place(pods: PodRuns) -> None:
    """The pod's cgroup grows before its containers and shrinks after them; nothing starts anew."""
    pods.create(pod(limited("one"), limited("two")))
    before = pods.identity("web-one"), pods.identity("web-two")
    grown = pod(limited("one", "400m", "64Mi"), limited("two"))
    pods.change(
        grown,
        [
            "record pod web: containers changed",
            "resize pod web: its containers are about to grow",
            "resize container web/one: cpu and memory changed",
        ],
    )
    assert pods.limits("web-one") == (64 * MEBIBYTE, 40_000)
    assert pods.pod_limits("web") == (96 * MEBIBYTE, 60_000)
    moved = pod(limited("one", "400m", "16Mi"), limited("two", "100m", "64Mi"))
    pods.change(
        moved,
        [
            "record pod web: containers changed",
            "resize container web/one: memory changed",
            "resize container web/two: cpu and memory changed",
            "resize pod web: the sum of its limits is less",
        ],
    )
    assert pods.limits("web-one") == (16 * MEBIBYTE, 40_000)
    assert pods.limits("web-two") == (64 * MEBIBYTE, 10_000)
    assert pods.pod_limits("web") == (80 * MEBIBYTE, 50_000)
    unlimited = pod(container("one"), container("two"))
    pods.change(
        unlimited,
        [
            "record pod web: containers changed",
            "resize pod web: its containers are about to grow",
            "resize container web/one: cpu and memory changed",
            "resize container web/two: cpu and memory changed",
            "resize pod web: the sum of its limits is less",
        ],
    )
    assert pods.limits("web-one") == pods.limits("web-two") == pods.pod_limits("web") == (None, None)
    assert (pods.identity("web-one"), pods.identity("web-two")) == before


def test_resize_policy(pods: PodRuns) -> None:
    policy = [{"resource_name": "memory", "restart_policy": "RestartContainer"}]
    pods.create(pod(limited(resize_policy=policy)))
    before = pods.identity("web-main")
    pods.apply(pod(limited(cpu="300m", resize_policy=policy)))
    assert pods.identity("web-main") == before
    assert pods.limits("web-main") == (32 * MEBIBYTE, 30_000)
    cause = "memory changed, and its resize policy is RestartContainer"
    pods.change(
        pod(limited(cpu="300m", memory="24Mi", resize_policy=policy)),
        [
            "record pod web: containers changed",
            f"stop container web/main: {cause}",
            f"remove container web/main: {cause}",
            f"create container web/main: {cause}",
            f"start container web/main: {cause}",
            "resize pod web: the sum of its limits is less",
        ],
    )
    assert pods.limits("web-main") == (24 * MEBIBYTE, 30_000)
    assert pods.identity("web-main")[0] != before[0]


def test_limits_changed_by_hand_are_set_again(pods: PodRuns) -> None:
    options = pod(limited())
    pods.create(options)
    before = pods.identity("web-main")
    pods.host.podman("update", "--cpus", "0.05", "--memory", "20m", "--memory-swap", "20m", "web-main")
    assert pods.limits("web-main") == (20 * MEBIBYTE, 5_000)
    pods.change(options, ["resize container web/main: cpu and memory changed"])
    assert pods.limits("web-main") == (32 * MEBIBYTE, 20_000)
    write_memory_limit(pods.pod_cgroup("web"), 64 * MEBIBYTE)
    pods.change(options, ["resize pod web: the sum of its limits is less"])
    assert pods.pod_limits("web")[0] == 32 * MEBIBYTE
    assert pods.identity("web-main") == before


def test_memory_over_the_limit_is_an_oom_kill(pods: PodRuns) -> None:
    main = container(script="tail /dev/zero", resources={"limits": {"memory": "16Mi"}})
    failure = pods.fail(pod(main, restart_policy="Never"), wait=True, wait_timeout=20)
    assert (failure.container, failure.reason) == ("main", "Error")
    assert re.search(r"exited with code 137: killed,?( perhaps)? at its memory limit of 16Mi", str(failure))
    ended = pods.status_of("web")["containerStatuses"][0]["state"]["terminated"]
    # Podman cannot tell on every kernel why it was killed.
    is_told = pods.host.inspect("web-main")["State"]["OOMKilled"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled" if is_told else "Error", 137)


def test_quality_of_service_and_oom_score(pods: PodRuns) -> None:
    guaranteed = pods.create(pod(limited()))
    assert guaranteed["pod"]["status"]["qosClass"] == "Guaranteed"
    pods.apply(pod(container("main", resources={"requests": {"memory": "1Gi"}}), name="half"))
    capacity = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    expected = 1000 - 1000 * (1 << 30) // capacity
    assert int(Path(f"/proc/{pods.pid('half-main')}/oom_score_adj").read_text()) == expected
    pods.apply(pod(name="none"))
    assert int(Path(f"/proc/{pods.pid('none-main')}/oom_score_adj").read_text()) == 1000


# --- room on the host ------------------------------------------------------------------------------------------------


def asking(name: str, cpu: str, memory: str) -> Options:
    return pod(container(resources={"requests": {"cpu": cpu, "memory": memory}}), name=name)


def test_what_does_not_fit_is_refused(pods: PodRuns) -> None:
    room = {"cpu": "2", "memory": "1Gi", "pods": 2}
    pods.create(asking("one", "1500m", "600Mi"), allocatable=room)
    text = pods.refuse(asking("two", "600m", "600Mi"), Refused, allocatable=room)
    assert text == (
        "two: OutOfcpu: CPU requested: 600m, used by other pods: 1500m, capacity: 2000m; "
        "lower the requests, remove other pods, or raise allocatable; "
        "two: OutOfmemory: memory requested: 600Mi, used by other pods: 600Mi, "
        "capacity: 1Gi; lower the requests, remove other pods, or raise allocatable"
    )
    assert pods.names() == ["one-infra", "one-main"]
    # What it asked for itself does not count against a pod.
    pods.apply(asking("one", "2", "1Gi"), allocatable=room)
    pods.apply(asking("two", "0", "0"), allocatable=room)
    text = pods.refuse(pod(name="three"), Refused, allocatable=room)
    assert text.startswith("three: OutOfpods: pods requested: 1, used by other pods: 2, capacity: 2;")
    pods.apply({"name": "one", "state": "absent"})
    pods.apply(asking("two", "600m", "600Mi"), allocatable=room)


def test_more_than_the_host_has_is_refused(pods: PodRuns) -> None:
    text = pods.refuse(asking("huge", "100000", "1Pi"), Refused)
    assert re.search(rf"OutOfcpu: CPU requested: 100000000m, .* capacity: {os.cpu_count()}000m", text)
    assert "OutOfmemory" in text
    # An update that does not fit leaves what runs alone.
    pods.create(asking("huge", "100m", "1Mi"))
    before = pods.identity("huge-main")
    pods.refuse(asking("huge", "100000", "1Mi"), Refused)
    assert pods.identity("huge-main") == before
