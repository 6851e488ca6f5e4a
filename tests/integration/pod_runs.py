# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the engine on the tests' Podman, each held to what check mode said of it, and facts of what then runs.

Facts come from Podman's own API and from the kernel (/proc, the cgroup file system), never from the code under test.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
from podman_host import BUSYBOX, PodmanHost

from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_info, pod_run, run_failure

CGROUP = Path("/sys/fs/cgroup")
SLEEP = "trap 'exit 0' TERM; sleep 86400 & wait"
"""The shell ends as soon as it is told to; its child ends with the container."""

PATIENCE_SECONDS = 90
"""How long a busy machine may take for what a quiet one does in a moment."""

Options = dict[str, Any]
_Value = TypeVar("_Value")


def container(name: str = "main", script: str = SLEEP, **fields: Any) -> Options:
    """A container that runs a shell script; by default it sleeps until TERM."""
    return {"name": name, "image": BUSYBOX, "command": ["sh", "-c", script], **fields}


def server(name: str = "main", port: int = 8080, root: str = "/etc", **fields: Any) -> Options:
    """A container with a web server, ready once it answers."""
    ready = {"tcp_socket": {"port": port}, "period_seconds": 1}
    return container(name, f"httpd -h {root} -p {port}; {SLEEP}", **{"readiness_probe": ready, **fields})


def pod(*containers: Options, name: str = "web", **fields: Any) -> Options:
    """A pod that is quick to stop; of one sleeping container where none is given."""
    return {
        "name": name,
        "containers": list(containers) or [container()],
        "termination_grace_period_seconds": 2,
        **fields,
    }


class PodRuns:
    """The engine in this process, and what it made.

    No run waits for readiness unless it is told to: ``wait=True`` or a test of its own.
    """

    def __init__(self, host: PodmanHost) -> None:
        self.host = host

    # --- runs --------------------------------------------------------------------------------------------------------

    def apply(self, options: Options, **more: Any) -> Options:
        """Run in check mode, hold it to changing nothing, run, and hold the run to what check mode said."""
        options = {"wait": False, **options, **more}
        predicted = self.predict(options)
        result = pod_run.run_pod(options, False)
        assert result["actions"] == predicted["actions"], (result["actions"], predicted["actions"])
        assert result["changed"] == predicted["changed"] == bool(result["actions"])
        return result

    def predict(self, options: Options, **more: Any) -> Options:
        """Run in check mode."""
        before = self.host.mutations()
        with tripwire():
            predicted = pod_run.run_pod({"wait": False, **options, **more}, True)
        after = self.host.mutations()
        assert after == before, set(after) ^ set(before)
        return predicted

    def create(self, options: Options, **more: Any) -> Options:
        """Apply what is not there yet, and see that a second run finds nothing to do."""
        result = self.apply(options, **more)
        assert result["changed"]
        self.unchanged(options, **more)
        return result

    def change(self, options: Options, expected: Sequence[str], **more: Any) -> Options:
        """Apply, expect exactly these lines of the plan, and see that a second run finds nothing to do."""
        result = self.apply(options, **more)
        assert plan(result) == list(expected), plan(result)
        self.unchanged(options, **more)
        return result

    def unchanged(self, options: Options, **more: Any) -> Options:
        """Expect that a run finds nothing to do and touches nothing."""
        before = self.host.mutations()
        result = self.apply(options, **more)
        assert result["actions"] == [], result["actions"]
        assert not result["changed"]
        assert "diff" not in result
        self._assert_same(before)
        return result

    def fail(self, options: Options, kind: type[PodwrightError] = run_failure.RunFailed, **more: Any) -> Any:
        """Expect the run to fail; returns the error."""
        with pytest.raises(kind) as caught:
            pod_run.run_pod({"wait": False, **options, **more}, False)
        return caught.value

    def refuse(self, options: Options, kind: type[PodwrightError], **more: Any) -> str:
        """Expect the run to be refused with nothing touched, in check mode as well; returns the message."""
        before = self.host.mutations()
        with tripwire(), pytest.raises(kind) as predicted:
            pod_run.run_pod({"wait": False, **options, **more}, True)
        with pytest.raises(kind) as caught:
            pod_run.run_pod({"wait": False, **options, **more}, False)
        assert str(caught.value) == str(predicted.value)
        self._assert_same(before)
        return str(caught.value)

    def _assert_same(self, before: Sequence[str]) -> None:
        now = self.host.mutations()
        assert lasting(now) == lasting(before), set(lasting(now)) ^ set(lasting(before))

    # --- facts from Podman -------------------------------------------------------------------------------------------

    def identity(self, name: str) -> tuple[str, str, int]:
        """What changes when a container is made anew or merely started again: id, start time, process."""
        found = self.host.inspect(name)
        return found["Id"], found["State"]["StartedAt"], found["State"]["Pid"]

    def pid(self, name: str) -> int:
        return int(self.host.inspect(name)["State"]["Pid"])

    def state(self, name: str) -> str:
        return str(self.host.inspect(name)["State"]["Status"])

    def names(self) -> list[str]:
        return sorted(self.host.containers())

    def log(self, name: str) -> list[str]:
        """Lines of the container's log."""
        return self.host.podman("logs", name).splitlines()

    def await_log(self, name: str, line: str, timeout_seconds: float = PATIENCE_SECONDS) -> None:
        await_true(lambda: line in self.log(name), timeout_seconds)

    def await_state(self, name: str, state: str, timeout_seconds: float = PATIENCE_SECONDS) -> None:
        await_true(lambda: self.state(name) == state, timeout_seconds)

    # --- facts from the kernel ---------------------------------------------------------------------------------------

    def root(self, name: str) -> Path:
        """The container's root directory as its process has it."""
        return Path(f"/proc/{self.pid(name)}/root")

    def read(self, name: str, path: str) -> str:
        """A file within a container; relative links in it are followed within it."""
        return (self.root(name) / path.lstrip("/")).read_text()

    def environment(self, name: str) -> dict[str, str]:
        """The variables of the container's first process, once that is its own and no more the runtime's."""
        process = Path(f"/proc/{self.pid(name)}")

        def own() -> bytes | None:
            # While a program takes the place of another one, both files are empty for a moment.
            before, raw, after = ((process / file).read_bytes() for file in ("cmdline", "environ", "cmdline"))
            is_own = before == after != b"" and not before.startswith(b"/.podwright/")
            return raw if is_own and b"_LIBCONTAINER_" not in raw else None

        raw = await_value(own).decode()
        return dict(item.partition("=")[::2] for item in raw.split("\0") if item)  # type: ignore[misc]

    def status(self, name: str) -> dict[str, str]:
        """/proc/PID/status of the container's first process."""
        lines = Path(f"/proc/{self.pid(name)}/status").read_text().splitlines()
        return {key: value.strip() for key, _separator, value in (line.partition(":") for line in lines)}

    def namespace(self, name: str, kind: str) -> str:
        return str(Path(f"/proc/{self.pid(name)}/ns/{kind}").readlink())

    def run_in(self, name: str, *command: str) -> str:
        """Run a program of this machine in the network, host name and process namespaces of a container."""
        pid = str(self.pid(name))
        done = subprocess.run(["nsenter", "-t", pid, "-n", "-u", "-i", *command], capture_output=True, check=True)
        return done.stdout.decode()

    def get(self, name: str, port: int, path: str = "/") -> str:
        """What a web server in the pod of a container answers over localhost."""
        return self.run_in(name, "busybox", "wget", "-q", "-O", "-", f"http://127.0.0.1:{port}{path}")

    def limits(self, name: str) -> tuple[int | None, int | None]:
        """Memory limit (bytes) and CPU quota (microseconds in 100 ms) of a container's cgroup."""
        return read_cgroup(cgroup_path(self.pid(name)))

    def pod_limits(self, name: str) -> tuple[int | None, int | None]:
        """The same of a pod's own cgroup."""
        return read_cgroup(self.pod_cgroup(name))

    def pod_cgroup(self, name: str) -> str:
        with self.host.api() as api:
            return str(api.get(f"/pods/{name}/json").json()["CgroupPath"])

    def programs_in_cgroup(self, name: str) -> list[str]:
        """The programs of all processes in a pod's cgroup and below it, sorted."""
        hierarchy = CGROUP if (CGROUP / "cgroup.controllers").exists() else CGROUP / "memory"
        pids = [
            pid
            for file in (hierarchy / self.pod_cgroup(name).lstrip("/")).rglob("cgroup.procs")
            for pid in file.read_text().split()
        ]
        return sorted(Path(f"/proc/{pid}/comm").read_text().strip() for pid in pids)

    # --- what the engine tells ---------------------------------------------------------------------------------------

    def status_of(self, name: str) -> Options:
        """The pod's status as pod_info tells it."""
        (found,) = pod_info.run_pod_info({"name": name})["pods"]
        return dict(found["status"])


@contextlib.contextmanager
def tripwire() -> Iterator[None]:
    """While it holds, every call to Podman but a GET is an error, whatever part of the code makes it."""
    request = requests.Session.request

    def watched(session: requests.Session, method: str, url: str, **more: Any) -> requests.Response:
        assert method.upper() == "GET", f"check mode calls {method} {url}"
        return request(session, method, url, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(requests.Session, "request", watched)
        yield


def plan(result: Options) -> list[str]:
    """The plan's lines without their numbers, which are checked."""
    lines = result["actions"]
    assert [line.split()[0] for line in lines] == [f"#{number}" for number in range(1, len(lines) + 1)]
    return [line.split(" ", 1)[1] for line in lines]


def lasting(mutations: Sequence[str]) -> list[str]:
    """Without what a run that changes nothing may write: the state directory itself, its lock, the pod's new status."""
    names = r"key(\.copy)?|reserve|locks(/[^/]*)?|secrets|pods(/[^/]*)?|pods/[^/]*/status\.json"
    written = re.compile(rf"^file .*/state/({names}) \d+$")
    return [line for line in mutations if not written.match(line)]


def await_true(condition: Callable[[], bool], timeout_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until it is so. How long is a bound for what never comes, and no measure of how quick it is."""
    await_value(lambda: condition() or None, timeout_seconds)


def await_value(look: Callable[[], _Value | None], timeout_seconds: float = PATIENCE_SECONDS) -> _Value:
    """Wait until something is found; see `await_true`."""
    deadline = time.monotonic() + timeout_seconds
    while (value := look()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return value


def cgroup_path(pid: int) -> str:
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(",") or (not controllers and (CGROUP / "cgroup.controllers").exists()):
            return path
    raise AssertionError(f"process {pid} is in no memory cgroup")


def read_cgroup(path: str) -> tuple[int | None, int | None]:
    relative = path.lstrip("/")
    if (CGROUP / "cgroup.controllers").exists():
        memory = (CGROUP / relative / "memory.max").read_text().strip()
        quota = (CGROUP / relative / "cpu.max").read_text().split()[0]
        return (None if memory == "max" else int(memory)), (None if quota == "max" else int(quota))
    bytes_limit = int((CGROUP / "memory" / relative / "memory.limit_in_bytes").read_text())
    quota_us = int((CGROUP / "cpu" / relative / "cpu.cfs_quota_us").read_text())
    return (None if bytes_limit > 1 << 62 else bytes_limit), (None if quota_us < 0 else quota_us)


def read_shares(path: str) -> int:
    """CPU shares of a cgroup; cgroup v1 only."""
    return int((CGROUP / "cpu" / path.lstrip("/") / "cpu.shares").read_text())


def write_memory_limit(path: str, limit_bytes: int) -> None:
    """Change a cgroup behind everyone's back."""
    relative = path.lstrip("/")
    if (CGROUP / "cgroup.controllers").exists():
        (CGROUP / relative / "memory.max").write_text(str(limit_bytes))
        return
    swap = CGROUP / "memory" / relative / "memory.memsw.limit_in_bytes"
    if swap.exists():
        swap.write_text(str(limit_bytes))
    (CGROUP / "memory" / relative / "memory.limit_in_bytes").write_text(str(limit_bytes))


def words(text: str) -> str:
    """Text with runs of white space as one blank, to look for sentences in."""
    return re.sub(r"\s+", " ", text)
