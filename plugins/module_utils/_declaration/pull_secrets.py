# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that images are pulled with: what registries they are for, and whom an image is asked for as.

Source: Kubernetes' documentation of imagePullSecrets and the kubelet's keyring: a name of a registry may have a port, a
path that images begin with, and ``*`` for parts of the host; the longest that fits comes first.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .image_reference import DEFAULT_DOMAIN, LEGACY_DEFAULT_DOMAIN
from .image_reference import parse as parse_image

KEYS = (".dockerconfigjson", ".dockercfg")
"""The keys under which a Secret may hold credentials; the second is of an older form."""


@dataclass(frozen=True)
class Credentials:
    """Whom an image is asked for as. They are shown nowhere."""

    username: str = field(repr=False)
    password: str = field(repr=False)


def registries_in(key: str, content: str) -> list[tuple[str, Credentials]]:
    """The names of registries in the text of a Secret's ``key``, each with its credentials.

    Raises ValueError for no such text, whose reason never shows it.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON text") from None
    entries = document.get("auths") if key == KEYS[0] and isinstance(document, dict) else document
    if not isinstance(entries, dict):
        raise ValueError('is not JSON text with registries, as in {"auths": {"registry.example.com": {...}}}')
    return [(name, _credentials(entry)) for name, entry in entries.items()]


def _credentials(entry: Any) -> Credentials:
    if not isinstance(entry, dict):
        raise ValueError("has a registry that is no mapping with auth, or username and password")
    username, password = entry.get("username"), entry.get("password")
    if isinstance(username, str) and isinstance(password, str) and username:
        return Credentials(username, password)
    try:
        decoded = base64.b64decode(entry.get("auth") or "", validate=True).decode()
    except (TypeError, ValueError):
        raise ValueError("has a registry whose auth is not base64 of USER:PASSWORD") from None
    username, separator, password = decoded.partition(":")
    if not separator:
        raise ValueError("has a registry without credentials: give auth, or username and password")
    # Some programs fill it up with NULs.
    return Credentials(username, password.rstrip("\0"))


def credentials_for(image: str, secrets: Mapping[str, Mapping[str, bytes]]) -> tuple[Credentials, ...]:
    """Whom an image may be asked for as, by the content of the Secrets, in the order in which it is tried.

    None where no registry in them is the image's. What holds no credentials is passed over.
    """
    try:
        repository = parse_image(image).repository
    except ValueError:
        return ()
    found = [(name, one) for items in secrets.values() for name, one in _entries(items) if _fits(name, repository)]
    ordered = sorted(found, key=lambda item: -len(_plain(item[0])))
    return tuple(dict.fromkeys(one for _name, one in ordered))


def _entries(items: Mapping[str, bytes]) -> Iterator[tuple[str, Credentials]]:
    for key in KEYS:
        if key in items:
            try:
                yield from registries_in(key, items[key].decode())
            except ValueError:
                continue


def _plain(name: str) -> str:
    """The name of a registry without what Docker writes around it: ``https://index.docker.io/v1/`` is ``docker.io``."""
    plain = re.sub(r"^https?://", "", name).rstrip("/")
    plain = re.sub(r"/v[12]$", "", plain)
    host, slash, path = plain.partition("/")
    return (DEFAULT_DOMAIN if host == LEGACY_DEFAULT_DOMAIN else host) + slash + path


def _fits(name: str, repository: str) -> bool:
    host, _slash, path = _plain(name).partition("/")
    image_host, _slash, image_path = repository.partition("/")
    pattern = re.escape(host).replace(r"\*", "[^.]*")
    return re.fullmatch(pattern, image_host) is not None and (
        not path or image_path == path or image_path.startswith(f"{path}/")
    )
