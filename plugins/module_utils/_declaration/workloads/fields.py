# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of every field of the workloads. The rules that look at more than one are in `rules`.

Source: Kubernetes 1.37, the defaults and the validation of apps/v1, batch/v1 and v1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingT
from dataclasses import dataclass
from typing import Any, cast, get_args

from .. import spec as s
from ..documents import METADATA_IGNORED, SPEC
from ..fields.checks import dns_label, label_key, label_value, object_name, pod_name
from ..fields.pod import HOST_FIELDS, METADATA_FIELDS, SPEC_FIELDS, SPEC_HARMLESS, SPEC_UNSUPPORTED
from ..fields.schema import MAX_INT32, Boolean, Check, Field, Integer, Mapping, Object, Sequence, Text, Type
from ..fields.volume import HOST_PATH
from ..place import Place, shown
from . import cron
from . import spec as w

COUNT = Integer(minimum=0)
MAX_JOB_NAME = 63
MAX_CRON_JOB_NAME = 52
"""The minutes since 1970 and a hyphen come after it in the names of the Jobs."""
MAX_RULES = 20


@dataclass(frozen=True)
class CountOrPercent(Type):
    """A number of pods or a share of them; ``most_percent`` where more than all of them makes no sense."""

    most_percent: int = MAX_INT32
    ansible = "str"

    def parse(self, value: object, at: Place) -> Any:
        percent = re.fullmatch(r"([0-9]{1,9})%", value, re.ASCII) if isinstance(value, str) else None
        if percent is None:
            hint = (
                "" if not isinstance(value, str) or re.fullmatch(r"[-+]?[0-9]+", value) else " or a share such as 25%"
            )
            return at.fault(f"expected a number{hint}, got {shown(value)}") if hint else COUNT.parse(value, at)
        if int(percent[1]) > self.most_percent:
            return at.fault(f"{value} is more than {self.most_percent}%")
        return f"{int(percent[1])}%"


_ANY_SHARE = CountOrPercent()
_PART = CountOrPercent(most_percent=100)


def _schedule(text: str) -> str | None:
    try:
        cron.parse(text)
    except ValueError as error:
        return str(error)
    return None


def _time_zone(text: str) -> str | None:
    """By its form; whether a host knows the zone, that host can tell."""
    if text.lower() == "local":
        return "'Local' is another zone on each host; give its name, such as Europe/Berlin"
    if re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}", text):
        return None
    return f"{shown(text)} is not the name of a time zone such as Europe/Berlin"


def _short_label(limit: int) -> Check:
    def check(text: str) -> str | None:
        if len(text) > limit:
            return f"has {len(text)} characters, at most {limit} are allowed"
        return pod_name(text)

    return check


def _indexes(text: str) -> str | None:
    return None if w.indexes_of(text) is not None else f"{shown(text)} is not a list of indexes such as 0,2-4"


# --- templates of pods -----------------------------------------------------------------------------------------------

_OWN_INFRA = cast(Object, next(field.type for field in HOST_FIELDS if field.name == "infra"))
_INFRA = Object(
    s.Infra,
    tuple(field for field in _OWN_INFRA.fields if field.name != "name"),
    unsupported={"name": "each pod has an infra container of its own"},
)
TEMPLATE_HOST_FIELDS = (
    Field("infra", _INFRA, default=s.Infra()),
    *(field for field in HOST_FIELDS if field.name in ("networks", "log_size_max")),
)
"""What says how this host keeps the pods of a template."""
_METADATA_FIELDS = tuple(field for field in METADATA_FIELDS if field.name != "name")
_SHARED = "give it beside the workloads: the whole stack shares it"
_TEMPLATE_UNSUPPORTED = {
    **SPEC_UNSUPPORTED,
    "name": "pods are named after their workload",
    "min_ready_seconds": "give it beside the template",
    "config_maps": _SHARED,
    "secrets": _SHARED,
}
TEMPLATE = Object(
    dict,
    (*_METADATA_FIELDS, *SPEC_FIELDS, *TEMPLATE_HOST_FIELDS),
    unsupported=_TEMPLATE_UNSUPPORTED,
    harmless=SPEC_HARMLESS,
)
"""The pods of a workload in native options."""
TEMPLATE_METADATA = Object(dict, _METADATA_FIELDS, ignored=METADATA_IGNORED | {"name"})
DOCUMENT_TEMPLATE = Object(dict, (Field("metadata", TEMPLATE_METADATA), Field("spec", SPEC, required=True)))
"""The pods of a workload in a document."""

# --- parts -----------------------------------------------------------------------------------------------------------

_REQUIREMENT = Object(
    w.Requirement,
    (
        Field("key", Text(label_key), required=True),
        Field("operator", Text(choices=get_args(w.SelectorOperator)), required=True),
        Field("values", Sequence(Text(label_value)), default=()),
    ),
)
_LABELS = Mapping(Text(label_value), label_key)
_SELECTOR = Object(
    w.Selector,
    (Field("match_labels", _LABELS, default={}), Field("match_expressions", Sequence(_REQUIREMENT), default=())),
)
_SECONDS_READY = Field("min_ready_seconds", COUNT, default=0)
_HISTORY = Field("revision_history_limit", COUNT, default=10)
_REPLICAS = Field("replicas", COUNT, default=1)
_OWN_DEADLINE = Field("progress_deadline_seconds", Integer(minimum=1), default=600)
"""Of what has none in Kubernetes. It begins after ``min_ready_seconds``: no document is refused for want of it."""


def _strategy(build: Any, part: Any) -> Any:
    """A strategy with the part that its type has by default."""

    def built(type: str, rolling_update: Any) -> Any:  # noqa: A002
        if rolling_update is None and type == "RollingUpdate":
            rolling_update = part()
        return build(type, rolling_update)

    return built


def _check_strategy(strategy: Any, at: Place) -> None:
    if strategy.type in ("Recreate", "OnDelete") and strategy.rolling_update is not None:
        at.key("rolling_update").fault(f"is not for {strategy.type}; leave it out")


_ROLLING_UPDATE = Object(
    w.RollingUpdate,
    (Field("max_surge", _ANY_SHARE, default="25%"), Field("max_unavailable", _PART, default="25%")),
)
_DEPLOYMENT_STRATEGY = Object(
    _strategy(w.DeploymentStrategy, w.RollingUpdate),
    (
        Field("type", Text(choices=("RollingUpdate", "Recreate")), default="RollingUpdate"),
        Field("rolling_update", _ROLLING_UPDATE),
    ),
    check=_check_strategy,
)
_ROLLING_UPDATE_OF_SET = Object(
    w.RollingUpdateOfSet, (Field("partition", COUNT, default=0), Field("max_unavailable", _PART, default=1))
)
_SET_STRATEGY = Object(
    _strategy(w.StatefulSetStrategy, w.RollingUpdateOfSet),
    (
        Field("type", Text(choices=("RollingUpdate", "OnDelete")), default="RollingUpdate"),
        Field("rolling_update", _ROLLING_UPDATE_OF_SET),
    ),
    check=_check_strategy,
)
_ROLLING_UPDATE_OF_DAEMONS = Object(
    w.RollingUpdateOfDaemons, (Field("max_surge", _PART, default=0), Field("max_unavailable", _PART, default=1))
)
_DAEMON_STRATEGY = Object(
    _strategy(w.DaemonSetStrategy, w.RollingUpdateOfDaemons),
    (
        Field("type", Text(choices=("RollingUpdate", "OnDelete")), default="RollingUpdate"),
        Field("rolling_update", _ROLLING_UPDATE_OF_DAEMONS),
    ),
    check=_check_strategy,
)
_KEPT_OR_NOT = Text(choices=get_args(w.RetentionPolicy))
_RETENTION = Object(
    w.ClaimRetention,
    (Field("when_deleted", _KEPT_OR_NOT, default="Retain"), Field("when_scaled", _KEPT_OR_NOT, default="Retain")),
)
_EXIT_CODES = Object(
    w.ExitCodes,
    (
        Field("operator", Text(choices=("In", "NotIn")), required=True),
        Field("values", Sequence(Integer(0, 255), minimum=1, maximum=255), required=True),
        Field("container_name", Text(dns_label)),
    ),
)
_POD_CONDITION = Object(
    w.PodConditionPattern,
    (
        Field("type", Text(label_key), required=True),
        Field("status", Text(choices=("True", "False", "Unknown")), default="True"),
    ),
)
_FAILURE_RULE = Object(
    w.PodFailureRule,
    (
        Field("action", Text(choices=get_args(w.FailureAction)), required=True),
        Field("on_exit_codes", _EXIT_CODES),
        Field("on_pod_conditions", Sequence(_POD_CONDITION, maximum=MAX_RULES), default=()),
    ),
)
_FAILURE_POLICY = Object(
    w.PodFailurePolicy, (Field("rules", Sequence(_FAILURE_RULE, minimum=1, maximum=MAX_RULES), required=True),)
)
_SUCCESS_RULE = Object(
    w.SuccessRule,
    (Field("succeeded_indexes", Text(_indexes)), Field("succeeded_count", Integer(minimum=1))),
)
_SUCCESS_POLICY = Object(
    w.SuccessPolicy, (Field("rules", Sequence(_SUCCESS_RULE, minimum=1, maximum=MAX_RULES), required=True),)
)

# --- the kinds: what stands under spec in a document, and beside the name among native options -----------------------

SPECS: MappingT[str, tuple[Field, ...]] = {
    "Deployment": (
        _REPLICAS,
        Field("selector", _SELECTOR),
        Field("strategy", _DEPLOYMENT_STRATEGY, default=w.DeploymentStrategy()),
        _SECONDS_READY,
        _HISTORY,
        Field("progress_deadline_seconds", COUNT, default=600),
        Field("paused", Boolean(), default=False),
    ),
    "ReplicaSet": (_REPLICAS, Field("selector", _SELECTOR), _SECONDS_READY),
    "ReplicationController": (_REPLICAS, Field("selector", _LABELS), _SECONDS_READY),
    "StatefulSet": (
        _REPLICAS,
        Field("selector", _SELECTOR),
        Field("service_name", Text(dns_label)),
        Field("ordinals", Object(w.Ordinals, (Field("start", COUNT, default=0),)), default=w.Ordinals()),
        Field("pod_management_policy", Text(choices=get_args(w.PodManagementPolicy)), default="OrderedReady"),
        Field("update_strategy", _SET_STRATEGY, default=w.StatefulSetStrategy()),
        _SECONDS_READY,
        _HISTORY,
        Field("persistent_volume_claim_retention_policy", _RETENTION, default=w.ClaimRetention()),
    ),
    "DaemonSet": (
        Field("selector", _SELECTOR),
        Field("update_strategy", _DAEMON_STRATEGY, default=w.DaemonSetStrategy()),
        _SECONDS_READY,
        _HISTORY,
    ),
    "Job": (
        Field("parallelism", COUNT),
        Field("completions", COUNT),
        Field("completion_mode", Text(choices=get_args(w.CompletionMode)), default="NonIndexed"),
        Field("backoff_limit", COUNT),
        Field("backoff_limit_per_index", COUNT),
        Field("max_failed_indexes", COUNT),
        Field("active_deadline_seconds", COUNT),
        Field("ttl_seconds_after_finished", COUNT),
        Field("suspend", Boolean(), default=False),
        Field("pod_failure_policy", _FAILURE_POLICY),
        Field("success_policy", _SUCCESS_POLICY),
        Field("pod_replacement_policy", Text(choices=get_args(w.PodReplacementPolicy))),
    ),
    "CronJob": (
        Field("schedule", Text(_schedule), required=True),
        Field("time_zone", Text(_time_zone)),
        Field("concurrency_policy", Text(choices=get_args(w.ConcurrencyPolicy)), default="Allow"),
        Field("starting_deadline_seconds", COUNT),
        Field("suspend", Boolean(), default=False),
        Field("successful_jobs_history_limit", COUNT, default=3),
        Field("failed_jobs_history_limit", COUNT, default=1),
    ),
}
"""The fields of each kind but its template and the claims of a StatefulSet, whose forms differ."""

NO_JOB_SELECTOR = "the pods of a Job are known by its name; leave it out"
KIND_UNSUPPORTED: MappingT[str, MappingT[str, str]] = {
    "Job": {
        "managed_by": "this host runs its Jobs itself; leave it out",
        "manual_selector": NO_JOB_SELECTOR,
        "scheduling": "place pods with the inventory: hosts, groups and --limit",
        "selector": NO_JOB_SELECTOR,
    },
    "DaemonSet": {"template_generation": "it is a field of former versions of the API; leave it out"},
    "Deployment": {"rollback_to": "it is a field of former versions of the API; undo the rollout"},
}
KIND_HARMLESS: MappingT[str, MappingT[str, tuple[object, ...]]] = {
    "Job": {"manual_selector": (False,), "managed_by": ("kubernetes.io/job-controller",)}
}

OWN_FIELDS: MappingT[str, tuple[Field, ...]] = {
    "Deployment": (Field("shares_volumes", Boolean(), default=False),),
    "StatefulSet": (_OWN_DEADLINE, Field("claim_folders", Mapping(HOST_PATH), default={})),
    "DaemonSet": (_OWN_DEADLINE,),
    "CronJob": (Field("catch_up", Text(choices=get_args(w.CatchUp)), default="latest"),),
}
"""What Kubernetes has no field for: options of their own here, annotations in documents."""

NAME_CHECKS = {
    "Job": _short_label(MAX_JOB_NAME),
    "CronJob": _short_label(MAX_CRON_JOB_NAME),
    "StatefulSet": dns_label,
}
"""Where a name is not simply that of a pod."""

OPTIONS = {
    "deployments": "Deployment",
    "replica_sets": "ReplicaSet",
    "replication_controllers": "ReplicationController",
    "stateful_sets": "StatefulSet",
    "daemon_sets": "DaemonSet",
    "jobs": "Job",
    "cron_jobs": "CronJob",
}
"""The options of a stack that hold workloads, and the kinds of what they hold."""

CHANGES = ("scale", "undo", "pause", "resume", "restart", "remove", "create_job")
CHANGE = Object(
    dict,
    (
        Field("kind", Text(choices=tuple(kind.kind for kind in w.KINDS)), required=True),
        Field("name", Text(object_name), required=True),
        Field("stack", Text(pod_name)),
        Field("change", Text(choices=CHANGES), required=True),
        Field("replicas", Integer(minimum=0)),
        Field("to_revision", Integer(minimum=0)),
        Field("job", Text(object_name)),
        Field("change_cause", Text()),
        Field("applied_by", Text()),
        Field("wait", Boolean(), default=True),
        Field("wait_timeout", Integer(minimum=1), default=300),
    ),
)
"""One change of one workload: ``replicas`` for scale, ``to_revision`` for undo, ``job`` for create_job."""
