# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is: one snapshot of a pod and its host as frozen data, and the only reader of libpod's shapes.

The readers take decoded JSON of the libpod API, of Podman 4.3 to 5.x, and give plain facts; they call nothing.
Times are seconds since the epoch; sizes are bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

from .._printable import printable

LABEL_POD = "io.podwright.pod"
LABEL_CONTAINER = "io.podwright.container"
LABEL_ROLE = "io.podwright.role"
LABEL_VOLUME = "io.podwright.volume"
LABEL_STACK = "io.podwright.stack"
LABEL_DIGESTS = "io.podwright.digests"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_ERROR_LENGTH = 2048
"""How much is shown of why the runtime could not start a container, in characters."""

UNKNOWN_EXIT_CODE = 137
"""What stands for the exit code of a container of which nobody knows how it ended, as the kubelet has it."""

ENDING = "ending"
LOST = "lost"
UNWATCHED = "unwatched"
STUCK = "stuck"
"""States of a container that differ from Podman's word, by the kernel and the clock.

``ENDING``: its process is gone, and its monitor is about to tell. ``LOST``: both are gone. ``UNWATCHED``: its monitor
is gone, so that nobody would tell of its end. ``STUCK``: it stops by Podman's word, and has outlived its grace period.
"""


@dataclass(frozen=True)
class LiveLimits:
    """Limits as the kernel has them now; None means unlimited. ``cpu_quota_us`` is per 100 ms of one core.

    Of the CPU request the kernel keeps ``cpu_shares`` (cgroup v1) or ``cpu_weight`` (cgroup v2); the other is None.
    """

    memory_bytes: int | None = None
    cpu_quota_us: int | None = None
    cpu_shares: int | None = None
    cpu_weight: int | None = None


@dataclass(frozen=True)
class KernelWord:
    """The kernel's word on a container that Podman calls running: its state, and when its process began (seconds since
    the boot, 0 if unknown) and its age.
    """

    state: str
    began_at: float = 0.0
    age_seconds: float | None = None


@dataclass(frozen=True)
class ObservedContainer:
    """One container of the pod. ``name`` is the declared name, empty for one that is not ours."""

    id: str
    podman_name: str
    name: str
    role: str
    state: str
    image: str
    image_id: str
    digests: Mapping[str, str] = field(default_factory=dict)
    is_infra: bool = False
    pid: int = 0
    exit_code: int = 0
    started_at: float | None = None
    finished_at: float | None = None
    limits: LiveLimits | None = None
    post_start_done: bool = False
    stopped_by_run: bool = False
    """Whether a run stopped it: its exit code then says nothing about its work."""
    restart_count: int | None = None
    oom_killed: bool | None = None
    error: str = ""
    process_began_at: float = 0.0
    """When its process began, in seconds since the host's boot; 0 where that is not known."""
    process_age_seconds: float | None = field(default=None, compare=False)
    """How old its process was when it was looked at, by the kernel's clock, which nobody sets."""

    @property
    def is_ours(self) -> bool:
        return bool(self.name)

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @property
    def has_exited(self) -> bool:
        """Whether it ran and is over; one that could not be started stays ``created`` in Podman."""
        return self.state in ("exited", "stopped")

    @property
    def is_broken(self) -> bool:
        """Whether Podman will call it running for ever: only a removal by force mends it."""
        return self.state in (LOST, UNWATCHED, STUCK)

    @property
    def run(self) -> str:
        """Tells one run of the container from the next: Podman can start it again under the same id.

        A process that got the number of an earlier one began at another time.
        """
        return f"{self.id}@{self.pid}.{self.process_began_at}" if self.pid else f"{self.id}@{self.started_at}"

    @property
    def has_started(self) -> bool:
        return self.started_at is not None


@dataclass(frozen=True)
class ObservedPod:
    id: str
    name: str
    is_ours: bool
    digests: Mapping[str, str]
    infra_id: str
    infra_pid: int
    created_at: float | None
    containers: tuple[ObservedContainer, ...]
    limits: LiveLimits | None = None
    cgroup_path: str = ""
    seen_at: float = field(default=0.0, compare=False)
    """When this look at it began."""

    @property
    def infra(self) -> ObservedContainer | None:
        return next((c for c in self.containers if c.is_infra), None)

    @property
    def infra_is_running(self) -> bool:
        return self.infra_pid > 0

    @property
    def members(self) -> tuple[ObservedContainer, ...]:
        """Our containers, without the infra container."""
        return tuple(c for c in self.containers if c.is_ours and not c.is_infra)

    @property
    def image_ids(self) -> dict[str, str]:
        """What each of our containers was made from."""
        return {c.name: c.image_id for c in self.members}

    @property
    def strangers(self) -> tuple[ObservedContainer, ...]:
        """Containers that someone else put into the pod."""
        return tuple(c for c in self.containers if not c.is_ours and not c.is_infra)

    def find(self, name: str) -> ObservedContainer | None:
        """Our container of that declared name; one that was renamed by hand is not it."""
        return next((c for c in self.members if c.name == name and c.podman_name == f"{self.name}-{name}"), None)

    def find_renamed(self, name: str) -> ObservedContainer | None:
        """Our container of that declared name, called so first, else whatever it is called by now."""
        return self.find(name) or next((c for c in self.members if c.name == name), None)


@dataclass(frozen=True)
class ObservedImage:
    """An image in the local store, with the defaults that its containers take from it."""

    id: str
    user: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Node:
    """The host: what it can hold and what its Podman and kernel can do."""

    hostname: str
    cpu_millicores: int
    memory_bytes: int
    max_pods: int
    podman_version: tuple[int, ...]
    cgroup_version: int
    is_rootless: bool
    has_systemd: bool
    can_lower_oom_score: bool
    has_selinux: bool = False
    machine: str = "x86_64"
    """The kind of its processor, as uname(2) has it."""
    noexec: str = ""
    """The state directory, where none of its programs can run in a container."""
    ip: str = ""
    can_limit: bool = True
    """Whether Podman may set limits: rootless it needs cgroup v2 with the controllers delegated to the user."""
    has_agent: bool = False
    """Whether the agent keeps the pods alive, so that Podman must not."""
    can_mount: bool = True
    """Whether we may mount, as sub paths of volumes need it."""
    can_probe_grpc: bool = True
    """Whether the package for grpc probes is installed."""


@dataclass(frozen=True)
class Usage:
    """What the other pods on the host have asked for."""

    cpu_millicores: int = 0
    memory_bytes: int = 0
    pods: int = 0


@dataclass(frozen=True)
class PortHolder:
    """Who has a host port: a pod, a container outside pods, or another process; ``name`` is empty if unknown."""

    kind: Literal["pod", "container", "process"]
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" if self.name else f"another {self.kind}"


@dataclass(frozen=True)
class Observed:
    """Everything a plan is made from."""

    pod: ObservedPod | None = None
    foreign_pod: bool = False
    foreign_names: Mapping[str, str] = field(default_factory=dict)
    """Names that we need in Podman and pods or containers of others have, with their owners."""
    images: Mapping[str, ObservedImage | None] = field(default_factory=dict)
    volumes: frozenset[str] = frozenset()
    """Named Podman volumes that exist."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Digest of the files now in each volume that we write (configMap, secret, ...)."""
    directories: frozenset[str] = frozenset()
    """Volumes of the pod (emptyDir on disk) whose directory exists."""
    tmpfs_volumes: Mapping[str, str] = field(default_factory=dict)
    """Podman volumes that stand for emptyDirs of medium Memory: name in Podman -> name in the pod."""
    unmounted: frozenset[str] = frozenset()
    """Those that nothing keeps mounted, as after a boot: the end of a container would empty them."""
    sub_path_mounts: frozenset[tuple[str, int]] | None = None
    """The mounted sub paths as (container, number of the mount); None if that is unknown."""
    host_paths: Mapping[str, str] = field(default_factory=dict)
    """What stands at each hostPath: directory, file, socket, char-device, block-device, other, or missing."""
    taken_ports: Mapping[str, PortHolder] = field(default_factory=dict)
    """Host ports we need that are taken, as ``ip:port/proto`` -> by whom."""
    networks: Mapping[str, bool] | None = None
    """The networks of Podman, with whether they have IPv6; None where nothing depends on them."""
    usage: Usage = Usage()


def read_container(
    listed: Mapping[str, Any],
    limits: LiveLimits | None = None,
    post_start_done: bool = False,
    stopped_by_run: bool = False,
    inspected: Mapping[str, Any] | None = None,
    word: KernelWord | None = None,
) -> ObservedContainer:
    """One entry of ``GET /containers/json``, with facts that only ``/containers/ID/json`` has where it was asked.

    ``word``: what the kernel says of its process, where it was asked.
    """
    labels = listed.get("Labels") or {}
    state = (inspected or {}).get("State") or {}
    return ObservedContainer(
        id=listed["Id"],
        podman_name=(listed.get("Names") or [""])[0],
        name=labels.get(LABEL_CONTAINER, ""),
        role=labels.get(LABEL_ROLE, ""),
        state=word.state if word else state_of(listed),
        image=listed.get("Image", ""),
        image_id=strip_digest(listed.get("ImageID", "")),
        digests=read_digests(labels),
        is_infra=bool(listed.get("IsInfra")),
        pid=pid_of(listed, word),
        exit_code=int(listed.get("ExitCode") or 0),
        started_at=read_time(state.get("StartedAt", listed.get("StartedAt"))),
        finished_at=read_time(state.get("FinishedAt", listed.get("ExitedAt"))),
        limits=limits,
        post_start_done=post_start_done,
        stopped_by_run=stopped_by_run,
        restart_count=(inspected or {}).get("RestartCount"),
        oom_killed=state.get("OOMKilled"),
        error=printable(state.get("Error") or "", _ERROR_LENGTH),
        process_began_at=word.began_at if word else 0.0,
        process_age_seconds=word.age_seconds if word else None,
    )


def pid_of(listed: Mapping[str, Any], word: KernelWord | None) -> int:
    """The process of one entry of ``GET /containers/json``, 0 where it does not run."""
    return int(listed.get("Pid") or 0) if (word.state if word else state_of(listed)) == "running" else 0


def state_of(listed: Mapping[str, Any]) -> str:
    """The state of one entry of ``GET /containers/json``."""
    return str(listed.get("State", "unknown")).lower()


def read_ended(name: str, inspected: Mapping[str, Any], is_lost: bool = False) -> ObservedContainer | None:
    """A container of that declared name that has ended, from ``GET /containers/ID/json``; None for any other.

    ``is_lost``: its process is gone, and nobody has told Podman how it ended.
    """
    state = inspected["State"]
    found = ObservedContainer(
        id=inspected["Id"],
        podman_name=inspected.get("Name", ""),
        name=name,
        role="",
        state="exited" if is_lost else str(state["Status"]).lower(),
        image=inspected.get("ImageName", ""),
        image_id=strip_digest(inspected.get("Image", "")),
        exit_code=UNKNOWN_EXIT_CODE if is_lost else int(state["ExitCode"]),
        started_at=read_time(state.get("StartedAt")),
        finished_at=read_time(state.get("FinishedAt")),
        restart_count=inspected.get("RestartCount"),
        oom_killed=state.get("OOMKilled"),
        error=state.get("Error", ""),
    )
    return found if found.has_exited else None


def read_pod(
    inspected: Mapping[str, Any],
    containers: Sequence[ObservedContainer],
    limits: LiveLimits | None = None,
    seen_at: float = 0.0,
) -> ObservedPod:
    """``GET /pods/NAME/json`` with the containers that were read from the list. Podman 5 gives a list of one."""
    if isinstance(inspected, list):
        inspected = inspected[0]
    labels = inspected.get("Labels") or {}
    infra = next((c for c in containers if c.is_infra), None)
    return ObservedPod(
        id=inspected["Id"],
        name=inspected["Name"],
        is_ours=labels.get(LABEL_POD) == inspected["Name"],
        digests=read_digests(labels),
        infra_id=infra.id if infra else "",
        infra_pid=infra.pid if infra else 0,
        created_at=read_time(inspected.get("Created")),
        containers=tuple(containers),
        limits=limits,
        cgroup_path=inspected.get("CgroupPath", ""),
        seen_at=seen_at,
    )


def read_image(inspected: Mapping[str, Any]) -> ObservedImage:
    """``GET /images/NAME/json``."""
    config = inspected.get("Config") or {}
    pairs = (item.partition("=") for item in config.get("Env") or [])
    return ObservedImage(
        id=strip_digest(inspected["Id"]),
        user=config.get("User") or inspected.get("User") or "",
        entrypoint=_words(config.get("Entrypoint")),
        command=_words(config.get("Cmd")),
        environment={name: value for name, _separator, value in pairs},
        volumes=tuple(config.get("Volumes") or {}),
    )


def _words(value: object) -> tuple[str, ...]:
    """A command as words; the /v4 URL prefix of newer Podmans gives the entrypoint as one string."""
    if isinstance(value, str):
        return tuple(value.split())
    return tuple(value) if isinstance(value, (list, tuple)) else ()


def strip_digest(image_id: str) -> str:
    return image_id[len("sha256:") :] if image_id.startswith("sha256:") else image_id


def read_digests(labels: Mapping[str, str]) -> dict[str, str]:
    """The digests we wrote on an object; none when there is no label or it is not ours to read."""
    try:
        digests = json.loads(labels.get(LABEL_DIGESTS, "{}"))
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in digests.items()} if isinstance(digests, dict) else {}


def read_time(value: object) -> float | None:
    """Seconds since the epoch of what libpod writes (RFC 3339 text or Unix seconds); None for its zero times."""
    if isinstance(value, (int, float)):
        return float(value) if value > 0 else None
    if not isinstance(value, str) or not value or value.startswith("0001-"):
        return None
    return _parse_rfc3339(value)


def _parse_rfc3339(text: str) -> float | None:
    moment, _separator, fraction = text.rstrip("Z").partition(".")
    digits = "".join(c for c in fraction[:9] if c.isdigit())
    rest = fraction[len(digits) :]
    if not fraction and len(moment) > 19:
        moment, rest = moment[:19], moment[19:]
    if not _MOMENT.fullmatch(moment):
        return None
    try:
        # Many times faster than strptime.
        base = datetime.fromisoformat(moment).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    seconds = base.timestamp() + (int(digits) / 10 ** len(digits) if digits else 0)
    return seconds - _offset_seconds(rest)


def _offset_seconds(text: str) -> float:
    """``+02:00`` as seconds east of UTC."""
    if len(text) < 6 or text[0] not in "+-":
        return 0.0
    seconds = int(text[1:3]) * 3600 + int(text[4:6]) * 60
    return float(seconds if text[0] == "+" else -seconds)
