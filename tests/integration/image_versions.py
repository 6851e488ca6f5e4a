# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images with the same content and other ids, by which Podman tells which of them a container has."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from podman_host import PodmanHost


def make_version(host: PodmanHost, directory: Path, base: str, name: str) -> None:
    """An image of this name that is as ``base`` but for a label."""
    context = directory / name.replace("/", "-").replace(":", "-")
    context.mkdir()
    (context / "Containerfile").write_text(f"FROM {base}\nLABEL version={name.rpartition(':')[2]}\n")
    host.podman("build", "--quiet", "--tag", name, str(context))


def images_of(host: PodmanHost, names: Iterable[str], containers: Iterable[str]) -> list[str]:
    """Which of these images each container has."""
    command = ("image", "inspect", "--format", "{{.Id}}")
    by_id = {host.podman(*command, name).strip(): name for name in names}
    return [by_id[host.inspect(container)["Image"]] for container in containers]
