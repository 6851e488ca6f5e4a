# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that pod and stack share: the configuration and the secrets that containers use."""

from __future__ import annotations


class ModuleDocFragment:
    """``podwright.pods.configuration``."""

    DOCUMENTATION = r"""
options:
  config_maps:
    description: Configuration for the containers to read as variables or files. Its content is compared on every run.
    type: list
    elements: dict
    suboptions:
      name: &given_name
        description: The name that references use. It is known within this declaration only.
        type: str
        required: true
      data:
        description: Text by key. Keys are letters, digits, C(-), C(_) and C(.).
        type: dict
      binary_data:
        description: More content by key, in base64.
        type: dict
      immutable:
        description: Kept with the object. The default is V(false).
        type: bool
  secrets:
    description:
      - >-
        Secrets for the containers to read as variables or files. Their values appear in no output, diff or label, on no
        command line and in no file that others can read.
    type: list
    elements: dict
    suboptions:
      name: *given_name
      string_data:
        description: Text by key, as it is. It wins over C(data).
        type: dict
      data:
        description: Content by key, in base64.
        type: dict
      generate:
        description: >-
          Keys whose value is made up once on the host and kept there, with the number of characters (8 to 1024) it has.
        type: dict
      rotate:
        description: >-
          A number for each key of C(generate), 0 by default. Where it is higher than before, a new value is made, once,
          and the containers that use it are replaced. If they do not become ready, the old value is put back. A lower
          number changes nothing. A program that keeps a password in its data, as databases do, has to be told of a new
          one by itself.
        type: dict
      type:
        description: What kind of secret it is, in Kubernetes' words. The default is V(Opaque).
        type: str
      immutable:
        description: Kept with the object. The default is V(false).
        type: bool
  restart_on_change:
    description: Which changed values of ConfigMaps and Secrets replace the containers that use them.
    type: dict
    suboptions:
      environment:
        description: >-
          Values that a container takes as variables. A running process keeps the old ones, so the default is V(true).
        type: bool
      files:
        description: Values that a container reads from files, which change in place. The default is V(false).
        type: bool
  unsupported:
    description:
      - What becomes of what Kubernetes documents say and no host keeps.
      - >-
        V(note) passes it over and says so in RV(ignore:notes): a Namespace, ServiceAccount, Role, RoleBinding,
        ClusterRole, ClusterRoleBinding, HorizontalPodAutoscaler, VerticalPodAutoscaler, PodDisruptionBudget,
        PodSecurityPolicy, NetworkPolicy, PriorityClass, ResourceQuota, LimitRange or StorageClass; and of Pods
        C(tolerations), C(topologySpreadConstraints), C(priority), C(priorityClassName), C(preemptionPolicy),
        C(serviceAccount), C(serviceAccountName) and amounts of C(ephemeral-storage). A NetworkPolicy that would have
        closed something comes as a warning.
      - V(refuse) refuses it, as all else is refused that is not supported.
    type: str
    choices: [note, refuse]
    default: note
  expected_images:
    description:
      - >-
        Names of images that tasks before this one have on the host, as M(podwright.pods.image) does. Check mode, in
        which those tasks have made nothing, takes the images as being there. It has no meaning otherwise.
    type: list
    elements: str
"""
