# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The LAMP pod as its role makes it, out of the distribution's packages, on a Podman of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from podman_host import PodmanHost

from playbooks import HERE, REPOSITORY, Playbook, free_port

CONTAINERS = ("db", "php", "web", "backup")

pytestmark = pytest.mark.lamp


class Lamp(Playbook):
    """The stack of the role lamp, its images made of packages as the inventory of this host has them."""

    inventory = ()

    def __init__(self, host: PodmanHost, directory: Path) -> None:
        super().__init__(host, directory, HERE / "lamp.yml", lamp_drain_seconds=1)
        self.variables["lamp_port"] = self.port

    @contextlib.contextmanager
    def changed_for_now(self) -> Iterator[None]:
        """Whatever is played meanwhile, afterwards the stack is what it was declared as before."""
        options = self.options()
        try:
            yield
        finally:
            self.run_engine(options)

    def visits(self, port: int | None = None) -> int:
        body = self.page(port=port)
        found = re.search(r"Visits</th><td>(\d+)", body)
        assert found, body
        return int(found[1])

    def runs(self) -> dict[str, tuple[str, str]]:
        """Id and start of each container of the Pod that is not only there to begin with."""
        return self.starts([f"lamp-{name}" for name in CONTAINERS])

    def options(self) -> dict[str, Any]:
        """The stack's native options as they were applied."""
        directory = self.host.state_directory / "stacks/lamp"
        number = json.loads((directory / "record.json").read_text())["current"]
        return dict(json.loads((directory / f"revisions/{number}.json").read_text())["stack"])

    def run_engine(self, options: dict[str, Any], kill_after: int = 0) -> int:
        """Apply options without Ansible, killed after so many operations; returns the exit status."""
        path = self.directory / "options.json"
        path.write_text(json.dumps(options))
        done = subprocess.run(
            [sys.executable, HERE / "interruption.py", path, str(kill_after or 1000)],
            env={**self.host.environment, "PYTHONPATH": str(REPOSITORY / "collections")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        return done.returncode


@pytest.fixture(scope="module")
def lamp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lamp]:
    """The stack, up and running."""
    host = PodmanHost()
    try:
        host.start()
        stack = Lamp(host, tmp_path_factory.mktemp("lamp"))
        stack.play()
        yield stack
    finally:
        host.remove()


def test_second_run_changes_nothing(lamp: Lamp) -> None:
    before = lamp.runs()
    result = lamp.play()
    assert (lamp.recap["changed"], lamp.recap["failed"]) == (0, 0)
    assert result["actions"] == []
    assert {item["name"]: item["phase"] for item in result["objects"] if item["kind"] == "Pod"} == {"lamp": "Running"}
    assert lamp.runs() == before


def test_page_shows_versions_and_a_counter(lamp: Lamp) -> None:
    status, body = lamp.get()
    assert status == 200
    assert re.search(r"Server</th><td>Apache", body)
    assert re.search(r"PHP</th><td>8\.\d+", body)
    assert re.search(r"Database</th><td>MariaDB 1\d\.", body)
    assert lamp.visits() == lamp.visits() - 1


def test_health_follows_the_database_and_drift_is_repaired(lamp: Lamp) -> None:
    assert lamp.get("/healthz")[0] == 200
    visits, before = lamp.visits(), lamp.runs()
    lamp.host.podman("stop", "lamp-db")
    assert lamp.get("/healthz")[0] == 503
    result = lamp.play()
    assert {line.partition(": ")[0].partition(" ")[2] for line in result["actions"]} == {
        "remove container lamp/db",
        "create container lamp/db",
        "start container lamp/db",
        "run postStart hook (exec) of lamp/db",
    }
    assert lamp.get("/healthz")[0] == 200
    assert lamp.visits() == visits + 1
    after = lamp.runs()
    assert {name for name in before if before[name] != after[name]} == {"lamp-db"}


@pytest.mark.long
def test_a_change_of_php_costs_php_alone(lamp: Lamp) -> None:
    before = lamp.runs()
    changed = {"lamp_php_env": [{"name": "STAGE", "value": "blue"}]}
    with lamp.changed_for_now():
        predicted = lamp.play("--check", "--diff", **changed)
        assert lamp.runs() == before
        result = lamp.play(**changed)
        assert result["actions"] == predicted["actions"] != []
        after = lamp.runs()
        assert {name for name in before if before[name] != after[name]} == {"lamp-php"}
        assert lamp.play(**changed)["actions"] == []


@pytest.mark.long
def test_a_change_of_limits_restarts_nothing(lamp: Lamp) -> None:
    limits = {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "600Mi"}}
    before = lamp.runs()
    with lamp.changed_for_now():
        result = lamp.play(lamp_db_resources=limits)
        done = [line.partition(": ")[0].partition(" ")[2] for line in result["actions"]]
        assert done[-1] == "resize container lamp/db"
        assert lamp.runs() == before
        pid = lamp.host.inspect("lamp-db")["State"]["Pid"]
        assert read_memory_limit(pid) == 600 * 1024**2
        assert lamp.play(lamp_db_resources=limits)["actions"] == []


def read_memory_limit(pid: int) -> int:
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        if controllers == "memory":
            return int(Path(f"/sys/fs/cgroup/memory{path}/memory.limit_in_bytes").read_text())
        if controllers == "" and Path("/sys/fs/cgroup/cgroup.controllers").exists():
            return int(Path(f"/sys/fs/cgroup{path}/memory.max").read_text())
    raise AssertionError("the process has no memory cgroup")


@pytest.mark.long
def test_a_change_of_the_port_replaces_the_pod_and_loses_no_row(lamp: Lamp) -> None:
    visits, before, port = lamp.visits(), lamp.runs(), free_port()
    with lamp.changed_for_now():
        lamp.play(lamp_port=port)
        after = lamp.runs()
        assert all(before[name] != after[name] for name in before)
        assert lamp.visits(port) == visits + 1
    assert lamp.visits() == visits + 2


@pytest.mark.long
def test_passwords_are_nowhere(lamp: Lamp) -> None:
    passwords = lamp.host.generated("stack@lamp")
    assert len(passwords) == 3
    given = "Gv" + os.urandom(12).hex()
    with lamp.changed_for_now():
        lamp.play("-vvv", "--diff", lamp_db_password=given)
        seen = lamp.output
        seen += lamp.host.podman("pod", "inspect", "lamp")
        names = [name for name in lamp.host.containers() if name.startswith("lamp-")]
        seen += lamp.host.podman("inspect", *names)
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen += path.read_bytes().decode(errors="replace")
            except OSError:
                continue
        assert not [password for password in (*passwords, given) if password in seen]
        places = [lamp.host.directory, Path("/tmp"), Path("/var/tmp"), Path("/run"), Path.home() / ".ansible"]
        assert not [path for place in places for path in exposed(place, [*passwords, given])]
    assert lamp.get("/healthz")[0] == 200


def exposed(place: Path, secrets: list[str]) -> Iterator[Path]:
    """The files below a place that any user may read and that hold one of these secrets."""
    wanted = [secret.encode() for secret in secrets]
    for directory, below, names in os.walk(place):
        here = Path(directory)
        below[:] = [name for name in below if (here / name).lstat().st_mode & stat.S_IXOTH]
        for path in (here / name for name in names):
            with contextlib.suppress(OSError):
                status = path.lstat()
                is_open = stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IROTH
                if is_open and status.st_size < 1 << 20 and any(secret in path.read_bytes() for secret in wanted):
                    yield path


def test_what_is_exposed_is_found(tmp_path: Path) -> None:
    for name, mode in (("open", 0o755), ("closed", 0o700)):
        (tmp_path / name).mkdir(mode=mode)
        for number, file_mode in enumerate((0o644, 0o600)):
            (tmp_path / name / str(number)).write_text("a hidden word")
            (tmp_path / name / str(number)).chmod(file_mode)
    assert list(exposed(tmp_path, ["other", "hidden"])) == [tmp_path / "open" / "0"]


@pytest.mark.long
def test_interrupted_anywhere_the_next_run_converges(lamp: Lamp) -> None:
    """From nothing but the data, killed after each operation."""
    options, visits = lamp.options(), lamp.visits()
    absent = {"name": "lamp", "state": "absent", "pods": []}
    number = 1
    while True:
        lamp.run_engine(absent)
        killed = lamp.run_engine(options, kill_after=number) == -signal.SIGKILL
        lamp.run_engine(options)
        visits += 1
        assert lamp.visits() == visits, f"after operation {number}"
        names = {name for name in lamp.host.containers() if name.startswith("lamp-")}
        assert names == {"lamp-infra", "lamp-prepare", *(f"lamp-{name}" for name in CONTAINERS)}
        if not killed:
            break
        number += 1
    assert number > 20
    assert lamp.play()["actions"] == []
