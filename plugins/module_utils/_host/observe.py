# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One snapshot: ask Podman, the kernel and the store once, and hand on plain facts. Changes nothing.

An unchanged pod costs two calls (the pod, the list of its containers) and one for each image.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .._declaration import spec as s
from .._errors import HostError, NameInUse, NotFound
from .._reconcile.effective import host_ports
from .._reconcile.observed import (
    ENDING,
    LABEL_CONTAINER,
    LABEL_POD,
    LABEL_VOLUME,
    LOST,
    UNWATCHED,
    KernelWord,
    Node,
    Observed,
    ObservedContainer,
    ObservedImage,
    ObservedPod,
    Usage,
    pid_of,
    read_container,
    read_image,
    read_pod,
    state_of,
)
from .._reconcile.placement import labels_of
from . import probes
from .kernel import cgroup, netns, processes
from .podman.client import Podman
from .state_directory import default_directory
from .store import Store
from .taken_ports import published, taken_ports

MAX_PODS = 110
"""The kubelet's default of ``maxPods``."""

_CAP_SYS_ADMIN = 21
_CAP_SYS_RESOURCE = 24


def read_node(podman_version: tuple[int, ...]) -> Node:
    """The facts of this host."""
    return Node(
        hostname=socket.gethostname(),
        cpu_millicores=1000 * (os.cpu_count() or 1),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        max_pods=MAX_PODS,
        podman_version=podman_version,
        cgroup_version=cgroup.version(),
        is_rootless=os.geteuid() != 0,
        has_systemd=Path("/run/systemd/system").is_dir(),
        can_lower_oom_score=_has_capability(_CAP_SYS_RESOURCE),
        has_selinux=Path("/sys/fs/selinux/enforce").exists(),
        machine=os.uname().machine,
        noexec=_noexec(default_directory()) if os.geteuid() != 0 else "",
        ip=_host_ip(),
        can_limit=os.geteuid() == 0 or cgroup.are_delegated(("cpu", "memory")),
        # A user mounts in the namespaces of its Podman.
        can_mount=os.geteuid() != 0 or _has_capability(_CAP_SYS_ADMIN),
        can_probe_grpc=probes.can_probe_grpc(),
    )


def read_labels(given: Mapping[str, str]) -> dict[str, str]:
    """The labels of this host: those that it has by itself, and ``given``, which win."""
    return labels_of(socket.gethostname(), os.uname().machine, given)


def _has_capability(number: int) -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False


def _noexec(directory: Path) -> str:
    """The directory if its file system is noexec for programs; empty if they run there."""
    there = next(path for path in (directory, *directory.parents) if path.exists())
    return str(directory) if os.statvfs(there).f_flag & os.ST_NOEXEC else ""


def _host_ip() -> str:
    """The host's address towards others. Connecting a datagram socket sends nothing."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "127.0.0.1"


class Snapshot:
    """The host and Podman's lists at one moment, each asked for once, for a run that looks at many pods."""

    def __init__(self, podman: Podman) -> None:
        self._podman = podman
        self.node = read_node(podman.api_version)
        self._images: dict[str, ObservedImage | None] = {}
        self.pods: dict[str, Mapping[str, Any]] = {pod["Name"]: pod for pod in podman.get("/pods/json") or []}
        self._containers = podman.get("/containers/json", {"all": True}) or []
        self._by_pod: dict[str, list[Mapping[str, Any]]] = {}
        for container in self._containers:
            self._by_pod.setdefault(container.get("Pod") or "", []).append(container)
        self.volumes = read_volumes(podman)

    def containers(self, pod_id: str) -> Sequence[Mapping[str, Any]]:
        return self._by_pod.get(pod_id, [])

    def owners_of_names(self, but_of: str) -> dict[str, str]:
        """Every name in Podman, of pods and of containers, with whose it is; none of our pod ``but_of``."""
        return _owners_of_names(self.pods.values(), self._containers, but_of)

    def image(self, name: str) -> ObservedImage | None:
        if name not in self._images:
            self._images[name] = observe_image(self._podman, name)
        return self._images[name]


def observe(
    podman: Podman,
    store: Store,
    name: str,
    desired: s.PodSpec | None = None,
    details: bool = False,
    snapshot: Snapshot | None = None,
) -> Observed:
    """What there is of pod ``name`` and, for ``desired``, of everything it needs.

    ``details``: also the facts of a container that only its own inspect has (restart count, OOM kill, start error).
    ``snapshot`` spares the questions that it answers already; what other pods use is then not asked either.
    """
    answers = _answers_in(snapshot, name) if snapshot else _ask(podman, name)
    pod = _read(podman, store, answers, details) if answers else None
    files, directories = store.files_digests(name), store.empty_dirs(name)
    if desired is None:
        return Observed(pod=pod, files=files, directories=directories)
    own_ports = published(answers.containers) if answers and pod and pod.infra_is_running else set()
    volumes = snapshot.volumes if snapshot else read_volumes(podman)
    return Observed(
        pod=pod,
        foreign_names=_foreign_names(podman, desired, pod, snapshot),
        images=observe_images(podman, (c.image for c in desired.all_containers), snapshot),
        volumes=volumes.names,
        files=files,
        directories=directories,
        tmpfs_volumes=volumes.in_memory.get(name, {}),
        unmounted=volumes.unmounted & volumes.in_memory.get(name, {}).keys(),
        sub_path_mounts=store.sub_path_mounts.mounted(name) if desired.has_sub_paths else None,
        host_paths={v.host_path.path: kind_of_path(v.host_path.path) for v in desired.volumes if v.host_path},
        taken_ports=taken_ports(podman, desired, own_ports),
        networks=read_networks(podman) or None if not snapshot and depends_on_networks(desired) else None,
        usage=Usage() if snapshot else _usage(podman, store, name),
    )


def observe_pod(podman: Podman, store: Store, name: str) -> ObservedPod | None:
    answers = _ask(podman, name)
    return _read(podman, store, answers) if answers else None


@dataclass(frozen=True)
class _Answers:
    """Podman's answers about a pod: its inspection, its containers from the list, and when they were asked for."""

    pod: Mapping[str, Any]
    containers: Sequence[Mapping[str, Any]]
    asked_at: float


def _ask(podman: Podman, name: str) -> _Answers | None:
    asked_at = time.time()
    try:
        inspected = podman.get(f"/pods/{quote(name)}/json")
    except (NotFound, NameInUse):
        # NameInUse: no pod has the name, and several ids begin with it, as with "d".
        return None
    if isinstance(inspected, list):
        inspected = inspected[0]
    if inspected["Name"] != name:
        # Podman takes the start of an id for a name as well, and "db" is one.
        return None
    listed = podman.get("/containers/json", {"all": True, "filters": {"pod": [inspected["Id"]]}})
    return _Answers(inspected, listed, asked_at)


def _answers_in(snapshot: Snapshot, name: str) -> _Answers | None:
    """A pod's inspection, made from the list; its cgroup is the one around its infra container."""
    pod = snapshot.pods.get(name)
    if pod is None:
        return None
    containers = snapshot.containers(pod["Id"])
    infra_pid = next((int(c.get("Pid") or 0) for c in containers if c.get("IsInfra")), 0)
    path = cgroup.path_of(infra_pid).rpartition("/")[0] if infra_pid else ""
    is_its_own = pod["Id"] in path.rpartition("/")[2]
    # The kernel is asked now about each container that the list calls running.
    return _Answers({**pod, "CgroupPath": path if is_its_own else ""}, containers, time.time())


def _read(podman: Podman, store: Store, answers: _Answers, details: bool = False) -> ObservedPod:
    name = answers.pod["Name"]
    containers = [_container(podman, store, name, item, details) for item in answers.containers]
    path = answers.pod.get("CgroupPath") or ""
    # A pod gets its limits once its infra container runs.
    runs = any(c.is_infra and c.is_running for c in containers)
    limits = cgroup.read_path(path) if path and runs else None
    return read_pod(answers.pod, containers, limits, answers.asked_at)


_BRIDGED = "eth0"
"""What netavark calls the interface of a bridged network in a Pod; networks of other kinds have other names."""


@dataclass(frozen=True)
class Sandbox:
    """How to reach the pod: its address, and a process in its network (None: the host's own network)."""

    ip: str
    network_pid: int | None


def observe_sandbox(podman: Podman, pod: s.PodSpec, node: Node, infra_pid: int = 0) -> Sandbox:
    """The running sandbox of a pod; PodmanError when there is none.

    ``infra_pid`` is the process of the infra container, where a look has just told it: then the kernel is asked.
    """
    if pod.host_network:
        return Sandbox(node.ip, None)
    # With more networks than one the kernel does not tell which of them Podman calls the first.
    if infra_pid and len(pod.networks) < 2:
        # Where we may not enter the namespace Podman is asked.
        with contextlib.suppress(HostError):
            ip = netns.address_of(infra_pid, _BRIDGED)
            if ip:
                return Sandbox(ip, infra_pid)
    inspected = podman.get(f"/containers/{pod.infra_name}/json")
    settings = inspected.get("NetworkSettings") or {}
    networks = (settings.get("Networks") or {}).values()
    addresses = [settings.get("IPAddress"), *(network.get("IPAddress") for network in networks)]
    ip = next((address for address in addresses if address), "127.0.0.1")
    return Sandbox(ip, int(inspected["State"]["Pid"]))


def _container(podman: Podman, store: Store, pod: str, listed: Mapping[str, Any], details: bool) -> ObservedContainer:
    inspected = None
    if details and not listed.get("IsInfra"):
        with contextlib.suppress(NotFound):
            inspected = podman.get(f"/containers/{listed['Id']}/json")
    labels = listed.get("Labels") or {}
    if not (listed.get("IsInfra") or LABEL_CONTAINER in labels):
        return read_container(listed, inspected=inspected)
    word, name = _kernel_word(podman, listed), labels.get(LABEL_CONTAINER)
    if not name:
        return read_container(listed, inspected=inspected, word=word)
    pid, container_id = pid_of(listed, word), listed["Id"]
    limits = cgroup.read_limits(pid) if pid else None
    post_start_done = store.post_started(pod, name) == container_id
    return read_container(listed, limits, post_start_done, store.stopped(pod, name) == container_id, inspected, word)


_WITH_PROCESS = frozenset({"running", "paused", "stopping"})


def has_process_as_told(listed: Mapping[str, Any]) -> bool:
    """Whether the kernel agrees with Podman's list about a container's process."""
    pid = int(listed.get("Pid") or 0)
    return state_of(listed) not in _WITH_PROCESS or not pid or processes.is_watched(pid, listed["Id"])


def _kernel_word(podman: Podman, listed: Mapping[str, Any]) -> KernelWord | None:
    """The kernel's word on a container that Podman calls alive; None for any other.

    Podman is asked once more only where the two differ: it may have been told of an end meanwhile.
    """
    state, pid = state_of(listed), int(listed.get("Pid") or 0)
    if state not in _WITH_PROCESS or not pid:
        return None
    process = processes.find(pid)
    if process and processes.is_monitor(process.parent, listed["Id"]):
        return KernelWord(state, process.started_at, process.age_seconds)
    first = _state_in_podman(podman, listed["Id"])
    judged = _judge(first, listed["Id"])
    if judged.state in (LOST, UNWATCHED):
        again = _state_in_podman(podman, listed["Id"])
        if (again.get("Status"), again.get("Pid")) != (first.get("Status"), first.get("Pid")):
            # The monitor has reported the end meanwhile, and is gone.
            return KernelWord(ENDING)
    return judged


def _judge(told: Mapping[str, Any], container_id: str) -> KernelWord:
    """The state of a container on which the kernel and Podman's list disagree."""
    if str(told.get("Status", "")).lower() not in _WITH_PROCESS:
        return KernelWord(ENDING)
    pid, monitor = int(told.get("Pid") or 0), int(told.get("ConmonPid") or 0)
    process, is_watched = processes.find(pid), processes.is_monitor(monitor, container_id)
    if process is None:
        return KernelWord(ENDING if is_watched else LOST)
    if is_watched:
        return KernelWord(str(told["Status"]).lower(), process.started_at, process.age_seconds)
    is_its_own = processes.is_in_cgroup_of(pid, container_id)
    return KernelWord(UNWATCHED, process.started_at, process.age_seconds) if is_its_own else KernelWord(LOST)


def is_lost(podman: Podman, inspected: Mapping[str, Any]) -> bool:
    """Whether Podman calls a container alive of which neither the process nor the monitor is left.

    ``inspected`` is from ``GET /containers/ID/json``, a moment ago.
    """
    state = inspected["State"]
    if not int(state.get("Pid") or 0) or _judge(state, inspected["Id"]).state != LOST:
        return False
    # Otherwise the monitor has reported the end meanwhile, and is gone.
    again = _state_in_podman(podman, inspected["Id"])
    return (again.get("Status"), again.get("Pid")) == (state.get("Status"), state.get("Pid"))


def _state_in_podman(podman: Podman, container_id: str) -> Mapping[str, Any]:
    """The container's state as its inspection has it, empty where the container is gone."""
    try:
        state: Mapping[str, Any] = podman.get(f"/containers/{container_id}/json")["State"]
    except NotFound:
        return {}
    return state


def observe_images(
    podman: Podman, names: Iterable[str], snapshot: Snapshot | None = None
) -> dict[str, ObservedImage | None]:
    """What each name points to in the local store, None for nothing."""
    return {name: snapshot.image(name) if snapshot else observe_image(podman, name) for name in sorted(set(names))}


def observe_image(podman: Podman, name: str) -> ObservedImage | None:
    try:
        return read_image(podman.get(f"/images/{quote(name, safe='')}/json"))
    except NotFound:
        return None


def _foreign_names(
    podman: Podman, desired: s.PodSpec, pod: ObservedPod | None, snapshot: Snapshot | None
) -> dict[str, str]:
    """The names that we need in Podman and others have. Asked only if something is to be created."""
    needed = {desired.podman_name(c.name) for c in desired.all_containers} | {desired.infra_name, desired.name}
    present = {c.podman_name for c in pod.containers if c.is_ours or c.is_infra} | {pod.name} if pod else set()
    missing = needed - present
    if not missing:
        return {}
    owners = snapshot.owners_of_names(desired.name) if snapshot else _ask_for_owners(podman, missing, desired.name)
    return {name: owners[name] for name in sorted(missing) if name in owners}


def _ask_for_owners(podman: Podman, names: Iterable[str], but_of: str) -> dict[str, str]:
    patterns = [f"^{re.escape(name)}$" for name in sorted(names)]
    containers = podman.get("/containers/json", {"all": True, "filters": {"name": patterns}}) or []
    return _owners_of_names(podman.get("/pods/json", {"filters": {"name": patterns}}) or [], containers, but_of)


def _owners_of_names(
    pods: Iterable[Mapping[str, Any]], containers: Iterable[Mapping[str, Any]], but_of: str
) -> dict[str, str]:
    """The owner of each taken name. Objects of our own pod are left out: they were made since it was observed."""
    owners = {pod["Name"]: f"pod {pod['Name']}" for pod in pods if (pod.get("Labels") or {}).get(LABEL_POD) != but_of}
    for container in containers:
        pod, is_ours = container.get("PodName"), (container.get("Labels") or {}).get(LABEL_POD) == but_of
        if pod == but_of and (is_ours or container.get("IsInfra")):
            continue
        for name in container.get("Names") or []:
            owners[name] = f"container {name} of pod {pod}" if pod else f"container {name}"
    return owners


def read_networks(podman: Podman) -> dict[str, bool]:
    """The networks that Podman has, with whether they have IPv6; none where there is no Podman yet."""
    return {item["name"]: bool(item.get("ipv6_enabled")) for item in podman.get("/networks/json") or []}


def depends_on_networks(pod: s.PodSpec) -> bool:
    """Whether a pod depends on which networks exist."""
    return bool(pod.networks) or any(":" in (port.host_ip or "") for port in host_ports(pod))


@dataclass(frozen=True)
class Volumes:
    """What there is: with what drivers and options, and by pod what stands for its emptyDirs of medium Memory."""

    made_with: Mapping[str, tuple[str, Mapping[str, str]]]
    in_memory: Mapping[str, Mapping[str, str]]
    """By pod, the volumes' names in Podman with those in the pod."""
    unmounted: frozenset[str]
    """What nothing has mounted."""

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.made_with)


def read_volumes(podman: Podman) -> Volumes:
    listed = podman.get("/volumes/json") or []
    in_memory: dict[str, dict[str, str]] = {}
    for item in listed:
        labels = item.get("Labels") or {}
        if LABEL_VOLUME in labels:
            in_memory.setdefault(labels.get(LABEL_POD, ""), {})[item["Name"]] = labels[LABEL_VOLUME]
    made_with = {item["Name"]: (item.get("Driver") or "local", item.get("Options") or {}) for item in listed}
    unmounted = frozenset(item["Name"] for item in listed if item.get("MountCount") == 0)
    return Volumes(made_with, in_memory, unmounted)


def tmpfs_volumes(podman: Podman, pod: str) -> Mapping[str, str]:
    """The Podman volumes that stand for a pod's emptyDirs of medium Memory, with the volumes' names in the pod."""
    return read_volumes(podman).in_memory.get(pod, {})


_KINDS = (
    (stat.S_ISDIR, "directory"),
    (stat.S_ISREG, "file"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "char-device"),
    (stat.S_ISBLK, "block-device"),
)


def kind_of_path(path: str) -> str:
    """What there is at a path of the host, in Kubernetes' words for hostPath types."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return "missing"
    return next((name for test, name in _KINDS if test(mode)), "special file")


def _usage(podman: Podman, store: Store, name: str) -> Usage:
    """What the other recorded pods that still exist asked for."""
    others = [pod for pod in store.recorded_pods() if pod != name]
    if not others:
        return Usage()
    listed = podman.get("/pods/json", {"filters": {"label": [LABEL_POD]}}) or []
    present = {pod["Name"] for pod in listed}
    requests = [store.recorded_requests(pod) for pod in others if pod in present]
    return Usage(sum(cpu for cpu, _memory in requests), sum(memory for _cpu, memory in requests), len(requests))
