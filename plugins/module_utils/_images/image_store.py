# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images in Podman's store: found by name, with the recipe that they were made by, and named once they are complete."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._declaration.image_reference import parse, with_default_tag
from .._errors import NotFound, PodmanError
from .._host.podman.client import Podman

RECIPE_LABEL = "io.podwright.recipe"
STAGED_REPOSITORY = "localhost/podwright-staged"
DIGEST_CHARACTERS = 16
Recipe = Mapping[str, str]
"""Part of a recipe (``packages``, ``context``) -> digest of its value."""


@dataclass(frozen=True)
class Image:
    """An image in Podman's store."""

    id: str
    names: tuple[str, ...]
    pinned_names: tuple[str, ...]
    digest: str
    size_bytes: int
    created: str
    labels: Mapping[str, str]

    @property
    def recipe(self) -> Recipe | None:
        """The recipe that the image was made from, None for an image from elsewhere."""
        try:
            recipe = json.loads(self.labels.get(RECIPE_LABEL, ""))
        except ValueError:
            return None
        return recipe if isinstance(recipe, dict) else None

    def result(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "names": list(self.names),
            "digest": self.digest,
            "size_bytes": self.size_bytes,
            "created": self.created,
            "labels": dict(self.labels),
        }


def is_image_id(name: str) -> bool:
    return bool(parse(name).image_id)


def recipe_of(parts: Mapping[str, Any]) -> Recipe:
    """Digest each part of a recipe."""
    return {
        name: hashlib.sha256(json.dumps(value, sort_keys=True, default=vars).encode()).hexdigest()[:DIGEST_CHARACTERS]
        for name, value in parts.items()
    }


def find_image(podman: Podman, name: str) -> Image | None:
    """Return the image that is called ``name``.

    Podman would also answer to the beginning of an image's ID, which is nobody's name.
    """
    image = inspect(podman, name)
    if image is None or is_image_id(name) or matching_name(name, image):
        return image
    return None


def find_by_id(podman: Podman, identifier: str) -> Image | None:
    image = inspect(podman, identifier)
    return image if image and image.id == identifier else None


def inspect(podman: Podman, name: str) -> Image | None:
    try:
        found = podman.get(f"/images/{name.removeprefix('sha256:')}/json")
    except NotFound:
        return None
    return Image(
        id=found["Id"],
        names=tuple(sorted(found.get("RepoTags") or ())),
        pinned_names=tuple(found.get("RepoDigests") or ()),
        digest=found.get("Digest") or "",
        size_bytes=int(found.get("Size") or 0),
        created=found.get("Created") or "",
        labels=found.get("Labels") or {},
    )


def matching_name(name: str, image: Image) -> str | None:
    """Return which of an image's full names ``name`` stands for."""
    full = with_default_tag(name)
    if parse(name).digest and parse(name).tag:
        # Podman keeps NAME:TAG@DIGEST as NAME@DIGEST.
        repository, _separator, digest = full.partition("@")
        full = f"{repository.rpartition(':')[0]}@{digest}"
    names = (*image.names, *image.pinned_names)
    return next((each for each in names if each == full or each.endswith(f"/{full}")), None)


def staged_name(name: str) -> str:
    """Return the name that an image has while it is being made: the same for every run, so that none is left over."""
    return f"{STAGED_REPOSITORY}/{hashlib.sha256(name.encode()).hexdigest()[:DIGEST_CHARACTERS]}:latest"


@contextlib.contextmanager
def staging(podman: Podman, staged: str) -> Iterator[None]:
    """Keep the staged name free before and after; a half-made image goes with it."""
    untag(podman, staged)
    try:
        yield
    finally:
        untag(podman, staged)


def publish(podman: Podman, made: str, name: str, previous: Image | None) -> None:
    """Give a complete image its name; the one that had it goes if we made it, and nothing else names or uses it."""
    tag(podman, made, name)
    image = find_image(podman, name)
    if previous is None or image is None or previous.id == image.id or previous.recipe is None:
        return
    if set(previous.names) <= {name}:
        with contextlib.suppress(PodmanError):
            podman.delete(f"/images/{previous.id}")


def tag(podman: Podman, image: str, name: str) -> None:
    repository, _separator, tag_name = name.rpartition(":")
    podman.post(f"/images/{image}/tag", {"repo": repository, "tag": tag_name})


def untag(podman: Podman, name: str) -> None:
    with contextlib.suppress(NotFound):
        podman.delete(f"/images/{name}")
