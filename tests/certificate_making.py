# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that openssl makes for tests, signed by themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_certificate(directory: Path, name: str, *hosts: str, words: tuple[str, ...] = ()) -> tuple[str, str]:
    """A certificate for hosts and its key, each as PEM; ``words`` are more of openssl's own."""
    certificate, key = directory / f"{name}.crt", directory / f"{name}.key"
    kind = words or ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    names = ("-subj", f"/CN={name}", "-addext", "subjectAltName=" + ",".join(f"DNS:{host}" for host in hosts))
    files = ("-keyout", str(key), "-out", str(certificate))
    subprocess.run(["openssl", "req", "-x509", *kind, *names, *files, "-days", "2"], check=True, capture_output=True)
    return certificate.read_text(), key.read_text()
