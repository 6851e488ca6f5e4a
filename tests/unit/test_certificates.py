# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates: what no server could use is found beforehand, and their files are for nobody else."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from certificate_making import make_certificate

from ansible_collections.podwright.pods.plugins.module_utils._host.certificates import CertificateFiles, unfit
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.ingresses.entrance import Certificate


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Certificates and keys as PEM, by name."""
    folder = tmp_path_factory.mktemp("certificates")
    made = {
        "own": make_certificate(folder, "own", "a.b"),
        "other": make_certificate(folder, "other", "a.b"),
        "rsa": make_certificate(folder, "rsa", "a.b", words=("-newkey", "rsa:2048", "-nodes")),
        "short": make_certificate(folder, "short", "a.b", words=("-newkey", "rsa:1024", "-nodes")),
        "locked": make_certificate(folder, "locked", "a.b", words=("-newkey", "rsa:2048", "-passout", "pass:hush")),
    }
    return {
        f"{name} {part}": pem for name, pair in made.items() for part, pem in zip(("crt", "key"), pair, strict=True)
    }


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["own crt", "own key"], ""),
        (["own key", "own crt"], ""),
        (["own crt", "other crt", "own key"], ""),
        (["rsa crt", "rsa key"], ""),
        (["own crt", "other key"], "the key is not that of the certificate"),
        (["own crt", "rsa key"], "the key is not that of the certificate"),
        (["own crt"], "tls.key holds no private key in PEM"),
        (["own key"], "tls.crt holds no certificate in PEM"),
        (["locked crt", "locked key"], "tls.key is encrypted, and nobody is there to give its password"),
        (["short crt", "short key"], "the key is too short to be safe"),
        (["cut crt", "own key"], "tls.crt or tls.key is damaged"),
        (["own crt", "cut key"], "tls.crt or tls.key is damaged"),
    ],
    ids=str,
)
def test_what_no_server_could_use(parts: dict[str, str], names: list[str], expected: str) -> None:
    cut = {f"cut {part}": parts[f"own {part}"][:-60] for part in ("crt", "key")}
    assert unfit("".join({**parts, **cut}[name] for name in names)) == expected


def test_files_are_for_nobody_else_and_go_with_their_certificate(tmp_path: Path) -> None:
    files = CertificateFiles(tmp_path / "certificates")
    first, second = (Certificate("shop", name, (f"{name}.example.com",), f"{name}\n") for name in ("one", "two"))
    files.write([first, second])
    assert files.list_file.read_text() == files.lines([first, second])
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "certificates").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "certificates").stat().st_mode) == 0o700
    changed = replace(second, pem="new\n")
    files.write([changed])
    files.forget_others([changed])
    assert [path.name for path in (tmp_path / "certificates").glob("*.pem")] == ["shop:two.pem"]
    assert (tmp_path / "certificates" / "shop:two.pem").read_text() == "new\n"
