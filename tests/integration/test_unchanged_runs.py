# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An agent remembers runs that had nothing to do, and forgets them with whatever they went by."""

from __future__ import annotations

import contextlib
import functools
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pod_runs import Options, await_true, cgroup_path, container, pod, server, write_memory_limit
from podman_host import BUSYBOX, PodmanHost, busybox_archive

from ansible_collections.podwright.pods.plugins.module_utils._agent import moments
from ansible_collections.podwright.pods.plugins.module_utils._agent.agent import Agent
from ansible_collections.podwright.pods.plugins.module_utils._agent.unchanged_runs import CAPACITY
from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_info, pod_run
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import run as stack_run

pytestmark = pytest.mark.integration

IMAGE = "localhost/podwright-test/other:1"


class Resident:
    """An agent in a thread of this process, and runs by it that are counted."""

    def __init__(self, host: PodmanHost) -> None:
        self.host = host
        self.agent = Agent()
        self.runs = 0
        self._thread = threading.Thread(target=self.agent.run)

    def start(self) -> None:
        self._thread.start()
        await_true(lambda: self.agent.moments.present() is not None)

    def end(self) -> None:
        self.agent.end()
        self._thread.join(30)

    def apply(self, options: Options, check: bool = False, **more: Any) -> Options:
        """As the agent answers a module."""
        options = {**options, **more}
        run = stack_run.run_stack if "pods" in options else pod_run.run_pod
        work = functools.partial(self._count, functools.partial(run, options, check, agent=self.agent))
        return self.agent.unchanged_runs.answer(json.dumps([options, check]).encode(), options, work)

    def _count(self, work: Callable[[], Options]) -> Options:
        self.runs += 1
        return work()

    def is_remembered(self, options: Options, check: bool = False) -> bool:
        """Whether a run, unchanged, is answered without being carried out."""
        before = self.runs
        answer = self.apply(options, check)
        assert answer["actions"] == [], answer["actions"]
        return self.runs == before

    def settle(self, options: Options) -> None:
        """Apply it, and again until that is remembered."""
        self.apply(options)
        await_true(lambda: self.is_remembered(options))


@pytest.fixture
def resident(in_host: PodmanHost, monkeypatch: pytest.MonkeyPatch) -> Iterator[Resident]:
    monkeypatch.setattr(moments, "LIST_SECONDS", 0.5)
    monkeypatch.setattr(moments, "_HEARING_SECONDS", 0.2)
    found = Resident(in_host)
    found.start()
    try:
        yield found
    finally:
        found.end()


def shop() -> Options:
    """A stack of two pods, with something of everything that a run goes by."""
    web = pod(
        server(
            image=IMAGE,
            resources={"limits": {"memory": "32Mi"}},
            volume_mounts=[{"name": "words", "mount_path": "/words"}],
        ),
        name="web",
        volumes=[{"name": "words", "config_map": {"name": "words"}}],
    )
    data = pod(
        container(volume_mounts=[{"name": "data", "mount_path": "/data"}]),
        name="data",
        volumes=[{"name": "data", "persistent_volume_claim": {"claim_name": "shop-data"}}],
    )
    words = [{"name": "words", "data": {"a.txt": "word"}}]
    return {"name": "shop", "pods": [web, data], "volumes": [{"name": "shop-data"}], "config_maps": words}


def test_an_unchanged_run_is_carried_out_once(resident: Resident) -> None:
    resident.host.podman("tag", BUSYBOX, IMAGE)
    resident.settle(shop())
    first = resident.apply(shop())
    assert [(item["name"], item["result"], item.get("phase")) for item in first["objects"][:2]] == [
        ("web", "unchanged", "Running"),
        ("data", "unchanged", "Running"),
    ]
    assert resident.is_remembered(shop())
    # Another request is another run, and so is a prediction.
    assert not resident.is_remembered({**shop(), "change_cause": "none"})
    assert not resident.is_remembered(shop(), check=True)
    assert resident.is_remembered(shop(), check=True)


def test_a_single_pod_is_remembered_with_its_status(resident: Resident) -> None:
    options = pod(server())
    resident.settle(options)
    told = resident.apply(options)["pod"]["status"]
    (found,) = pod_info.run_pod_info({"name": "web"}, agent=resident.agent)["pods"]
    assert told == found["status"]


def tag_another_image(host: PodmanHost) -> None:
    host.podman("import", "--quiet", "--change", "LABEL other=1", "-", IMAGE, input=busybox_archive())


def remove_the_volume(host: PodmanHost) -> None:
    # In one call: the keeper makes a container that was removed anew.
    host.podman("volume", "rm", "--force", "shop-data")


def change_the_limit(host: PodmanHost) -> None:
    write_memory_limit(cgroup_path(int(host.inspect("web-main")["State"]["Pid"])), 64 << 20)


def damage_the_files(host: PodmanHost) -> None:
    (host.state_directory / "pods" / "web" / "digests" / "words").write_text("no digest")


def remove_the_host_path(host: PodmanHost) -> None:
    (host.directory / "given").rmdir()


@pytest.mark.parametrize(
    "damage", [tag_another_image, remove_the_volume, change_the_limit, damage_the_files, remove_the_host_path]
)
def test_what_is_looked_at_anew_is_seen_though_nobody_has_told_of_it(
    resident: Resident, monkeypatch: pytest.MonkeyPatch, damage: Callable[[PodmanHost], None]
) -> None:
    resident.host.podman("tag", BUSYBOX, IMAGE)
    (resident.host.directory / "given").mkdir(exist_ok=True)
    options = shop()
    options["pods"][1]["volumes"] += [
        {"name": "given", "host_path": {"path": str(resident.host.directory / "given"), "type": "Directory"}}
    ]
    resident.settle(options)
    # From now on the agent hears of nothing, and compares nothing.
    monkeypatch.setattr(moments, "LIST_SECONDS", 600)
    moment = resident.agent.moments.present()
    monkeypatch.setattr(resident.agent.moments, "present", lambda: moment)
    assert resident.is_remembered(options)
    before = resident.runs
    damage(resident.host)
    with contextlib.suppress(PodwrightError):
        resident.apply(options)
    assert resident.runs == before + 1


def test_what_happens_to_a_container_is_heard_of(resident: Resident) -> None:
    resident.host.podman("tag", BUSYBOX, IMAGE)
    resident.settle(shop())
    before = resident.runs
    resident.host.podman("rm", "--force", "--time", "0", "data-main")
    await_true(lambda: bool(resident.apply(shop())) and resident.runs > before)
    await_true(lambda: resident.is_remembered(shop()))
    assert "data-main" in resident.host.containers()


def test_nothing_is_remembered_of_pods_that_are_not_ready(resident: Resident) -> None:
    options = pod(server(readiness_probe={"exec": {"command": ["test", "-e", "/tmp/ready"]}, "period_seconds": 1}))
    resident.apply(options, wait=False)
    assert not any(resident.is_remembered({**options, "wait": False}) for _round in range(3))
    resident.host.podman("exec", "web-main", "touch", "/tmp/ready")
    await_true(lambda: resident.is_remembered({**options, "wait": False}))
    resident.host.podman("exec", "web-main", "rm", "/tmp/ready")
    await_true(lambda: not resident.is_remembered({**options, "wait": False}))


def test_nothing_is_remembered_while_podman_is_not_heard(resident: Resident) -> None:
    options = pod()
    resident.settle(options)
    resident.host.stop_service()
    await_true(lambda: resident.agent.moments.present() is None)
    resident.host.start_service()
    assert not resident.is_remembered(options)
    await_true(lambda: resident.is_remembered(options), 20)


def test_so_many_are_remembered(resident: Resident) -> None:
    options = pod()
    resident.settle(options)
    for number in range(CAPACITY):
        resident.apply({**options, "wait_timeout": number + 1})
    assert resident.is_remembered({**options, "wait_timeout": CAPACITY})
    assert not resident.is_remembered(options)
