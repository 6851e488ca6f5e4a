# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared of pods in a simulation, as its seed has it."""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._host.state.records import Record

from .simulated_host import FAILING_COMMAND

Options = dict[str, Any]
SECRET = "the-secret-value"


@dataclass(frozen=True)
class Version:
    """A declaration of a pod, and whether it can ever become ready. ``declared``: as it is read in a stack."""

    options: Options
    is_good: bool
    declared: s.PodSpec | None = None

    @functools.cached_property
    def spec(self) -> s.PodSpec:
        return self.declared or parse_options(self.options)

    def is_that_of(self, record: Record) -> bool:
        """Whether it is what was applied last; a pod of a stack is recorded with what the stack gave it."""
        applied = record.applied.pod
        return self.spec == (replace(applied, secrets=()) if self.declared else applied)

    def __str__(self) -> str:
        return str(self.options["containers"][0]["command"])


def with_failing_probe(made: Sequence[Version]) -> Version | None:
    """The last declaration that can become ready, but for its readiness probe, which asks what fails."""
    good = next((version for version in reversed(made) if version.is_good), None)
    if good is None or "readiness_probe" not in good.options["containers"][0]:
        return None
    main, *others = good.options["containers"]
    probe = {**main["readiness_probe"], "exec": {"command": [FAILING_COMMAND]}}
    return Version({**good.options, "containers": [{**main, "readiness_probe": probe}, *others]}, False)


def new_version(chance: random.Random, pod: str, number: int, made: Sequence[Version], is_good: bool) -> Version:
    """Another declaration for a pod than those that were ``made``, of a kind that the seed chooses."""
    changed = None if is_good or chance.random() < 0.5 else with_failing_probe(made)
    if changed:
        return changed
    probe = {"exec": {"command": ["ask"]}, "period_seconds": chance.choice((1, 2, 5)), "failure_threshold": 3}
    main: Options = {"name": "main", "image": chance.choice(("app:1", "app:2"))}
    words = [f"n={number}"]
    has_probe = chance.random() < 0.6
    if has_probe:
        main["readiness_probe"] = probe
    if is_good:
        words += [f"ready={chance.choice((0, 1, 4))}"] if has_probe else []
    else:
        words += ["ready=never"] if has_probe else []
        words += [f"exit=1@{chance.choice((0, 0.3))}"] if not has_probe or chance.random() < 0.5 else []
    if chance.random() < 0.3:
        words.append(f"term={chance.choice(('0', '2', 'never'))}")
    if chance.random() < 0.3:
        main["lifecycle"] = {
            "pre_stop": {"exec": {"command": ["bye"]}},
            "post_start": {"exec": {"command": ["hi"]}},
        }
    if chance.random() < 0.3:
        main["env"] = [{"name": "PASSWORD", "value_from": {"secret_key_ref": {"name": "keys", "key": "password"}}}]
    containers = [{**main, "command": words}]
    if chance.random() < 0.4:
        containers.append({"name": "side", "image": "app:1", "command": ["n=0"]})
    options: Options = {"name": pod, "containers": containers, "termination_grace_period_seconds": 5}
    inits: list[Options] = []
    if chance.random() < 0.3:
        inits.append({"name": "first", "image": "app:1", "command": ["exit=0@1"]})
    if chance.random() < 0.2:
        inits.append({"name": "helper", "image": "app:1", "command": ["n=1"], "restart_policy": "Always"})
    if inits:
        options["init_containers"] = inits
    if "env" in main:
        options["secrets"] = [{"name": "keys", "string_data": {"password": SECRET}}]
    if chance.random() < 0.3:
        options["volumes"] = [{"name": "data", "empty_dir": {}}]
        containers[0]["volume_mounts"] = [{"name": "data", "mount_path": "/data"}]
    return Version(options, is_good)
