# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated pods on real Podman: whatever a pod is made of, a second run finds nothing to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pod_runs import PodRuns
from podman_host import BUSYBOX
from pods import Site, runnable_pods

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s

IS_FULL = bool(os.environ.get("PODWRIGHT_TEST_FULL"))
EXAMPLES = 300 if IS_FULL else 8


@settings(
    max_examples=EXAMPLES,
    # The sample is the same each time; the full run looks elsewhere each time.
    derandomize=not IS_FULL,
    # What failed took seconds: a smaller pod that fails as well is not worth minutes.
    report_multiple_bugs=False,
    suppress_health_check=[*HealthCheck],
)
@given(st.data())
def test_what_was_applied_is_unchanged(pods: PodRuns, tmp_path: Path, data: st.DataObject) -> None:
    # One that failed has left its pod behind.
    pods.host.clean()
    pod = data.draw(runnable_pods(Site(image=BUSYBOX, host_directory=str(tmp_path))))
    options: dict[str, Any] = {**s.to_options(pod), "wait_timeout": 60}
    pods.create(options, wait=True)
    pods.apply({"name": pod.name, "state": "absent"})
    assert pods.names() == []
