# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image for tests: one static busybox, two megabytes, as a root file system and as an archive to load."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import subprocess
import tarfile
from pathlib import Path

BUSYBOX = "localhost/podwright-test/busybox:1"


def busybox_image(name: str = BUSYBOX) -> bytes:
    """An image of busybox in the format docker-archive, as ``podman load`` takes it."""
    layer = busybox_archive()
    digest = hashlib.sha256(layer).hexdigest()
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        # Podman 4.3 builds nothing on an image whose layers have none.
        "history": [{"created_by": "busybox"}],
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": [f"{digest}.tar"]}]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        add_entry(archive, "manifest.json", json.dumps(manifest).encode())
        add_entry(archive, "config.json", json.dumps(config).encode())
        add_entry(archive, f"{digest}.tar", layer)
    return buffer.getvalue()


def busybox_archive(program: Path = Path("/bin/busybox")) -> bytes:
    """A root file system of one static busybox and its links, as a tar archive."""
    applets = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for directory in ("bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "usr", "var", "www"):
            add_entry(archive, directory, mode=0o1777 if directory == "tmp" else 0o755, kind=tarfile.DIRTYPE)
        add_entry(archive, "bin/busybox", data=program.read_bytes(), mode=0o755)
        for applet in applets:
            if applet != "busybox":
                add_entry(archive, f"bin/{applet}", kind=tarfile.SYMTYPE, target="busybox")
        add_entry(archive, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
        add_entry(archive, "etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    return buffer.getvalue()


def add_entry(
    archive: tarfile.TarFile,
    name: str,
    data: bytes = b"",
    mode: int = 0o644,
    kind: bytes = tarfile.REGTYPE,
    target: str = "",
) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size, entry.linkname = kind, mode, len(data), target
    archive.addfile(entry, io.BytesIO(data))
