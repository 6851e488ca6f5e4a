# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack of a simulation: two pods, of which one waits for the other, a volume, and a generated secret."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack import parse as stack_parse
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import StackSpec
from ansible_collections.podwright.pods.plugins.module_utils._host.stack_store import StackStore
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.operations import owner_of_secrets
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.record import StackRecord

from .declarations import Options, Version

STACK = "shop"
DB, WEB = "shop-db", "shop-web"
PODS = (DB, WEB)
VOLUME = "shop-data"


@dataclass(frozen=True)
class StackVersion:
    """A declaration of the stack, and whether it can ever become ready."""

    options: Options
    is_good: bool
    bad: str = ""
    """The pod that cannot."""

    @functools.cached_property
    def spec(self) -> StackSpec:
        return stack_parse.parse_options(self.options)

    @functools.cached_property
    def pods(self) -> dict[str, Version]:
        """Its pods, and of each whether it can become ready."""
        given = {options["name"]: options for options in self.options["pods"]}
        specs = {pod.name: pod for pod in self.spec.pods}
        return {name: Version(given[name], name != self.bad, specs[name]) for name in given}

    def __str__(self) -> str:
        return " ".join(str(pod["containers"][0]["command"]) for pod in self.options["pods"])


@dataclass
class Shop:
    """What was declared of the stack, and what is known of it."""

    versions: list[StackVersion] = field(default_factory=list)
    secrets: dict[str, Any] = field(default_factory=dict)
    has_volume: bool = False

    def new_version(self, chance: random.Random, number: int, is_good: bool) -> StackVersion:
        """Another declaration: of one pod or both, seldom without the one that waits."""
        bad = "" if is_good else chance.choice(PODS)
        last = next((version for version in reversed(self.versions) if version.is_good), None)
        given = {pod["name"]: pod for pod in last.options["pods"]} if last else {}
        keeps = chance.choice(PODS) if chance.random() < 0.5 else ""
        pods = [self._pod(chance, name, number, name == bad) for name in PODS]
        pods = [given[pod["name"]] if pod["name"] == keeps != bad and keeps in given else pod for pod in pods]
        if is_good and chance.random() < 0.1:
            pods = pods[:1]
        options: Options = {
            "name": STACK,
            "pods": pods,
            "depends_on": {WEB: [{"pod": DB}]} if len(pods) > 1 else {},
            "secrets": [{"name": "database", "generate": {"password": 12}}],
            "volumes": [{"name": VOLUME}],
        }
        version = StackVersion(options, is_good, bad)
        self.versions.append(version)
        return version

    def _pod(self, chance: random.Random, name: str, number: int, is_bad: bool) -> Options:
        main: Options = {"name": "main", "image": chance.choice(("app:1", "app:2")), "command": [f"n={number}"]}
        if is_bad:
            main["command"].append(chance.choice(("exit=1@0", "exit=1@0.3", "ready=never")))
        elif chance.random() < 0.5:
            main["command"].append(f"ready={chance.choice((0, 1, 4))}")
        if any(word.startswith("ready") for word in main["command"]):
            main["readiness_probe"] = {"exec": {"command": ["ask"]}, "period_seconds": 2}
        pod: Options = {"name": name, "containers": [main], "termination_grace_period_seconds": 5}
        if name == DB:
            reference = {"name": "database", "key": "password"}
            main["env"] = [{"name": "PASSWORD", "value_from": {"secret_key_ref": reference}}]
            main["volume_mounts"] = [{"name": "data", "mount_path": "/data"}]
            pod["volumes"] = [{"name": "data", "persistent_volume_claim": {"claim_name": VOLUME}}]
        return pod

    # --- what must hold ------------------------------------------------------------------------------------------

    def note_done(self) -> None:
        """A run has said ok of a declaration: its volume is there, and its secret."""
        self.has_volume = True
        self.secrets = self.secrets or self._generated()

    def faults(self, volumes: set[str]) -> str:
        """What does not hold of the stack's record, its data and its secret; empty for nothing."""
        if self.has_volume and VOLUME not in volumes:
            return f"the volume {VOLUME} is gone"
        if self.secrets and self._generated() != self.secrets:
            return f"the secrets of {STACK} are others than before"
        store = StackStore(Store(), STACK)
        record = store.read()
        for number in record.all_good:
            if number in store.numbers():
                declared = store.revision(number).stack
                if any(version.spec == declared and not version.is_good for version in self.versions):
                    return f"revision {number} of {STACK} is called good, and can never be ready"
        strays = set(PODS).intersection(Store().recorded_pods()) - set(record.owned.pods)
        return f"pods {sorted(strays)} are on record, and no stack's" if strays else ""

    def record(self) -> StackRecord:
        return StackStore(Store(), STACK).read()

    def _generated(self) -> dict[str, Any]:
        return Store().readable_values(owner_of_secrets(STACK))
