# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everyday manifests, untouched: what each example of data/kubernetes is about comes true on real Podman.

The examples have the shape of those in Kubernetes' documentation, and of what kubectl writes. To add one is to add a
file, and a function of its name here that looks at what runs then: at files, processes, cgroups and logs.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.request import urlopen

import kubernetes_validate
import pytest
import yaml
from pod_runs import Options, PodRuns, await_true, cgroup_path, read_shares
from podman_host import PodmanHost
from stack_runs import StackRuns, results
from test_pod_security import capabilities
from test_pod_volumes import inside, mode, mount_options

from ansible_collections.podwright.pods.plugins.module_utils._declaration import manifest
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_info

pytestmark = pytest.mark.integration

DIRECTORY = Path(__file__).parent / "data" / "kubernetes"
EXAMPLES = sorted(path.stem for path in DIRECTORY.glob("*.yml"))
KUBERNETES = "1.32"

CAP_NET_ADMIN, CAP_SYS_NICE, CAP_MKNOD = 12, 23, 27
MEBIBYTE = 1 << 20


class Example:
    """One file, and what became of it: ``told`` is the result of its first run, ``pods`` looks at what runs."""

    def __init__(self, name: str, host: PodmanHost) -> None:
        self.name = name.replace("_", "-")
        self.text = (DIRECTORY / f"{name}.yml").read_text(encoding="utf-8")
        self.runs = StackRuns(host)
        self.pods = PodRuns(host)
        self.told: Options = {}

    def documents(self) -> list[Options]:
        """The documents as kubectl reads them, by YAML 1.1, Lists taken apart."""
        read = yaml.safe_load_all(self.text)
        return [item for document in read for item in document.get("items", [document])]

    def create(self) -> None:
        self.told = self.runs.create(self._options(self.text))

    def change(self, old: str, new: str) -> Options:
        """Apply the example with something in it replaced."""
        assert old in self.text
        return self.runs.create(self._options(self.text.replace(old, new)))

    def remove(self) -> None:
        self.runs.apply({"name": self.name, "state": "absent"})

    def execute(self, container: str, *command: str) -> str:
        return self.pods.host.podman("exec", container, *command)

    def started(self, container: str) -> datetime:
        """When a container was started. When it ended Podman knows less well: of a short one even before its start."""
        return datetime.fromisoformat(self.pods.host.inspect(container)["State"]["StartedAt"])

    def metadata(self, pod: str) -> Options:
        (found,) = pod_info.run_pod_info({"name": pod})["pods"]
        return dict(found["metadata"])

    def _options(self, text: str) -> Options:
        return {"name": self.name, "definition": manifest.read(text)}


Check = Callable[[Example], None]
CHECKS: dict[str, Check] = {}


def example(check: Check) -> Check:
    """Marks what is to be seen once the example of its name was applied."""
    CHECKS[check.__name__] = check
    return check


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_works_as_it_stands(in_host: PodmanHost, name: str) -> None:
    applied = Example(name, in_host)
    documents = applied.documents()
    for document in documents:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    applied.create()
    kinds = {"PersistentVolumeClaim": "Volume"}
    declared = {f"{kinds.get(one['kind'], one['kind'])} {one['metadata']['name']}" for one in documents}
    assert results(applied.told) == dict.fromkeys(declared, "created")
    CHECKS[name](applied)


def test_every_example_has_its_check() -> None:
    assert sorted(CHECKS) == EXAMPLES


# --- containers of one Pod -------------------------------------------------------------------------------------------


@example
def shared_volume(applied: Example) -> None:
    pods = applied.pods
    assert pods.get("bulletin-server", 8080) == "Ferry departs at noon\n"
    assert mount_options(pods, "/srv/board", "bulletin-server")[1].startswith("ro")
    await_true(lambda: pods.state("bulletin-author") == "exited")
    assert pods.status_of("bulletin")["phase"] == "Running"


@example
def init_containers(applied: Example) -> None:
    pods = applied.pods
    assert pods.get("almanac-web", 8080) == "sunrise 05:41\nchecked by the harbour office\n"
    assert applied.started("almanac-fetch") < applied.started("almanac-sign") < applied.started("almanac-web")
    statuses = pods.status_of("almanac")["initContainerStatuses"]
    assert [(each["name"], each["state"]["terminated"]["exitCode"]) for each in statuses] == [("fetch", 0), ("sign", 0)]


@example
def sidecar(applied: Example) -> None:
    pods = applied.pods
    pods.await_log("lighthouse-log-follower", "flash")
    assert pods.log("lighthouse-log-follower")[0] == "lens clean"
    assert pods.state("lighthouse-log-follower") == "running"
    follower, inspection, lamp = (
        applied.started(f"lighthouse-{name}") for name in ("log-follower", "inspection", "lamp")
    )
    assert follower < inspection < lamp


@example
def process_namespace(applied: Example) -> None:
    pods = applied.pods
    assert pods.namespace("workshop-web", "pid") == pods.namespace("workshop-shell", "pid")
    (pods.root("workshop-web") / "var/drawing").write_text("a boat")
    through_the_process = "cat /proc/$(pidof httpd)/root/var/drawing"
    assert applied.execute("workshop-shell", "sh", "-c", through_the_process) == "a boat"
    assert not (pods.root("workshop-shell") / "var/drawing").exists()
    assert pods.host.inspect("workshop-shell")["Config"]["Tty"]


# --- configuration ---------------------------------------------------------------------------------------------------


@example
def config_map_environment(applied: Example) -> None:
    pods = applied.pods
    assert pods.log("canteen-board") == ["lentil soup from 08:30"]
    found = pods.environment("canteen-kitchen")
    expected = {"PLATES": "3", "HOURS_OPENS": "08:30", "HOURS_CLOSES": "17:00"}
    assert {name: found.get(name) for name in expected} == expected
    assert not {"DESSERT", "OPENS"} & set(found)


@example
def config_map_volume(applied: Example) -> None:
    pods, name = applied.pods, "gardener-main"
    assert pods.log(name) == ["gate.sh", "orchard.properties", "rows", "seed.bin"]
    assert inside(pods, "/etc/orchard/seed.bin", name).read_bytes() == b"\0\1\2\xff"
    properties = "apple.variety=boskoop\npear.variety=comice\n"
    assert (
        pods.read(name, "/etc/orchard/orchard.properties") == pods.read(name, "/etc/orchard.properties") == properties
    )
    assert pods.read(name, "/opt/orchard/layout/rows") == "12"
    modes = [mode(inside(pods, path, name)) for path in ("/etc/orchard/rows", "/opt/orchard/layout/rows")]
    assert modes == [0o644, 0o440]
    assert applied.execute(name, "/opt/orchard/bin/gate") == "the gate is open\n"
    assert mount_options(pods, "/opt/orchard", name)[1].startswith("ro")
    assert applied.execute(name, "ls", "/etc/neighbours") == ""


@example
def secret_environment(applied: Example) -> None:
    found = applied.pods.environment("museum-desk")
    expected = {
        "VAULT_USER": "curator",
        "VAULT_PASSPHRASE": "open sesame",
        "ARCHIVE_TOKEN": "r0w-of-cypresses",
        "ARCHIVE_REGION": "north",
    }
    assert {name: found.get(name) for name in expected} == expected
    assert "VAULT_PIN" not in found
    # What Ansible is to hide is told to it apart.
    told = {name: value for name, value in applied.told.items() if name != "secrets"}
    shown = json.dumps(told) + applied.pods.host.podman("inspect", "museum-desk")
    assert not [value for value in ("open sesame", "r0w-of-cypresses") if value in shown]


@example
def secret_volume(applied: Example) -> None:
    pods, name = applied.pods, "strongroom-guard"
    assert pods.log(name) == ["curator"]
    for path, value in {"user": "curator", "passphrase": "open sesame", ".spare": "rusty"}.items():
        assert pods.read(name, f"/etc/keyring/{path}") == value
        assert mode(inside(pods, f"/etc/keyring/{path}", name)) == 0o400
    assert applied.execute(name, "ls", "/etc/one-key") == "staff\n"
    assert pods.read(name, "/etc/one-key/staff/curator") == "curator"
    assert mode(inside(pods, "/etc/one-key/staff/curator", name)) == 0o777


@example
def projected_volume(applied: Example) -> None:
    pods, name = applied.pods, "schooner-bridge"
    expected = {
        "crew/captain": ("ida", 0o444),
        "papers/seal": ("wax-red", 0o400),
        "legs": ("4", 0o444),
        "labels": ('rig="gaff"\n', 0o444),
        "cpu_limit": ("200", 0o444),
    }
    found = {
        path: (pods.read(name, f"/etc/ship/{path}"), mode(inside(pods, f"/etc/ship/{path}", name))) for path in expected
    }
    assert found == expected


# --- variables and commands ------------------------------------------------------------------------------------------


@example
def dependent_variables(applied: Example) -> None:
    found = applied.pods.environment("signpost-main")
    expected = {
        "TOO_EARLY": "$(SCHEME)://nowhere",
        "ADDRESS": "https://signpost.example.org:8443",
        "LITERAL": "$(SCHEME)://signpost.example.org",
        "UNKNOWN": "$(NOBODY)/path",
    }
    assert {name: found.get(name) for name in expected} == expected
    applied.pods.await_log("signpost-main", "https://signpost.example.org:8443")


@example
def command_and_arguments(applied: Example) -> None:
    pods = applied.pods
    assert pods.log("town-crier-crier") == ["hear ye, market on Tuesday"]
    assert pods.log("town-crier-in-a-shell") == ["9 o'clock in /var", "10 o'clock in /var"]
    assert pods.status_of("town-crier")["phase"] == "Succeeded"


@example
def downward_environment(applied: Example) -> None:
    pods = applied.pods
    found = pods.environment("weather-station-sensor")
    address = pods.status_of("weather-station")["podIP"]
    assert address in pods.run_in("weather-station-sensor", "ip", "-4", "-o", "address")
    expected = {
        "STATION_HOST": os.uname().nodename,
        "STATION": "weather-station",
        "STATION_SPACE": "default",
        "STATION_UID": applied.metadata("weather-station")["uid"],
        "STATION_IP": address,
        "STATION_ACCOUNT": "default",
        "SHORE": "north",
        "RELEASE": "spring",
        "CPU_REQUEST": "1",
        "CPU_LIMIT": "250",
        "MEMORY_REQUEST": str(32 * MEBIBYTE),
        "MEMORY_LIMIT": "64",
    }
    assert {name: found.get(name) for name in expected} == expected
    assert pods.log("weather-station-sensor") == [f"weather-station at {address}"]


@example
def downward_volume(applied: Example) -> None:
    pods, name = applied.pods, "tide-gauge-reader"
    labels = 'berth="east"\ncluster="buoys-3"\nshore="north"\n'
    assert pods.read(name, "/etc/gauge/labels") == labels
    assert pods.log(name) == labels.splitlines()
    assert pods.read(name, "/etc/gauge/annotations") == 'keeper="pilot"\nrelease="spring"\n'
    assert pods.read(name, "/etc/gauge/cpu_limit") == "250"
    assert pods.read(name, "/etc/gauge/memory/request") == "32"
    assert mode(inside(pods, "/etc/gauge/memory/request", name)) == 0o400


# --- probes, handlers, last words ------------------------------------------------------------------------------------


@example
def probes(applied: Example) -> None:
    pods = applied.pods

    def is_ready(name: str) -> bool:
        (status,) = pods.status_of(name)["containerStatuses"]
        return bool(status["started"] and status["ready"])

    assert [is_ready(f"probed-by-{what}") for what in ("command", "page", "port")] == [True] * 3
    assert pods.get("probed-by-page-porter", 8080, "/healthz") == "fine\n"
    (inside(pods, "/tmp/awake", "probed-by-command-porter")).unlink()
    await_true(lambda: not is_ready("probed-by-command"))
    assert pods.status_of("probed-by-command")["phase"] == "Running"


@example
def lifecycle_handlers(applied: Example) -> None:
    pods = applied.pods
    assert pods.read("inn-reception", "/var/greeting") == "welcome\n"
    pages = Path(pods.host.podman("volume", "inspect", "--format", "{{.Mountpoint}}", "guestbook").strip()) / "pages"
    assert not pages.exists()
    applied.remove()
    assert pages.read_text() == "farewell\nlights out\n"


@example
def termination_message(applied: Example) -> None:
    pods = applied.pods
    pods.host.podman("kill", "last-words-from-the-log")
    pods.await_state("last-words-from-the-log", "exited")
    ended = {each["name"]: each["state"]["terminated"] for each in pods.status_of("last-words")["containerStatuses"]}
    assert {name: (each["exitCode"], each["message"].strip()) for name, each in ended.items()} == {
        "usual": (0, "the tide came in"),
        "elsewhere": (0, "boats counted: 14"),
        "from-the-log": (137, "rudder stuck"),
    }


# --- security and resources ------------------------------------------------------------------------------------------


@example
def security_context(applied: Example) -> None:
    pods = applied.pods
    apprentice, master = pods.status("locksmith-apprentice"), pods.status("locksmith-master")
    assert apprentice["Uid"].split() == ["1000"] * 4
    assert master["Uid"].split() == ["0"] * 4
    for each in (apprentice, master):
        assert each["Gid"].split() == ["3000"] * 4
        assert {"2000", "4000"} <= set(each["Groups"].split())
        assert each["Seccomp"] == "2"
    assert (apprentice["NoNewPrivs"], master["NoNewPrivs"]) == ("1", "0")
    assert capabilities(pods, "locksmith-apprentice") == set()
    assert {CAP_NET_ADMIN, CAP_SYS_NICE} <= capabilities(pods, "locksmith-master")
    assert CAP_MKNOD not in capabilities(pods, "locksmith-master")
    assert mount_options(pods, "/", "locksmith-apprentice")[1].startswith("ro")
    key = inside(pods, "/data/key", "locksmith-master").stat()
    assert (key.st_uid, key.st_gid) == (1000, 2000)


@example
def sysctls(applied: Example) -> None:
    expected = {
        "kernel/shm_rmid_forced": "1",
        "net/ipv4/ip_unprivileged_port_start": "80",
        "net/ipv4/tcp_syncookies": "0",
    }
    paths = [f"/proc/sys/{name}" for name in expected]
    assert applied.execute("sluice-main", "cat", *paths).split() == list(expected.values())


@example
def resources(applied: Example) -> None:
    pods = applied.pods
    classes = {name: pods.status_of(f"mill-{name}")["qosClass"] for name in ("guaranteed", "burstable", "best-effort")}
    assert classes == {"guaranteed": "Guaranteed", "burstable": "Burstable", "best-effort": "BestEffort"}
    assert pods.limits("mill-guaranteed-wheel") == (100 * MEBIBYTE, 50_000)
    assert pods.limits("mill-burstable-wheel") == (64_000_000, None)
    assert pods.limits("mill-burstable-sack") == pods.limits("mill-best-effort-wheel") == (None, None)
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():
        assert read_shares(cgroup_path(pods.pid("mill-burstable-wheel"))) == 256
    before = applied.runs.starts()
    applied.change('cpu: "500m"', 'cpu: "750m"')
    assert pods.limits("mill-guaranteed-wheel") == (100 * MEBIBYTE, 75_000)
    assert applied.runs.changed_since(before) == set()
    applied.change('memory: "100Mi"', 'memory: "120Mi"')
    assert pods.limits("mill-guaranteed-wheel") == (120 * MEBIBYTE, 50_000)
    assert applied.runs.changed_since(before) == {"mill-guaranteed-wheel"}


# --- volumes ---------------------------------------------------------------------------------------------------------


@example
def empty_dir(applied: Example) -> None:
    pods = applied.pods
    inside(pods, "/sketches/cat", "sketchpad-artist").write_text("a cat")
    assert pods.read("sketchpad-visitor", "/look/cat") == "a cat"
    assert mount_options(pods, "/look", "sketchpad-visitor")[1].startswith("ro")
    kind, shown = mount_options(pods, "/dev/shm", "sketchpad-artist")
    assert kind == "tmpfs"
    assert "size=2048k" in shown
    with pytest.raises(OSError, match="No space left"):
        inside(pods, "/dev/shm/big", "sketchpad-artist").write_bytes(bytes(3 * MEBIBYTE))
    assert [warning for warning in applied.told["warnings"] if "the size limit of emptyDir sketches" in warning]


@example
def persistent_volume_claim(applied: Example) -> None:
    pods = applied.pods
    assert applied.runs.volumes() == ["herbarium-claim"]
    await_true(lambda: inside(pods, "/srv/herbarium/daisy", "student-reader").exists())
    assert pods.read("student-reader", "/srv/herbarium/daisy") == "bellis perennis\n"
    assert mount_options(pods, "/srv/herbarium", "student-reader")[1].startswith("ro")
    applied.remove()
    assert applied.runs.volumes() == ["herbarium-claim"]


@example
def host_path(applied: Example) -> None:
    pods, name = applied.pods, "stethoscope-main"
    assert inside(pods, "/host/etc", name).samefile("/etc")
    assert inside(pods, "/host/passwd", name).samefile("/etc/passwd")
    assert mount_options(pods, "/host/etc", name)[1].startswith("ro")
    assert stat.S_ISCHR(inside(pods, "/host/null", name).stat().st_mode)
    assert applied.execute(name, "sh", "-c", "echo gone > /host/null; wc -c < /host/null") == "0\n"


@example
def sub_path(applied: Example) -> None:
    pods = applied.pods
    await_true(lambda: inside(pods, "/drawer/filing-cabinet/ledger", "filing-cabinet-whole").exists())
    assert pods.read("filing-cabinet-clerk", "/logs/ledger").startswith("entry\n")
    inside(pods, "/letters/monday", "filing-cabinet-clerk").write_text("dear sirs")
    assert pods.read("filing-cabinet-whole", "/drawer/incoming/letters/monday") == "dear sirs"


# --- names and addresses ---------------------------------------------------------------------------------------------


@example
def hostname(applied: Example) -> None:
    pods = applied.pods
    assert pods.log("post-office-sorter") == ["counter-1"]
    assert pods.run_in("post-office-clerk", "hostname") == "counter-1\n"
    assert pods.read("post-office-clerk", "/etc/hostname").strip() == "counter-1"


@example
def host_aliases(applied: Example) -> None:
    lines = [line.split() for line in applied.pods.log("address-book-index")]
    found = {name: address for address, *names in filter(None, lines) for name in names}
    expected = {
        "pier.local": "127.0.0.1",
        "quay.local": "127.0.0.1",
        "pier.remote": "10.1.2.3",
        "quay.remote": "10.1.2.3",
    }
    assert {name: found.get(name) for name in expected} == expected


@example
def dns_config(applied: Example) -> None:
    lines = applied.pods.read("switchboard-operator", "/etc/resolv.conf").splitlines()
    assert sorted(line for line in lines if line) == [
        "nameserver 192.0.2.1",
        "options ndots:2 edns0",
        "search first-floor.example.org example.org",
    ]


@example
def static_pod(applied: Example) -> None:
    pods = applied.pods
    assert pods.namespace("gatekeeper-gatekeeper", "net") == os.readlink("/proc/self/ns/net")
    with urlopen("http://127.0.0.1:28181/passwd", timeout=5) as answer:
        assert answer.read() == Path("/etc/passwd").read_bytes()
    metadata = applied.metadata("gatekeeper")
    assert metadata["labels"] == {"component": "gatekeeper", "tier": "control-plane"}
    assert metadata["annotations"]["kubernetes.io/config.source"] == "file"
    (selected,) = pod_info.run_pod_info({"labels": {"tier": "control-plane"}})["pods"]
    assert selected["metadata"]["name"] == "gatekeeper"


# --- as tools write them ---------------------------------------------------------------------------------------------


@example
def list_of_objects(applied: Example) -> None:
    assert applied.pods.environment("tram-driver")["first"] == "06:10"
    assert applied.pods.state("depot-keeper") == "running"


@example
def dry_run(applied: Example) -> None:
    assert applied.pods.environment("van-van")["LICENCE"] == "KX-204"
    assert applied.metadata("van")["labels"] == {"run": "van"}


@example
def exported(applied: Example) -> None:
    pods, name = applied.pods, "enclosure-keeper"
    pods.await_state(name, "running")
    await_true(lambda: inside(pods, "/shell/motto", name).exists())
    assert pods.read(name, "/shell/motto") == "slowly but surely"
    assert pods.status_of("enclosure")["podIP"] != "10.42.0.17"
