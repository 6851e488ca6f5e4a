# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the modules share: the attributes that ansible-doc shows."""

from __future__ import annotations


class ModuleDocFragment:
    """``podwright.pods.attributes``; ``.applying`` or ``.info`` before it wins over it, and the module over all."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in check mode and say what it would do without doing it.
    support: full
    details:
      - RV(ignore:actions) lists what the real run does, in its order. Nothing on the host is changed.
  diff_mode:
    description: Shows what differs, before and after, when run with C(--diff).
    support: full
  idempotent:
    description: Run again with the same options it changes nothing.
    support: full
  platform:
    description: The managed hosts that are supported.
    platforms: linux
    support: full
requirements:
  - Podman 4.3 or newer.
  - podman-py 4.0 or newer, for the managed host's Python or in C(/usr/local/lib/podwright/python).
notes:
  - The role P(podwright.pods.host#role) installs what the modules need.
  - >-
    Podman is reached by its socket, that of E(CONTAINER_HOST) or the user's own. Where none listens, a service is
    started for the length of the task and ended with it.
"""

    # Of the modules that apply a declaration.
    APPLYING = r"""
attributes:
  action_group:
    description: >-
      Takes its defaults from C(module_defaults) of the group, which holds M(podwright.pods.pod) and
      M(podwright.pods.stack): for options that both have, such as O(wait_timeout), O(on_failure) and
      O(restart_on_change).
    support: full
    membership: [podwright.pods.podwright]
  async:
    description: Can be run with the C(async) keyword of a task.
    support: full
  idempotent:
    details:
      - Images that are pulled every time, as those with the tag C(latest) are, can change on their own.
"""

    # Of the modules that only tell.
    INFO = r"""
attributes:
  check_mode:
    details:
      - This module changes nothing in any mode.
  diff_mode:
    support: none
    details:
      - This module changes nothing.
  idempotent:
    details:
      - This module changes nothing.
"""
