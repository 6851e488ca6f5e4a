# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The revisions of a workload: the templates that it had, each with a number, and the names of what they make."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..._declaration import spec as s
from ..._declaration.workloads import spec as w
from ..rendering.materials import digest

# No vowels, and no digits that look like letters: so no digest is a word. As in Kubernetes' names.
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_DIGEST_LENGTH = 8
MAX_NAME = s.POD_NAME_LIMIT
_SURE_LETTERS = 20
"""So many of a workload's name are in the names of all of its pods, however long their numbers are."""

HASH_LABEL = "pod-template-hash"
"""Kubernetes' label of the template that a pod was made from, for Deployments and ReplicaSets."""
_JOB_FIELDS = (
    "template",
    "completions",
    "completion_mode",
    "backoff_limit_per_index",
    "pod_failure_policy",
    "success_policy",
)
"""What of a Job makes it another one where it has ended."""


@dataclass(frozen=True)
class Revision:
    """One template. ``size``: how many pods of it a Deployment has settled on."""

    number: int
    digest: str
    template: s.PodSpec
    size: int = 0


Revisions = tuple[Revision, ...]
"""In the order of their numbers."""


def template_digest(workload: w.Workload, materials: str = "") -> str:
    """What tells the pods of one template from those of another, for the names of pods.

    It is made without the host's key, as Kubernetes' is, so that the names of pods are known before a host is prepared.
    ``materials`` is a digest of what the template refers to, where a change of that is to reach the pods by a rollout;
    that one is made with the key, for it may be of secrets.
    """
    names = _JOB_FIELDS if isinstance(workload, w.Job) else ("template",)
    parts = {name: s.to_options(getattr(workload, name)) for name in names}
    value: Any = [workload.kind, workload.name, parts, materials]
    number = int(hashlib.sha256(digest(value, b"").encode()).hexdigest(), 16)
    letters = []
    for _position in range(_DIGEST_LENGTH):
        number, letter = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[letter])
    return "".join(letters)


def pod_name(workload: str, revision: str, *numbers: int) -> str:
    """The name of a pod. One that is too long loses letters of the workload's name, which the digest covers."""
    rest = "".join(f"-{part}" for part in (revision, *numbers))
    return workload[: MAX_NAME - len(rest)].rstrip("-.") + rest


def sure_beginning(workload: str) -> str:
    """What the names of all pods of a workload begin with; those of others may as well."""
    return workload[:_SURE_LETTERS].rstrip("-.")


def find(revisions: Revisions, digest_: str) -> Revision | None:
    return next((revision for revision in revisions if revision.digest == digest_), None)


def with_latest(revisions: Revisions, digest_: str, template: s.PodSpec) -> Revisions:
    """The revisions with one of this template as the latest; an old one that is wanted again gets a new number.

    Source: Kubernetes' ``getNewReplicaSet``.
    """
    number = max((revision.number for revision in revisions), default=0)
    known = find(revisions, digest_)
    if known is None:
        return (*revisions, Revision(number + 1, digest_, template))
    if known.number == number:
        return tuple(replace(one, template=template) if one is known else one for one in revisions)
    others = (revision for revision in revisions if revision is not known)
    return (*others, replace(known, number=number + 1, template=template))


def without_old(revisions: Revisions, limit: int, in_use: Mapping[str, int] | set[str]) -> Revisions:
    """The revisions without those that are beyond the limit: the oldest of which no pod is left.

    ``in_use`` are the digests of those that are never too old.
    """
    spare = [revision for revision in revisions if revision.digest not in in_use and not revision.size]
    surplus = {revision.digest for revision in spare[: max(len(spare) - limit, 0)]}
    return tuple(revision for revision in revisions if revision.digest not in surplus)
