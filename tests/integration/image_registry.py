# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry on the loopback interface, so that pulls are real where no registry is in reach.

The read side of the distribution specification: manifests and blobs, over HTTP, with basic authentication if asked.
"""

from __future__ import annotations

import base64
import json
import re
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from podman_host import PodmanHost

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


class ImageRegistry:
    """Serves images that were saved from a host; ``requests`` lists what was asked of it."""

    def __init__(self, username: str = "", password: str = "", certificate: Path | None = None) -> None:
        self.manifests: dict[tuple[str, str], bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.authorization = ""
        if username:
            self.authorization = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler_class(self))
        if certificate is not None:
            # A file with the key too.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def publish(self, host: PodmanHost, image: str, repository: str, tag: str, directory: Path) -> str:
        """Serve an image of a host under a name; return the full name to pull."""
        saved = directory / f"{repository.replace('/', '-')}-{tag}-{len(self.blobs)}"
        host.podman("save", "--quiet", "--format", "oci-dir", "--output", str(saved), image)
        for path in (saved / "blobs" / "sha256").iterdir():
            self.blobs[f"sha256:{path.name}"] = path.read_bytes()
        digest = json.loads((saved / "index.json").read_text())["manifests"][0]["digest"]
        self.manifests[repository, tag] = self.manifests[repository, digest] = self.blobs[digest]
        return f"{self.address}/{repository}:{tag}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def handler_class(registry: ImageRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            registry.requests.append(f"{self.command} {self.path}")
            if registry.authorization not in ("", self.headers.get("Authorization", "")):
                self.answer(401, b"{}", {"WWW-Authenticate": 'Basic realm="test"'})
                return
            manifest = re.fullmatch(r"/v2/(.+)/manifests/(.+)", self.path)
            blob = re.fullmatch(r"/v2/.+/blobs/(.+)", self.path)
            if self.path == "/v2/":
                self.answer(200, b"{}")
            elif manifest and manifest.groups() in registry.manifests:
                self.answer(200, registry.manifests[manifest[1], manifest[2]], {"Content-Type": MANIFEST_TYPE})
            elif blob and blob[1] in registry.blobs:
                self.answer(200, registry.blobs[blob[1]])
            else:
                self.answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}')

        do_HEAD = do_GET

        def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            pass

    return Handler
