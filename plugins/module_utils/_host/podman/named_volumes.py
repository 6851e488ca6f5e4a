# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Podman's volumes: create one for a stack, find its files, remove it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from ..._declaration.volume_spec import NamedVolume
from ..._reconcile.observed import LABEL_POD, LABEL_STACK
from ..kernel import held_paths
from .client import Podman
from .namespaces import run_in_podmans_namespaces
from .program import keep_mounted


def create(podman: Podman, stack: str, volume: NamedVolume) -> None:
    """Create a volume of a stack."""
    labels = {LABEL_STACK: stack}
    body = {"Name": volume.name, "Driver": volume.driver, "Options": dict(volume.options), "Labels": labels}
    podman.post("/volumes/create", body=body)


def claims(podman: Podman) -> frozenset[str]:
    """The volumes that were made for one pod alone, by its name: those of StatefulSets. Others are nobody's claims."""
    found = ((item["Name"], (item.get("Labels") or {}).get(LABEL_POD)) for item in podman.get("/volumes/json") or [])
    return frozenset(name for name, pod in found if pod and name.endswith(f"-{pod}"))


def folder_of(podman: Podman, name: str) -> Path:
    """Where a volume's files are; mounts it, until it is removed, if need be. Raises PodmanError."""
    found = podman.get(f"/volumes/{quote(name)}/json")
    if found.get("Driver") != "local" or {"type", "device"} & {*(found.get("Options") or {})}:
        keep_mounted(name)
    return Path(found["Mountpoint"])


def remove(podman: Podman, name: str) -> None:
    """Remove a volume and its files. Raises NotFound where there is none, HostError for a mount that stays.

    Podman removes all that it finds there, so what containers have mounted in it is unmounted first.
    """
    folder = podman.get(f"/volumes/{quote(name)}/json").get("Mountpoint")
    if folder:
        run_in_podmans_namespaces(lambda: held_paths.unmount_below(Path(folder), is_itself_left=True))
    podman.delete(f"/volumes/{quote(name)}")
