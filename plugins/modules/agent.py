#!/usr/bin/python
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module agent: have the agent's code on a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: agent
short_description: Have the code and the programs of the agent on a host
version_added: 0.1.0
author:
  - podwright.pods contributors (@podwright)
description:
  - >-
    The agent, C(podwrightd), keeps Pods alive between runs of Ansible: restarts with back-off, liveness and readiness
    probes of every kind, hooks, what somebody breaks by hand, and the way up after a boot. Its code is that of this
    collection, and this module puts it on the host, with the programs C(podwrightd) and C(podwright).
  - >-
    Use the role P(podwright.pods.agent#role), which runs this module and starts the agent. The module by itself starts
    and restarts nothing.
attributes:
  check_mode:
    description: Can be run in check mode and says whether it would change anything.
    support: full
  diff_mode:
    description: Shows what differs, before and after, when run with C(--diff).
    support: partial
    details: Of the units of systemd, and not of the code.
  idempotent:
    description: Run again with the same options it changes nothing.
    support: full
  platform:
    description: The managed hosts that are supported.
    platforms: linux
    support: full
options:
  state:
    description:
      - V(present) has the code of the collection that runs the task.
      - V(absent) removes all of it, the units of systemd with it. An agent that runs goes on.
    type: str
    choices: [present, absent]
    default: present
  code:
    description: Names the code. The action plugin of this module sets it.
    type: str
  service:
    description:
      - How systemd runs the agent, where it runs on the host. Left out, no unit is written.
      - >-
        The units are C(podwrightd.service), and two that have the agent end before containers when the host goes down.
        For root they are in C(/etc/systemd/system), for others in C(~/.config/systemd/user).
    type: dict
    suboptions:
      arguments:
        description: Arguments of the agent, as C(podwrightd run --help) tells them.
        type: list
        elements: str
        default: []
      stop_timeout_seconds:
        description: How long the Pods may take to end when the host goes down, in seconds.
        type: int
        default: 300
seealso:
  - module: podwright.pods.pod
  - module: podwright.pods.stack
"""

EXAMPLES = r"""
- name: The code of the agent
  podwright.pods.agent:
  register: agent_code

- name: The same, with units that start it at boot
  podwright.pods.agent:
    service:
      arguments: ["--terminated-pods=100"]
"""

RETURN = r"""
directory:
  description: Where the package C(podwright) is.
  type: str
  returned: always
  sample: /usr/local/lib/podwright/agent/current
programs:
  description: The directory of the programs C(podwrightd) and C(podwright).
  type: str
  returned: always
  sample: /usr/local/bin
uid:
  description: The user whose agent it is, by number.
  type: int
  returned: always
  sample: 0
home:
  description: The home directory of this user.
  type: str
  returned: always
  sample: /root
systemd:
  description: Whether systemd runs on the host.
  type: bool
  returned: always
code_changed:
  description: Whether the code has changed, so that a running agent has to be restarted.
  type: bool
  returned: when O(state=present)
service_changed:
  description: Whether a unit was written, or would be. Then systemd has to read them anew, and restart the agent.
  type: bool
  returned: when O(service) is given and systemd runs
service_ready:
  description: Whether systemd runs the agent and starts it at boot.
  type: bool
  returned: when O(service) is given and systemd runs
exists:
  description: Whether there is an agent on the host.
  type: bool
  returned: when O(state=absent)
lacking:
  description: Python packages that the command and metrics need and that the host's interpreter has not.
  type: list
  elements: str
  returned: when O(state=present)
  sample: [click, rich]
"""

from ansible_collections.podwright.pods.plugins.module_utils._delivery import host_code


def main() -> None:
    install, argument_specs, module = host_code.modules(
        "_delivery.install", "_delivery.argument_specs", "_delivery.module"
    )
    module.run_module(argument_specs.AGENT_ARGUMENTS, install.install)


if __name__ == "__main__":
    main()
