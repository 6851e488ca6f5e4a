# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What someone changed by hand is found and put right, at no more than it costs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pod_runs import SLEEP, Options, PodRuns, await_true, container, plan, pod, server
from podman_host import BUSYBOX

from ansible_collections.podwright.pods.plugins.module_utils._errors import Refused
from ansible_collections.podwright.pods.plugins.module_utils._host.kernel import processes

pytestmark = pytest.mark.integration

CLAIM = {"volumes": [{"name": "data", "persistent_volume_claim": {"claim_name": "data"}}]}
MOUNT = {"volume_mounts": [{"name": "data", "mount_path": "/data"}]}


def options() -> Options:
    """Two containers, one with data."""
    return pod(server(root="/data", **MOUNT), container("other"), **CLAIM)


def remake(name: str, cause: str, is_running: bool) -> list[str]:
    stop = [f"stop container web/{name}: {cause}"] if is_running else []
    return [
        *stop,
        f"remove container web/{name}: {cause}",
        f"create container web/{name}: {cause}",
        f"start container web/{name}: {cause}",
    ]


def stop(pods: PodRuns) -> None:
    pods.host.podman("stop", "web-main")


def kill(pods: PodRuns) -> None:
    """A container that is killed by hand is not started again by Podman."""
    pods.host.podman("kill", "web-main")
    pods.await_state("web-main", "exited")


def remove(pods: PodRuns) -> None:
    pods.host.podman("rm", "-f", "-t", "0", "web-main")


def pause(pods: PodRuns) -> None:
    pods.host.pause("web-main")


def lose(pods: PodRuns, name: str = "web-main") -> None:
    """Neither the container's process nor what watches it for Podman is left, so that Podman is told of nothing."""
    told = pods.host.inspect(name)["State"]
    for pid in (told["ConmonPid"], told["Pid"]):
        os.kill(pid, signal.SIGKILL)
    await_true(lambda: processes.find(told["Pid"]) is None)
    assert pods.state(name) == "running"


def unwatch(pods: PodRuns) -> None:
    """Only what watches it is gone."""
    inspected = pods.host.inspect("web-main")
    monitor = inspected["State"]["ConmonPid"]
    os.kill(monitor, signal.SIGKILL)
    # It is there for a moment longer.
    await_true(lambda: not processes.is_monitor(monitor, inspected["Id"]))


def lose_while_it_stops(pods: PodRuns) -> None:
    unwatch(pods)
    pods.host.podman("stop", "-t", "2", "web-main", check=False)
    assert pods.state("web-main") in ("stopping", "stopped")


def replace(pods: PodRuns) -> None:
    """Made again by hand in our pod, under our name, without our labels."""
    remove(pods)
    pods.host.podman("run", "-d", "--stop-timeout", "0", "--pod", "web", "--name", "web-main", BUSYBOX, "sleep", "600")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (stop, remake("main", "it is not running (exit code 0)", False)),
        (kill, remake("main", "it is not running (exit code 137)", False)),
        (remove, remake("main", "it was not there", False)[1:]),
        (pause, remake("main", "it is paused", True)),
        (lose, remake("main", "its process is gone, though Podman says that it runs", False)),
        (unwatch, remake("main", "its monitor (conmon) is gone, so Podman would not see it end", True)),
    ],
)
def test_one_container(pods: PodRuns, change: Callable[[PodRuns], None], expected: list[str]) -> None:
    pods.create(options(), wait=True)
    (pods.root("web-main") / "data" / "row").write_text("kept")
    other = pods.identity("web-other")
    change(pods)
    pods.change(options(), expected, wait=True)
    assert pods.get("web-other", 8080, "/row") == "kept"
    assert pods.identity("web-other") == other


def test_container_that_stops_for_ever(pods: PodRuns) -> None:
    pods.create(options(), wait=True)
    lose_while_it_stops(pods)
    assert "start container web/main" in " ".join(plan(pods.apply(options(), wait=True)))
    pods.unchanged(options(), wait=True)


def test_container_whose_stop_was_given_up(pods: PodRuns) -> None:
    """It runs on, and Podman says that it stops."""
    stubborn = pod(container(script="trap '' TERM; while :; do sleep 1; done"))
    pods.create(stubborn, wait=True)
    command = ["podman", "stop", "-t", "600", "web-main"]
    with subprocess.Popen(command, env=pods.host.environment_without_service) as stopping:
        pods.await_state("web-main", "stopping")
        stopping.kill()
    assert processes.find(pods.pid("web-main"))
    pods.change(stubborn, remake("main", "it is being stopped", True), wait=True)


def test_lost_containers_can_be_removed(pods: PodRuns) -> None:
    pods.create(options(), wait=True)
    lose(pods)
    lose(pods, "web-infra")
    pods.apply({"name": "web", "state": "absent"})
    assert pods.names() == []


def test_container_made_again_by_hand(pods: PodRuns) -> None:
    """It bears our name and is not ours: it is not touched, and the run says what is in the way."""
    pods.create(options(), wait=True)
    replace(pods)
    text = pods.refuse(options(), Refused)
    assert text.startswith("containers[0].name: the name web-main is taken by container web-main of pod web in Podman")
    remove(pods)
    pods.change(options(), remake("main", "it was not there", False)[1:], wait=True)


def test_container_that_was_renamed_or_copied(pods: PodRuns) -> None:
    """It is ours by its labels, and in the way of the one that is made anew."""
    pods.create(options(), wait=True)
    other = pods.identity("web-other")
    pods.host.podman("rename", "web-main", "mine")
    pods.change(
        options(),
        [
            "stop container web/main: it is called mine",
            "remove container web/main: it is called mine",
            "create container web/main: it was not there",
            "start container web/main: it was not there",
        ],
        wait=True,
    )
    pods.host.podman("container", "clone", "web-main", "copy")
    pods.change(options(), ["remove container web/main: it is called copy"], wait=True)
    assert pods.names() == ["web-infra", "web-main", "web-other"]
    assert pods.identity("web-other") == other


def kill_infra(pods: PodRuns) -> None:
    os.kill(pods.pid("web-infra"), signal.SIGKILL)
    pods.await_state("web-infra", "exited")


def lose_infra(pods: PodRuns) -> None:
    lose(pods, "web-infra")


def remove_infra(pods: PodRuns) -> None:
    """Podman lets the infra container go only together with its pod."""
    pods.host.podman("pod", "rm", "-f", "-t", "0", "web")


def stop_pod(pods: PodRuns) -> None:
    pods.host.podman("pod", "stop", "-t", "2", "web")


def pause_pod(pods: PodRuns) -> None:
    pods.host.pause("web-infra", "web-main", "web-other")


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (kill_infra, "its infra container is not running"),
        (remove_infra, "it was not there"),
        (stop_pod, "its infra container is not running"),
        (pause_pod, "its infra container is not running"),
        (
            lose_infra,
            "its infra container is broken: its process is gone, though Podman says that it runs",
        ),
    ],
)
def test_the_whole_pod(pods: PodRuns, change: Callable[[PodRuns], None], cause: str) -> None:
    pods.create(options(), wait=True)
    (pods.root("web-main") / "data" / "row").write_text("kept")
    change(pods)
    result = pods.apply(options(), wait=True)
    assert [line for line in plan(result) if not line.startswith(("stop", "remove"))] == [
        f"create pod web: {cause}",
        f"start infra container of pod web: {cause}",
        *remake("main", cause, False)[1:],
        *remake("other", cause, False)[1:],
    ]
    assert pods.get("web-other", 8080, "/row") == "kept"
    pods.unchanged(options(), wait=True)


def test_state_directory_removed(pods: PodRuns) -> None:
    """Without the record and the key everything is made anew, as digests can no longer be compared; data stays."""
    pods.create(options(), wait=True)
    (pods.root("web-main") / "data" / "row").write_text("kept")
    shutil.rmtree(pods.host.state_directory)
    pods.apply(options(), wait=True)
    assert pods.get("web-other", 8080, "/row") == "kept"
    pods.unchanged(options(), wait=True)


def write_over(path: Path) -> None:
    path.write_text("changed")


def widen(path: Path) -> None:
    path.chmod(0o666)


def add(path: Path) -> None:
    path.with_name("another").write_text("added")


@pytest.mark.parametrize("change", [write_over, widen, add, Path.unlink])
def test_files_of_a_volume(pods: PodRuns, change: Callable[[Path], None]) -> None:
    site = {"name": "site", "config_map": {"name": "site"}}
    main = server(root="/site", volume_mounts=[{"name": "site", "mount_path": "/site"}])
    options = pod(main, volumes=[site], config_maps=[{"name": "site", "data": {"page": "declared"}}])
    pods.create(options, wait=True)
    before = pods.identity("web-main")
    directory = pods.host.state_directory / "pods/web/files/site"
    change(directory / "..data" / "page")
    pods.change(options, ["write volume web/site: content changed"], wait=True)
    assert pods.get("web-main", 8080, "/page") == "declared"
    assert [path.name for path in (directory / "..data").iterdir()] == ["page"]
    assert pods.identity("web-main") == before


def test_image_rebuilt_under_the_same_name(pods: PodRuns, tmp_path: Path) -> None:
    def build(content: str) -> None:
        (tmp_path / "Containerfile").write_text(f"FROM {BUSYBOX}\nRUN echo {content} > /www/page\n")
        pods.host.podman("build", "-q", "-t", "localhost/test/site:1", str(tmp_path))

    build("old")
    both = pod(server(root="/www", image="localhost/test/site:1"), container("other"))
    pods.create(both, wait=True)
    assert pods.get("web-main", 8080, "/page").strip() == "old"
    other = pods.identity("web-other")
    build("new")
    pods.change(both, remake("main", "localhost/test/site:1 is another image now", True), wait=True)
    assert pods.get("web-main", 8080, "/page").strip() == "new"
    assert pods.identity("web-other") == other


def test_container_that_podman_starts_again_is_no_drift(pods: PodRuns) -> None:
    one = pod(container(script=f"echo up; {SLEEP}"))
    pods.create(one)
    before = pods.identity("web-main")
    os.kill(pods.pid("web-main"), signal.SIGKILL)
    pods.await_state("web-main", "running")
    pods.host.podman("wait", "--condition=running", "web-main")
    await_true(lambda: pods.pid("web-main") not in (0, before[2]))
    pods.unchanged(one)
    assert pods.identity("web-main")[0] == before[0]
