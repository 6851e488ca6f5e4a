# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the workloads of a stack: Deployments, StatefulSets, Jobs and their like."""

from __future__ import annotations


class ModuleDocFragment:
    """``podwright.pods.workloads``."""

    DOCUMENTATION = r"""
options:
  deployments:
    description: Pods that are replaceable by one another, and are brought up to date a few at a time.
    type: list
    elements: dict
    suboptions:
      name: &name
        description: Its name. That of another kind may be the same.
        type: str
        required: true
      labels: &labels
        description: Its labels. Its Pods have those of the template.
        type: dict
      annotations: &annotations
        description: Its annotations. Its Pods have those of the template.
        type: dict
      replicas: &replicas
        description: How many Pods there are on this host. The default is V(1).
        type: int
      selector: &selector
        description: Which labels its Pods have. By default those of the template. It has to select the template's.
        type: dict
        suboptions:
          match_labels:
            description: Labels with their values, all of which a Pod has.
            type: dict
          match_expressions:
            description: Requirements, all of which a Pod meets.
            type: list
            elements: dict
            suboptions:
              key:
                description: The label that is meant.
                type: str
                required: true
              operator:
                description: How the label relates to the C(values).
                type: str
                choices: [In, NotIn, Exists, DoesNotExist]
                required: true
              values:
                description: The values, for V(In) and V(NotIn) only.
                type: list
                elements: str
      strategy:
        description: How Pods of a former template are replaced.
        type: dict
        suboptions:
          type:
            description: >-
              V(RollingUpdate) (the default) keeps most Pods available, V(Recreate) ends all of them before it makes new
              ones.
            type: str
            choices: [RollingUpdate, Recreate]
          rolling_update:
            description: >-
              The bounds of a rolling update, each a number of Pods or a share such as V(25%). They cannot both be 0.
            type: dict
            suboptions:
              max_surge:
                description: How many Pods there may be above C(replicas), rounded up. The default is V(25%).
                type: str
              max_unavailable:
                description: How many of C(replicas) may be unavailable, rounded down. The default is V(25%).
                type: str
      min_ready_seconds: &min_ready_seconds
        description: How long a Pod has to be ready until it is available. The default is V(0).
        type: int
      revision_history_limit: &revision_history_limit
        description: How many former templates are remembered. The default is V(10).
        type: int
      progress_deadline_seconds:
        description: How long an update may make no progress until it has failed and goes back. The default is V(600).
        type: int
      paused:
        description: Whether a changed template waits. The default is V(false).
        type: bool
      shares_volumes:
        description: >-
          Whether two of its Pods may have the named volumes that the template claims at the same time, so that an
          update need not end one first. The default is V(false).
        type: bool
      template: &template
        description: >-
          The Pods, with the options of M(podwright.pods.pod) that describe a Pod but C(name), C(min_ready_seconds),
          C(config_maps) and C(secrets).
        type: dict
        required: true
  replica_sets:
    description: Pods that are replaceable by one another. A changed template holds for Pods that are made from then on.
    type: list
    elements: dict
    suboptions:
      name: *name
      labels: *labels
      annotations: *annotations
      replicas: *replicas
      selector: *selector
      min_ready_seconds: *min_ready_seconds
      template: *template
  replication_controllers:
    description: What Kubernetes had before there were O(replica_sets).
    type: list
    elements: dict
    suboptions:
      name: *name
      labels: *labels
      annotations: *annotations
      replicas: *replicas
      selector:
        description: Labels with their values, all of which its Pods have. By default those of the template.
        type: dict
      min_ready_seconds: *min_ready_seconds
      template: *template
  stateful_sets:
    description: Pods with numbers, each with its own name and volumes, which come and go in their order.
    type: list
    elements: dict
    suboptions:
      name: *name
      labels: *labels
      annotations: *annotations
      replicas: *replicas
      selector: *selector
      service_name:
        description: The Service that gives its Pods names in a cluster.
        type: str
      ordinals:
        description: How its Pods are numbered.
        type: dict
        suboptions:
          start:
            description: The number of the first Pod. The default is V(0).
            type: int
      pod_management_policy:
        description: >-
          Whether each Pod waits until the one before it is ready (V(OrderedReady), the default), or all come and go at
          once (V(Parallel)).
        type: str
        choices: [OrderedReady, Parallel]
      update_strategy:
        description: How Pods of a former template are replaced.
        type: dict
        suboptions:
          type:
            description: >-
              V(RollingUpdate) (the default) replaces the Pods from the last to the first, V(OnDelete) those that
              somebody removes.
            type: str
            choices: [RollingUpdate, OnDelete]
          rolling_update:
            description: What a rolling update goes by.
            type: dict
            suboptions:
              partition:
                description: Pods of lower numbers keep the former template. The default is V(0).
                type: int
              max_unavailable: &max_unavailable
                description: >-
                  How many Pods may be unavailable, as a number or a share such as V(25%). The default is V(1).
                type: str
      min_ready_seconds: *min_ready_seconds
      revision_history_limit: *revision_history_limit
      progress_deadline_seconds: &set_deadline
        description: >-
          How long an update may make no progress, after C(min_ready_seconds), until it has failed and goes back. The
          default is V(600).
        type: int
      persistent_volume_claim_retention_policy:
        description: What becomes of the volumes of C(volume_claim_templates).
        type: dict
        suboptions:
          when_deleted:
            description: Once the StatefulSet is removed. The default is V(Retain).
            type: str
            choices: [Retain, Delete]
          when_scaled:
            description: Once their Pod is removed since C(replicas) is lower. The default is V(Retain).
            type: str
            choices: [Retain, Delete]
      template: *template
      volume_claim_templates:
        description: >-
          Named volumes that each Pod has for itself, called C(<volume>-<name>-<number>). The template mounts them by
          the names that they have here.
        type: list
        elements: dict
        suboptions:
          name:
            description: The volume's name in the template.
            type: str
            required: true
          size:
            description: What the claim asks for. Podman does not enforce it.
            type: str
          driver:
            description: Podman's volume driver. The default is V(local).
            type: str
          options:
            description: Options of the driver, such as C(type), C(device) and C(o) of a mount.
            type: dict
      claim_folders:
        description: >-
          Folders of the host that claims of C(volume_claim_templates) stand for in place of named volumes, by their
          names C(<volume>-<name>-<number>). Of a template all claims have one, or none. PersistentVolumes of documents
          come to the same.
        type: dict
  daemon_sets:
    description: One Pod on each host.
    type: list
    elements: dict
    suboptions:
      name: *name
      labels: *labels
      annotations: *annotations
      selector: *selector
      update_strategy:
        description: How the Pod of a former template is replaced.
        type: dict
        suboptions:
          type:
            description: V(RollingUpdate) (the default), or V(OnDelete) once somebody has removed it.
            type: str
            choices: [RollingUpdate, OnDelete]
          rolling_update:
            description: The bounds of a rolling update, of which one is 0.
            type: dict
            suboptions:
              max_surge:
                description: >-
                  With V(1) and C(max_unavailable) V(0) the former Pod ends once the new one is available. The default
                  is V(0).
                type: str
              max_unavailable: *max_unavailable
      min_ready_seconds: *min_ready_seconds
      revision_history_limit: *revision_history_limit
      progress_deadline_seconds: *set_deadline
      template: *template
  jobs:
    description: Pods that run until enough of them have succeeded.
    type: list
    elements: dict
    suboptions:
      name: *name
      labels: *labels
      annotations: *annotations
      parallelism: &parallelism
        description: How many Pods run at a time. The default is V(1).
        type: int
      completions: &completions
        description: >-
          How many Pods have to succeed. Without it and without C(parallelism) it is V(1), without it alone the Pods
          share a work queue, which is done once one of them has succeeded and all have ended.
        type: int
      completion_mode: &completion_mode
        description: >-
          V(Indexed) has one Pod succeed for each index from 0 on, which it finds in the variable
          E(JOB_COMPLETION_INDEX). The default is V(NonIndexed).
        type: str
        choices: [NonIndexed, Indexed]
      backoff_limit: &backoff_limit
        description: >-
          How many Pods may fail until the Job has. The default is V(6), and no limit with C(backoff_limit_per_index).
        type: int
      backoff_limit_per_index: &backoff_limit_per_index
        description: How many Pods of an index may fail until the index has.
        type: int
      max_failed_indexes: &max_failed_indexes
        description: How many indexes may fail until the Job has.
        type: int
      active_deadline_seconds: &active_deadline_seconds
        description: How long the Job may take, whatever its Pods do.
        type: int
      ttl_seconds_after_finished: &ttl_seconds_after_finished
        description: How long the Job is kept after its end. By default for good.
        type: int
      suspend: &suspend
        description: Whether it waits, without Pods. The default is V(false).
        type: bool
      pod_failure_policy: &pod_failure_policy
        description: What becomes of the Job where a Pod fails. Its Pods have the restart policy V(Never).
        type: dict
        suboptions:
          rules:
            description: >-
              Rules, of which the first that matches holds. Each has C(on_exit_codes) or C(on_pod_conditions).
            type: list
            elements: dict
            required: true
            suboptions:
              action:
                description: >-
                  V(FailJob) and V(FailIndex) end the Job, or the index, V(Ignore) does not count the failure, and
                  V(Count) does.
                type: str
                choices: [FailJob, FailIndex, Ignore, Count]
                required: true
              on_exit_codes:
                description: How a container has ended.
                type: dict
                suboptions:
                  operator:
                    description: Whether the exit code is among the C(values).
                    type: str
                    choices: [In, NotIn]
                    required: true
                  values:
                    description: Exit codes in their order.
                    type: list
                    elements: int
                    required: true
                  container_name:
                    description: The container that is meant. By default any.
                    type: str
              on_pod_conditions:
                description: Conditions of the Pod, one of which matches.
                type: list
                elements: dict
                suboptions:
                  type:
                    description: The condition.
                    type: str
                    required: true
                  status:
                    description: Its status. The default is V(True).
                    type: str
                    choices: ["True", "False", "Unknown"]
      success_policy: &success_policy
        description: When an Indexed Job has succeeded before all of its indexes have.
        type: dict
        suboptions:
          rules:
            description: Rules, one of which is met.
            type: list
            elements: dict
            required: true
            suboptions:
              succeeded_indexes:
                description: The indexes that have to succeed, such as V(0,2-4). By default any.
                type: str
              succeeded_count:
                description: How many of them have to succeed. By default all.
                type: int
      pod_replacement_policy: &pod_replacement_policy
        description: >-
          Whether a Pod is replaced as soon as it is ending (V(TerminatingOrFailed), the default), or once it has ended
          (V(Failed), the default with C(pod_failure_policy)).
        type: str
        choices: [TerminatingOrFailed, Failed]
      template: *template
  cron_jobs:
    description: Jobs that are made at their times.
    type: list
    elements: dict
    suboptions:
      name: *name
      labels: *labels
      annotations: *annotations
      schedule:
        description: The times, as in V(*/5 * * * *).
        type: str
        required: true
      time_zone:
        description: The zone of the times, such as V(Europe/Berlin). By default the host's.
        type: str
      concurrency_policy:
        description: >-
          Whether a Job is made while another one runs (V(Allow), the default), is left out (V(Forbid)), or takes its
          place (V(Replace)).
        type: str
        choices: [Allow, Forbid, Replace]
      starting_deadline_seconds:
        description: How late a Job may be made. By default at any time.
        type: int
      suspend: *suspend
      successful_jobs_history_limit:
        description: How many Jobs that have succeeded are kept. The default is V(3).
        type: int
      failed_jobs_history_limit:
        description: How many Jobs that have failed are kept. The default is V(1).
        type: int
      catch_up:
        description: Which of the times that were missed are made up for. The default is V(latest).
        type: str
        choices: [latest, all, none]
      job_template:
        description: The Jobs, with the options of O(jobs).
        type: dict
        required: true
        suboptions:
          labels: *labels
          annotations: *annotations
          parallelism: *parallelism
          completions: *completions
          completion_mode: *completion_mode
          backoff_limit: *backoff_limit
          backoff_limit_per_index: *backoff_limit_per_index
          max_failed_indexes: *max_failed_indexes
          active_deadline_seconds: *active_deadline_seconds
          ttl_seconds_after_finished: *ttl_seconds_after_finished
          suspend: *suspend
          pod_failure_policy: *pod_failure_policy
          success_policy: *success_policy
          pod_replacement_policy: *pod_replacement_policy
          template: *template
"""
