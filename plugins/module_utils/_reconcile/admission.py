# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host refuses before anything on it is touched: taken names and ports, missing images and paths, no room.

Each refusal names what is in the way and what to do. The words for lacking room are the kubelet's (OutOfcpu,
OutOfmemory, OutOfpods), as is naming what was requested, what others use, and the capacity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from .._declaration import image_reference
from .._declaration import spec as s
from .._declaration.parse import PodPlace
from .._declaration.place import Place, Style, spell
from .._declaration.pod_rules import published_ports
from .._declaration.quantity import show_bytes
from .._errors import ContainerFailed, Fault
from .context import Context
from .effective import port_text
from .observed import Node, Observed
from .pod.step import is_grpc, probe_of
from .rendering import render, start_program
from .rendering.limits import requested
from .rendering.materials import Environment, Facts, environment, names_secret, sub_path_of

_HOST_PATH_KINDS = {
    "Directory": "directory",
    "DirectoryOrCreate": "directory",
    "File": "file",
    "FileOrCreate": "file",
    "Socket": "socket",
    "CharDevice": "char-device",
    "BlockDevice": "block-device",
}

_DEFAULT = ("podman",)
"""What a pod joins that names no network."""


def refuse(
    context: Context, allocatable: Mapping[str, int], observed: Observed, pinned: frozenset[str], place: PodPlace
) -> list[Fault]:
    """Every reason why this host cannot have the pod, which is declared at ``place``.

    ``pinned``: containers whose image is known by its id.
    """
    pod, node = context.pod, context.node
    return [
        *_taken_names(pod, observed, place),
        *_missing_images(pod, observed, pinned),
        *_host_paths(pod, observed, place),
        *_sub_paths(context),
        *_variables(context),
        *_no_room(pod, node, allocatable, observed),
    ]


def refuse_probes(pod: s.PodSpec, node: Node) -> list[Fault]:
    """Probes that this host cannot make, so that the container would never become ready."""
    if node.can_probe_grpc:
        return []
    return [
        Fault(
            f"{pod.name}/{container.name}",
            f"its {kind} probe (grpc) cannot be made, since this host's Python has no package h2, so that it would "
            "never be ready; install python3-h2 (Debian, Fedora) or h2 with pip, or choose another probe",
        )
        for container in pod.all_containers
        for kind in ("startup", "readiness")
        if is_grpc(probe_of(container, kind))  # type: ignore[arg-type]
    ]


def refuse_sandbox(pod: s.PodSpec, node: Node, observed: Observed, place: PodPlace) -> list[Fault]:
    """What stands in the way of a new sandbox: taken ports and names, missing networks, strangers in the old one."""
    return [
        *_taken_ports(pod, observed, place),
        *_missing_networks(pod, observed, place),
        *_unreachable_addresses(pod, node, observed, place),
        *refuse_removal(observed, place),
    ]


def refuse_removal(observed: Observed, place: PodPlace) -> list[Fault]:
    """What stands in the way of removing a sandbox: containers of others in it."""
    return [
        Fault(
            place.name.path,
            f"the pod has to be removed, but container {stranger.podman_name} in it was not made by "
            "podwright.pods; remove that one first",
        )
        for stranger in (observed.pod.strangers if observed.pod else ())
    ]


def _taken_ports(pod: s.PodSpec, observed: Observed, place: PodPlace) -> Iterator[Fault]:
    declared = {port_text(port): at.path for at, port in published_ports(pod, place.spec)}
    option = spell("host_port", place.spec.style)
    for port, owner in sorted(observed.taken_ports.items()):
        yield Fault(
            declared.get(port, "ports"),
            f"host port {port} is taken by {owner}; stop that, or choose another {option}",
        )


def _missing_networks(pod: s.PodSpec, observed: Observed, place: PodPlace) -> Iterator[Fault]:
    # Documents have no field for networks: they are said beside them, or in an annotation.
    at = place.spec.key("networks") if place.spec.style is Style.NATIVE else Place("networks", Style.NATIVE)
    for number, name in enumerate(pod.networks if observed.networks is not None else ()):
        if name not in (observed.networks or ()):
            others = ", ".join(sorted(observed.networks or ()))
            yield Fault(
                at.index(number).path,
                f"no network is called {name} on this host, which pod {pod.name} is to join (there are: {others}); "
                "make it, or declare it in a stack",
            )


def _unreachable_addresses(pod: s.PodSpec, node: Node, observed: Observed, place: PodPlace) -> Iterator[Fault]:
    """Ports published at an IPv6 address, where root's networks give the pod none: connections would not reach it."""
    networks = observed.networks or {}
    # What is not known of a network proves nothing.
    if node.is_rootless or pod.host_network or any(networks.get(name, True) for name in pod.networks or _DEFAULT):
        return
    for at, port in published_ports(pod, place.spec):
        if ":" in (port.host_ip or ""):
            yield Fault(
                f"{at.path.rpartition('.')[0]}.{spell('host_ip', at.style)}",
                f"{port.host_ip} is an IPv6 address, and no network of the pod has any, so that connections to it "
                "would fail; leave it out, or give the pod a network with an IPv6 subnet",
            )


def _taken_names(pod: s.PodSpec, observed: Observed, place: PodPlace) -> Iterator[Fault]:
    if observed.pod and not observed.pod.is_ours:
        yield Fault(
            place.name.path,
            f"a pod called {pod.name} exists and was not made by podwright.pods; remove it or choose another name",
        )
    paths = {pod.podman_name(c.name): place.container(pod, c.name).key("name").path for c in pod.all_containers}
    paths = {**paths, pod.infra_name: "infra.name" if pod.infra.name else place.name.path, pod.name: place.name.path}
    for name, owner in sorted(observed.foreign_names.items()):
        yield Fault(
            paths[name],
            f"the name {name} is taken by {owner} in Podman, where pods and containers share their names; "
            "remove or rename one of them",
        )


def _missing_images(pod: s.PodSpec, observed: Observed, pinned: frozenset[str]) -> Iterator[Fault]:
    for container in pod.all_containers:
        policy = container.image_pull_policy or image_reference.default_pull_policy(container.image)
        present = observed.images.get(container.image) is not None
        action = image_reference.pull_action(policy, present)
        if action == "ErrImageNeverPull" and container.name not in pinned:
            yield Fault(
                f"{pod.name}/{container.name}",
                f"ErrImageNeverPull: image {container.image} is not on this host and its pull policy is Never; "
                "load it with the image module, or change the pull policy",
            )
        elif action == "use" and container.name not in pinned:
            yield from _unfit_image(pod, container, observed)


def _unfit_image(pod: s.PodSpec, container: s.Container, observed: Observed) -> Iterator[Fault]:
    """What is wrong with an image is known beforehand unless it is yet to be pulled."""
    image = observed.images.get(container.image)
    try:
        if image:
            render.check_image(pod, container, image)
    except ContainerFailed as error:
        place, _separator, reason = str(error).partition(": ")
        yield Fault(place, reason)


def _host_paths(pod: s.PodSpec, observed: Observed, at: PodPlace) -> Iterator[Fault]:
    for number, volume in enumerate(pod.volumes):
        source = volume.host_path
        if not source:
            continue
        found = observed.host_paths.get(source.path, "missing")
        wanted = _HOST_PATH_KINDS.get(source.type, found)
        place = at.spec.key("volumes").index(number).key("host_path").key("path").path
        if found == "missing" and not source.type.endswith("OrCreate"):
            yield Fault(place, f"{source.path} does not exist on this host; make it, or set type to DirectoryOrCreate")
        elif found not in ("missing", wanted):
            yield Fault(place, f"{source.path} is a {found} on this host, not a {wanted} (type {source.type})")


def _sub_paths(context: Context) -> Iterator[Fault]:
    """Mounts whose ``sub_path_expr`` names no part of a volume, and mounts that this host may not make."""
    pod = context.pod
    for group, containers in (("init_containers", pod.init_containers), ("containers", pod.containers)):
        for number, container in enumerate(containers):
            place = f"{group}[{number}].volume_mounts"
            variables = environment(pod, container, context.materials, Facts())
            for index, mount in enumerate(container.volume_mounts):
                yield from _sub_path_expr(mount, variables, f"{place}[{index}].sub_path_expr")
            for index in () if context.node.can_mount else pod.held_sub_paths(container):
                yield Fault(
                    f"{place}[{index}]",
                    "a part of a volume that containers write has to be mounted by podwright.pods, which may not mount "
                    "on this host (it lacks CAP_SYS_ADMIN); mount the whole volume",
                )


def _variables(context: Context) -> Iterator[Fault]:
    """Variables that are too large for a program, and secret ones that could only be handed over in the open."""
    pod, unable = context.pod, _why_no_start_program(context.node)
    for container in pod.all_containers:
        place = f"{pod.name}/{container.name}"
        variables = environment(pod, container, context.materials, Facts())
        if variables.secret and unable:
            names = ", ".join(sorted(variables.secret))
            yield Fault(place, f"secret variables ({names}) cannot be handed over unseen: {unable}")
        for name in sorted({*variables.plain, *variables.secret}):
            size = len(f"{name}={variables.lookup(name)}".encode())
            if size > start_program.MAX_STRING_BYTES:
                yield Fault(
                    place,
                    f"variable {name} has {size} bytes with its name, and Linux hands over at most "
                    f"{start_program.MAX_STRING_BYTES} in one; mount it as a file",
                )
        for mount in container.volume_mounts:
            if mount.sub_path_expr and names_secret(mount.sub_path_expr, variables):
                yield Fault(
                    place,
                    f"the sub_path_expr of {mount.mount_path} names a secret variable, and paths are shown by Podman; "
                    "use sub_path, or a variable that holds no secret",
                )


def _why_no_start_program(node: Node) -> str:
    if start_program.program(node.machine) is None:
        return f"there is no start program for a machine of kind {node.machine}; mount the secrets as files"
    if node.noexec:
        return (
            f"no program runs from the state directory {node.noexec} (noexec); set PODWRIGHT_STATE_DIR to one on "
            "another file system, or mount the secrets as files"
        )
    return ""


def _sub_path_expr(mount: s.VolumeMount, variables: Environment, place: str) -> Iterator[Fault]:
    try:
        sub_path_of(mount, variables)
    except ValueError as error:
        yield Fault(place, str(error))


def _no_room(pod: s.PodSpec, node: Node, allocatable: Mapping[str, int], observed: Observed) -> Iterator[Fault]:
    usage = observed.usage
    cpu, memory = requested(pod)
    rows: tuple[tuple[str, str, Callable[[int], str], int, int, int], ...] = (
        ("OutOfcpu", "CPU", "{}m".format, cpu, usage.cpu_millicores, allocatable.get("cpu", node.cpu_millicores)),
        ("OutOfmemory", "memory", show_bytes, memory, usage.memory_bytes, allocatable.get("memory", node.memory_bytes)),
        ("OutOfpods", "pods", str, 1, usage.pods, allocatable.get("pods", node.max_pods)),
    )
    for reason, what, show, wanted, used, capacity in rows:
        if wanted and wanted + used > capacity:
            yield Fault(
                pod.name,
                f"{reason}: {what} requested: {show(wanted)}, used by other pods: {show(used)}, "
                f"capacity: {show(capacity)}; lower the requests, remove other pods, or raise allocatable",
            )
