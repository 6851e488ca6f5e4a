# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's code on a host: whole, or not started and put there anew."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.action import agent as agent_action
from ansible_collections.podwright.pods.plugins.module_utils._delivery import host_code
from ansible_collections.podwright.pods.plugins.module_utils._delivery import install as agent_install
from ansible_collections.podwright.pods.plugins.module_utils._errors import HostError
from ansible_collections.podwright.pods.plugins.plugin_utils import _shipping as shipping

FILES = agent_action._files()
DIGEST = host_code.digest_of(FILES)


class Installation:
    """Where the agent's code and programs are, and an archive that came along."""

    def __init__(self, directory: Path) -> None:
        self.place = directory / "lib" / "agent"
        self.programs = directory / "bin"
        self.archive = directory / "podwright.zip"
        self.archive.write_bytes(shipping.archive_of(FILES))

    def install(self) -> dict[str, Any]:
        return agent_install.install({"code": DIGEST}, False)

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.programs / name, "--help"], capture_output=True, text=True, check=False)

    def find(self, pattern: str) -> Path:
        (found,) = (self.place / DIGEST).glob(pattern)
        return found


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    made = Installation(tmp_path)
    monkeypatch.setattr(agent_install, "_places", lambda: (made.place, made.programs))
    monkeypatch.setenv(host_code.VARIABLE, f"{shipping.digest()}:{made.archive}")
    monkeypatch.setenv("PODWRIGHT_STATE_DIR", str(tmp_path / "state"))
    return made


def test_it_is_installed_once_and_runs(installation: Installation) -> None:
    assert installation.install()["changed"]
    before = {path: path.stat().st_ino for path in installation.place.rglob("*")}
    assert not installation.install()["changed"]
    for name, exit_code in (("podwrightd", 2), ("podwright", 0)):
        done = installation.run(name)
        assert "usage" in (done.stdout + done.stderr).lower()
        assert done.returncode == exit_code
    assert {path: path.stat().st_ino for path in installation.place.rglob("*")} == before
    assert not installation.install()["changed"]


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        ("podwright/_agent/agent.py", "empty"),
        ("podwright/__pycache__/_errors.*", "cut"),
        ("manifest.json", "missing"),
    ],
)
def test_damaged_code_is_not_started_and_is_replaced(installation: Installation, pattern: str, damage: str) -> None:
    installation.install()
    path = installation.find(pattern)
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2]}.get(damage, whole[:-2] + b"?" + whole[-1:]))
    for name in ("podwrightd", "podwright"):
        done = installation.run(name)
        assert done.returncode == 1
        assert f"{name}: the code in {installation.place}/current is damaged or missing; run the role" in done.stderr
    assert installation.install()["changed"]
    assert installation.run("podwright").returncode == 0
    assert not installation.install()["changed"]


def test_another_archive_is_not_installed(installation: Installation) -> None:
    other = {**FILES, "podwright/_agent/agent.py": b"print('other code')\n"}
    installation.archive.write_bytes(shipping.archive_of(other))
    with pytest.raises(HostError, match="is not the agent's code that the task names"):
        installation.install()
    installation.archive.write_bytes(b"")
    with pytest.raises(HostError, match="the agent's code did not arrive"):
        installation.install()
    assert not installation.place.exists()


def test_code_that_others_could_not_read_before_can_be_read(installation: Installation) -> None:
    """Whatever the umask of the task: users call the command too."""
    before = os.umask(0o077)
    try:
        installation.install()
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (installation.place / DIGEST).rglob("*") if path.is_file()}
    assert modes == {0o644}
    assert {path.stat().st_mode & 0o777 for path in installation.place.rglob("*") if path.is_dir()} == {0o755}
