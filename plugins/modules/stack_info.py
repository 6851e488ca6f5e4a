#!/usr/bin/python
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module stack_info: what there is of the stacks on a host, and how their Pods are."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_info
short_description: Tell how the stacks on a host are
version_added: 0.1.0
author:
  - podwright.pods contributors (@podwright)
description:
  - Tells of stacks that M(podwright.pods.stack) made, with their revisions, their Pods and what else they own.
extends_documentation_fragment:
  - podwright.pods.attributes.info
  - podwright.pods.attributes
options:
  name:
    description: Tell of the stack with this name only.
    type: str
seealso:
  - module: podwright.pods.stack
  - module: podwright.pods.pod_info
"""

EXAMPLES = r"""
- name: Which revision of the shop runs, and who made it
  podwright.pods.stack_info:
    name: shop
  register: shop
"""

RETURN = r"""
stacks:
  description: The stacks, none where there is none of that name.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The stack's name.
      type: str
      sample: shop
    revision:
      description: The number of the revision that was applied last.
      type: int
      sample: 3
    is_good:
      description: Whether that one became ready.
      type: bool
    damage:
      description: What is damaged on disk of the stack's record, and what to do; empty for nothing.
      type: str
      sample: ""
    revisions:
      description: The revisions that are kept, the oldest first.
      type: list
      elements: dict
      contains:
        number:
          description: Its number.
          type: int
          sample: 3
        applied_at:
          description: When it was applied.
          type: str
          sample: "2026-11-25T18:00:00Z"
        applied_by:
          description: Who applied it.
          type: str
          sample: admin@control
        change_cause:
          description: Why.
          type: str
          sample: version 1.4
        is_good:
          description: Whether all of it became ready.
          type: bool
          sample: true
        damage:
          description: What is damaged on disk of the revision, and what to do; empty for nothing.
          type: str
          sample: ""
    pods:
      description: >-
        The Pods, as M(podwright.pods.pod_info) tells them, in the order in which they start; then those that its
        workloads have made.
      type: list
      elements: dict
    workloads:
      description: >-
        The workloads that the stack declares, then the Jobs that its CronJobs have made, each as its Kubernetes
        document, with more of our own.
      type: list
      elements: dict
      contains:
        kind:
          description: Its kind.
          type: str
          sample: Deployment
        name:
          description: Its name, which C(metadata) has as well.
          type: str
          sample: web
        stack:
          description: Its stack.
          type: str
          sample: shop
        metadata:
          description: Its name, labels and annotations, and when it was made.
          type: dict
          sample: {name: web, creationTimestamp: "2026-11-25T18:00:00Z"}
        spec:
          description: What is declared.
          type: dict
          sample: {replicas: 2}
        status:
          description: Its status in Kubernetes' shape; empty before the first step, and while it is stopped.
          type: dict
          sample: {replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2}
        is_stopped:
          description: Whether it was stopped with its stack.
          type: bool
        failure:
          description: Of a Deployment whose declared template did not become available, why it has gone back.
          type: str
          sample: ""
        owner:
          description: The CronJob that has made it, by kind and name.
          returned: for such a Job
          type: dict
          sample: {kind: CronJob, name: backup}
        revisions:
          description: The templates that it had, the oldest first; none of a Job or CronJob.
          type: list
          elements: dict
          contains:
            number:
              description: Its number. A template that is wanted again gets a new one.
              type: int
              sample: 2
            hash:
              description: What the names of its Pods have of it.
              type: str
              sample: 7b9c5d8f4x
            is_current:
              description: Whether it is the one that its Pods are brought to.
              type: bool
            template:
              description: The Pods that it is for, as Kubernetes has them.
              type: dict
              sample: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "nginx:1.27"}]}}
            applied_at:
              description: When the stack's revision was applied that brought it, null where that is kept no more.
              type: str
              sample: "2026-11-25T18:00:00Z"
            change_cause:
              description: Why that was applied.
              type: str
              sample: version 1.4
        damage:
          description: What of its record cannot be read, and what to do; empty for nothing.
          type: str
          sample: ""
    services:
      description: Its Services as they are served; empty without the agent.
      type: list
      elements: dict
      contains:
        name:
          description: The name.
          type: str
          sample: shop-web
        stack:
          description: The stack.
          type: str
          sample: shop
        type:
          description: The type.
          type: str
          sample: LoadBalancer
        address:
          description: Its address on this host; empty for one without a front.
          type: str
          sample: 10.198.12.7
        selector:
          description: The labels of the Pods behind it.
          type: dict
          sample: {app: shop-web}
        ports:
          description: >-
            Each C(port) with its C(protocol), the C(host_ports) where it is to be had as well, and its C(endpoints):
            C(pod), C(address), C(port), C(ready), C(sessions), C(sessions_total) and C(errors).
          type: list
          elements: dict
    ingresses:
      description: Its Ingresses as they are served; empty without the agent.
      type: list
      elements: dict
      contains:
        name:
          description: The name.
          type: str
          sample: shop
        stack:
          description: The stack.
          type: str
          sample: shop
        class:
          description: The class that it names; empty for none.
          type: str
          sample: nginx
        hosts:
          description: The hosts of its rules; V(*) for all.
          type: list
          elements: str
          sample: [shop.example.com]
        ports:
          description: The ports of the host where it is served, that for HTTPS last.
          type: list
          elements: int
          sample: [80, 443]
        rules:
          description: >-
            Each C(host) and C(path) with its C(path_type), the C(service) and C(port) that it leads to, and the
            C(endpoints) that take its requests now.
          type: list
          elements: dict
        default_backend:
          description: The C(service), C(port) and C(endpoints) of requests that no rule is for, null for none.
          type: dict
        tls:
          description: Each certificate by the C(secret_name) that it is in, with its C(hosts).
          type: list
          elements: dict
    volumes:
      description: The named volumes that the stack made.
      type: list
      elements: str
    networks:
      description: The networks that the stack made.
      type: list
      elements: str
"""

from ansible_collections.podwright.pods.plugins.module_utils._delivery import host_code


def main() -> None:
    agent_client, argument_specs, module = host_code.modules(
        "_agent.client", "_delivery.argument_specs", "_delivery.module"
    )
    module.run_module(argument_specs.STACK_INFO_ARGUMENTS, agent_client.through("run_stack_info"))


if __name__ == "__main__":
    main()
