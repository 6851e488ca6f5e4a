# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod from top to bottom, as lines for ``describe``. Pure: values of secrets are not in a pod's document at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import rows, view
from .asking import module
from .view import Document


@dataclass(frozen=True)
class Line:
    """``key: text``, ``depth`` levels in; a text without a key goes on with what is above it."""

    key: str
    text: str = ""
    depth: int = 0
    style: str = ""


def describe(pod: Document, stack: str, node: str, now: float) -> list[Line]:
    """Everything but the conditions and events, which are tables."""
    return [*_head(pod, stack, node, now), *_containers(pod, _States(pod, now)), *_volumes(pod)]


def describe_template(pod: Document) -> list[Line]:
    """What a template declares of its pods."""
    labels = [f"{key}={value}" for key, value in view.labels_of(pod).items()]
    annotations = [f"{key}: {text}" for key, text in _pairs(pod["metadata"].get("annotations"))]
    lines = [*several("Labels", labels), *several("Annotations", annotations), *_containers(pod), *_volumes(pod)]
    return [replace(line, depth=line.depth + 1) for line in lines]


def _head(pod: Document, stack: str, node: str, now: float) -> Iterator[Line]:
    spec, status = pod["spec"], pod.get("status") or {}
    summary = view.summarize(pod)
    yield Line("Name", view.name_of(pod))
    if stack:
        yield Line("Stack", stack)
    if pod.get("owner"):
        yield Line("Owner", rows.show_owner(pod))
    yield Line("Node", "/".join(filter(None, (node, status.get("hostIP")))))
    yield Line("Started", moment(status.get("startTime"), now))
    yield from several("Labels", [f"{key}={value}" for key, value in view.labels_of(pod).items()])
    yield from several("Annotations", [f"{key}: {text}" for key, text in _pairs(pod["metadata"].get("annotations"))])
    yield Line("Status", summary.status, style=view.style_of_status(summary.status))
    explanation = status.get("explanation")
    if explanation and status.get("phase") not in ("Succeeded",):
        yield Line("Reason", explanation)
    yield Line("IP", status.get("podIP") or "-")
    if spec.get("hostNetwork"):
        yield Line("Network", "the host's own")
    yield Line("QoS", status.get("qosClass") or "-")
    yield Line("Policy", _policy(spec))
    resources = [f"{kind} {_amounts(amounts)}" for kind, amounts in _pairs(spec.get("resources")) if amounts]
    yield from several("Resources", resources)


def _policy(spec: Document) -> str:
    policy, grace = spec.get("restartPolicy", "Always"), spec.get("terminationGracePeriodSeconds", 30)
    deadline = f", deadline {spec['activeDeadlineSeconds']}s" if spec.get("activeDeadlineSeconds") else ""
    return f"restart {policy}, grace period {grace}s{deadline}"


# --- containers ------------------------------------------------------------------------------------------------------


class _States:
    """How the containers of a pod are, by name."""

    def __init__(self, pod: Document, now: float) -> None:
        self.statuses = view.statuses_of(pod)
        self.uses = view.uses_of(pod)
        self.now = now


def _containers(pod: Document, states: _States | None = None) -> Iterator[Line]:
    """Those of a pod, or without states those of a template."""
    for title, group in (("Init containers", "initContainers"), ("Containers", "containers")):
        declared = pod["spec"].get(group, ())
        if declared:
            yield Line(title)
        for container in declared:
            name = container["name"]
            yield Line(f"{name} (sidecar)" if view.is_sidecar(container) else name, depth=1)
            yield from _container(pod, container, states)


def _container(pod: Document, container: Document, states: _States | None) -> Iterator[Line]:
    status: Document = states.statuses.get(container["name"], {}) if states else {}
    yield Line("Image", container["image"], 2)
    if states:
        identity = str(status.get("containerID", "")).rpartition("://")[2][:12]
        yield Line("Podman", f"{view.name_of(pod)}-{container['name']}" + (f" ({identity})" if identity else ""), 2)
    yield from several("Ports", [_port(port) for port in container.get("ports", ())], 2)
    for key in ("command", "args"):
        if container.get(key):
            yield Line(key.capitalize(), _command(container[key]), 2)
    if states:
        yield from _state("State", status.get("state") or {}, states.now)
        yield from _state("Last state", status.get("lastState") or {}, states.now)
        is_ready = bool(status.get("ready"))
        yield Line("Ready", str(is_ready), 2, "" if is_ready else "yellow")
        yield Line("Restarts", str(status.get("restartCount", 0)), 2)
    yield from _resources(container.get("resources") or {}, states.uses.get(container["name"]) if states else None)
    for kind in ("startup", "liveness", "readiness"):
        probe = container.get(f"{kind}Probe")
        if probe:
            yield Line(kind.capitalize(), _probe(probe), 2)
    message = (pod.get("probe_messages") or {}).get(container["name"])
    if message:
        yield Line("Probe said", message, 2, "red")
    for hook, handler in _pairs(container.get("lifecycle")):
        yield Line({"postStart": "Post start", "preStop": "Pre stop"}.get(hook, hook), _handler(handler), 2)
    yield from several("Env from", [_env_from(source) for source in container.get("envFrom", ())], 2)
    yield from several("Env", [_env(variable) for variable in container.get("env", ())], 2)
    yield from several("Mounts", [_mount(mount) for mount in container.get("volumeMounts", ())], 2)


def _state(title: str, state: Document, now: float) -> Iterator[Line]:
    """One line for what it is, and one for each thing that is known about it."""
    for kind, found in state.items():
        name = kind.capitalize()
        style = {"running": "green", "waiting": "yellow"}.get(kind, "")
        if kind == "terminated" and found["exitCode"]:
            style = "red"
        reason = found.get("reason")
        yield Line(title, f"{name}, {reason}" if reason else name, 2, style)
        if kind == "terminated":
            code = f"{found['exitCode']}" + (f" (signal {found['signal']})" if found.get("signal") else "")
            yield Line("Exit code", code, 3)
        if found.get("message"):
            yield Line("Message", found["message"].strip(), 3)
        for key, field in (("Started", "startedAt"), ("Finished", "finishedAt")):
            if found.get(field):
                yield Line(key, moment(found[field], now), 3)


def _resources(resources: Document, use: view.Use | None) -> Iterator[Line]:
    for kind in ("limits", "requests"):
        if resources.get(kind):
            yield Line(kind.capitalize(), _amounts(resources[kind]), 2)
    if use:
        cpu = f"cpu {use.cpu_millicores}m"
        memory = f"memory {module('_declaration.quantity').show_bytes(use.memory_bytes)}"
        yield Line("Use", f"{cpu}{_of(use.cpu_millicores, use.cpu_limit)}, {memory}{_of(*use[2:])}", 2)


def _of(used: int, limit: int | None) -> str:
    percent = view.share(used, limit)
    return "" if percent is None else f" ({percent}%)"


def _amounts(amounts: Document) -> str:
    return ", ".join(f"{name} {amount}" for name, amount in amounts.items())


def _port(port: Document) -> str:
    name = f" ({port['name']})" if port.get("name") else ""
    host = f", on the host {port.get('hostIP', '')}:{port['hostPort']}" if port.get("hostPort") else ""
    return f"{port['containerPort']}/{port.get('protocol', 'TCP')}{name}{host}"


def _command(words: Sequence[str]) -> str:
    """As a list where a word is more than a word."""
    return " ".join(words) if all(word and not set(word) & set(" \t\n'\"") for word in words) else json.dumps(words)


def _probe(probe: Document) -> str:
    times = (
        ("delay", "initialDelaySeconds", 0),
        ("timeout", "timeoutSeconds", 1),
        ("period", "periodSeconds", 10),
    )
    shown = [f"{name} {probe.get(field, default)}s" for name, field, default in times]
    shown.append(f"success {probe.get('successThreshold', 1)}, failure {probe.get('failureThreshold', 3)}")
    return f"{_handler(probe)} ({', '.join(shown)})"


def _handler(handler: Document) -> str:
    """What a probe or hook does."""
    if "exec" in handler:
        return f"exec {_command(handler['exec'].get('command', ()))}"
    if "httpGet" in handler:
        found = handler["httpGet"]
        return (
            f"{found.get('scheme', 'HTTP').lower()}://{found.get('host', '')}:{found['port']}{found.get('path', '/')}"
        )
    if "tcpSocket" in handler:
        return f"tcp://{handler['tcpSocket'].get('host', '')}:{handler['tcpSocket']['port']}"
    if "grpc" in handler:
        return f"grpc://:{handler['grpc']['port']} {handler['grpc'].get('service', '')}".strip()
    return f"sleep {handler['sleep']['seconds']}s" if "sleep" in handler else "-"


def _env_from(source: Document) -> str:
    prefix = f", prefix {source['prefix']}" if source.get("prefix") else ""
    for kind, field in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
        if field in source:
            return f"{kind} {source[field]['name']}{_optional(source[field])}{prefix}"
    return "-"


def _env(variable: Document) -> str:
    """A variable; where its value comes from elsewhere, from where."""
    source = variable.get("valueFrom")
    if not source:
        return f"{variable['name']}={variable.get('value') or ''}"
    found: Mapping[str, Any] = next(iter(source.values()))
    places = {
        "secretKeyRef": "key {key} of Secret {name}",
        "configMapKeyRef": "key {key} of ConfigMap {name}",
        "fieldRef": "{fieldPath}",
        "resourceFieldRef": "{resource}",
    }
    place = places[next(iter(source))].format(**found)
    return f"{variable['name']} from {place}{_optional(found)}"


def _optional(reference: Document) -> str:
    return ", optional" if reference.get("optional") else ""


def _mount(mount: Document) -> str:
    path = mount.get("subPath") or mount.get("subPathExpr")
    return (
        f"{mount['mountPath']} from {mount['name']}"
        + (f", path {path}" if path else "")
        + (", read only" if mount.get("readOnly") else "")
    )


# --- volumes ---------------------------------------------------------------------------------------------------------


def _volumes(pod: Document) -> Iterator[Line]:
    volumes = pod["spec"].get("volumes", ())
    if volumes:
        yield Line("Volumes")
    for volume in volumes:
        kind = next((key for key in volume if key != "name"), "emptyDir")
        yield Line(volume["name"], _volume(kind, volume.get(kind) or {}), 1)


def _volume(kind: str, source: Document) -> str:
    if kind == "emptyDir":
        medium = "memory" if source.get("medium") == "Memory" else "a directory"
        size = f", at most {source['sizeLimit']}" if source.get("sizeLimit") else ""
        return f"{medium} that lives as long as the pod{size}"
    if kind == "hostPath":
        return f"{source['path']} of the host"
    if kind == "persistentVolumeClaim":
        return f"Podman volume {source['claimName']}" + (", read only" if source.get("readOnly") else "")
    if kind == "projected":
        return "projected: " + ", ".join(_projection(one) for one in source.get("sources", ()))
    return _projection({kind: source})


def _projection(source: Document) -> str:
    kind, found = next(iter(source.items()))
    if kind == "downwardAPI":
        return "fields of the pod"
    title = {"configMap": "ConfigMap", "secret": "Secret"}.get(kind, kind)
    return f"{title} {found.get('secretName') or found.get('name') or ''}{_optional(found)}"


# --- pieces ----------------------------------------------------------------------------------------------------------


def several(key: str, texts: Sequence[str], depth: int = 0) -> Iterator[Line]:
    """The first text beside the key, the others below it; nothing where there are none."""
    for number, text in enumerate(texts):
        yield Line("" if number else key, text, depth)


def _pairs(mapping: Any) -> list[tuple[str, Any]]:
    return [*(mapping or {}).items()]


def moment(moment: str | None, now: float) -> str:
    return f"{moment} ({view.show_since(moment, now)} ago)" if moment else "-"
