# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image names and the pull policy.

Source: the distribution project's reference grammar, as Kubernetes applies it (``ParseImageName``,
``SetDefaults_Container``). Podman's bare image IDs are accepted on top: they name an image no registry can serve.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

PullPolicy = Literal["Always", "IfNotPresent", "Never"]
PullAction = Literal["pull", "use", "ErrImageNeverPull", "ImageInspectError"]

DEFAULT_TAG = "latest"
DEFAULT_DOMAIN = "docker.io"
LEGACY_DEFAULT_DOMAIN = "index.docker.io"
OFFICIAL_NAMESPACE = "library"
LOCAL_DOMAIN = "localhost"

_MAX_PATH_CHARACTERS = 255
_DIGEST_HEX_CHARACTERS = {"sha256": 64, "sha384": 96, "sha512": 128}

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?(?P<path>{_COMPONENT}(?:/{_COMPONENT})*))(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?"
)
_IDENTIFIER = re.compile(r"[0-9a-f]{64}")
_IMAGE_ID = re.compile(r"(?:sha256:)?(?P<identifier>[0-9a-f]{64})")


@dataclass(frozen=True)
class ImageReference:
    """A parsed image name.

    ``repository`` is complete (``docker.io/library/httpd``); ``tag`` is ``latest`` where neither tag nor digest is
    written, and empty beside a lone digest. For a bare image ID only ``image_id`` is set, to its 64 digits.
    """

    repository: str = ""
    tag: str = ""
    digest: str = ""
    image_id: str = ""

    def __str__(self) -> str:
        if self.image_id:
            return f"sha256:{self.image_id}"
        return self.repository + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse(name: str, image_ids: bool = True) -> ImageReference:
    """Read an image name; raises ValueError with a reason (Kubernetes' InvalidImageName).

    ``image_ids``: accept a bare image ID (64 hexadecimal digits, with or without ``sha256:``), as Podman does. Without
    it the name is judged as Kubernetes would: plain digits are refused and ``sha256:...`` is a repository with a tag.
    """
    identified = _IMAGE_ID.fullmatch(name)
    if identified and image_ids:
        return ImageReference(image_id=identified["identifier"])
    match = _match(name)
    tag, digest = match["tag"] or "", match["digest"] or ""
    return ImageReference(match["name"], tag if tag or digest else DEFAULT_TAG, digest)


def with_default_tag(name: str) -> str:
    """``name`` as written, with ``:latest`` added where it has neither tag nor digest; ValueError as ``parse``."""
    if _IMAGE_ID.fullmatch(name):
        return name
    match = _match(name)
    return name if match["tag"] or match["digest"] else f"{name}:{DEFAULT_TAG}"


def default_pull_policy(name: str) -> PullPolicy:
    """The policy of a container that sets none: Always for the tag latest, written or implied, else IfNotPresent.

    Never fails: what an invalid name means is told where the image is needed.
    """
    try:
        return "Always" if parse(name).tag == DEFAULT_TAG else "IfNotPresent"
    except ValueError:
        return "IfNotPresent"


def pull_action(policy: PullPolicy, present: bool | None) -> PullAction:
    """Whether to pull, to use what is there, or why neither can be done.

    ``present``: whether the host has the image, None where that could not be found out.
    """
    if present is None:
        return "ImageInspectError"
    if policy == "Always" or (policy == "IfNotPresent" and not present):
        return "pull"
    return "use" if present else "ErrImageNeverPull"


def _with_domain(name: str) -> str:
    """``name`` with the domain it implies: a first component is one if it has a ``.``, ``:`` or capital."""
    first, slash, rest = name.partition("/")
    if not slash:
        return f"{DEFAULT_DOMAIN}/{OFFICIAL_NAMESPACE}/{name}"
    if first == LEGACY_DEFAULT_DOMAIN:
        first = DEFAULT_DOMAIN
    elif first != LOCAL_DOMAIN and not re.search(r"[.:]", first) and first == first.lower():
        return f"{DEFAULT_DOMAIN}/{name}"
    if first == DEFAULT_DOMAIN and "/" not in rest:
        rest = f"{OFFICIAL_NAMESPACE}/{rest}"
    return f"{first}/{rest}"


def _match(name: str) -> re.Match[str]:
    """``name``, made complete, against the grammar; raises ValueError."""
    full = _with_domain(name)
    match = _REFERENCE.fullmatch(full)
    fault = _fault(name, full.partition("/")[2].partition(":")[0], match)
    if fault or match is None:
        raise ValueError(f'"{name}" is not an image name: {fault}')
    return match


def _fault(name: str, path: str, match: re.Match[str] | None) -> str:
    """Why ``name`` is no image name; empty if it is one."""
    if not name:
        return "it is empty"
    if _IDENTIFIER.fullmatch(name):
        return "cannot specify 64-byte hexadecimal strings"
    if path != path.lower():
        return f"the repository {path} must be lowercase"
    if match is None:
        return (
            "invalid reference format; write [host[:port]/]repository[:tag][@digest], without a scheme or white space"
        )
    if len(match["path"]) > _MAX_PATH_CHARACTERS:
        return f"the repository is longer than {_MAX_PATH_CHARACTERS} characters"
    return _digest_fault(match["digest"]) if match["digest"] else ""


def _digest_fault(digest: str) -> str:
    algorithm, _separator, encoded = digest.partition(":")
    if algorithm not in _DIGEST_HEX_CHARACTERS:
        return f"unsupported digest algorithm {algorithm}; use sha256, sha384 or sha512"
    if len(encoded) != _DIGEST_HEX_CHARACTERS[algorithm] or encoded != encoded.lower():
        return f"a {algorithm} digest has {_DIGEST_HEX_CHARACTERS[algorithm]} lowercase hexadecimal digits"
    return ""
