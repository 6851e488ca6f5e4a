#!/usr/bin/python
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module pod_info: what there is of the pods on a host, and how they are."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_info
short_description: Tell how the Pods on a host are
version_added: 0.1.0
author:
  - podwright.pods contributors (@podwright)
description:
  - >-
    Tells of Pods that M(podwright.pods.pod) made: their phase and conditions, the state of every container with its
    restarts and how it last ended, and what they use of their limits, in the shape that Kubernetes gives it.
  - Readiness is found out on the spot, by running the startup and readiness probes once.
  - Pods and containers that others made are left out.
extends_documentation_fragment:
  - podwright.pods.attributes.info
  - podwright.pods.attributes
options:
  name:
    description: Tell of the Pod with this name only.
    type: str
  labels:
    description: Tell of the Pods only that have all these labels with these values.
    type: dict
seealso:
  - module: podwright.pods.pod
"""

EXAMPLES = r"""
- name: How is the web server
  podwright.pods.pod_info:
    name: web
  register: web

- name: Fail unless it is ready
  ansible.builtin.assert:
    that:
      - web.pods | length == 1
      - web.pods[0].status.conditions | selectattr('type', 'eq', 'Ready') | map(attribute='status') | first == 'True'
    fail_msg: "{{ web.pods | map(attribute='status.explanation') | first | default('there is no such pod') }}"

- name: All Pods of one application
  podwright.pods.pod_info:
    labels:
      app: shop
  register: shop

- name: Who was restarted
  ansible.builtin.debug:
    msg: "{{ item.metadata.name }}: {{ item.status.containerStatuses | map(attribute='restartCount') | sum }}"
  loop: "{{ shop.pods }}"
  loop_control:
    label: "{{ item.metadata.name }}"
"""

RETURN = r"""
pods:
  description: The Pods that were found, by name. Without options, all that this collection made.
  returned: success
  type: list
  elements: dict
  contains:
    metadata:
      description: Its name, UID, labels and annotations.
      type: dict
      sample: {name: web, uid: 5f3c0d3e-9a53-1d6f-7a11-0c2f41f0b6de, labels: {app: shop}}
    spec:
      description: What was last declared, as Kubernetes' PodSpec.
      type: dict
      sample: {containers: [{name: httpd, image: "docker.io/library/httpd:2.4"}]}
    status:
      description: Kubernetes' PodStatus.
      type: dict
      contains:
        phase:
          description: C(Pending), C(Running), C(Succeeded), C(Failed) or C(Unknown).
          type: str
          sample: Running
        conditions:
          description: C(PodScheduled), C(Initialized), C(ContainersReady), C(Ready) and so on, with reasons and times.
          type: list
          elements: dict
          sample: [{type: Ready, status: "False", reason: ContainersNotReady}]
        podIP:
          description: The address of the Pod on its network.
          type: str
          sample: 10.88.0.5
        qosClass:
          description: C(Guaranteed), C(Burstable) or C(BestEffort), by its requests and limits.
          type: str
          sample: Burstable
        containerStatuses:
          description: >-
            Of every container its state (C(waiting), C(running), C(terminated)), the state it had before (C(lastState),
            with reason, exit code and message), its restarts, and whether it has started and is ready.
          type: list
          elements: dict
          sample: [{name: httpd, ready: true, restartCount: 0, state: {running: {startedAt: "2026-01-01T12:00:00Z"}}}]
        initContainerStatuses:
          description: The same of init containers and sidecars.
          type: list
          elements: dict
        explanation:
          description: In one line, why the Pod is not ready; empty if it is. Kubernetes has no such field.
          type: str
          sample: "containers with unready status: [php]; php: CrashLoopBackOff, last exit 1 (Error), 4 restarts"
    owner:
      description: The workload that has made the Pod, by its kind and name.
      returned: for such a Pod
      type: dict
      sample: {kind: Deployment, name: web}
    probe_messages:
      description: What the last attempt of a probe that did not succeed said, by container.
      type: dict
      sample: {httpd: "httpGet: status 503"}
    ports:
      description: Every port that is declared, with its container.
      type: list
      elements: dict
      sample: [{container: httpd, container_port: 80, host_port: 8080}]
    usage:
      description: Memory and CPU in use, with their limits, by container that runs.
      type: dict
      sample:
        httpd: {memory_bytes: 9437184, memory_limit_bytes: 134217728, cpu_millicores: 3, cpu_limit_millicores: 500}
"""

from ansible_collections.podwright.pods.plugins.module_utils._delivery import host_code


def main() -> None:
    agent_client, argument_specs, module = host_code.modules(
        "_agent.client", "_delivery.argument_specs", "_delivery.module"
    )
    module.run_module(argument_specs.POD_INFO_ARGUMENTS, agent_client.through("run_pod_info"))


if __name__ == "__main__":
    main()
