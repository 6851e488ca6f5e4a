# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a Pod is for this host: its node selector and its required node affinity against the host's labels.

Source: Kubernetes' documentation of assigning Pods to nodes. An expression of `NotIn`, as of `DoesNotExist`, is met by
a host without the label; `Gt` and `Lt` compare whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from .._declaration import spec as s
from .._declaration.affinity import NodeRequirement, NodeSelectorTerm
from .._declaration.place import Place
from .._errors import Fault

ARCHITECTURE_LABELS = ("kubernetes.io/arch", "beta.kubernetes.io/arch")
SYSTEM_LABELS = ("kubernetes.io/os", "beta.kubernetes.io/os")
HOSTNAME_LABEL = "kubernetes.io/hostname"

_ARCHITECTURES = {
    "x86_64": "amd64",
    "i686": "386",
    "aarch64": "arm64",
    "armv7l": "arm",
    "armv6l": "arm",
    "loongarch64": "loong64",
}
"""Kubernetes' names where they are not those of the kernel."""


def labels_of(hostname: str, machine: str, given: Mapping[str, str]) -> dict[str, str]:
    """The labels of a host: those that it has by itself, and ``given``, which win.

    ``machine`` is the kind of its processor, as uname(2) has it.
    """
    architecture = _ARCHITECTURES.get(machine, machine)
    return {
        **dict.fromkeys(ARCHITECTURE_LABELS, architecture),
        **dict.fromkeys(SYSTEM_LABELS, "linux"),
        HOSTNAME_LABEL: hostname.lower(),
        **given,
    }


def refuse_placement(pod: s.PodSpec, labels: Mapping[str, str], spec_at: Place) -> list[Fault]:
    """What of a Pod's placement the labels of this host do not meet; its spec stands at ``spec_at``."""
    at = spec_at.key("node_selector")
    faults = [Fault(at.raw(label).path, words) for label, words in _selector_mismatches(pod, labels)]
    reason = _affinity_mismatch(pod, labels)
    return [*faults, *([Fault(spec_at.key("affinity").key("node_affinity").path, reason)] if reason else [])]


def mismatch(pod: s.PodSpec, labels: Mapping[str, str]) -> str:
    """Why a Pod is not for the host with these labels, in a line; empty if it is."""
    reasons = [f"{label} {words}" for label, words in _selector_mismatches(pod, labels)]
    reason = _affinity_mismatch(pod, labels)
    return "; ".join([*reasons, *([f"its node affinity {reason}"] if reason else [])])


def _selector_mismatches(pod: s.PodSpec, labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for label, wanted in sorted(pod.node_selector.items()):
        if labels.get(label) != wanted:
            has = f"this host is {labels[label]}" if label in labels else "this host has no such label"
            yield label, f"is {wanted}, and {has}"


def _affinity_mismatch(pod: s.PodSpec, labels: Mapping[str, str]) -> str:
    if pod.affinity is None:
        return ""
    terms = pod.affinity.node_affinity.required_during_scheduling_ignored_during_execution.node_selector_terms
    if any(_meets(term, labels) for term in terms):
        return ""
    wanted = " or ".join(_words(term, labels) for term in terms)
    return f"wants {wanted}"


def _meets(term: NodeSelectorTerm, labels: Mapping[str, str]) -> bool:
    facts = {"metadata.name": labels[HOSTNAME_LABEL]}
    expressions = [_is_met(requirement, labels) for requirement in term.match_expressions]
    fields = [_is_met(requirement, facts) for requirement in term.match_fields]
    return bool(expressions or fields) and all(expressions) and all(fields)


def _is_met(requirement: NodeRequirement, labels: Mapping[str, str]) -> bool:
    return _OPERATORS[requirement.operator](labels.get(requirement.key), requirement.values)


def _compares(label: str | None, values: Sequence[str], is_met: Callable[[int, int], bool]) -> bool:
    try:
        return label is not None and is_met(int(label), int(values[0]))
    except ValueError:
        return False


_OPERATORS: Mapping[str, Callable[[str | None, Sequence[str]], bool]] = {
    "In": lambda label, values: label in values,
    "NotIn": lambda label, values: label not in values,
    "Exists": lambda label, values: label is not None,
    "DoesNotExist": lambda label, values: label is None,
    "Gt": lambda label, values: _compares(label, values, lambda given, bound: given > bound),
    "Lt": lambda label, values: _compares(label, values, lambda given, bound: given < bound),
}


def _words(term: NodeSelectorTerm, labels: Mapping[str, str]) -> str:
    """A term, with what this host is of what it asks for."""
    requirements = (*term.match_expressions, *term.match_fields)
    if not requirements:
        return "what no host is (an empty term)"
    facts = {**labels, "metadata.name": labels[HOSTNAME_LABEL]}
    return " and ".join(_requirement_words(requirement, facts.get(requirement.key)) for requirement in requirements)


def _requirement_words(requirement: NodeRequirement, label: str | None) -> str:
    wanted = " ".join((requirement.key, requirement.operator, ", ".join(requirement.values))).rstrip()
    return f"{wanted} (here {'none' if label is None else label})"
