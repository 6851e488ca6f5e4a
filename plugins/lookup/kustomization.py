# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup kustomization: what a folder with a kustomization is built to."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kustomization
short_description: Build a kustomization
version_added: 0.1.0
author:
  - podwright.pods contributors (@podwright)
description:
  - >-
    Returns the Kubernetes documents that C(kustomize build) or C(kubectl kustomize) makes of a folder, as YAML text for
    O(podwright.pods.stack#module:definition). One of the two has to be installed on the control node.
  - >-
    The role P(podwright.pods.stack#role) builds folders of its own accord, as does O(podwright.pods.stack#module:src).
    This is for what else wants the documents.
options:
  _terms:
    description: Folders with a C(kustomization.yaml), in C(files/) of the role or playbook, beside them, or absolute.
    type: list
    elements: str
    required: true
seealso:
  - module: podwright.pods.stack
"""

EXAMPLES = r"""
- name: Keep what an overlay comes to, without one of its objects
  podwright.pods.stack:
    name: shop
    definition: "{{ documents | rejectattr('kind', 'eq', 'Ingress') }}"
  vars:
    documents: "{{ lookup('podwright.pods.kustomization', 'shop/overlays/production') | from_yaml_all }}"
"""

RETURN = r"""
_raw:
  description: The documents of each folder, as text.
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils._errors import InvalidInput
from ..module_utils._host import kustomization


class LookupModule(LookupBase):  # type: ignore[misc]
    """What Ansible asks for the lookup of this file."""

    def run(self, terms: list[str], variables: Any = None, **kwargs: Any) -> list[str]:
        self.set_options(var_options=variables, direct=kwargs)
        return [self._built(str(term), variables) for term in terms]

    def _built(self, term: str, variables: Any) -> str:
        found = self.find_file_in_search_path(variables, "files", term, ignore_missing=True)
        if not found or not kustomization.is_kustomization(Path(found)):
            names = ", ".join(kustomization.FILES)
            raise AnsibleLookupError(f"{term} is no folder with one of {names}, in files/ or beside the playbook")
        try:
            return kustomization.build(Path(found), term).decode()
        except (InvalidInput, UnicodeDecodeError) as error:
            raise AnsibleLookupError(str(error)) from None
