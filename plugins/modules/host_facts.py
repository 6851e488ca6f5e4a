#!/usr/bin/python
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_facts: what a host has of the things that Pods stand on."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_facts
short_description: Tell what a host has of the things that Pods stand on
version_added: 0.1.0
author:
  - podwright.pods contributors (@podwright)
description:
  - >-
    Tells, in one look, of Podman and podman-py, the kernel, cgroups, capabilities, limits, storage, systemd, packages
    and rootless users. The role P(podwright.pods.host#role) prepares a host by it.
  - It needs nothing but Python, so that it can be run before anything is installed.
attributes:
  check_mode:
    description: Can run in check mode and say what it would do without doing it.
    support: full
    details:
      - This module changes nothing in any mode.
  diff_mode:
    description: Shows what differs, before and after, when run with C(--diff).
    support: none
    details:
      - This module changes nothing.
  facts:
    description: Returns C(ansible_facts) that are merged into the facts of the host.
    support: full
  platform:
    description: The managed hosts that are supported.
    platforms: linux
    support: full
options:
  packages:
    description: Names of the distribution's packages to look for.
    type: list
    elements: str
    default: []
  users:
    description: Names of the users who shall run Pods of their own.
    type: list
    elements: str
    default: []
  files:
    description: Paths of files to tell of, with their text.
    type: list
    elements: path
    default: []
  podman_py_directory:
    description: Where podman-py is looked for, besides where the host's interpreter looks.
    type: path
    default: /usr/local/lib/podwright/python
seealso:
  - module: ansible.builtin.setup
"""

EXAMPLES = r"""
- name: See what this host has
  podwright.pods.host_facts:
    packages: [podman, crun]

- name: Say what it lacks
  ansible.builtin.debug:
    msg: "Missing: {{ ansible_facts.podwright.packages_missing | join(', ') | default('nothing', true) }}"
"""

RETURN = r"""
ansible_facts:
  description: The facts, as C(ansible_facts) has them.
  type: complex
  returned: always
  contains:
    podwright:
      description: What the host has.
      type: dict
      returned: always
      contains:
        interpreter:
          description: The Python that runs the modules, which podman-py is looked for with.
          type: str
          sample: /usr/bin/python3.11
        is_root:
          description: Whether the task runs as root.
          type: bool
        kernel:
          description: The first two numbers of the kernel's version.
          type: str
          sample: "6.1"
        systemd:
          description: Whether systemd runs.
          type: bool
        services_ready:
          description: Whether C(podman.socket) listens, and it and C(podman-restart.service) are started at boot.
          type: bool
        cgroup:
          description: V(v2), V(hybrid) (v1 with a v2 mount beside it), V(v1) or V(none).
          type: str
        controllers_missing:
          description: The cgroup controllers that limits need and the host has not.
          type: list
          elements: str
        capabilities_missing:
          description: The capabilities that containers need and the task has not, without C(CAP_).
          type: list
          elements: str
        nofile_hard:
          description: The hard limit of open files; V(-1) for none.
          type: int
        nproc_hard:
          description: The hard limit of processes; V(-1) for none.
          type: int
        pid_max:
          description: The highest process id of the kernel.
          type: int
        user_namespaces:
          description: How many user namespaces there may be.
          type: int
        storage_free_mib:
          description: What is free where Podman keeps images, in MiB.
          type: int
        storage_filesystem:
          description: The file system that Podman keeps images on.
          type: str
          sample: ext4
        storage_configured:
          description: Whether there is a C(/etc/containers/storage.conf).
          type: bool
        overlay:
          description: Whether the kernel has overlayfs.
          type: bool
        nftables_inet:
          description: Whether the kernel has nftables of the family inet, or C(nft) is not there to ask.
          type: bool
        packages_missing:
          description: Those of O(packages) that are not installed.
          type: list
          elements: str
        apt_bindings:
          description: Whether check mode can ask apt.
          type: bool
        podman:
          description: The version of Podman, empty where there is none.
          type: str
          sample: 5.4.2
        podman_answers:
          description: Whether Podman can read its configuration and storage.
          type: bool
        podman_py:
          description: The version of podman-py, empty where there is none.
          type: str
          sample: 5.8.0
        tun:
          description: Whether every user may open C(/dev/net/tun).
          type: bool
        has_agent:
          description: Whether the unit of root's agent is there.
          type: bool
        rootless_users:
          description: >-
            The O(users), each with whether it exists, its uid, how many subordinate ids it has, whether its services
            run without a login and whether it has an agent.
          type: list
          elements: dict
        files:
          description: The O(files) by their paths, each with whether it exists, its text, uid and mode.
          type: dict
    distribution:
      description: >-
        The distribution, with C(distribution_version), C(distribution_major_version), C(distribution_release) and
        C(os_family), as M(ansible.builtin.setup) tells them.
      type: str
      returned: always
      sample: Debian
    fqdn:
      description: The host's full name, with C(hostname) and C(nodename), as M(ansible.builtin.setup) tells them.
      type: str
      returned: always
      sample: web1.example.com
"""

import platform
import socket

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facts.system.distribution import Distribution

from ansible_collections.podwright.pods.plugins.module_utils._host import host_facts

ARGUMENTS = {
    "packages": {"type": "list", "elements": "str", "default": []},
    "users": {"type": "list", "elements": "str", "default": []},
    "files": {"type": "list", "elements": "path", "default": []},
    "podman_py_directory": {"type": "path", "default": "/usr/local/lib/podwright/python"},
}
TOLD = ("distribution", "distribution_version", "distribution_major_version", "distribution_release", "os_family")


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    system = Distribution(module).get_distribution_facts()
    node = platform.node()
    names = {"ansible_fqdn": socket.getfqdn(), "ansible_hostname": node.split(".")[0], "ansible_nodename": node}
    facts = {**names, **{f"ansible_{name}": system[name] for name in TOLD if name in system}}
    module.exit_json(ansible_facts={**facts, "ansible_podwright": host_facts.read(**module.params)})


if __name__ == "__main__":
    main()
