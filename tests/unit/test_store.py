# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state directory, as a process that lives for long uses it, and as killed ones leave it."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from ansible_collections.podwright.pods.plugins.module_utils.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils.store import Applied, Record, Store

POD = parse_options({"name": "web", "containers": [{"name": "main", "image": "image"}]})


def kept(directory: Path) -> Store:
    """A state directory with the record of one pod."""
    store = Store(directory)
    store.ensure()
    store.write_record("web", Record(Applied(POD)))
    return store


def test_a_pod_that_is_gone_takes_up_no_memory(tmp_path: Path) -> None:
    store = kept(tmp_path)
    record = store.read_record("web")
    assert record is not None
    reference = weakref.ref(record)
    del record
    # By another process, or another part of this one.
    Store(tmp_path).forget("web")
    assert store.read_record("web") is None
    gc.collect()
    assert reference() is None


def test_what_killed_processes_left_is_swept(tmp_path: Path) -> None:
    """But not what is a pod's that somebody is changing."""
    store = kept(tmp_path)
    (tmp_path / ".gone.0123abcd").mkdir()
    left = [tmp_path / name for name in (".events.jsonl.0123abcd", "pods/web/.status.json.0123abcd")]
    for path in left:
        path.touch()
    with Store(tmp_path).lock("web", 0):
        store.sweep_all()
    assert list(tmp_path.rglob(".*")) == left[1:]
    store.sweep_all()
    assert not list(tmp_path.rglob(".*"))
    assert store.read_record("web") == Record(Applied(POD))
