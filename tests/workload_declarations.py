# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated workloads, of every kind and with every field, around pods that were generated before.

They are built as specs, valid by construction, so that the parser is judged by them and not the other way about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from pods import maybe, tuples_of

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.quantity import Quantity
from ansible_collections.podwright.pods.plugins.module_utils._declaration.volume_spec import NamedVolume
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import spec as w

Draw = Any

counts = st.integers(0, 9)
_words = st.sampled_from(["a", "front", "x1"])
_labels = st.dictionaries(_words, _words, max_size=2)
_shares = st.integers(1, 5) | st.sampled_from(["1%", "25%", "100%"])
_fields = st.fixed_dictionaries({"labels": _labels, "annotations": st.dictionaries(_words, _words, max_size=2)})
_kept = {"min_ready_seconds": counts}
_historic = {**_kept, "revision_history_limit": counts}


def _quiet(container: s.Container) -> s.Container:
    return replace(container, ports=tuple(replace(port, host_port=None) for port in container.ports))


def _template(pod: s.PodSpec, name: str, restart_policy: Any) -> s.PodSpec:
    """The pod as what a workload of this name makes its pods from: as many as it likes, and selected by a label."""
    return replace(
        pod,
        name=name,
        labels={**pod.labels, "app": name},
        infra=replace(pod.infra, name=None),
        restart_policy=restart_policy,
        active_deadline_seconds=pod.active_deadline_seconds if restart_policy != "Always" else None,
        min_ready_seconds=None,
        host_network=False,
        config_maps=(),
        secrets=(),
        containers=tuple(map(_quiet, pod.containers)),
        init_containers=tuple(map(_quiet, pod.init_containers)),
    )


@st.composite
def _selectors(draw: Draw, template: s.PodSpec) -> w.Selector:
    """A selector that selects the template."""
    name = template.labels["app"]
    matching = [
        w.Requirement("app", "In", ("other", name)),
        w.Requirement("app", "NotIn", ("other",)),
        w.Requirement("app", "Exists"),
        w.Requirement("nowhere", "DoesNotExist"),
    ]
    labels = draw(st.sampled_from([dict(template.labels), {"app": name}]))
    return w.Selector(labels, draw(tuples_of(st.sampled_from(matching))))


_ROLLING_UPDATES = st.builds(w.RollingUpdate, _shares | st.just(0), _shares) | st.just(w.RollingUpdate(1, 0))
_STRATEGIES = st.just(w.DeploymentStrategy("Recreate", None)) | st.builds(
    w.DeploymentStrategy, st.just("RollingUpdate"), _ROLLING_UPDATES
)
_SET_STRATEGIES = st.just(w.StatefulSetStrategy("OnDelete", None)) | st.builds(
    w.StatefulSetStrategy, st.just("RollingUpdate"), st.builds(w.RollingUpdateOfSet, counts, _shares)
)
_DAEMON_STRATEGIES = st.just(w.DaemonSetStrategy("OnDelete", None)) | st.builds(
    w.DaemonSetStrategy,
    st.just("RollingUpdate"),
    st.builds(w.RollingUpdateOfDaemons, st.just(0), _shares) | st.builds(w.RollingUpdateOfDaemons, _shares, st.just(0)),
)
_RETENTION = st.builds(w.ClaimRetention, *[st.sampled_from(["Retain", "Delete"])] * 2)
_CLAIMS = tuples_of(
    st.builds(
        NamedVolume,
        st.sampled_from(["own-data", "own-log"]),
        maybe(st.just(Quantity.parse("1Gi"))),
        st.sampled_from(["local", "own"]),
        st.dictionaries(_words, _words, max_size=1),
    ),
    unique_by="name",
)
_KINDS: dict[type[Any], dict[str, st.SearchStrategy[Any]]] = {
    w.Deployment: {
        **_historic,
        "replicas": counts,
        "strategy": _STRATEGIES,
        "progress_deadline_seconds": st.integers(10, 900),
        "paused": st.booleans(),
        "shares_volumes": st.booleans(),
    },
    w.ReplicaSet: {**_kept, "replicas": counts},
    w.ReplicationController: {**_kept, "replicas": counts},
    w.StatefulSet: {
        **_historic,
        "replicas": counts,
        "service_name": maybe(_words),
        "ordinals": st.builds(w.Ordinals, counts),
        "pod_management_policy": st.sampled_from(["OrderedReady", "Parallel"]),
        "update_strategy": _SET_STRATEGIES,
        "volume_claim_templates": _CLAIMS,
        "persistent_volume_claim_retention_policy": _RETENTION,
        "progress_deadline_seconds": st.integers(1, 900),
    },
    w.DaemonSet: {
        **_historic,
        "update_strategy": _DAEMON_STRATEGIES,
        "progress_deadline_seconds": st.integers(1, 900),
    },
}


@st.composite
def _failure_rules(draw: Draw, template: s.PodSpec, has_index_limits: bool) -> w.PodFailureRule:
    action = draw(st.sampled_from(["FailJob", "Ignore", "Count", *(["FailIndex"] if has_index_limits else [])]))
    if draw(st.booleans()):
        patterns = st.builds(w.PodConditionPattern, st.just("DisruptionTarget"), st.sampled_from(["True", "False"]))
        return w.PodFailureRule(action, on_pod_conditions=draw(tuples_of(patterns, least=1)))
    codes = tuple(sorted(draw(st.sets(st.integers(1, 255), min_size=1, max_size=3))))
    name = draw(st.sampled_from([None, template.containers[0].name]))
    return w.PodFailureRule(action, w.ExitCodes(draw(st.sampled_from(["In", "NotIn"])), codes, name))


@st.composite
def _jobs(draw: Draw, pod: s.PodSpec, name: str) -> w.Job:
    has_policy = draw(st.booleans())
    template = _template(pod, name, "Never" if has_policy else draw(st.sampled_from(["Never", "OnFailure"])))
    is_indexed = draw(st.booleans())
    completions = draw(st.integers(1, 9) if is_indexed else maybe(counts))
    limits: dict[str, Any] = {}
    if is_indexed and draw(st.booleans()):
        limits["backoff_limit_per_index"] = draw(counts)
        limits["max_failed_indexes"] = draw(maybe(st.integers(0, completions)))
    if is_indexed and draw(st.booleans()):
        last = draw(st.integers(0, completions - 1))
        indexes = draw(st.sampled_from([None, f"0-{last}", str(last)]))
        count = draw(st.just(1) if indexes is None else maybe(st.just(1)))
        limits["success_policy"] = w.SuccessPolicy((w.SuccessRule(indexes, count),))
    if has_policy:
        rules = _failure_rules(template, "backoff_limit_per_index" in limits)
        limits["pod_failure_policy"] = w.PodFailurePolicy(draw(tuples_of(rules, least=1)))
    policies = ["Failed"] if has_policy else ["Failed", "TerminatingOrFailed"]
    return w.Job(
        name,
        **draw(_fields),
        template=template,
        # Without a number of completions, and of pods at a time, a Job would have one of each.
        parallelism=draw(st.integers(2, 9)),
        completions=completions,
        completion_mode="Indexed" if is_indexed else "NonIndexed",
        backoff_limit=draw(counts),
        active_deadline_seconds=draw(maybe(counts)),
        ttl_seconds_after_finished=draw(maybe(counts)),
        suspend=draw(st.booleans()),
        pod_replacement_policy=draw(st.sampled_from(policies)),
        **limits,
    )


@st.composite
def _cron_jobs(draw: Draw, pod: s.PodSpec, name: str) -> w.CronJob:
    return w.CronJob(
        name,
        **draw(_fields),
        schedule=draw(st.sampled_from(["*/5 * * * *", "@daily", "30 2 * * MON-FRI"])),
        job_template=draw(_jobs(pod, name)),
        time_zone=draw(maybe(st.sampled_from(["Europe/Berlin", "Etc/UTC"]))),
        concurrency_policy=draw(st.sampled_from(["Allow", "Forbid", "Replace"])),
        starting_deadline_seconds=draw(maybe(counts)),
        suspend=draw(st.booleans()),
        successful_jobs_history_limit=draw(counts),
        failed_jobs_history_limit=draw(counts),
        catch_up=draw(st.sampled_from(["latest", "all", "none"])),
    )


def _folders(owner: w.StatefulSet) -> dict[str, s.HostPathVolume]:
    """A folder for each claim of a set."""
    claims = [owner.claim_name(one.name, n) for one in owner.volume_claim_templates for n in owner.ordinal_range]
    return {claim: s.HostPathVolume(f"/srv/{claim}", "DirectoryOrCreate") for claim in claims}


@st.composite
def _of_kind(draw: Draw, kind: type[Any], pod: s.PodSpec, name: str) -> Any:
    if kind is w.Job:
        return draw(_jobs(pod, name))
    if kind is w.CronJob:
        return draw(_cron_jobs(pod, name))
    template = _template(pod, name, "Always")
    selector: Any = draw(_selectors(template))
    if kind is w.ReplicationController:
        selector = selector.match_labels
    given = draw(st.fixed_dictionaries(_KINDS[kind]))
    if kind is w.StatefulSet and draw(st.booleans()):
        given["claim_folders"] = _folders(w.StatefulSet(name, **given))
    return kind(name, **draw(_fields), template=template, selector=selector, **given)


@st.composite
def workloads(draw: Draw, pods: Sequence[s.PodSpec]) -> tuple[w.AnyWorkload, ...]:
    """Up to two workloads in the order of their kinds, each around one of the pods, without their host ports."""
    kinds = draw(st.lists(st.integers(0, len(w.KINDS) - 1), max_size=2).map(sorted))
    return tuple(
        draw(_of_kind(w.KINDS[kind], draw(st.sampled_from(pods)), f"w{number}")) for number, kind in enumerate(kinds)
    )
