# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module image, judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._declaration.image_reference import ImageReference, parse, with_default_tag
from .._errors import Fault, InvalidInput, collect

SOURCES = ("pull", "build", "load", "bootstrap")


@dataclass(frozen=True)
class Request:
    """The module's options, judged. ``source`` is one of SOURCES, ``options`` those of that source."""

    name: str
    absent: bool
    refresh: bool
    source: str
    options: Mapping[str, Any]


def read_requests(params: Mapping[str, Any]) -> list[Request]:
    """Judge the options of one image, or of all ``images``; InvalidInput with every fault."""
    if params.get("images") is None:
        return [read_request(params)]
    requests: list[Request | None] = []
    faults: list[Fault] = []
    for index, item in enumerate(params["images"]):
        found: list[Fault] = []
        requests.append(collect(found, read_request, {"state": "present", **item}))
        faults += [Fault(f"images[{index}].{fault.path}", fault.reason) for fault in found]
    if faults:
        raise InvalidInput(faults)
    return [request for request in requests if request]


def read_request(params: Mapping[str, Any]) -> Request:
    """Judge the options; InvalidInput with every fault."""
    name = params["name"]
    given = [source for source in SOURCES if params.get(source) is not None]
    source = given[0] if given else "pull"
    absent = params["state"] == "absent"
    faults = []
    try:
        reference = parse(name)
        faults += [] if absent or source == "pull" else name_faults(reference, source)
    except ValueError as error:
        faults.append(Fault("name", str(error)))
    faults += [Fault(each, "has no effect with state absent; leave it out") for each in given if absent]
    faults += bootstrap_faults(params["bootstrap"]) if source == "bootstrap" else []
    if faults:
        raise InvalidInput(faults)
    full_name = name if absent or source == "pull" else local_name(name)
    return Request(full_name, absent, params["refresh"], source, with_texts(params.get(source) or {}))


def with_texts(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with the values of dictionaries as text: YAML reads ``VERSION: 1.4`` as a number."""
    return {
        name: {key: text_of(each) for key, each in value.items()} if isinstance(value, Mapping) else value
        for name, value in options.items()
    }


def text_of(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def name_faults(reference: ImageReference, source: str) -> list[Fault]:
    if reference.digest or reference.image_id:
        return [Fault("name", f"the digest of an image is only known once it is made; with {source} give name and tag")]
    return []


def bootstrap_faults(options: Mapping[str, Any]) -> list[Fault]:
    faults = []
    for index, file in enumerate(options["files"]):
        path = Path(file["path"])
        if not path.is_absolute() or ".." in path.parts:
            faults.append(Fault(f"bootstrap.files[{index}].path", f"{path} is not an absolute path"))
        if not set(file["mode"]) <= set("01234567") or not 3 <= len(file["mode"]) <= 4:
            faults.append(Fault(f"bootstrap.files[{index}].mode", f"{file['mode']} is not octal digits such as 0644"))
    for index, port in enumerate(options["exposed_ports"]):
        number, _separator, protocol = port.partition("/")
        if not number.isdigit() or not 0 < int(number) < 65536 or protocol not in ("", "tcp", "udp", "sctp"):
            faults.append(Fault(f"bootstrap.exposed_ports[{index}]", f"{port} is not a port such as 80 or 53/udp"))
    return faults


def local_name(name: str) -> str:
    """Return the full name of an image made on this host: one without a domain is localhost's, as Podman has it."""
    qualified = name.startswith(("docker.io/", "index.docker.io/")) or not parse(name).repository.startswith(
        "docker.io/"
    )
    return with_default_tag(name if qualified else f"localhost/{name}")
