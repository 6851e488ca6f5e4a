# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads an object from the directory TEST_CLUSTER."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(
    argument_spec={name: {"type": "str", "required": True} for name in ("api_version", "kind", "name", "namespace")},
    supports_check_mode=True,
)
wanted = module.params
path = Path(os.environ["TEST_CLUSTER"], wanted["namespace"], f"{wanted['kind']}-{wanted['name']}.json")
module.exit_json(changed=False, resources=[json.loads(path.read_text())] if path.exists() else [])
