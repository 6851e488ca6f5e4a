# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From templates to Pods and Jobs: what a workload adds to its template for each of its pods.

Labels, hostnames and variables are Kubernetes' own (1.37), so that selectors and programs find what they know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Callable

from ..._declaration import spec as s
from ..._declaration.workloads import spec as w
from ..status_documents import show_time
from .revisions import HASH_LABEL
from .steps import AddJob, AddPod

REVISION_LABEL = "controller-revision-hash"
POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name"
POD_INDEX_LABEL = "apps.kubernetes.io/pod-index"
JOB_NAME_LABELS = ("batch.kubernetes.io/job-name", "job-name")
COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index"
COMPLETION_INDEX_VARIABLE = "JOB_COMPLETION_INDEX"
MANUAL_ANNOTATION = "cronjob.kubernetes.io/instantiate"
SCHEDULED_ANNOTATION = "batch.kubernetes.io/cronjob-scheduled-timestamp"


def pod_of(workload: w.PodWorkload, template: s.PodSpec, operation: AddPod) -> s.PodSpec:
    """The pod that an operation of the workload asks for. ``template`` is that of the operation's revision."""
    pod = replace(template, name=operation.pod)
    return _ADDITIONS[workload.kind](workload, pod, operation)


def job_of(cron_job: w.CronJob, operation: AddJob) -> w.Job:
    """The Job that an operation of a CronJob asks for."""
    return _job_of(cron_job, operation.pod, {SCHEDULED_ANNOTATION: show_time(operation.scheduled_at) or ""})


def job_made_by_hand(cron_job: w.CronJob, name: str) -> w.Job:
    """The Job of a CronJob that a person asks for."""
    return _job_of(cron_job, name, {MANUAL_ANNOTATION: "manual"})


def _job_of(cron_job: w.CronJob, name: str, annotations: Mapping[str, str]) -> w.Job:
    template = cron_job.job_template
    pods = replace(template.template, name=name)
    return replace(template, name=name, annotations={**template.annotations, **annotations}, template=pods)


def _labelled(pod: s.PodSpec, labels: Mapping[str, str]) -> s.PodSpec:
    return replace(pod, labels={**pod.labels, **labels})


def _of_replicas(workload: w.PodWorkload, pod: s.PodSpec, operation: AddPod) -> s.PodSpec:
    return _labelled(pod, {HASH_LABEL: operation.revision})


def _of_controller(workload: w.PodWorkload, pod: s.PodSpec, operation: AddPod) -> s.PodSpec:
    """A ReplicationController's pods bear no word of their template."""
    return pod


def _of_daemon_set(workload: w.PodWorkload, pod: s.PodSpec, operation: AddPod) -> s.PodSpec:
    return _labelled(pod, {REVISION_LABEL: operation.revision})


def _of_stateful_set(workload: w.PodWorkload, pod: s.PodSpec, operation: AddPod) -> s.PodSpec:
    """A pod with the name of its set and number as hostname, and with claims of its own."""
    if not isinstance(workload, w.StatefulSet):
        return pod
    number = operation.number
    labels = {
        REVISION_LABEL: f"{workload.name}-{operation.revision}",
        POD_NAME_LABEL: operation.pod,
        POD_INDEX_LABEL: str(number),
    }
    pod = replace(_labelled(pod, labels), hostname=operation.pod, volumes=_with_claims(workload, pod, number))
    return replace(pod, subdomain=workload.service_name) if workload.service_name else pod


def _with_claims(workload: w.StatefulSet, pod: s.PodSpec, number: int) -> tuple[s.Volume, ...]:
    """The pod's volumes, those of its claims in the place of others of their names."""
    names = [template.name for template in workload.volume_claim_templates]
    own = (_claimed(name, workload.claim_name(name, number), workload.claim_folders) for name in names)
    return (*(volume for volume in pod.volumes if volume.name not in names), *own)


def _claimed(name: str, claim: str, folders: Mapping[str, s.HostPathVolume]) -> s.Volume:
    if claim in folders:
        return s.Volume(name, host_path=folders[claim])
    return s.Volume(name, persistent_volume_claim=s.PersistentVolumeClaimVolume(claim))


def _of_job(workload: w.PodWorkload, pod: s.PodSpec, operation: AddPod) -> s.PodSpec:
    pod = _labelled(pod, dict.fromkeys(JOB_NAME_LABELS, workload.name))
    if operation.index is None:
        return pod
    index = str(operation.index)
    return replace(
        _labelled(pod, {COMPLETION_INDEX: index}),
        annotations={**pod.annotations, COMPLETION_INDEX: index},
        hostname=f"{workload.name}-{index}",
        containers=_with_variable(pod.containers, index),
        init_containers=_with_variable(pod.init_containers, index),
    )


def _with_variable(containers: tuple[s.Container, ...], index: str) -> tuple[s.Container, ...]:
    """The containers with the variable of their index, unless they have one of that name."""
    variable = s.EnvVar(COMPLETION_INDEX_VARIABLE, index)
    return tuple(
        container
        if any(given.name == COMPLETION_INDEX_VARIABLE for given in container.env)
        else replace(container, env=(*container.env, variable))
        for container in containers
    )


_ADDITIONS: Mapping[str, Callable[[w.PodWorkload, s.PodSpec, AddPod], s.PodSpec]] = {
    "Deployment": _of_replicas,
    "ReplicaSet": _of_replicas,
    "ReplicationController": _of_controller,
    "StatefulSet": _of_stateful_set,
    "DaemonSet": _of_daemon_set,
    "Job": _of_job,
}
