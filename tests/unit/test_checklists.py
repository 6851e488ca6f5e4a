# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing that is declared is forgotten on its way: the steps of the checklists that no other test asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import host_model
import yaml

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec
from ansible_collections.podwright.pods.plugins.module_utils._declaration.fields import container as container_fields
from ansible_collections.podwright.pods.plugins.module_utils._host import probes
from ansible_collections.podwright.pods.plugins.module_utils._reconcile import operations as op
from ansible_collections.podwright.pods.plugins.module_utils._runs import execute

CASES = Path(__file__).parent / "data" / "plans"


def volumes_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    pods = (case.get("was"), case.get("pod"), case.get("cut_off", {}).get("pod"))
    return [volume for pod in pods if pod for volume in pod.get("volumes", ())]


def test_every_type_of_volume_is_planned() -> None:
    sources = {*spec.Volume.__dataclass_fields__} - {"name"}
    volumes = [volume for path in CASES.glob("*.yml") for volume in volumes_of(yaml.safe_load(path.read_text()))]
    assert {source for volume in volumes for source in volume} - {"name"} == sources


def test_every_operation_is_carried_out() -> None:
    # What is rotated no plan of a pod holds: a run adds it.
    assert {*execute._PERFORMERS} == {*host_model._STEPS, op.RotateSecret}


def test_every_action_can_be_attempted() -> None:
    attempted = {"exec", *probes.NETWORK_ACTIONS}
    assert {*container_fields.PROBE.one_of} == attempted
    assert {*container_fields.HOOK.one_of} <= attempted | {"sleep"}
