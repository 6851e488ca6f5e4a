# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack in the form of native options that `parse` reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import spec as s
from ..workloads import documents as workload_documents
from ..workloads.fields import OPTIONS
from .spec import StackSpec


def to_options(stack: StackSpec) -> dict[str, Any]:
    """The options that the parser reads back to an equal stack; what holds its default is left out.

    Secret values are included: keep the result private.
    """
    options: dict[str, Any] = s.to_options(replace(stack, workloads=()))
    for option, kind in OPTIONS.items():
        workloads = [workload_documents.to_options(item) for item in stack.workloads if item.kind == kind]
        if workloads:
            options[option] = workloads
    return options
