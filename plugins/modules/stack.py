#!/usr/bin/python
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module stack: have many Pods, and what they share, on a host as they are declared."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack
short_description: Have a stack of Pods on a host as it is declared
version_added: 0.1.0
author:
  - podwright.pods contributors (@podwright)
description:
  - >-
    A stack is everything that an application needs on a host: Pods with their configuration and secrets, named
    volumes and networks. This module makes the host equal to the declaration of all of it in one run: it creates,
    changes and removes, in the order of the Pods' dependencies, and waits until all is ready.
  - >-
    Each Pod is treated as by M(podwright.pods.pod): as little as possible is replaced, and what was changed by hand
    is put right. Pods that do not depend on one another are brought up side by side.
  - >-
    What the stack has made and no longer declares is removed (O(prune)). What others made is never touched, and
    neither is what another stack owns.
  - >-
    Each changed declaration is kept on the host as a numbered revision. If one cannot be brought about, the last good
    one is brought back (O(on_failure)); V(rolled_back) does the same on request.
extends_documentation_fragment:
  - podwright.pods.attributes.applying
  - podwright.pods.attributes
  - podwright.pods.configuration
  - podwright.pods.workloads
  - podwright.pods.services
  - podwright.pods.ingresses
options:
  name:
    description: The stack's name. It is known on its host only.
    type: str
    required: true
  state:
    description:
      - V(started) has everything as it is declared.
      - >-
        V(stopped) ends the Pods, those first that others do not depend on, and keeps everything else. The O(name) is
        enough.
      - >-
        V(rolled_back) brings back an earlier revision, O(revision) or else the last good one before the present one,
        and makes a new revision of it. The O(name) is enough.
      - >-
        V(absent) removes the Pods and networks of the stack, and its revisions. Volumes stay with their data unless
        O(prune_volumes) is set, and so do generated secrets, which open them. The O(name) is enough.
    type: str
    choices: [started, stopped, rolled_back, absent]
    default: started
  pods:
    description:
      - The Pods, each with the options of M(podwright.pods.pod) that describe a Pod.
      - >-
        C(config_maps) and C(secrets) are given beside them and shared by the whole stack: a Pod is changed only by
        those that it refers to.
    type: list
    elements: dict
  depends_on:
    description:
      - >-
        What has to come about before a Pod or workload is created or changed, by its name, that of a workload as in
        C(Deployment/web): a list of mappings with C(pod), the name of another Pod of the stack, or C(workload), such as
        C(StatefulSet/db), and with C(condition).
      - >-
        The condition V(ready) (the default) is that the other Pod is ready, V(started) that its containers were
        started, and V(completed) that they have ended with exit code 0, which takes a Pod whose restart policy is not
        V(Always). A workload is V(ready) once it is as declared, a Job V(completed) once it is complete.
    type: dict
  volumes:
    description:
      - >-
        Named volumes of Podman that Pods claim (C(persistent_volume_claim)). A claim that is not declared here is a
        volume with Podman's defaults.
    type: list
    elements: dict
    suboptions:
      name:
        description: The volume's name in Podman.
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
  networks:
    description: Bridge networks that Pods join by their own option C(networks). They are removed with the stack.
    type: list
    elements: dict
    suboptions:
      name:
        description: The network's name in Podman.
        type: str
        required: true
      subnet:
        description: Its addresses, such as V(10.89.7.0/24). By default Podman chooses.
        type: str
      gateway:
        description: The host's address in it. By default the first of O(networks[].subnet).
        type: str
      internal:
        description: Whether it leads nowhere else. The default is V(false).
        type: bool
      dns:
        description: Whether containers find one another by name in it. The default is V(true).
        type: bool
  definition:
    description:
      - >-
        Kubernetes documents: YAML or JSON text, one mapping, or a list of either, with the kinds Pod, Deployment,
        ReplicaSet, ReplicationController, StatefulSet, DaemonSet, Job, CronJob, ConfigMap, Secret,
        PersistentVolumeClaim, PersistentVolume and List. They add to what the other options declare.
      - >-
        ConfigMaps and Secrets that they refer to and that were made elsewhere are given in O(config_maps) and
        O(secrets).
      - >-
        What Kubernetes has no field for stands in annotations of a Pod, with values of JSON, such as
        C(podwright.io/min-ready-seconds).
    type: raw
  definition_names:
    description: >-
      What faults call the items of O(definition), where that is a list: a name for each, such as that of the file that
      it comes from.
    type: list
    elements: str
  src:
    description:
      - >-
        A file or directory with Kubernetes documents, or a list of such, in C(files) of the role or beside the
        playbook. Of a directory every file that ends with C(.yml), C(.yaml) or C(.json) is read, by name; files that
        declare nothing, such as a Compose file, are passed over with a note. Files may be encrypted with Ansible Vault.
      - >-
        A directory that is a kustomization is built by C(kustomize) or C(kubectl kustomize) on the control node.
    type: raw
  prune:
    description: Whether to remove Pods and networks that the stack made and no longer declares.
    type: bool
    default: true
  prune_volumes:
    description: >-
      Whether to remove volumes that the stack made and no longer declares, with all their data. With O(state=absent)
      the secrets that were generated for the stack and its Pods go as well.
    type: bool
    default: false
  grace_period_seconds:
    description:
      - >-
        For this run, how long the containers of Pods that are stopped or removed have to end, in place of their own
        C(termination_grace_period_seconds). V(0) ends them at once, without their preStop hooks.
      - >-
        A run that is ending them already, with more patience, is hurried: what has not ended when this grace period is
        over is killed.
    type: int
  allow_empty:
    description: >-
      Whether a declaration without Pods removes all Pods of the stack. By default it is refused while the stack has
      any, since a file or a variable may be empty by mistake.
    type: bool
    default: false
  wait:
    description: Whether to wait until every Pod is ready. Pods that others depend on are waited for in any case.
    type: bool
    default: true
  wait_timeout:
    description: Seconds that each Pod may take until it is ready.
    type: int
    default: 300
  on_failure:
    description:
      - What to do when a Pod fails, or does not become ready in time. The task fails in either case.
      - >-
        V(rollback) brings back the last good revision of the whole stack; where there is none, it leaves things as
        V(keep) does.
        What is brought back may take a minute to be ready again, even where O(wait_timeout) is less.
    type: str
    choices: [rollback, keep]
    default: rollback
  change_cause:
    description: Why the declaration changed, for the revision's record.
    type: str
  applied_by:
    description: Who changed it, for the revision's record. By default the user and the machine that run Ansible.
    type: str
  revision:
    description: The revision that O(state=rolled_back) brings back.
    type: int
  revision_history_limit:
    description: How many revisions are kept.
    type: int
    default: 10
  allocatable:
    description: What Pods may take of the host in all, where that differs from what the host has.
    type: dict
    suboptions:
      cpu:
        description: CPUs, such as V(1500m).
        type: str
      memory:
        description: Memory, such as V(6Gi).
        type: str
      pods:
        description: The number of Pods. The default is 110.
        type: int
  host_labels:
    description:
      - >-
        Labels that this host has beside its own (C(kubernetes.io/os), C(kubernetes.io/arch),
        C(kubernetes.io/hostname)), such as V({disktype: ssd}).
      - >-
        A Pod or workload whose C(nodeSelector) or required C(nodeAffinity) they do not meet is not for this host: it is
        skipped with a note, and what of it runs here is removed. So one folder serves a mixed fleet.
    type: dict
notes:
  - A run takes workloads such as O(deployments) to what is declared; the agent (role C(agent)) keeps them afterwards.
    Without it O(cron_jobs), O(services) and O(ingresses) are refused.
seealso:
  - module: podwright.pods.pod
  - module: podwright.pods.stack_info
"""

EXAMPLES = r"""
- name: A shop of two Pods that share their configuration
  podwright.pods.stack:
    name: shop
    pods:
      - name: shop-db
        containers:
          - name: mariadb
            image: docker.io/library/mariadb:11.8
            env_from: [{secret_ref: {name: database}}]
            volume_mounts: [{name: data, mount_path: /var/lib/mysql}]
            readiness_probe: {tcp_socket: {port: 3306}}
        volumes: [{name: data, persistent_volume_claim: {claim_name: shop-data}}]
        networks: [shop]
      - name: shop-web
        containers:
          - name: app
            image: registry.example.com/shop:1.4
            env_from: [{config_map_ref: {name: settings}}, {secret_ref: {name: database}}]
            ports: [{container_port: 8080, host_port: 80}]
            readiness_probe: {http_get: {port: 8080, path: /healthz}}
        networks: [shop]
    depends_on:
      shop-web: [{pod: shop-db}]
    config_maps:
      - name: settings
        data: {CURRENCY: EUR}
    secrets:
      - name: database
        generate: {MARIADB_ROOT_PASSWORD: 24}
    networks:
      - name: shop
    change_cause: version 1.4

- name: Kubernetes manifests as they are, with a secret from Ansible Vault beside them
  podwright.pods.stack:
    name: shop
    src: manifests
    secrets:
      - name: database
        string_data:
          password: "{{ shop_password }}"

- name: Workloads, whose Pods are made from a template
  podwright.pods.stack:
    name: shop
    deployments:
      - name: shop-web
        replicas: 3
        strategy: {rolling_update: {max_surge: 1, max_unavailable: 0}}
        template:
          labels: {app: shop-web}
          containers:
            - name: app
              image: registry.example.com/shop:1.4
              readiness_probe: {http_get: {port: 8080, path: /healthz}}
    stateful_sets:
      - name: shop-db
        service_name: shop-db
        volume_claim_templates: [{name: data, size: 10Gi}]
        template:
          labels: {app: shop-db}
          containers:
            - name: mariadb
              image: docker.io/library/mariadb:11.8
              env_from: [{secret_ref: {name: database}}]
              volume_mounts: [{name: data, mount_path: /var/lib/mysql}]
    cron_jobs:
      - name: shop-report
        schedule: "30 2 * * *"
        time_zone: Europe/Berlin
        concurrency_policy: Forbid
        job_template:
          backoff_limit: 2
          template:
            restart_policy: Never
            containers: [{name: report, image: "registry.example.com/shop:1.4", command: [report]}]
    secrets:
      - name: database
        generate: {MARIADB_ROOT_PASSWORD: 24}

- name: Three Pods behind one port of the host, replaced without a request that fails
  podwright.pods.stack:
    name: shop
    deployments:
      - name: shop-web
        replicas: 3
        template:
          labels: {app: shop-web}
          containers:
            - name: app
              image: registry.example.com/shop:1.5
              ports: [{name: http, container_port: 8080}]
              readiness_probe: {http_get: {port: 8080, path: /healthz}}
    services:
      - name: shop-web
        type: LoadBalancer
        selector: {app: shop-web}
        ports: [{port: 80, target_port: http}]

- name: A host of its own with a certificate, before a Service of the stack
  podwright.pods.stack:
    name: shop
    src: manifests
    ingresses:
      - name: shop
        rules:
          - host: shop.example.com
            http:
              paths:
                - {path: /, path_type: Prefix, backend: {service: {name: shop-web, port: {number: 80}}}}
        tls: [{secret_name: shop-tls}]
        proxy_body_size: 64Mi
    secrets:
      - name: shop-tls
        type: kubernetes.io/tls
        string_data:
          tls.crt: "{{ shop_certificate }}"
          tls.key: "{{ shop_key }}"

- name: Back to what ran before
  podwright.pods.stack:
    name: shop
    state: rolled_back

- name: Take all of it away, and the data with it
  podwright.pods.stack:
    name: shop
    state: absent
    prune_volumes: true
"""

RETURN = r"""
actions:
  description: >-
    What was done, or in check mode would be done, in order, each with its cause. Pods side by side are told one after
    another.
  returned: always
  type: list
  elements: str
  sample:
    - "#1 remove pod shop-old: no longer declared"
    - "#2 create pod shop-web: it was not there"
objects:
  description: What became of each object.
  returned: when it did not fail
  type: list
  elements: dict
  contains:
    kind:
      description: >-
        Pod, ConfigMap, Secret, Volume, Network, Service or Ingress, or the kind of a workload, such as Deployment.
      type: str
      sample: Pod
    name:
      description: Its name.
      type: str
      sample: shop-web
    result:
      description: >-
        C(created), C(changed), C(unchanged), C(stopped), C(removed), C(skipped) for what is not for this host, or
        C(kept) for a volume that is no longer declared, and for a workload that is not pruned.
      type: str
      sample: changed
    actions:
      description: Of a Pod, what was done with it; of a workload, what was planned for its Pods.
      type: list
      elements: str
    reason:
      description: Of what is skipped, why it is not for this host.
      type: str
      sample: "disktype is ssd, and this host has no such label"
    phase:
      description: Of a Pod, its phase at the end.
      type: str
      sample: Running
    status:
      description: Of a workload, its status in Kubernetes' shape, at the end or in check mode as it is.
      type: dict
      sample: {replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2}
stack:
  description: The stack.
  returned: when it did not fail
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: shop
    revision:
      description: The number of its present revision.
      type: int
      sample: 3
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
notes:
  description: >-
    What documents say and no host keeps (O(unsupported)), each with its path, and what is not for this host
    (O(host_labels)).
  returned: when there is any, and it did not fail
  type: list
  elements: str
  sample:
    - "definition[0].kind: the Namespace 'shop' is not kept: the objects of all stacks of a host share one namespace"
diff:
  description: The declaration before and after, and the actions. The values of secrets stand there as digests.
  returned: when something was, or in check mode would be, changed
  type: dict
faults:
  description: Everything that is wrong with the declaration, or that the host refuses. Nothing was changed.
  returned: on such a failure
  type: list
  elements: dict
  contains:
    path:
      description: The field, in the spelling of the declaration.
      type: str
      sample: pods[1].containers[0].image
    reason:
      description: What is wrong with it, and what to do.
      type: str
      sample: is required
"""

from ansible_collections.podwright.pods.plugins.module_utils._delivery import host_code


def main() -> None:
    agent_client, argument_specs, module = host_code.modules(
        "_agent.client", "_delivery.argument_specs", "_delivery.module"
    )
    module.run_module(
        argument_specs.STACK_ARGUMENTS,
        agent_client.through("run_stack"),
        hidden_options=argument_specs.HIDDEN,
    )


if __name__ == "__main__":
    main()
