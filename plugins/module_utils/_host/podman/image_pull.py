# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch an image from its registry; for the modules `image` and `pod`.

Apart from `image_run`, since Ansible ships to the host whatever a module imports.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..._errors import Fault, ImageError, InvalidInput, PodmanError
from .client import Podman

LOCAL_PREFIX = "localhost/"
LOCAL_HINT = (
    "build it, load it or make it of packages on this host with podwright.pods.image, or correct its name: "
    "images of that name are in no registry"
)
"""Images under this name are those that Podman made here; it asks a registry at localhost for one that it has not."""
PULL_HINTS = (
    ("short-name", "write the name in full, such as docker.io/library/NAME:TAG"),
    ("connection refused", "check the registry's name and port, and that this host reaches it"),
    ("no such host", "check the registry's name, and that this host resolves it"),
    ("i/o timeout", "check that this host reaches the registry, directly or by its proxy"),
    ("server gave HTTP response to HTTPS client", "for a registry without TLS set pull.tls_verify to false"),
    ("does not look like a TLS handshake", "for a registry without TLS set pull.tls_verify to false"),
    ("certificate", "install the registry's certificate authority on this host, or set pull.tls_verify to false"),
    ("unauthorized", "give pull.username and pull.password, or pull.auth_file"),
    ("authentication required", "give pull.username and pull.password, or pull.auth_file"),
    ("denied", "check the name, and give pull.username and pull.password if the image is not public"),
    ("manifest unknown", "check the tag: the registry has no such image"),
)


def pull(podman: Podman, name: str, options: Mapping[str, Any]) -> None:
    """Fetch an image; ImageError with Podman's cause, even if that stands inside a successful answer."""
    params = {"reference": name, "policy": "always", "tlsVerify": options.get("tls_verify", True)}
    error, pulled = "", False
    try:
        for message in podman.stream("/images/pull", params, headers=registry_headers(options)):
            error = message.get("error") or error
            pulled = pulled or bool(message.get("id"))
    except PodmanError as refusal:
        if not refusal.status:
            raise
        error = refusal.cause
    if error or not pulled:
        raise ImageError(
            "ErrImagePull", f"{name} could not be pulled: {error or 'Podman named no image'}{hint(name, error)}"
        )


def hint(name: str, error: str) -> str:
    """Return what to do about a failed pull, by the image's name and Podman's words."""
    found = next((advice for phrase, advice in PULL_HINTS if phrase in error), "")
    advice = LOCAL_HINT if name.startswith(LOCAL_PREFIX) else found
    return f". To mend it, {advice}" if advice else ""


def registry_headers(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the header that carries the credentials; they are nowhere else: not in a URL, a file or a command line."""
    if options.get("username"):
        credentials = {"username": options["username"], "password": options.get("password") or ""}
        return {"X-Registry-Auth": encode_header(credentials)}
    if options.get("auth_file"):
        return {"X-Registry-Config": encode_header(read_auth_file(Path(options["auth_file"])))}
    return {}


def encode_header(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def read_auth_file(path: Path) -> dict[str, dict[str, str]]:
    """Read a containers-auth.json(5) file; InvalidInput if it is none."""
    credentials = {}
    try:
        for registry, entry in json.loads(path.read_text(encoding="utf-8")).get("auths", {}).items():
            username, _separator, password = base64.b64decode(entry.get("auth", "")).decode().partition(":")
            credentials[registry] = {"username": username, "password": password}
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidInput([Fault("pull.auth_file", f"{path} cannot be read as an auth file: {error}")]) from error
    return credentials
