# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory pods: the containers of the Pods on this machine as hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pods
short_description: The containers of Pods on this machine as hosts
version_added: 0.1.0
author:
  - podwright.pods contributors (@podwright)
description:
  - >-
    Makes a host of each container of the Pods that M(podwright.pods.pod) and M(podwright.pods.stack) made on the
    machine that Ansible runs on. The host is called what Podman calls the container, C(<pod>-<container>).
  - >-
    Asks the Podman of the user who runs Ansible; for root that is the machine's. The environment variable
    E(CONTAINER_HOST) names the socket of another one. Where no socket listens, a Podman service is run for as long as
    it takes.
  - >-
    Tells what M(podwright.pods.pod_info) tells, and finds out readiness as that does, by running the startup and
    readiness probes once. Pods, containers and files stay as they are, and nothing is cached.
  - A container that is declared and was never made is not listed. One that has ended is.
  - >-
    Each host is in the groups C(pod_<name>), C(phase_<phase in lower case>), C(label_<key>_<value>) for each label of
    its Pod, and C(stack_<name>) if its Pod belongs to a stack. What must not be in the name of a group becomes an
    underscore.
  - >-
    Each host has the variables C(ansible_connection), C(ansible_host) (what Podman calls the container),
    C(podwright_pod), C(podwright_container), C(podwright_role) (V(init), V(sidecar) or V(app)), C(podwright_stack)
    (empty for a Pod on its own), C(podwright_phase) (of the Pod), C(podwright_ready) (whether this container is
    ready), C(podwright_labels) (of the Pod), C(podwright_image) and C(podwright_pod_ip) (empty while the Pod does not
    run).
  - The name of the configuration file must end with C(podwright.yml) or C(podwright.yaml).
notes:
  - >-
    The connection plugin P(containers.podman.podman#connection) is in the collection C(containers.podman), which this
    collection does not install. It runs the program C(podman), also where E(CONTAINER_HOST) is set.
  - >-
    Most modules need Python in the container. M(ansible.builtin.raw) does not; with that connection no shell reads its
    command unless the command is one, such as C(sh -c 'hostname; uptime').
extends_documentation_fragment:
  - constructed
options:
  plugin:
    description: Marks the file as a configuration of this plugin.
    type: str
    required: true
    choices: [podwright.pods.pods]
  stacks:
    description:
      - Only the Pods of these stacks. Without it, or if it is empty, all Pods.
      - A stack that is not on this machine has no Pods.
    type: list
    elements: str
    default: []
  labels:
    description: Only the Pods that have all these labels with these values.
    type: dict
    default: {}
  include_init:
    description: Whether to list init containers as well, which run no more once a Pod has started.
    type: bool
    default: false
  connection:
    description: The connection plugin by which Ansible reaches the containers.
    type: str
    default: containers.podman.podman
seealso:
  - module: podwright.pods.pod_info
  - module: podwright.pods.stack_info
"""

EXAMPLES = r"""
# All containers of all Pods: ansible-inventory -i all.podwright.yml --graph
plugin: podwright.pods.pods
---
# Those of one stack that are labelled, and groups of one's own: ansible role_app -i shop.podwright.yml -m raw -a uptime
plugin: podwright.pods.pods
stacks: [shop]
labels:
  tier: front
keyed_groups:
  - prefix: role
    key: podwright_role
groups:
  unready: not podwright_ready
compose:
  address: podwright_pod_ip
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

from ..module_utils._declaration import place
from ..module_utils._declaration.fields import checks, schema
from ..module_utils._errors import Fault, InvalidInput, PodwrightError
from ..module_utils._host import stack_store
from ..module_utils._host.store import Store
from ..module_utils._runs import pod_info

_SUFFIXES = ("podwright.yml", "podwright.yaml")
_LABELS = schema.Mapping(schema.Text(checks.label_value), checks.label_key)


class InventoryModule(BaseInventoryPlugin, Constructable):
    """What Ansible asks for an inventory plugin."""

    NAME = "podwright.pods.pods"

    def verify_file(self, path: str) -> bool:
        """Whether the file is there and called as ours are."""
        return bool(super().verify_file(path)) and path.endswith(_SUFFIXES)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = False) -> None:
        """Add hosts and groups. Raises AnsibleParserError: every fault of the file, or why Podman cannot be asked."""
        super().parse(inventory, loader, path, cache)
        config = self._read_config_data(path)
        try:
            labels = _read_labels(self.get_option("labels"), config.keys() - self.option_definitions.keys())
            pods = pod_info.run_pod_info({"labels": labels})["pods"]
            owners = stack_store.owners_of_pods(Store())
        except PodwrightError as error:
            raise AnsibleParserError(str(error)) from None
        wanted = {str(name) for name in self.get_option("stacks")}
        for pod in pods:
            stack = owners.get(pod["metadata"]["name"], "")
            if not wanted or stack in wanted:
                self._add_pod(pod, stack)

    def _add_pod(self, pod: Mapping[str, Any], stack: str) -> None:
        for variables in _containers(pod, stack):
            if variables["podwright_role"] != "init" or self.get_option("include_init"):
                self._add_host({"ansible_connection": self.get_option("connection"), **variables})

    def _add_host(self, variables: Mapping[str, Any]) -> None:
        host, strict = variables["ansible_host"], self.get_option("strict")
        self.inventory.add_host(host)
        for name, value in variables.items():
            self.inventory.set_variable(host, name, value)
        for name in _groups(variables):
            group = self.inventory.add_group(self._sanitize_group_name(name))
            self.inventory.add_child(group, host)
        known = self.inventory.get_host(host).get_vars()
        self._set_composite_vars(self.get_option("compose"), known, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), known, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, host, strict=strict)


def _read_labels(given: Any, unknown: Collection[Any]) -> dict[str, str]:
    """The labels to look for.

    Raises InvalidInput, also for options there are not: Ansible passes over them, and a filter that is misspelt would
    let more hosts through than were meant.
    """
    faults = [Fault(str(name), "is not an option of this plugin") for name in sorted(unknown, key=str)]
    labels = _LABELS.parse(given or {}, place.Place("labels", place.Style.NATIVE, faults))
    if faults:
        raise InvalidInput(faults)
    return {str(name): str(value) for name, value in labels.items()}


def _containers(pod: Mapping[str, Any], stack: str) -> Iterator[dict[str, Any]]:
    """The variables of each container of a Pod that was ever made, from what `pod_info.describe` tells of the Pod."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod["status"]
    policies = {container["name"]: container.get("restartPolicy") for container in spec.get("initContainers", ())}
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        name = container["name"]
        role = "app" if name not in policies else "sidecar" if policies[name] == "Always" else "init"
        if "containerID" in container:
            yield {
                "ansible_host": f"{metadata['name']}-{name}",
                "podwright_pod": metadata["name"],
                "podwright_container": name,
                "podwright_role": role,
                "podwright_stack": stack,
                "podwright_phase": status["phase"],
                "podwright_ready": container["ready"],
                "podwright_labels": dict(metadata.get("labels") or {}),
                "podwright_image": container["image"],
                "podwright_pod_ip": status.get("podIP", ""),
            }


def _groups(variables: Mapping[str, Any]) -> list[str]:
    """The groups of a host, with names that are still to be made safe."""
    stack = variables["podwright_stack"]
    return [
        *([f"stack_{stack}"] if stack else []),
        f"pod_{variables['podwright_pod']}",
        f"phase_{variables['podwright_phase'].lower()}",
        *(f"label_{key}_{value}" for key, value in variables["podwright_labels"].items()),
    ]
