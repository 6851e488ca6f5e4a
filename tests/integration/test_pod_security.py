# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security contexts as the kernel has them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pod_runs import Options, PodRuns, container, plan, pod
from podman_host import BUSYBOX

from ansible_collections.podwright.pods.plugins.module_utils._errors import Refused

pytestmark = pytest.mark.integration

CAP_CHOWN, CAP_NET_RAW, CAP_SYS_NICE, CAP_KILL = 0, 13, 23, 5


def secured(name: str = "main", **context: Any) -> Options:
    return container(name, security_context=context)


def capabilities(pods: PodRuns, name: str = "web-main") -> set[int]:
    bounding = int(pods.status(name)["CapBnd"], 16)
    return {number for number in range(64) if bounding >> number & 1}


def test_users_and_groups(pods: PodRuns) -> None:
    shared = {"run_as_user": 1000, "run_as_group": 2000, "supplemental_groups": [3000, 3001], "fs_group": 4000}
    options = pod(container("one"), secured("two", run_as_user=1500), security_context=shared)
    pods.create(options)
    one, two = pods.status("web-one"), pods.status("web-two")
    assert one["Uid"].split() == ["1000"] * 4
    assert one["Gid"].split() == ["2000"] * 4
    assert {"3000", "3001", "4000"} <= set(one["Groups"].split())
    assert (two["Uid"].split()[0], two["Gid"].split()[0]) == ("1500", "2000")
    before = pods.identity("web-one")
    options["containers"][1] = secured("two", run_as_user=1600)
    changed = pods.apply(options)
    assert plan(changed)[1] == "stop container web/two: security_context changed"
    assert pods.status("web-two")["Uid"].split()[0] == "1600"
    assert pods.identity("web-one") == before
    pods.unchanged(options)


def test_user_of_the_image(pods: PodRuns, tmp_path: Path) -> None:
    (tmp_path / "Containerfile").write_text(f"FROM {BUSYBOX}\nUSER 1234:1235\n")
    pods.host.podman("build", "-q", "-t", "localhost/test/user:1", str(tmp_path))
    image = {"image": "localhost/test/user:1"}
    main = {**container("main"), **image}
    grouped = {**secured("grouped", run_as_group=7), **image}
    checked = {**secured("checked", run_as_non_root=True), **image}
    pods.create(pod(main, grouped, checked))
    assert [pods.status(f"web-{name}")["Uid"].split()[0] for name in ("main", "grouped", "checked")] == ["1234"] * 3
    assert [pods.status(f"web-{name}")["Gid"].split()[0] for name in ("main", "grouped")] == ["1235", "7"]


def test_root_is_refused_where_it_is_ruled_out(pods: PodRuns, tmp_path: Path) -> None:
    pods.create(pod(container()))
    before = pods.identity("web-main")
    reason = "runAsNonRoot is set and the container would run as root; set run_as_user, or USER in the image"
    text = pods.refuse(pod(secured(run_as_non_root=True)), Refused)
    assert text == f"web/main: CreateContainerConfigError: {reason}"
    text = pods.refuse(pod(container(), security_context={"run_as_non_root": True}), Refused)
    assert text == f"web/main: CreateContainerConfigError: {reason}"
    assert pods.identity("web-main") == before
    (tmp_path / "Containerfile").write_text(f"FROM {BUSYBOX}\nUSER nobody\n")
    pods.host.podman("build", "-q", "-t", "localhost/test/named:1", str(tmp_path))
    named = {**secured(run_as_non_root=True), "image": "localhost/test/named:1"}
    assert "the image's user 'nobody' is not a number; set run_as_user" in pods.refuse(pod(named), Refused)
    pods.create(pod(secured(run_as_non_root=True, run_as_user=1)))
    assert pods.status("web-main")["Uid"].split()[0] == "1"


def test_read_only_root(pods: PodRuns) -> None:
    pods.create(pod(secured(read_only_root_filesystem=True)))
    roots = [line.split() for line in Path(f"/proc/{pods.pid('web-main')}/mountinfo").read_text().splitlines()]
    assert [words[5].split(",")[0] for words in roots if words[4] == "/"] == ["ro"]
    changed = pods.apply(pod(secured()))
    assert plan(changed)[1] == "stop container web/main: security_context changed"
    (pods.root("web-main") / "file").write_text("writable")


def test_capabilities(pods: PodRuns) -> None:
    pods.create(pod(container("plain"), secured("all", capabilities={"drop": ["ALL"], "add": ["NET_RAW"]})))
    assert capabilities(pods, "web-all") == {CAP_NET_RAW}
    assert {CAP_CHOWN, CAP_KILL} <= capabilities(pods, "web-plain")
    assert CAP_SYS_NICE not in capabilities(pods, "web-plain")
    pods.create(pod(secured(capabilities={"drop": ["CAP_CHOWN"], "add": ["sys_nice"]})))
    assert CAP_SYS_NICE in capabilities(pods)
    assert CAP_CHOWN not in capabilities(pods)


def test_no_new_privileges(pods: PodRuns) -> None:
    pods.create(pod(secured(allow_privilege_escalation=False)))
    assert pods.status("web-main")["NoNewPrivs"] == "1"
    pods.create(pod(secured()))
    assert pods.status("web-main")["NoNewPrivs"] == "0"


def test_privileged(pods: PodRuns) -> None:
    pods.create(pod(secured(privileged=True)))
    ours = int(next(line for line in Path("/proc/self/status").read_text().splitlines() if "CapBnd" in line)[7:], 16)
    assert int(pods.status("web-main")["CapBnd"], 16) == ours
    assert (pods.root("web-main") / "dev" / "kmsg").exists() or not os.path.exists("/dev/kmsg")


def test_system_call_filter(pods: PodRuns) -> None:
    pods.create(
        pod(
            secured("default", seccomp_profile={"type": "RuntimeDefault"}),
            secured("none", seccomp_profile={"type": "Unconfined"}),
        )
    )
    assert pods.status("web-none")["Seccomp"] == "0"
    assert pods.status("web-default")["Seccomp"] == "2"
    profile = '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["umask"], "action": "SCMP_ACT_ERRNO"}]}'
    path = pods.host.directory / "seccomp.json"
    path.write_text(profile)
    local = secured(seccomp_profile={"type": "Localhost", "localhost_profile": str(path)})
    pods.create(pod(local, name="local"))
    assert pods.status("local-main")["Seccomp"] == "2"


def test_terminal_and_standard_input(pods: PodRuns) -> None:
    pods.create(pod(container("plain"), container("open", tty=True, stdin=True)))
    assert (
        "/pts/" in os.readlink(f"/proc/{pods.pid('web-open')}/fd/0") or pods.host.inspect("web-open")["Config"]["Tty"]
    )
    assert os.readlink(f"/proc/{pods.pid('web-plain')}/fd/0") == "/dev/null"
