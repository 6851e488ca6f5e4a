# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the stack engine on the tests' Podman, each held to what check mode said of it, and what they left there."""

from __future__ import annotations

from typing import Any

from pod_runs import Options, tripwire
from podman_host import PodmanHost

from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import info as stack_info
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import run as stack_run


class StackRuns:
    """Runs of the stack engine in this process, each held to what check mode said of it."""

    def __init__(self, host: PodmanHost) -> None:
        self.host = host

    def apply(self, options: Options, **more: Any) -> Options:
        predicted = self.predict(options, **more)
        result = stack_run.run_stack({**options, **more}, False)
        assert result["actions"] == predicted["actions"]
        assert result["changed"] == predicted["changed"]
        return result

    def predict(self, options: Options, **more: Any) -> Options:
        before = self.host.mutations()
        with tripwire():
            predicted = stack_run.run_stack({**options, **more}, True)
        after = self.host.mutations()
        assert after == before, sorted({*after} ^ {*before})
        return predicted

    def unchanged(self, options: Options, **more: Any) -> Options:
        before = self.starts()
        result = self.apply(options, **more)
        assert (result["actions"], result["changed"]) == ([], False)
        assert "diff" not in result
        assert self.starts() == before
        return result

    def create(self, options: Options, **more: Any) -> Options:
        result = self.apply(options, **more)
        assert result["changed"]
        self.unchanged(options, **more)
        return result

    def starts(self) -> dict[str, tuple[str, str]]:
        """Id and start of every container."""
        inspected = {name: self.host.inspect(name) for name in self.host.containers()}
        return {name: (each["Id"], each["State"]["StartedAt"]) for name, each in inspected.items()}

    def changed_since(self, before: dict[str, tuple[str, str]]) -> set[str]:
        now = self.starts()
        return {name for name in {*now, *before} if now.get(name) != before.get(name)}

    def volumes(self) -> list[str]:
        return sorted(self.host.podman("volume", "ls", "--format", "{{.Name}}").split())

    def networks(self) -> list[str]:
        return sorted(self.host.podman("network", "ls", "--format", "{{.Name}}").split())

    def info(self, name: str = "shop") -> Options:
        (found,) = stack_info.run_stack_info({"name": name})["stacks"]
        return dict(found)


def results(told: Options) -> dict[str, str]:
    """What became of each object."""
    return {f"{item['kind']} {item['name']}": item["result"] for item in told["objects"]}
