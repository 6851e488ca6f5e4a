# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths below what containers write: no container gets out by them, and no removal goes where they point."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_process import AgentProcess
from pod_runs import SLEEP, Options, PodRuns, await_true, container, pod
from podman_host import PodmanHost

from ansible_collections.podwright.pods.plugins.module_utils._errors import Refused
from ansible_collections.podwright.pods.plugins.module_utils._host.podman import named_volumes
from ansible_collections.podwright.pods.plugins.module_utils._host.podman.service import connect
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_run
from ansible_collections.podwright.pods.plugins.module_utils._runs.run_failure import RunFailed

pytestmark = pytest.mark.integration

SWAP = """
import ctypes, os, sys
pid, links = sys.argv[1], sys.argv[2:]
libc = ctypes.CDLL(None, use_errno=True)
if libc.setns(os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY), 0):
    sys.exit("cannot enter the container")
paths = [(f"{link}/x".encode(), f"{link}/y".encode()) for link in links]
print("begun", flush=True)
while True:
    for one, other in paths:
        libc.renameat2(-100, one, -100, other, 2)
"""
"""In the mounts of a container: ever again exchanges a folder and a link, as a program in the container can."""


def restart(pods: PodRuns, container: str) -> None:
    """Podman fails now and then to kill what ends by itself at that moment, and then leaves it stopped."""
    try:
        pods.host.podman("restart", "-t", "1", container)
    except RuntimeError:
        pods.host.podman("start", container)


def mount(name: str, path: str, **fields: object) -> Options:
    return {"name": name, "mount_path": path, **fields}


def inside(pods: PodRuns, path: str, name: str = "web-main") -> Path:
    return pods.root(name) / path.lstrip("/")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def mounted_for(host: PodmanHost) -> list[str]:
    """The mounts that the collection has made for the host's state directory, save for the one that has the others."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = (line.split()[4] for line in lines)
    return sorted(point for point in points if point.startswith(f"{host.mount_directory}/places/"))


@contextlib.contextmanager
def swapping(pods: PodRuns, name: str, *paths: str) -> Iterator[None]:
    """Meanwhile a container exchanges ``x`` and ``y`` at these paths of its own as fast as it can."""
    command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-c", SWAP, str(pods.pid(name)), *paths]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            yield
        finally:
            process.kill()


# --- sub paths -------------------------------------------------------------------------------------------------------


def race_for(pods: PodRuns, outside: Path, seconds: float) -> tuple[int, int]:
    """Make and start containers again for so long while another one swaps what they mount.

    Returns how many starts there were, and how many were refused.
    """
    (outside / "of-the-host").write_text("secret")
    volumes = [
        {"name": "disk", "empty_dir": {}},
        {"name": "kept", "persistent_volume_claim": {"claim_name": "kept"}},
        {"name": "conf", "config_map": {"name": "conf"}},
        {"name": "both", "projected": {"sources": [{"config_map": {"name": "conf"}}]}},
    ]
    whole = [mount(str(volume["name"]), f"/{volume['name']}") for volume in volumes]
    script = "for p in /disk /kept; do ls $p; echo word > $p/of-the-container; done; cat /conf /both; sleep 86400"
    parts = [
        *(mount(name, f"/{name}", sub_path="x") for name in ("disk", "kept")),
        *(mount(name, f"/{name}", sub_path="x.conf") for name in ("conf", "both")),
    ]
    victim = container("victim", f"trap 'exit 0' TERM; {script} & wait", volume_mounts=parts)
    swapper = container("swapper", volume_mounts=whole)
    config = {"name": "conf", "data": {"x.conf": "conf", "y": "y"}}
    options = pod(swapper, volumes=volumes, config_maps=[config])
    pods.apply(options)
    for path in ("/disk", "/kept"):
        inside(pods, f"{path}/x", "web-swapper").mkdir()
        inside(pods, f"{path}/y", "web-swapper").symlink_to(outside)
    options["containers"] = [swapper, victim]
    starts = refused = 0
    with swapping(pods, "web-swapper", "/disk", "/kept", "/conf", "/both"):
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at or not starts:
            victim["env"] = [{"name": "NUMBER", "value": str(starts + refused)}]
            if not is_made(options):
                refused += 1
                continue
            for _start in range(3):
                starts += 1
                await_true(lambda: inside(pods, "/disk/of-the-container", "web-victim").exists())
                assert not inside(pods, "/disk/of-the-host", "web-victim").exists()
                assert not inside(pods, "/kept/of-the-host", "web-victim").exists()
                restart(pods, "web-victim")
            assert "of-the-host" not in pods.log("web-victim")
            assert os.listdir(outside) == ["of-the-host"]
    # The last attempt may have been refused, and its container is gone then.
    for path in ("/disk", "/kept"):
        if inside(pods, f"{path}/x", "web-swapper").is_symlink():
            inside(pods, f"{path}/x", "web-swapper").unlink()
            inside(pods, f"{path}/y", "web-swapper").rename(inside(pods, f"{path}/x", "web-swapper"))
    victim["env"] = []
    assert is_made(options)
    await_true(lambda: "confconf" in pods.log("web-victim"))
    return starts, refused


def is_made(options: Options) -> bool:
    """Apply it; tells whether its sub paths were none that lead out."""
    try:
        pod_run.run_pod({"wait": False, **options, "on_failure": "keep"}, False)
    except RunFailed as error:
        if "leads through a symbolic link" not in str(error):
            raise
        return False
    return True


def test_no_container_gets_out_by_a_sub_path(pods: PodRuns, tmp_path: Path) -> None:
    """Not when it is made, and not when Podman starts it again."""
    full = bool(os.environ.get("PODWRIGHT_TEST_FULL"))
    starts, refused = race_for(pods, tmp_path, 60 if full else 4)
    assert starts >= 3, (starts, refused)


def test_sub_paths_are_mounted_as_long_as_their_container_is_there(pods: PodRuns) -> None:
    volumes = [{"name": "disk", "empty_dir": {}}, {"name": "kept", "persistent_volume_claim": {"claim_name": "kept"}}]
    main = container(volume_mounts=[mount("disk", "/disk", sub_path="a/b"), mount("kept", "/file", sub_path="file")])
    other = container("other", volume_mounts=[mount("disk", "/disk", sub_path="a"), mount("kept", "/kept")])
    options = pod(other, volumes=volumes)
    pods.create(options)
    inside(pods, "/kept/file", "web-other").write_text("a file")
    options["containers"] = [main, other]
    pods.create(options)
    assert pods.read("web-main", "/file") == "a file"
    places = [f"{pods.host.mount_directory}/places/web/{place}" for place in ("main/0", "main/1", "other/0")]
    assert mounted_for(pods.host) == places
    # What was mounted stays, whatever stands at its path by now.
    inside(pods, "/disk/b", "web-other").rename(inside(pods, "/disk/moved", "web-other"))
    inside(pods, "/disk/b", "web-other").symlink_to("/etc")
    restart(pods, "web-main")
    inside(pods, "/disk/word").write_text("there")
    assert pods.read("web-other", "/disk/moved/word") == "there"
    inside(pods, "/disk/b", "web-other").unlink()
    options["containers"] = [other]
    pods.create(options)
    assert mounted_for(pods.host) == places[2:]
    pods.apply({"name": "web", "state": "absent"})
    assert mounted_for(pods.host) == []


def test_a_sub_path_that_is_no_longer_mounted(pods: PodRuns) -> None:
    """After a boot Podman cannot start the container by itself, rather than with an empty folder; a run can."""
    main = container(volume_mounts=[mount("data", "/data", sub_path="part")])
    options = pod(main, volumes=[{"name": "data", "empty_dir": {}}])
    pods.create(options)
    inside(pods, "/data/word").write_text("kept")
    subprocess.run(["umount", pods.host.mount_directory / "places" / "web" / "main" / "0"], check=True)
    cause = "the sub path of /data is no longer mounted"
    steps = [f"{verb} container web/main: {cause}" for verb in ("stop", "remove", "create", "start")]
    pods.change(options, steps)
    assert pods.read("web-main", "/data/word") == "kept"
    pods.host.podman("stop", "-t", "1", "web-main")
    subprocess.run(["umount", "--lazy", pods.host.mount_directory / "places"], check=True)
    assert "no such file or directory" in start_by_hand(pods.host, "web-main")
    pods.create(options)
    assert pods.read("web-main", "/data/word") == "kept"
    pods.host.reboot()
    pods.create(options)
    assert pods.read("web-main", "/data/word") == "kept"


def start_by_hand(host: PodmanHost, name: str) -> str:
    done = subprocess.run(
        ["podman", "start", name], env=host.environment_without_service, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    return done.stderr


def test_the_agent_starts_no_container_that_a_link_leads_out(agent: AgentProcess, tmp_path: Path) -> None:
    """It says why, and starts it once the link is gone."""
    pods = PodRuns(agent.host)
    (tmp_path / "of-the-host").touch()
    main = container(volume_mounts=[mount("data", "/data", sub_path="x")])
    other = container("other", volume_mounts=[mount("data", "/data")])
    agent.apply(pod(main, other, volumes=[{"name": "data", "empty_dir": {}}]))
    x, y = (inside(pods, f"/data/{name}", "web-other") for name in "xy")
    x.rename(y)
    x.symlink_to(tmp_path)
    os.kill(pods.pid("web-main"), signal.SIGKILL)
    await_true(lambda: any("leads through a symbolic link" in event["message"] for event in agent.events("web")), 60)
    assert "web-main" not in pods.names() or pods.state("web-main") != "running"
    x.unlink()
    y.rename(x)
    await_true(lambda: "web-main" in pods.names() and pods.state("web-main") == "running", 60)
    assert not inside(pods, "/data/of-the-host").exists()
    assert len(mounted_for(agent.host)) == 1
    agent.apply({"name": "web", "state": "absent"})
    assert mounted_for(agent.host) == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("/etc", "stands for a path that is not relative"),
        ("../../..", "stands for a path that holds '..'"),
        ("a/../../b", "stands for a path that holds '..'"),
        (None, "names the variable PART, which the container does not have"),
    ],
)
def test_a_sub_path_of_variables_does_not_leave_the_volume(pods: PodRuns, value: str | None, reason: str) -> None:
    main = container(
        env=[{"name": "PART", "value": value}] if value else [],
        volume_mounts=[mount("data", "/other"), mount("data", "/data", sub_path_expr="$(PART)")],
    )
    text = pods.refuse(pod(main, volumes=[{"name": "data", "empty_dir": {}}]), Refused)
    assert text.startswith(f"containers[0].volume_mounts[1].sub_path_expr: $(PART) {reason}")
    assert "etc" not in text


def test_folders_of_sub_paths_are_open_to_whom_the_volume_is(pods: PodRuns, tmp_path: Path) -> None:
    """Whatever the umask is, as that of the agent's service."""
    before = os.umask(0o077)
    try:
        volumes = [
            {"name": "disk", "empty_dir": {}},
            {"name": "kept", "persistent_volume_claim": {"claim_name": "kept"}},
            {"name": "made", "host_path": {"path": str(tmp_path / "a" / "b"), "type": "DirectoryOrCreate"}},
            {"name": "file", "host_path": {"path": str(tmp_path / "file"), "type": "FileOrCreate"}},
        ]
        mounts = [mount("made", "/made"), mount("file", "/file"), mount("disk", "/disk", sub_path="a/b")]
        mounts.append(mount("kept", "/kept", sub_path="a/b"))
        script = f"id -u > /disk/user; {SLEEP}"
        main = container(script=script, volume_mounts=mounts, security_context={"run_as_user": 1000})
        pods.create(pod(main, volumes=volumes))
    finally:
        os.umask(before)
    await_true(lambda: inside(pods, "/disk/user").exists())
    assert pods.read("web-main", "/disk/user") == "1000\n"
    assert [mode(tmp_path / path) for path in ("a", "a/b", "file")] == [0o755, 0o755, 0o644]
    assert mode(inside(pods, "/disk")) == 0o777
    assert mode(inside(pods, "/kept")) == 0o755


# --- mounts below mounts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        {"config_map": {"name": "conf"}},
        {"secret": {"secret_name": "conf"}},
        {"projected": {"sources": [{"config_map": {"name": "conf"}}]}},
        {"downward_api": {"items": [{"path": "a", "field_ref": {"field_path": "metadata.labels['app']"}}]}},
    ],
    ids=lambda source: next(iter(source)),
)
def test_mounts_below_files_that_are_written(pods: PodRuns, tmp_path: Path, source: Options) -> None:
    """A folder, a file and the termination message; they stay when the files change."""
    (tmp_path / "license").write_text("free")
    volumes = [
        {"name": "conf", **source},
        {"name": "more", "empty_dir": {}},
        {"name": "file", "host_path": {"path": str(tmp_path / "license")}},
    ]
    mounts = [mount("more", "/etc/app/deep/conf.d"), mount("conf", "/etc/app"), mount("file", "/etc/app/license")]
    main = container(volume_mounts=mounts, termination_message_path="/etc/app/last-words")
    other = container("other", volume_mounts=[mount("conf", "/conf")])
    options = pod(main, other, volumes=volumes, labels={"app": "1"})
    options["config_maps"] = [{"name": "conf", "data": {"a": "1"}}]
    options["secrets"] = [{"name": "conf", "string_data": {"a": "1"}}]
    pods.create(options)
    before = pods.identity("web-main")
    inside(pods, "/etc/app/deep/conf.d/word").write_text("there")
    options["labels"]["app"] = options["config_maps"][0]["data"]["a"] = options["secrets"][0]["string_data"]["a"] = "2"
    pods.create(options)
    assert pods.identity("web-main") == before
    assert pods.read("web-main", "/etc/app/a") == pods.read("web-other", "/conf/a") == "2"
    assert pods.read("web-main", "/etc/app/deep/conf.d/word") == "there"
    assert pods.read("web-main", "/etc/app/license") == "free"
    assert pods.read("web-main", "/etc/app/last-words") == ""
    shown = [name for name in os.listdir(inside(pods, "/conf", "web-other")) if not name.startswith("..")]
    assert sorted(shown) == ["a", "deep", "last-words", "license"]
    main["volume_mounts"], main["termination_message_path"] = mounts[1:2], "/dev/termination-log"
    options["volumes"] = volumes[:1]
    pods.create(options)
    assert [name for name in os.listdir(inside(pods, "/conf", "web-other")) if not name.startswith("..")] == ["a"]


def test_a_mount_below_a_read_only_one_is_what_is_named(pods: PodRuns) -> None:
    volumes = [{"name": name, "empty_dir": {}} for name in ("outer", "inner")]
    mounts = [mount("outer", "/outer", read_only=True), mount("inner", "/outer/inner")]
    failure = pods.fail(pod(container(volume_mounts=mounts), volumes=volumes), on_failure="keep")
    assert "read-only file system" in str(failure)
    assert "A mount stands below one that is read_only" in str(failure)
    assert "command" not in str(failure)


# --- removal ---------------------------------------------------------------------------------------------------------


def test_what_a_container_mounts_in_its_volume_is_not_removed_with_it(pods: PodRuns, tmp_path: Path) -> None:
    """A mount that reaches the host (Bidirectional) goes with the pod; the files of the host that it shows stay."""
    subprocess.run(["mount", "-t", "tmpfs", "none", tmp_path], check=True)
    shared = pods.host.state_directory
    shared.mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", shared, shared], check=True)
    try:
        for path in (tmp_path, shared):
            subprocess.run(["mount", "--make-shared", path], check=True)
        (tmp_path / "inner").mkdir()
        (tmp_path / "precious").write_text("kept")
        subprocess.run(["mount", "-t", "tmpfs", "none", tmp_path / "inner"], check=True)
        (tmp_path / "inner" / "precious").write_text("kept")
        mounts = [
            mount("data", "/data", mount_propagation="Bidirectional"),
            mount("host", "/host", mount_propagation="Bidirectional"),
        ]
        script = f"mkdir /data/view && mount -o rbind /host /data/view && echo mounted; {SLEEP}"
        main = container(script=script, volume_mounts=mounts, security_context={"privileged": True})
        volumes = [{"name": "data", "empty_dir": {}}, {"name": "host", "host_path": {"path": str(tmp_path)}}]
        pods.apply(pod(main, volumes=volumes))
        pods.await_log("web-main", "mounted")
        assert (shared / "pods" / "web" / "empty" / "data" / "view" / "precious").exists()
        pods.apply({"name": "web", "state": "absent"})
        assert (tmp_path / "precious").read_text() == "kept"
        assert (tmp_path / "inner" / "precious").read_text() == "kept"
        assert str(shared / "pods") not in Path("/proc/self/mountinfo").read_text()
        assert not (shared / "pods" / "web").exists()
        assert not list(shared.glob(".web.*"))
    finally:
        for path in (shared, tmp_path):
            subprocess.run(["umount", "--recursive", "--lazy", path], check=True)


def test_what_is_mounted_in_a_named_volume_is_not_removed_with_it(in_host: PodmanHost, tmp_path: Path) -> None:
    """Podman removes all that it finds there."""
    (tmp_path / "precious").write_text("kept")
    in_host.podman("volume", "create", "shop-data")
    folder = Path(in_host.podman("volume", "inspect", "--format", "{{.Mountpoint}}", "shop-data").strip())
    (folder / "view").mkdir()
    subprocess.run(["mount", "--bind", tmp_path, folder / "view"], check=True)
    with connect() as podman:
        named_volumes.remove(podman, "shop-data")
    assert in_host.podman("volume", "ls", "-q") == ""
    assert not folder.exists()
    assert (tmp_path / "precious").read_text() == "kept"


def test_anonymous_volumes_go_with_their_container(pods: PodRuns, tmp_path: Path) -> None:
    image = "localhost/podwright-test/volumes:1"
    changes = ["--change", "VOLUME /one", "--change", "VOLUME /two", "--change", "ENV PATH=/bin"]
    made = pods.host.podman("create", pods.host.image, "true").strip()
    pods.host.podman("commit", *changes, made, image)
    pods.host.podman("rm", made)
    main = container(env=[{"name": "A", "value": "1"}])
    init = container("init", "test -e /tries || true")
    main["image"] = init["image"] = image
    kept = [{"name": "kept", "persistent_volume_claim": {"claim_name": "kept"}}]
    main["volume_mounts"] = [mount("kept", "/kept")]
    options = pod(main, init_containers=[init], volumes=kept)

    def anonymous() -> int:
        return len(pods.host.podman("volume", "ls", "-q").split()) - 1

    pods.create(options)
    assert anonymous() == 4
    main["env"][0]["value"] = "2"
    pods.create(options)
    assert anonymous() == 4
    pods.create(pod(main, init_containers=[init], volumes=kept, hostname="other"))
    assert anonymous() == 4
    pods.apply({"name": "web", "state": "absent"})
    assert pods.host.podman("volume", "ls", "-q").split() == ["kept"]
