# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image archives as `podman save` writes them: which images are inside, without loading them.

Formats: docker-archive (``manifest.json``) and oci-archive (``index.json``), plain or compressed by gzip, bzip2 or xz.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._errors import Fault, InvalidInput

_REFERENCE_ANNOTATION = "org.opencontainers.image.ref.name"
_BLOCK_BYTES = 1 << 20

# First bytes of a compressed file -> what opens it.
_OPENERS: tuple[tuple[bytes, Any], ...] = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))


@dataclass(frozen=True)
class ArchivedImage:
    """An image inside an archive; ``id`` is what Podman will call it: the digest of its configuration."""

    id: str
    names: tuple[str, ...]


def read_archive(path: Path) -> list[ArchivedImage]:
    """Return the images of an archive; InvalidInput when it cannot be read as one."""
    try:
        with tarfile.open(path) as archive:
            names = frozenset(archive.getnames())
            read = read_docker_archive if member_name("manifest.json", names) else read_oci_archive
            return read(archive, names)
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        reason = f"{path} cannot be read as an image archive (docker-archive or oci-archive): {error}"
        raise InvalidInput([Fault("load.path", reason)]) from error


def archive_blocks(path: Path) -> Iterator[bytes]:
    """Yield an archive's bytes uncompressed: Podman 4.3 does not load a compressed docker-archive."""
    with open(path, "rb") as stream:
        start = stream.read(8)
    opener = next((opener for magic, opener in _OPENERS if start.startswith(magic)), open)
    with opener(path, "rb") as stream:
        yield from iter(lambda: stream.read(_BLOCK_BYTES), b"")


def choose_image(images: list[ArchivedImage], name: str, path: Path) -> ArchivedImage:
    """Return the image that is called ``name`` in its archive, or the only one; InvalidInput when that is not clear."""
    named = [image for image in images if name in image.names]
    candidates = named or images
    if len(candidates) == 1:
        return candidates[0]
    held = ", ".join(sorted(held for image in images for held in image.names)) or "none with a name"
    raise InvalidInput([Fault("load.path", f"{path} holds {len(images)} images, none called {name}: {held}")])


def read_docker_archive(archive: tarfile.TarFile, names: frozenset[str]) -> list[ArchivedImage]:
    return [
        ArchivedImage(hashlib.sha256(read_member(archive, names, entry["Config"])).hexdigest(), tags(entry))
        for entry in json.loads(read_member(archive, names, "manifest.json"))
    ]


def tags(entry: dict[str, Any]) -> tuple[str, ...]:
    return tuple(entry.get("RepoTags") or ())


def read_oci_archive(archive: tarfile.TarFile, names: frozenset[str]) -> list[ArchivedImage]:
    images = []
    for entry in json.loads(read_member(archive, names, "index.json"))["manifests"]:
        manifest = json.loads(read_member(archive, names, blob_path(entry["digest"])))
        if "config" not in manifest:
            raise ValueError("it holds a list of platforms; save the image of one platform")
        name = (entry.get("annotations") or {}).get(_REFERENCE_ANNOTATION)
        images.append(ArchivedImage(manifest["config"]["digest"].partition(":")[2], (name,) if name else ()))
    return images


def blob_path(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def read_member(archive: tarfile.TarFile, names: frozenset[str], name: str) -> bytes:
    stored = member_name(name, names)
    stream = archive.extractfile(stored) if stored else None
    if stream is None:
        raise KeyError(f"there is no {name} in it")
    return stream.read()


def member_name(name: str, names: frozenset[str]) -> str | None:
    return next((stored for stored in (name, f"./{name}") if stored in names), None)
