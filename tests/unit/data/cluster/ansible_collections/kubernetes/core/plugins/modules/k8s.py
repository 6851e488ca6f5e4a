# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes objects into the directory TEST_CLUSTER, and removes them."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(
    argument_spec={
        "definition": {"type": "raw", "required": True},
        "namespace": {"type": "str"},
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        "apply": {"type": "bool", "default": False},
        "server_side_apply": {"type": "dict", "options": {"field_manager": {"type": "str", "required": True}}},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 120},
    },
)
given = module.params["definition"]
changed = False
for document in given if isinstance(given, list) else [given]:
    namespace = module.params["namespace"] or ""
    path = Path(os.environ["TEST_CLUSTER"], namespace, f"{document['kind']}-{document['metadata']['name']}.json")
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in document.pop("stringData", {}).items()}
    if encoded:
        document["data"] = {**document.get("data", {}), **encoded}
    before = json.loads(path.read_text()) if path.exists() else None
    after = document if module.params["state"] == "present" else None
    changed = changed or before != after
    path.parent.mkdir(parents=True, exist_ok=True)
    if after is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(json.dumps(after))
module.exit_json(changed=changed)
