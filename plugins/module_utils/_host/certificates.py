# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates: whether a key is that of its certificate, and the files and the memory of the proxy that they are in.

The files are the user's alone, and no error shows what is in them. The proxy reads them when it loads its
configuration; one that has changed is told by its socket, so that no connection is closed.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Callable

from .._declaration.ingresses.spec import CERTIFICATE, KEY
from .._errors import HostError
from .._reconcile.ingresses import configuration as text
from .._reconcile.ingresses.entrance import Certificate
from . import state_files

_LIST, _LOADED = "list", "loaded"
_MARKS = (
    ("-----BEGIN CERTIFICATE-----", f"{CERTIFICATE} holds no certificate in PEM"),
    ("PRIVATE KEY-----", f"{KEY} holds no private key in PEM"),
)
_REASONS = {
    "KEY_VALUES_MISMATCH": "the key is not that of the certificate",
    "KEY_TYPE_MISMATCH": "the key is not that of the certificate",
    # A key of another kind, RSA for one of an elliptic curve, finds none.
    "NO_CERTIFICATE_ASSIGNED": "the key is not that of the certificate",
    "EE_KEY_TOO_SMALL": "the key is too short to be safe",
    "CA_KEY_TOO_SMALL": "the key of one that is in the chain is too short to be safe",
    "CA_MD_TOO_WEAK": "it is signed in a way that is not safe any more",
}


def unfit(pem: str) -> str:
    """Why no server could use a certificate with its key, in OpenSSL's judgement; empty where one could."""
    for mark, reason in _MARKS:
        if mark not in pem:
            return reason
    if "ENCRYPTED" in pem:
        return f"{KEY} is encrypted, and nobody is there to give its password"
    with _in_memory(pem.encode()) as path:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, password=str)
        except ssl.SSLError as error:
            told = (error.reason or "").upper().replace(" ", "_")
            return _REASONS.get(told, f"{CERTIFICATE} or {KEY} is damaged")
    return ""


@contextlib.contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """A file that is on no disk."""
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


class CertificateFiles:
    """The certificates of the proxy in one folder, and which of them its process has."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def list_file(self) -> Path:
        """The file that lists them for the proxy."""
        return self._directory / _LIST

    def lines(self, certificates: Sequence[Certificate]) -> str:
        """What that file holds."""
        return text.certificate_lines(certificates, str(self._directory))

    def write(self, certificates: Sequence[Certificate]) -> None:
        """Write the files of these. Others stay, as the process may still have them (`forget_others`)."""
        if not certificates:
            return
        state_files.make_directory(self._directory)
        for one in certificates:
            _put(self._path(one), one.pem)
        _put(self.list_file, self.lines(certificates))

    def forget_others(self, certificates: Sequence[Certificate]) -> None:
        """Remove the files of all but these."""
        kept = {self._path(one).name for one in certificates}
        for path in self._directory.glob("*.pem"):
            if path.name not in kept:
                path.unlink()

    def note_loaded(self, certificates: Sequence[Certificate]) -> None:
        """Told that the process has loaded all of them from their files."""
        if certificates:
            self._note({one.name: one.digest for one in certificates})

    def tell(self, certificates: Sequence[Certificate], ask: Callable[[str], str]) -> None:
        """Hand those that have changed to the process by its socket, ``ask``. Raises HostError.

        One that it does not know comes by a reload.
        """
        loaded = self._loaded()
        changed = [one for one in certificates if loaded.get(one.name) != one.digest]
        known = ask("show ssl cert").splitlines() if changed else []
        for one in changed:
            if str(self._path(one)) in known:
                self._replace(one, ask)
                loaded[one.name] = one.digest
                self._note(loaded)

    def _replace(self, certificate: Certificate, ask: Callable[[str], str]) -> None:
        path = self._path(certificate)
        # The empty line after it ends it.
        said = ask(f"set ssl cert {path} <<\n{certificate.pem}")
        if "Transaction" in said:
            said = ask(f"commit ssl cert {path}")
        if "Success" not in said:
            ask(f"abort ssl cert {path}")
            reason = (said.strip().splitlines() or ["it says nothing"])[-1][:200]
            raise HostError(f"the proxy does not take the certificate of secret {certificate.secret}: {reason}")

    def _path(self, certificate: Certificate) -> Path:
        return Path(text.path(certificate, str(self._directory)))

    def _loaded(self) -> dict[str, str]:
        """The digests of those that the process has, by name."""
        with contextlib.suppress(OSError, ValueError):
            return dict(line.split() for line in (self._directory / _LOADED).read_text().splitlines())
        return {}

    def _note(self, loaded: dict[str, str]) -> None:
        lines = "".join(f"{name} {digest}\n" for name, digest in loaded.items())
        state_files.write(self._directory / _LOADED, lines.encode())


def _put(path: Path, content: str) -> None:
    wanted = content.encode()
    if not path.exists() or path.read_bytes() != wanted:
        state_files.write(path, wanted)
