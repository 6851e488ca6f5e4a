# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module image as a task of a real playbook: options that are none, and what was meant."""

from __future__ import annotations

from pathlib import Path

from playbook_runs import Playbook, Task

MODULE = "podwright.pods.image"


def test_unknown_options_are_told_with_what_was_meant(tmp_path: Path) -> None:
    playbook = Playbook(tmp_path)
    files = [{"path": "/a", "content": "x", "mod": "0644"}]
    tasks: list[Task] = [
        {MODULE: {"nmae": "localhost/a:1", "bootstrap": {"packagse": ["nginx"], "files": files}, "zz": 1}},
        {MODULE: {"name": "localhost/a:1", "pull": {}, "load": {}}},
    ]
    wrong, module = playbook.run(tasks)
    assert {row["path"]: row["reason"].partition("; ")[2] for row in wrong["faults"]} == {
        "nmae": "did you mean name?",
        "bootstrap.packagse": "did you mean packages?",
        "bootstrap.files[0].mod": "did you mean mode?",
        "zz": "",
    }
    # What the module itself judges is left to it.
    assert "mutually exclusive" in module["msg"], module
