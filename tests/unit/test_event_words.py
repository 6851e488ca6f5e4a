# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of events: what each operation is told as."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._agent.event_log import EventLog
from ansible_collections.podwright.pods.plugins.module_utils._agent.event_words import EVENTS, tell_of, tell_of_failure
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import Network
from ansible_collections.podwright.pods.plugins.module_utils._errors import ImageError
from ansible_collections.podwright.pods.plugins.module_utils._reconcile import operations as op
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import LiveLimits
from ansible_collections.podwright.pods.plugins.module_utils._runs.execute import OperationFailed
from ansible_collections.podwright.pods.plugins.module_utils._runs.run_failure import RunFailed

MISSING = op.MISSING
TOLD: dict[op.Operation, str] = {
    op.PullImage("web", "not on this host", "docker.io/library/httpd:2.4"): (
        'Pulled: Successfully pulled image "docker.io/library/httpd:2.4"'
    ),
    op.CreateNetwork("web", MISSING, Network("shop")): "NetworkCreated: Created network shop",
    op.CreatePod("web", MISSING): "SandboxCreated: Created the sandbox",
    op.RemovePod("web", "no longer declared", "0123"): "SandboxRemoved: Removed the sandbox: no longer declared",
    op.CreateContainer("web", MISSING, "worker"): "Created: Created container worker",
    op.StartContainer("web", MISSING, "worker"): "Started: Started container worker",
    op.StopContainer("web", "image changed", "worker", "0123", 30, 0): (
        "Killing: Stopped container worker: image changed"
    ),
    op.RemoveContainer("web", "{image} changed", "worker", "0123"): (
        "Removed: Removed container worker: {image} changed"
    ),
    op.UpdateLimits("web", "memory changed", "worker", "0123", LiveLimits()): (
        "Resized: Resized container worker: memory changed"
    ),
    op.UpdatePodLimits("web", "the sum of its limits is less", LiveLimits()): (
        "Resized: Resized the Pod: the sum of its limits is less"
    ),
    op.RotateSecret("web", "asked for", "login", {"password": "tiger"}, "web"): (
        "SecretRotated: Made new values for secret login: asked for"
    ),
    op.WriteFiles("web", "content changed", "site"): ("VolumeWritten: Wrote the files of volume site: content changed"),
}


@pytest.mark.parametrize("operation", TOLD, ids=lambda operation: type(operation).__name__)
def test_an_operation_is_told_as_a_sentence(operation: op.Operation, tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    tell_of(operation, log)
    (event,) = log.list("web")
    assert f"{event.reason}: {event.message}" == TOLD[operation]
    assert event.container == getattr(operation, "container", "")


def test_every_event_has_its_case() -> None:
    assert {type(operation) for operation in TOLD} == {*EVENTS}


def test_what_is_no_event_is_not_told(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    tell_of(op.Forget("web", "state is absent"), log)
    assert log.list() == ()


def test_what_failed_is_a_sentence_too(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    image = "registry.example.com/shop:1"
    error = ImageError("ErrImagePull", f"{image} could not be pulled: the word is swordfish\nsecond line")
    failure = RunFailed("#3 pull image failed", error, [], ("swordfish",))
    failure.__cause__ = OperationFailed(3, op.PullImage("web", "not on this host", image), error)
    told = tell_of_failure("web", failure, log)
    (event,) = log.list("web")
    assert (event.type, event.reason, event.message) == ("Warning", "ErrImagePull", told)
    assert told == f"Failed to pull image {image}: ErrImagePull: {image} could not be pulled: the word is ********"
