# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of the checkout that no other test runs find what they import, from any directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
BENCHMARKS = [path.relative_to(CHECKOUT) for path in sorted((CHECKOUT / "tests/benchmarks").glob("*.py"))]
PROGRAMS = [
    *(path for path in BENCHMARKS if path.name != "measuring.py"),
    *(Path(name) for name in ("scripts/acceptance.py", "tests/hosts", "tests/simulation")),
]


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_it_tells_its_options(program: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(
        [sys.executable, str(CHECKOUT / program), "--help"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("usage: ")
