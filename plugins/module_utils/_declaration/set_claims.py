# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The claims of a StatefulSet's Pods: which they are, and what each stood for when the set was applied last.

A claim that has a folder keeps it, and one that is a named volume stays one, whatever PersistentVolumes come and go: as
in Kubernetes, where a claim is bound once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

from . import spec as s
from .claims import Claim, read_claim
from .documents import Reading
from .place import INVALID, Place
from .workloads import spec as w

ClaimsBefore = Mapping[str, Optional[s.HostPathVolume]]
"""The claims of the StatefulSets that were applied last, by name, each with its folder; None for a named volume."""


def claims_of_sets(workloads: Iterable[w.AnyWorkload]) -> ClaimsBefore:
    """What the claims of the sets among these workloads stand for; those too of Pods that are not wanted any more."""
    found: dict[str, s.HostPathVolume | None] = {}
    for workload in workloads:
        if isinstance(workload, w.StatefulSet):
            templates = (template.name for template in workload.volume_claim_templates)
            found.update((workload.claim_name(name, n), None) for name in templates for n in workload.ordinal_range)
            found.update(workload.claim_folders)
    return found


@dataclass(frozen=True)
class TemplateClaims:
    """The claims of one template of a set, and where the template stands. Of ``owner`` name and numbers are known."""

    owner: w.StatefulSet
    template: Claim
    at: Place

    def claim(self, ordinal: int) -> Claim:
        name = self.owner.claim_name(self.template.name, ordinal)
        return replace(self.template, name=name, volume=replace(self.template.volume, name=name))

    def of_before(self, before: ClaimsBefore) -> ClaimsBefore:
        """Those of the claims of before that are of this template."""
        return {name: folder for name, folder in before.items() if self.is_one(name)}

    def is_one(self, claim: str) -> bool:
        """Whether a claim of this name is of this template, whatever the number of its pod."""
        return self.owner.ordinal_of(self.template.name, claim) is not None


def template_claims(read: Sequence[Reading]) -> list[TemplateClaims]:
    """The claims of documents that were read as StatefulSets. Faults of the documents are noted by others."""
    found = []
    for values, at in read:
        if not values or not values["metadata"] or not values["spec"]:
            continue
        name, spec = values["metadata"]["name"], values["spec"]
        if INVALID in (name, spec["replicas"], spec["ordinals"], spec["volume_claim_templates"]):
            continue
        if spec["ordinals"].start is INVALID:
            continue
        owner = w.StatefulSet(name, replicas=spec["replicas"], ordinals=spec["ordinals"])
        templates_at = at.key("spec").key("volume_claim_templates")
        for number, template in enumerate(spec["volume_claim_templates"]):
            if _is_whole(template):
                place = templates_at.index(number)
                found.append(TemplateClaims(owner, read_claim(template, Place(place.path, place.style)), place))
    return found


def _is_whole(template: Any) -> bool:
    if not template or not template["metadata"] or not template["spec"]:
        return False
    spec = template["spec"]
    parts = (template["metadata"]["name"], spec["storage_class_name"], spec["access_modes"], spec["volume_name"])
    return INVALID not in parts and INVALID not in spec["access_modes"]


def in_turn(groups: Sequence[TemplateClaims], most: int) -> Iterator[Claim]:
    """The claims in the order in which they are bound: set by set, and of each Pod by Pod.

    ``most`` is for how many Pods of a set there can be something.
    """
    for owner in dict.fromkeys(group.owner.name for group in groups):
        own = [group for group in groups if group.owner.name == owner]
        for ordinal in own[0].owner.ordinal_range[:most]:
            yield from (group.claim(ordinal) for group in own)
