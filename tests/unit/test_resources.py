# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.module_utils._declaration import resources
from ansible_collections.podwright.pods.plugins.module_utils._declaration.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.quantity import Quantity
from ansible_collections.podwright.pods.plugins.module_utils._declaration.resources import (
    ContainerResources,
    PodCgroup,
    ResourceRequirements,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import LiveLimits
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.rendering.limits import weighed, words_of_end

DATA = Path(__file__).parent / "data"
CPU_SHARES, POD_REQUESTS, QOS, OOM_SCORE = (
    json.loads((DATA / f"{name}.json").read_text()) for name in ("cpu_shares", "pod_requests", "qos", "oom_score")
)


def rows(table, name="rows"):
    return [pytest.param(row, id=f"{number}-{next(iter(row.values()))}") for number, row in enumerate(table[name])]


def amounts(texts):
    return {name: Quantity.parse(text) for name, text in texts.items()}


def requirements(row):
    return ResourceRequirements(amounts(row["requests"]), amounts(row["limits"]))


def container(role="app", requests=None, limits=None):
    return ContainerResources(ResourceRequirements(amounts(requests or {}), amounts(limits or {})), role)


# -- CPU in cgroup terms


@pytest.mark.parametrize("row", rows(CPU_SHARES, "milli_to_shares") + rows(CPU_SHARES, "milli_to_shares_known"))
def test_cpu_shares(row):
    assert resources.cpu_shares(row["milliCPU"]) == row["shares"]


@pytest.mark.parametrize("row", rows(CPU_SHARES, "shares_to_milli"))
def test_cpu_millicores_from_shares(row):
    assert resources.cpu_millicores_from_shares(row["shares"]) == row["milliCPU"]


@pytest.mark.parametrize("row", rows(CPU_SHARES, "milli_to_quota") + rows(CPU_SHARES, "milli_to_quota_custom_period"))
def test_cpu_quota(row):
    assert resources.cpu_quota_us(row["milliCPU"], row["period"]) == row["quota"]


@pytest.mark.parametrize("row", rows(CPU_SHARES, "quota_to_milli"))
def test_cpu_millicores_from_quota(row):
    assert resources.cpu_millicores_from_quota(row["quota"], row["period"]) == row["milliCPU"]


def test_constants():
    constants = CPU_SHARES["constants"]
    assert constants["minShares"] == resources.MIN_CPU_SHARES
    assert constants["maxShares"] == resources.MAX_CPU_SHARES
    assert constants["sharesPerCPU"] == resources.CPU_SHARES_PER_CORE
    assert constants["quotaPeriodUs"] == resources.CPU_PERIOD_US
    assert constants["minQuotaUs"] == resources.MIN_CPU_QUOTA_US
    assert resources.cpu_quota_us(constants["minMilliCPULimit"]) == constants["minQuotaUs"]


WEIGHTS = CPU_SHARES["cgroup_v2_weight"]


@pytest.mark.parametrize("row", rows(WEIGHTS, "observed") + rows(WEIGHTS, "computed_not_observed"))
def test_cpu_weight(row):
    assert resources.cpu_weight_linear(row["shares"]) == row["old"]
    assert resources.cpu_weight_quadratic(row["shares"]) == row["new"]


@pytest.mark.parametrize("formula", [resources.cpu_weight_linear, resources.cpu_weight_quadratic])
def test_a_weight_is_changed_by_the_formula_that_made_it(formula):
    """A pod whose share grows does not come to outweigh those that were left as they are."""
    found = LiveLimits(None, None, cpu_weight=formula(358))
    assert weighed(LiveLimits(None, None, 409), found, 358).cpu_weight == formula(409)


def test_cgroups_v1_have_no_weight():
    wanted = LiveLimits(None, None, 409)
    assert weighed(wanted, LiveLimits(None, None, 358), 358) == wanted


@given(st.integers(-10, 300_000))
def test_cpu_weight_stays_in_range(shares):
    for weight in (resources.cpu_weight_linear, resources.cpu_weight_quadratic):
        assert 1 <= weight(shares) <= weight(shares + 1) <= 10_000


@given(st.integers(2, 256_000))
def test_cpu_shares_read_back(cpu_millicores):
    assert resources.cpu_millicores_from_shares(resources.cpu_shares(cpu_millicores)) == cpu_millicores


@given(st.integers(10, 10**7))
def test_cpu_quota_reads_back(cpu_millicores):
    assert resources.cpu_millicores_from_quota(resources.cpu_quota_us(cpu_millicores)) == cpu_millicores


# -- Requests and limits


def test_requests_default_to_limits():
    given_limits = ResourceRequirements(amounts({"cpu": "100m"}), amounts({"cpu": "1", "memory": "1Gi"}))
    effective = given_limits.effective()
    assert effective == ResourceRequirements(amounts({"cpu": "100m", "memory": "1Gi"}), given_limits.limits)
    assert effective.effective() == effective


def test_amounts_round_up():
    assert resources.cpu_millicores(amounts({"cpu": "1500u"})) == 2
    assert resources.memory_bytes(amounts({"memory": "1500m"})) == 2
    assert resources.cpu_millicores({}) == resources.memory_bytes({}) == 0


def row_containers(row):
    def read(declared, role):
        texts = {name: text for name, text in declared.items() if name not in ("name", "sidecar")}
        return container("sidecar" if declared.get("sidecar") else role, texts)

    return [read(c, "init") for c in row["init_containers"]] + [read(c, "app") for c in row["containers"]]


@pytest.mark.parametrize("row", rows(POD_REQUESTS))
def test_pod_requests(row):
    assert resources.pod_requests(row_containers(row), amounts(row["overhead"])) == amounts(row["expected"])


def test_pod_requests_count_limits_where_requests_are_left_out():
    pod = [container(limits={"memory": "1Gi"}), container(requests={"memory": "1Gi"})]
    assert resources.pod_requests(pod) == amounts({"memory": "2Gi"})


@pytest.mark.parametrize(
    ("pod", "overhead", "expected"),
    [
        pytest.param([], {}, {}, id="no containers"),
        pytest.param(
            [container(limits={"cpu": "1", "memory": "1Gi"}), container(limits={"cpu": "2"})],
            {"cpu": "1", "memory": "1Gi"},
            {"cpu": "4"},
            id="a limit one container lacks is none",
        ),
        pytest.param(
            [container("init"), container(limits={"cpu": "1"})], {}, {}, id="an init container without a limit counts"
        ),
        pytest.param([container(limits={"cpu": "1"}), container(limits={"cpu": "0"})], {}, {}, id="zero is no limit"),
        pytest.param(
            [
                container("sidecar", limits={"cpu": "1"}),
                container("init", limits={"cpu": "8"}),
                container(limits={"cpu": "2"}),
            ],
            {},
            {"cpu": "9"},
            id="init beside a sidecar is the peak",
        ),
    ],
)
def test_pod_limits(pod, overhead, expected):
    assert resources.pod_limits(pod, amounts(overhead)) == amounts(expected)


@pytest.mark.parametrize("row", rows(CPU_SHARES, "pod_resource_config"))
def test_pod_cgroup(row):
    expected = row["expected"]
    assert resources.pod_cgroup([ContainerResources(requirements(c)) for c in row["containers"]]) == PodCgroup(
        expected["cpuShares"], expected["cpuQuota"], expected["cpuPeriod"], expected["memory"]
    )


@pytest.mark.parametrize(
    ("requests", "limits", "expected"),
    [
        pytest.param({}, {"cpu": "2"}, PodCgroup(102, 200_000, 100_000, None), id="request from the containers"),
        pytest.param({}, {"memory": "1Gi"}, PodCgroup(102, None, None, 2**30), id="limits only what it names"),
        pytest.param({"cpu": "1"}, {"cpu": "2"}, PodCgroup(1024, 200_000, 100_000, None), id="its own request wins"),
    ],
)
def test_pod_level_resources_win(requests, limits, expected):
    pod_level = ResourceRequirements(amounts(requests), amounts(limits))
    assert resources.pod_cgroup([container(requests={"cpu": "100m"})], pod_level=pod_level) == expected


def test_pod_level_request_defaults_to_its_limit():
    pod_level = ResourceRequirements({}, amounts({"cpu": "1", "memory": "1Gi"}))
    assert resources.qos_class([container()], pod_level) == "Guaranteed"
    assert resources.qos_class([container(requests={"cpu": "100m"})], pod_level) == "Burstable"


# -- QoS


@pytest.mark.parametrize("row", rows(QOS))
def test_qos_class(row):
    pod = [ContainerResources(requirements(c), "init") for c in row.get("init_containers", [])]
    pod += [ContainerResources(requirements(c)) for c in row["containers"]]
    pod_level = requirements(row["pod_resources"]) if "pod_resources" in row else None
    assert resources.qos_class(pod, pod_level) == row["expected"]


def test_limits_alone_are_guaranteed():
    assert resources.qos_class([container(limits={"cpu": "1", "memory": "1Gi"})]) == "Guaranteed"


def test_one_unlimited_container_is_burstable():
    limited = container(limits={"cpu": "1", "memory": "1Gi"})
    assert resources.qos_class([limited, container(limits={"cpu": "1"})]) == "Burstable"


@pytest.mark.parametrize("row", rows(OOM_SCORE))
def test_oom_score_adj(row):
    score = resources.oom_score_adj(row["qos"], row["memory_request"], row["memory_capacity"])
    low, high = row["expected"] if isinstance(row["expected"], list) else (row["expected"], row["expected"])
    assert low <= score <= high


def test_a_sidecar_is_not_killed_before_its_apps():
    apps = (4000, 6000)
    assert resources.oom_score_adj("Burstable", 1000, 10_000, apps) == 600
    assert resources.oom_score_adj("Burstable", 5000, 10_000, apps) == 500
    assert resources.oom_score_adj("BestEffort", 0, 10_000, (0,)) == 1000


@given(st.integers(0, 10**13), st.integers(1, 10**13))
def test_burstable_score_stays_between_the_other_classes(request_bytes, capacity_bytes):
    assert 3 <= resources.oom_score_adj("Burstable", request_bytes, capacity_bytes) <= 999


@pytest.mark.parametrize(
    ("limits", "exit_code", "is_out_of_memory", "words"),
    [
        ({}, 1, False, "exited with code 1"),
        ({}, 137, None, "exited with code 137"),
        ({}, 137, True, "exited with code 137: killed at its memory limit"),
        ({"memory": "8Mi"}, 1, None, "exited with code 1"),
        ({"memory": "8Mi"}, 137, True, "exited with code 137: killed at its memory limit of 8Mi"),
        ({"memory": "8Mi"}, 137, False, "exited with code 137: killed, perhaps at its memory limit of 8Mi"),
        # Not the first process of the container was killed, and that one gave up.
        ({"memory": "8Mi"}, 1, True, "exited with code 1: killed at its memory limit of 8Mi"),
    ],
)
def test_what_is_said_of_an_end(limits, exit_code, is_out_of_memory, words):
    (container,) = parse_options(
        {"name": "p", "containers": [{"name": "c", "image": "i", "resources": {"limits": limits}}]}
    ).containers
    assert words_of_end(container, exit_code, is_out_of_memory) == words
