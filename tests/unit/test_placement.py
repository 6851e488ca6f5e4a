# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Pods are for a host with these labels, and what of a stack stays there."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._declaration.parse import parse_documents
from ansible_collections.podwright.pods.plugins.module_utils._declaration.place import Note
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.placement import labels_of, mismatch
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.placement import placed, told
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.request import StackRequest, read_request

LABELS = labels_of("Web-1", "aarch64", {"disktype": "ssd", "cores": "8"})
CONTAINERS = [{"name": "a", "image": "x"}]
Document = dict[str, Any]


def reason_for(**spec: Any) -> str:
    """Why a Pod with this spec is not for the host of `LABELS`."""
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": CONTAINERS, **spec},
    }
    notes: list[Note] = []
    return mismatch(parse_documents([document], notes=notes), LABELS)


def required(*terms: Document) -> Document:
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [*terms]}}}


def expressions(*rows: tuple[str, ...]) -> Document:
    made = [{"key": key, "operator": operator, "values": values} for key, operator, *values in rows]
    return {"matchExpressions": made}


@pytest.mark.parametrize(
    ("selector", "reason"),
    [
        ({"kubernetes.io/os": "linux", "beta.kubernetes.io/os": "linux"}, ""),
        ({"kubernetes.io/os": "windows"}, "kubernetes.io/os is windows, and this host is linux"),
        ({"kubernetes.io/arch": "arm64", "beta.kubernetes.io/arch": "arm64"}, ""),
        ({"kubernetes.io/arch": "amd64"}, "kubernetes.io/arch is amd64, and this host is arm64"),
        ({"kubernetes.io/hostname": "web-1", "disktype": "ssd"}, ""),
        ({"disktype": "hdd"}, "disktype is hdd, and this host is ssd"),
        (
            {"example.org/gpu": "", "disktype": "hdd"},
            "disktype is hdd, and this host is ssd; example.org/gpu is , and this host has no such label",
        ),
    ],
)
def test_a_selector_is_met_by_the_labels_of_the_host(selector: dict[str, str], reason: str) -> None:
    assert reason_for(nodeSelector=selector) == reason


@pytest.mark.parametrize(
    ("terms", "is_met"),
    [
        ([expressions(("disktype", "In", "hdd", "ssd"))], True),
        ([expressions(("disktype", "In", "hdd"))], False),
        ([expressions(("zone", "In", "a"))], False),
        ([expressions(("disktype", "NotIn", "hdd"))], True),
        ([expressions(("disktype", "NotIn", "ssd"))], False),
        ([expressions(("zone", "NotIn", "a"))], True),
        ([expressions(("disktype", "Exists"))], True),
        ([expressions(("zone", "Exists"))], False),
        ([expressions(("zone", "DoesNotExist"))], True),
        ([expressions(("disktype", "DoesNotExist"))], False),
        ([expressions(("cores", "Gt", "7"), ("cores", "Lt", "9"))], True),
        ([expressions(("cores", "Gt", "8"))], False),
        ([expressions(("cores", "Lt", "8"))], False),
        ([expressions(("disktype", "Gt", "1"))], False),
        ([expressions(("zone", "Lt", "1"))], False),
        # All expressions of a term, one of the terms.
        ([expressions(("disktype", "In", "ssd"), ("zone", "Exists"))], False),
        ([expressions(("zone", "Exists")), expressions(("disktype", "Exists"))], True),
        # An empty term is met by no host.
        ([{}], False),
        ([{}, expressions(("disktype", "Exists"))], True),
        ([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["web-1"]}]}], True),
        ([{"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["web-1"]}]}], False),
        (
            [
                {
                    **expressions(("disktype", "In", "hdd")),
                    "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["web-1"]}],
                }
            ],
            False,
        ),
    ],
)
def test_a_required_affinity_is_met_as_kubernetes_has_it(terms: list[Document], is_met: bool) -> None:
    assert (reason_for(affinity=required(*terms)) == "") is is_met


def test_the_reason_tells_what_was_wanted_and_what_this_host_is() -> None:
    terms = required(expressions(("disktype", "In", "hdd", "tape"), ("zone", "Exists")), {})
    assert reason_for(affinity=terms) == (
        "its node affinity wants disktype In hdd, tape (here ssd) and zone Exists (here none) or "
        "what no host is (an empty term)"
    )


def test_what_is_preferred_keeps_a_pod_from_no_host() -> None:
    preferred = [{"weight": 1, "preference": expressions(("zone", "Exists"))}]
    assert reason_for(affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}) == ""


# --- stacks ----------------------------------------------------------------------------------------------------------


def pod(name: str, selector: dict[str, str] | None = None, claim: str = "") -> Document:
    claimed = [{"name": "data", "persistent_volume_claim": {"claim_name": claim}}] if claim else []
    return {"name": name, "containers": CONTAINERS, "node_selector": selector or {}, "volumes": claimed}


def daemon_set(name: str, selector: dict[str, str]) -> Document:
    return {"name": name, "template": {"labels": {"app": name}, "containers": CONTAINERS, "node_selector": selector}}


def request_for(**options: Any) -> StackRequest:
    return read_request({"name": "shop", **options}, is_check=True)


HDD, SSD = {"disktype": "hdd"}, {"disktype": "ssd"}


def test_what_is_for_another_host_is_taken_out_with_all_that_only_it_uses() -> None:
    request = request_for(
        pods=[pod("db", HDD, "old"), pod("web", SSD, "data"), pod("log", None, "old-and-new")],
        daemon_sets=[daemon_set("metrics", HDD), daemon_set("agent", SSD)],
        depends_on={
            "web": [{"pod": "db"}, {"pod": "log"}, {"workload": "DaemonSet/metrics"}, {"workload": "DaemonSet/agent"}],
            "log": [{"workload": "DaemonSet/metrics"}],
            "DaemonSet/metrics": [{"pod": "db"}],
        },
        volumes=[{"name": name} for name in ("old", "data", "old-and-new", "spare")],
    )
    here, elsewhere = placed(request, LABELS)
    assert here.stack is not None
    assert [one.name for one in here.stack.pods] == ["web", "log"]
    assert [one.name for one in here.stack.workloads] == ["agent"]
    depends_on = {name: [one.on for one in of] for name, of in here.stack.depends_on.items()}
    assert depends_on == {"web": ["log", "DaemonSet/agent"]}
    # What nobody claims is the stack's all the same.
    assert [one.name for one in here.stack.volumes] == ["data", "old-and-new", "spare"]
    assert [str(one) for one in elsewhere] == [
        "the Pod db is not for this host, and skipped: disktype is hdd, and this host is ssd",
        "the DaemonSet metrics is not for this host, and skipped: disktype is hdd, and this host is ssd",
    ]


def test_a_stack_that_is_all_for_this_host_is_left_as_it_is() -> None:
    request = request_for(pods=[pod("web", SSD)])
    assert placed(request, LABELS) == (request, ())
    assert told({"changed": False}, ()) == {"changed": False}


def test_a_stack_that_is_all_elsewhere_is_no_empty_declaration() -> None:
    here, elsewhere = placed(request_for(pods=[pod("web", HDD)]), LABELS)
    assert here.stack is not None
    assert (here.stack.pods, here.allow_empty, len(elsewhere)) == ((), True, 1)


def test_no_declaration_no_placement() -> None:
    request = read_request({"name": "shop", "state": "absent"}, is_check=True)
    assert placed(request, LABELS) == (request, ())


def test_the_result_tells_what_was_skipped_beside_what_was_removed() -> None:
    _here, elsewhere = placed(request_for(pods=[pod("web", HDD), pod("db", HDD)]), LABELS)
    removed = {"kind": "Pod", "name": "web", "result": "removed", "actions": []}
    result = told({"changed": True, "objects": [removed], "notes": ["before"]}, elsewhere)
    assert result["objects"] == [
        removed,
        {"kind": "Pod", "name": "db", "result": "skipped", "reason": "disktype is hdd, and this host is ssd"},
    ]
    assert [note.partition(" is not")[0] for note in result["notes"]] == ["before", "the Pod web", "the Pod db"]
