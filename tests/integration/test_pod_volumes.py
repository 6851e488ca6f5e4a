# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of volume: what the containers find in it, what changing it costs, what stays when the pod goes."""

from __future__ import annotations

import base64
import os
import socket
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pod_runs import SLEEP, Options, PodRuns, await_true, container, plan, pod

from ansible_collections.podwright.pods.plugins.module_utils._errors import Refused
from ansible_collections.podwright.pods.plugins.module_utils._runs.run_failure import RunFailed

pytestmark = pytest.mark.integration


def replaced(name: str, cause: str) -> list[str]:
    return [
        f"stop container web/{name}: {cause}",
        f"remove container web/{name}: {cause}",
        f"create container web/{name}: {cause}",
        f"start container web/{name}: {cause}",
    ]


def mount(name: str = "data", path: str = "/data", **fields: Any) -> Options:
    return {"name": name, "mount_path": path, **fields}


def mounting(*mounts: Options, name: str = "main", script: str = SLEEP, **fields: Any) -> Options:
    return container(name, script, volume_mounts=list(mounts) or [mount()], **fields)


def inside(pods: PodRuns, path: str, name: str = "web-main") -> Path:
    return pods.root(name) / path.lstrip("/")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def mount_options(pods: PodRuns, path: str, name: str = "web-main") -> tuple[str, str]:
    """The file system type and the options of what is mounted at a path of a container."""
    for line in Path(f"/proc/{pods.pid(name)}/mountinfo").read_text().splitlines():
        words = line.split()
        if words[4] == path:
            after = words[words.index("-") + 1 :]
            return after[0], f"{words[5]},{after[2]}"
    raise AssertionError(f"nothing is mounted at {path}")


# --- emptyDir --------------------------------------------------------------------------------------------------------


def test_empty_dir_is_shared_and_goes_with_the_pod(pods: PodRuns) -> None:
    writer = mounting(name="writer", script=f"echo hello > /data/word; {SLEEP}")
    reader = mounting(mount(path="/seen", read_only=True), name="reader")
    options = pod(writer, reader, volumes=[{"name": "data", "empty_dir": {}}])
    result = pods.create(options)
    assert plan(result)[1] == "prepare volume web/data: it was not there"
    await_true(lambda: inside(pods, "/seen/word", "web-reader").exists())
    assert pods.read("web-reader", "/seen/word") == "hello\n"
    assert mode(inside(pods, "/data", "web-writer")) == 0o777
    assert mount_options(pods, "/seen", "web-reader")[1].startswith("ro")
    # It outlives a container, not the pod.
    writer["command"] = ["sh", "-c", SLEEP]
    pods.change(options, ["record pod web: containers changed", *replaced("writer", "command changed")])
    assert pods.read("web-writer", "/data/word") == "hello\n"
    pods.apply({"name": "web", "state": "absent"})
    pods.create(options)
    assert list(inside(pods, "/data", "web-writer").iterdir()) == []


def test_empty_dir_on_disk_says_that_its_limit_is_not_kept(pods: PodRuns) -> None:
    result = pods.create(pod(mounting(), volumes=[{"name": "data", "empty_dir": {"size_limit": "1Mi"}}]))
    assert result["warnings"] == [
        "pod web: size-limit: the size limit of emptyDir data is not enforced on disk; "
        "use medium Memory, or a volume on a file system of its own"
    ]


def test_memory_empty_dir(pods: PodRuns) -> None:
    one, two = mounting(name="one"), mounting(mount(path="/also"), name="two")
    volume = {"name": "data", "empty_dir": {"medium": "Memory", "size_limit": "1Mi"}}
    options = pod(one, two, volumes=[volume])
    pods.create(options)
    kind, shown = mount_options(pods, "/data", "web-one")
    assert kind == "tmpfs"
    assert "size=1024k" in shown
    inside(pods, "/data/word", "web-one").write_text("hello")
    assert pods.read("web-two", "/also/word") == "hello"
    assert mode(inside(pods, "/data", "web-one")) & 0o777 == 0o777
    with pytest.raises(OSError, match="No space left"):
        inside(pods, "/data/big", "web-one").write_bytes(bytes(2 << 20))
    inside(pods, "/data/big", "web-one").unlink(missing_ok=True)
    # A container made anew finds what the others left.
    one["env"] = [{"name": "A", "value": "b"}]
    pods.change(options, ["record pod web: containers changed", *replaced("one", "env changed")])
    assert pods.read("web-one", "/data/word") == "hello"
    pods.apply({"name": "web", "state": "absent"})
    assert pods.host.podman("volume", "ls", "-q") == ""


def test_memory_outlives_the_containers_that_use_it(pods: PodRuns) -> None:
    """From an init container to the next one, and through the replacement of the only one that has it."""
    writer = mounting(name="writer")
    writer["command"] = ["sh", "-c", "echo kept > /data/word"]
    volume = {"name": "data", "empty_dir": {"medium": "Memory"}}
    options = pod(mounting(name="reader"), init_containers=[writer], volumes=[volume])
    pods.create(options)
    assert pods.read("web-reader", "/data/word") == "kept\n"
    options["containers"][0]["env"] = [{"name": "A", "value": "b"}]
    pods.create(options)
    assert pods.read("web-reader", "/data/word") == "kept\n"
    pods.apply({"name": "web", "state": "absent"})
    assert pods.host.podman("volume", "ls", "-q") == ""


def test_empty_dir_changes_its_medium_and_size(pods: PodRuns) -> None:
    def options(**source: str) -> Options:
        return pod(mounting(), volumes=[{"name": "data", "empty_dir": source}])

    pods.create(options())
    assert mount_options(pods, "/data")[0] != "tmpfs"
    pods.create(options(medium="Memory"))
    assert mount_options(pods, "/data")[0] == "tmpfs"
    pods.create(options(medium="Memory", size_limit="2Mi"))
    assert "size=2048k" in mount_options(pods, "/data")[1]
    pods.create(options(medium="Memory", size_limit="4Mi"))
    assert "size=4096k" in mount_options(pods, "/data")[1]
    pods.create(options())
    assert mount_options(pods, "/data")[0] != "tmpfs"
    assert pods.host.podman("volume", "ls", "-q") == ""


def test_memory_volumes_of_two_pods_are_apart(pods: PodRuns) -> None:
    """Pod a-b with volume c, and pod a with volume b-c."""
    memory = {"medium": "Memory"}
    for name, volume in (("a-b", "c"), ("a", "b-c")):
        main = mounting(mount(volume))
        pods.create(pod(main, name=name, volumes=[{"name": volume, "empty_dir": memory}]))
        inside(pods, "/data/owner", f"{name}-main").write_text(name)
    assert pods.read("a-b-main", "/data/owner") == "a-b"
    assert pods.read("a-main", "/data/owner") == "a"
    pods.apply({"name": "a", "state": "absent"})
    assert pods.read("a-b-main", "/data/owner") == "a-b"


# --- hostPath --------------------------------------------------------------------------------------------------------


def host_path(path: Path, kind: str = "") -> Options:
    return pod(mounting(), volumes=[{"name": "data", "host_path": {"path": str(path), "type": kind}}])


@pytest.mark.parametrize("kind", ["", "Directory", "DirectoryOrCreate"])
def test_host_path_of_a_directory(pods: PodRuns, tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("hello")
    pods.create(host_path(tmp_path, kind))
    assert pods.read("web-main", "/data/file") == "hello"
    inside(pods, "/data/back").write_text("there")
    assert (tmp_path / "back").read_text() == "there"
    pods.apply({"name": "web", "state": "absent"})
    assert (tmp_path / "back").read_text() == "there"


def test_host_paths_that_are_made(pods: PodRuns, tmp_path: Path) -> None:
    result = pods.create(host_path(tmp_path / "a" / "b", "DirectoryOrCreate"))
    assert f"prepare volume web/data: {tmp_path}/a/b was not there" in plan(result)
    assert mode(tmp_path / "a" / "b") == 0o755
    pods.create(host_path(tmp_path / "new", "FileOrCreate"))
    inside(pods, "/data").write_text("hello")
    assert (tmp_path / "new").read_text() == "hello"
    assert mode(tmp_path / "new") == 0o644


def test_host_paths_of_other_kinds(pods: PodRuns, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("hello")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        os.mknod(tmp_path / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        volumes = [
            {"name": "file", "host_path": {"path": str(tmp_path / "file"), "type": "File"}},
            {"name": "socket", "host_path": {"path": str(tmp_path / "socket"), "type": "Socket"}},
            {"name": "null", "host_path": {"path": str(tmp_path / "null"), "type": "CharDevice"}},
        ]
        pods.create(pod(mounting(*(mount(v["name"], f"/{v['name']}") for v in volumes)), volumes=volumes))
    assert pods.read("web-main", "/file") == "hello"
    assert stat.S_ISSOCK(inside(pods, "/socket").stat().st_mode)
    assert stat.S_ISCHR(inside(pods, "/null").stat().st_mode)


def test_host_paths_that_do_not_fit_are_refused(pods: PodRuns, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    text = pods.refuse(host_path(tmp_path / "none", "Directory"), Refused)
    assert text == (
        f"volumes[0].host_path.path: {tmp_path}/none does not exist on this host; "
        "make it, or set type to DirectoryOrCreate"
    )
    text = pods.refuse(host_path(tmp_path / "file", "Directory"), Refused)
    assert text == (
        f"volumes[0].host_path.path: {tmp_path}/file is a file on this host, not a directory (type Directory)"
    )
    assert "is a directory on this host, not a socket" in pods.refuse(host_path(tmp_path, "Socket"), Refused)


# --- named volumes ---------------------------------------------------------------------------------------------------


def claim(name: str = "shop-data", **fields: Any) -> Options:
    return {"name": "data", "persistent_volume_claim": {"claim_name": name, **fields}}


def test_named_volume_is_kept(pods: PodRuns) -> None:
    options = pod(mounting(), volumes=[claim()])
    result = pods.create(options)
    assert plan(result)[1] == "create named volume shop-data: it was not there"
    inside(pods, "/data/row").write_text("kept")
    pods.apply({"name": "web", "state": "absent"})
    assert pods.host.podman("volume", "ls", "-q").split() == ["shop-data"]
    assert "create named volume shop-data: it was not there" not in plan(pods.create(options))
    assert pods.read("web-main", "/data/row") == "kept"
    # Another claim is another volume; the first one stays.
    pods.change(
        pod(mounting(), volumes=[claim("other-data")]),
        [
            "record pod web: volumes changed",
            "create named volume other-data: it was not there",
            *replaced("main", "volume_mounts changed"),
        ],
    )
    assert not inside(pods, "/data/row").exists()
    assert pods.host.podman("volume", "ls", "-q").split() == ["other-data", "shop-data"]


def test_volume_that_was_there_before(pods: PodRuns) -> None:
    pods.host.podman("volume", "create", "shop-data")
    pods.create(pod(mounting(), volumes=[claim(read_only=True)]))
    assert mount_options(pods, "/data")[1].startswith("ro")
    pods.apply({"name": "web", "state": "absent"})
    assert pods.host.podman("volume", "ls", "-q").split() == ["shop-data"]


# --- files -----------------------------------------------------------------------------------------------------------


def test_config_map_files(pods: PodRuns) -> None:
    binary = bytes(range(256))
    config = {
        "name": "site",
        "data": {"a.conf": "one\n", "b.conf": "two\n"},
        "binary_data": {"logo": base64.b64encode(binary).decode()},
    }
    options = pod(mounting(), volumes=[{"name": "data", "config_map": {"name": "site"}}], config_maps=[config])
    result = pods.create(options)
    assert plan(result)[1] == "write volume web/data: it was not there"
    assert sorted(path.name for path in inside(pods, "/data").iterdir() if not path.name.startswith("..")) == [
        "a.conf",
        "b.conf",
        "logo",
    ]
    assert inside(pods, "/data/logo").read_bytes() == binary
    assert mode(inside(pods, "/data/a.conf")) == 0o644
    assert mount_options(pods, "/data")[1].startswith("ro")


def test_files_change_in_place(pods: PodRuns) -> None:
    config = {"name": "site", "data": {"a.conf": "one\n", "b.conf": "two\n"}}
    volume = {"name": "data", "config_map": {"name": "site"}}
    options = pod(mounting(), volumes=[volume], config_maps=[config])
    pods.create(options)
    before = pods.identity("web-main")
    config["data"] = {"a.conf": "changed\n", "c.conf": "three\n"}
    pods.change(options, ["record pod web: config_maps changed", "write volume web/data: content changed"])
    assert pods.identity("web-main") == before
    assert pods.read("web-main", "/data/a.conf") == "changed\n"
    assert pods.read("web-main", "/data/c.conf") == "three\n"
    assert not inside(pods, "/data/b.conf").exists()
    volume["config_map"]["default_mode"] = "0600"
    pods.change(options, ["record pod web: volumes changed", "write volume web/data: content changed"])
    assert pods.identity("web-main") == before
    assert mode(inside(pods, "/data/a.conf")) == 0o600


def test_files_change_all_at_once(pods: PodRuns) -> None:
    """A reader never sees half of the old and half of the new."""
    script = (
        "trap 'exit 0' TERM; while :; do d=$(readlink -f /data/..data); "
        # The directory of the old files may go while they are read.
        'a=$(cat $d/a) && b=$(cat $d/b) && [ "$a" != "$b" ] && echo torn; done'
    )
    config: Options = {"name": "site", "data": {"a": "0", "b": "0"}}
    options = pod(
        mounting(script=script), volumes=[{"name": "data", "config_map": {"name": "site"}}], config_maps=[config]
    )
    pods.create(options)
    for number in range(1, 10):
        config["data"] = {"a": str(number), "b": str(number)}
        pods.apply(options)
    assert "torn" not in pods.log("web-main")


def test_items_modes_and_group(pods: PodRuns) -> None:
    secret = {"name": "keys", "string_data": {"private": "p", "public": "q"}}
    volume = {
        "name": "data",
        "secret": {
            "secret_name": "keys",
            "default_mode": "0400",
            "items": [{"key": "private", "path": "ssh/id"}, {"key": "public", "path": "ssh/id.pub", "mode": 0o444}],
        },
    }
    options = pod(mounting(), volumes=[volume], secrets=[secret])
    pods.create(options)
    assert (mode(inside(pods, "/data/ssh/id")), pods.read("web-main", "/data/ssh/id")) == (0o400, "p")
    assert (mode(inside(pods, "/data/ssh/id.pub")), pods.read("web-main", "/data/ssh/id.pub")) == (0o444, "q")
    assert not inside(pods, "/data/private").exists()
    options["security_context"] = {"fs_group": 2000}
    pods.apply(options)
    pods.unchanged(options)
    assert (mode(inside(pods, "/data/ssh/id")), inside(pods, "/data/ssh/id").stat().st_gid) == (0o440, 2000)
    assert "2000" in pods.status("web-main")["Groups"].split()


def test_group_of_volumes(pods: PodRuns) -> None:
    volumes = [
        {"name": "disk", "empty_dir": {}},
        {"name": "memory", "empty_dir": {"medium": "Memory"}},
        {"name": "kept", "persistent_volume_claim": {"claim_name": "kept"}},
    ]
    mounts = [mount(volume["name"], f"/{volume['name']}") for volume in volumes]
    main = mounting(*mounts, security_context={"run_as_user": 1000, "run_as_group": 1000})
    pods.create(pod(main, volumes=volumes, security_context={"fs_group": 3000}))
    for volume in volumes:
        found = inside(pods, f"/{volume['name']}").stat()
        assert found.st_gid == 3000
        assert found.st_mode & 0o2070 == 0o2070


def test_projected_files(pods: PodRuns) -> None:
    volume = {
        "name": "data",
        "projected": {
            "default_mode": "0440",
            "sources": [
                {"config_map": {"name": "site", "items": [{"key": "a", "path": "conf/a"}]}},
                {"secret": {"name": "login"}},
                {"secret": {"name": "none", "optional": True}},
                {
                    "downward_api": {
                        "items": [
                            {"path": "labels", "field_ref": {"field_path": "metadata.labels"}},
                            {
                                "path": "cpu",
                                "resource_field_ref": {
                                    "container_name": "main",
                                    "resource": "limits.cpu",
                                    "divisor": "1m",
                                },
                            },
                        ]
                    }
                },
            ],
        },
    }
    options = pod(
        mounting(resources={"limits": {"cpu": "300m"}}),
        labels={"app": "shop", "tier": "front"},
        volumes=[volume],
        config_maps=[{"name": "site", "data": {"a": "1", "b": "2"}}],
        secrets=[{"name": "login", "string_data": {"user": "root"}}],
    )
    pods.create(options)
    assert pods.read("web-main", "/data/conf/a") == "1"
    assert pods.read("web-main", "/data/user") == "root"
    assert pods.read("web-main", "/data/labels") == 'app="shop"\ntier="front"\n'
    assert pods.read("web-main", "/data/cpu") == "300"
    assert mode(inside(pods, "/data/cpu")) == 0o440


def test_downward_files_follow_the_labels(pods: PodRuns) -> None:
    items = [
        {"path": "app", "field_ref": {"field_path": "metadata.labels['app']"}},
        {"path": "notes", "field_ref": {"field_path": "metadata.annotations"}, "mode": "0600"},
    ]
    options = pod(
        mounting(),
        labels={"app": "shop"},
        annotations={"example.org/a": 'x "y"'},
        volumes=[{"name": "data", "downward_api": {"items": items}}],
    )
    pods.create(options)
    before = pods.identity("web-main")
    assert pods.read("web-main", "/data/app") == "shop"
    assert pods.read("web-main", "/data/notes") == 'example.org/a="x \\"y\\""\n'
    assert mode(inside(pods, "/data/notes")) == 0o600
    options["labels"]["app"] = "store"
    pods.change(options, ["record pod web: labels changed", "write volume web/data: content changed"])
    assert pods.read("web-main", "/data/app") == "store"
    assert pods.identity("web-main") == before


def test_optional_sources_that_are_missing(pods: PodRuns) -> None:
    volume = {"name": "data", "config_map": {"name": "none", "optional": True}}
    pods.create(pod(mounting(), volumes=[volume]))
    assert [path for path in inside(pods, "/data").iterdir() if not path.name.startswith("..")] == []


def test_volumes_that_are_no_longer_declared(pods: PodRuns) -> None:
    volumes = [
        {"name": "data", "empty_dir": {}},
        {"name": "memory", "empty_dir": {"medium": "Memory"}},
        {"name": "site", "config_map": {"name": "site"}},
        {"name": "kept", "persistent_volume_claim": {"claim_name": "kept"}},
    ]
    options = pod(
        mounting(*(mount(volume["name"], f"/{volume['name']}") for volume in volumes)),
        volumes=volumes,
        config_maps=[{"name": "site", "data": {"a": "1"}}],
    )
    pods.create(options)
    pods.change(
        pod(),
        [
            "record pod web: config_maps, containers, volumes changed",
            *replaced("main", "volume_mounts changed"),
            "drop volume web/data: no longer declared",
            "drop volume web/site: no longer declared",
            "drop volume web/memory: no longer declared",
        ],
    )
    assert pods.host.podman("volume", "ls", "-q").split() == ["kept"]
    left = {path.name for path in (pods.host.state_directory / "pods" / "web").rglob("*")}
    assert not left & {"data", "site", "memory"}


# --- sub paths -------------------------------------------------------------------------------------------------------


def test_sub_paths(pods: PodRuns) -> None:
    mounts = [
        mount(path="/one", sub_path="tenants/one"),
        mount(path="/two", sub_path_expr="tenants/$(TENANT)"),
        mount("site", "/etc/site.conf", sub_path="site.conf"),
        mount("kept", "/kept", sub_path="part"),
    ]
    volumes = [
        {"name": "data", "empty_dir": {}},
        {"name": "kept", "persistent_volume_claim": {"claim_name": "kept"}},
        {"name": "site", "config_map": {"name": "site"}},
    ]
    main = mounting(*mounts, env=[{"name": "TENANT", "value": "two"}])
    whole = mounting(*(mount(v["name"], f"/{v['name']}") for v in volumes), name="whole")
    options = pod(
        main, whole, volumes=volumes, config_maps=[{"name": "site", "data": {"site.conf": "1", "other.conf": "2"}}]
    )
    pods.create(options)
    for path, seen in (
        ("/one", "/data/tenants/one"),
        ("/two", "/data/tenants/two"),
        ("/kept", "/kept/part"),
    ):
        inside(pods, f"{path}/word").write_text(path)
        assert pods.read("web-whole", f"{seen}/word") == path
    assert pods.read("web-main", "/etc/site.conf") == "1"
    # The kernel's mount of one file stays with the file it was made from, as in Kubernetes, until a new start.
    options["config_maps"][0]["data"]["site.conf"] = "new"
    pods.change(options, ["record pod web: config_maps changed", "write volume web/site: content changed"])
    assert pods.read("web-main", "/etc/site.conf") == "1"
    assert pods.read("web-whole", "/site/site.conf") == "new"
    pods.host.podman("restart", "-t", "1", "web-main")
    assert pods.read("web-main", "/etc/site.conf") == "new"


def test_sub_path_does_not_leave_the_volume(pods: PodRuns) -> None:
    options = pod(mounting(), volumes=[claim()])
    pods.create(options)
    inside(pods, "/data/way").symlink_to("/etc")
    inside(pods, "/data/inner").symlink_to("nowhere")
    (inside(pods, "/data") / "down").mkdir()
    (inside(pods, "/data") / "down" / "up").symlink_to("../../..")
    for sub_path in ("way", "inner", "down/up/etc"):
        options["containers"][0]["volume_mounts"] = [mount(sub_path=sub_path)]
        failure = pods.fail(options, RunFailed, on_failure="keep")
        assert "leads through a symbolic link" in str(failure)
        assert sub_path in str(failure)
        assert "web-main" not in pods.names()
    options["containers"][0]["volume_mounts"] = [mount(sub_path="down")]
    pods.create(options)
    assert inside(pods, "/data/up").is_symlink()


def test_part_of_a_volume_in_memory(pods: PodRuns) -> None:
    writer = mounting(mount(sub_path="part"), name="writer")
    writer["command"] = ["sh", "-c", "echo kept > /data/word"]
    options = pod(
        mounting(mount(sub_path="part"), name="part"),
        mounting(name="whole"),
        init_containers=[writer],
        volumes=[{"name": "data", "empty_dir": {"medium": "Memory"}}],
    )
    pods.create(options)
    assert pods.read("web-part", "/data/word") == pods.read("web-whole", "/data/part/word") == "kept\n"
    assert mount_options(pods, "/data", "web-part")[0] == "tmpfs"
    pods.apply({"name": "web", "state": "absent"})
    assert pods.host.podman("volume", "ls", "-q") == ""


def test_mount_propagation(pods: PodRuns, tmp_path: Path) -> None:
    """What the host mounts later below a hostPath is seen with HostToContainer only."""
    subprocess.run(["mount", "-t", "tmpfs", "none", tmp_path], check=True)
    try:
        subprocess.run(["mount", "--make-shared", tmp_path], check=True)
        (tmp_path / "later").mkdir()
        volume = {"name": "data", "host_path": {"path": str(tmp_path)}}
        private = mounting(name="private")
        slave = mounting(mount(mount_propagation="HostToContainer"), name="slave")
        pods.create(pod(private, slave, volumes=[volume]))
        subprocess.run(["mount", "-t", "tmpfs", "none", tmp_path / "later"], check=True)
        (tmp_path / "later" / "file").write_text("")
        assert inside(pods, "/data/later/file", "web-slave").exists()
        assert not inside(pods, "/data/later/file", "web-private").exists()
    finally:
        subprocess.run(["umount", "--recursive", tmp_path], check=True)


def test_mount_propagation_of_a_named_volume(pods: PodRuns) -> None:
    pods.host.podman("volume", "create", "shop-data")
    folder = Path(pods.host.podman("volume", "inspect", "--format", "{{.Mountpoint}}", "shop-data").strip())
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "--make-shared", folder], check=True)
        (folder / "later").mkdir()
        slave = mounting(mount(mount_propagation="HostToContainer"), name="slave")
        pods.create(pod(mounting(name="private"), slave, volumes=[claim()]))
        subprocess.run(["mount", "-t", "tmpfs", "none", folder / "later"], check=True)
        (folder / "later" / "file").touch()
        assert inside(pods, "/data/later/file", "web-slave").exists()
        assert not inside(pods, "/data/later/file", "web-private").exists()
    finally:
        subprocess.run(["umount", "--recursive", folder], check=True)
