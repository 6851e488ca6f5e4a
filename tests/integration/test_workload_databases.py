# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three MariaDB of the distribution as a StatefulSet: rollouts that are killed, and no committed row is lost."""

from __future__ import annotations

import os
import platform
import random
import time
from pathlib import Path
from typing import Any

import pytest
from image_versions import images_of, make_version
from pod_runs import Options
from podman_host import BUSYBOX, PodmanHost
from stack_runs import StackRuns
from test_image import ImageModule
from test_stack_interrupted import apply_elsewhere, was_killed

from ansible_collections.podwright.pods.plugins.module_utils._runs.run_failure import RunFailed
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import run as stack_run

pytestmark = [pytest.mark.lamp, pytest.mark.long]

ROLLOUTS = 20 if os.environ.get("PODWRIGHT_TEST_FULL") else 2
IMAGE = "localhost/test/mariadb"
TABLE = """CREATE DATABASE IF NOT EXISTS shop;
CREATE TABLE IF NOT EXISTS shop.words (word VARCHAR(60) PRIMARY KEY);"""
DATABASE = f"""
mkdir -p /run/mysqld
[ -d /var/lib/mysql/mysql ] || mariadb-install-db --user=root --datadir=/var/lib/mysql --skip-test-db > /dev/null
echo '{TABLE}' > /tmp/table.sql
exec mariadbd --no-defaults --user=root --datadir=/var/lib/mysql --socket=/run/mysqld/socket --skip-name-resolve \\
  --bind-address=127.0.0.1 --init-file=/tmp/table.sql --innodb-buffer-pool-size=16M --performance-schema=OFF
"""
ASK = "mariadb --no-defaults --socket=/run/mysqld/socket --batch --skip-column-names"
WRITER = f"""
trap 'exit 0' TERM
while :; do
  word=$HOSTNAME-$(cat /proc/sys/kernel/random/uuid)
  {ASK} --execute "INSERT INTO shop.words VALUES ('$word')" 2> /dev/null && echo $word >> /log/$HOSTNAME
  sleep 0.5 & wait $!
done
"""


@pytest.fixture
def databases(in_host: PodmanHost, tmp_path: Path) -> StackRuns:
    """A Podman with three names of one image with MariaDB, and one that has none in it."""
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    packages = ["mariadb-server-core", "mariadb-client"]
    made = ImageModule(in_host)(name=f"{IMAGE}:1", bootstrap={"suite": suite, "packages": packages})
    assert not made.get("failed"), made
    make_version(in_host, tmp_path, f"{IMAGE}:1", f"{IMAGE}:2")
    in_host.podman("tag", BUSYBOX, f"{IMAGE}:broken")
    return StackRuns(in_host)


class Databases:
    """A StatefulSet of three, each with a writer that notes what was committed, outside of the pod."""

    def __init__(self, directory: Path) -> None:
        self.log = directory / "log"
        self.log.mkdir()
        self.log.chmod(0o777)

    def declared(self, version: str, replicas: int = 3, **fields: Any) -> Options:
        image = f"{IMAGE}:{version}"
        socket = {"name": "socket", "mount_path": "/run/mysqld"}
        data = {"name": "data", "mount_path": "/var/lib/mysql"}
        containers = [
            {
                "name": "db",
                "image": image,
                "command": ["sh", "-c", DATABASE],
                "volume_mounts": [data, socket],
                "readiness_probe": {
                    "exec": {"command": ["sh", "-c", f"{ASK} --execute 'SELECT 1 FROM shop.words LIMIT 1'"]},
                    "period_seconds": 1,
                    "timeout_seconds": 5,
                },
            },
            {
                "name": "writer",
                "image": f"{IMAGE}:1",
                "command": ["sh", "-c", WRITER],
                "volume_mounts": [socket, {"name": "log", "mount_path": "/log"}],
            },
        ]
        volumes = [{"name": "socket", "empty_dir": {}}, {"name": "log", "host_path": {"path": str(self.log)}}]
        template = {
            "labels": {"app": "db"},
            "containers": containers,
            "volumes": volumes,
            "termination_grace_period_seconds": 30,
        }
        one = {"name": "db", "replicas": replicas, "template": template, "volume_claim_templates": [{"name": "data"}]}
        return {"name": "shop", "pods": [], "stateful_sets": [{**one, **fields}]}

    def committed(self, number: int) -> set[str]:
        path = self.log / f"db-{number}"
        return {*path.read_text().split()} if path.exists() else set()

    def kept(self, host: PodmanHost, number: int) -> set[str]:
        return {
            *host.podman(
                "exec", f"db-{number}-db", "sh", "-c", f"{ASK} --execute 'SELECT word FROM shop.words'"
            ).split()
        }

    def lost(self, host: PodmanHost) -> set[str]:
        return {word for number in range(3) for word in self.committed(number) - self.kept(host, number)}

    def versions(self, host: PodmanHost) -> list[str]:
        """Those of the images, as the containers have them."""
        names = [f"{IMAGE}:{version}" for version in ("1", "2", "broken")]
        found = images_of(host, names, (f"db-{number}-db" for number in range(3)))
        return [name.rpartition(":")[2] for name in found]


def test_no_committed_row_is_lost(databases: StackRuns, tmp_path: Path) -> None:
    host, own = databases.host, Databases(tmp_path)
    databases.create(own.declared("1"))
    chance, seed = random.Random(), random.randrange(10**6)
    chance.seed(seed)
    kills = 0
    for rollout in range(ROLLOUTS):
        wanted = own.declared("21"[rollout % 2])
        kills += was_killed(apply_elsewhere(host, tmp_path, wanted, chance.randint(1, 40)))
        stack_run.run_stack(wanted, False)
        assert own.versions(host) == ["21"[rollout % 2]] * 3
        assert own.lost(host) == set(), f"rollout {rollout}, seed {seed}"
    assert kills
    # A broken image takes one down, and is corrected in one run; left alone it goes back.
    now = "21"[(ROLLOUTS - 1) % 2]
    with pytest.raises(RunFailed, match="nothing came about for 15 s"):
        databases.apply(own.declared("broken"), wait_timeout=15, on_failure="keep")
    assert own.versions(host) == [now, now, "broken"]
    # Which pod gives way first depends on which is ready by then.
    stack_run.run_stack({**own.declared("2"), "on_failure": "keep"}, False)
    databases.unchanged(own.declared("2"))
    assert own.versions(host) == ["2"] * 3
    with pytest.raises(RunFailed, match="made no progress for 15 s; going back to revision"):
        databases.apply(own.declared("broken", progress_deadline_seconds=15), on_failure="keep")
    assert own.versions(host) == ["2"] * 3
    # Claims outlast the pods that had them.
    databases.create(own.declared("2", replicas=1))
    assert databases.volumes() == [f"data-db-{number}" for number in range(3)]
    time.sleep(2)
    databases.create(own.declared("2"))
    assert own.lost(host) == set()
    written = [len(own.committed(number)) for number in range(3)]
    assert min(written) > 5 * ROLLOUTS, written
