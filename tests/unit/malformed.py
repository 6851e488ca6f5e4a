# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations with something changed in them, in both spellings, and what is wrong with them."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._errors import InvalidInput


def changed(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A document in which some things are set, by their path; null takes one away."""
    document = copy.deepcopy(document)
    for path, value in changes.items():
        *parents, last = (int(step) if step.isdigit() else step for step in path.split("."))
        target: Any = document
        for step in parents:
            target = target[step]
        target[last] = value
        if value is None:
            del target[last]
    return document


def native(item: Any) -> Any:
    """A part of a document in the spelling of options."""
    if isinstance(item, list):
        return [native(one) for one in item]
    if not isinstance(item, dict):
        return item
    return {snake(key): native(value) if key != "selector" else value for key, value in item.items()}


def snake(name: str) -> str:
    """A field, or the path of one, in the spelling of options."""
    return re.sub("[A-Z]+", lambda match: f"_{match[0].lower()}", name)


def faults_of(options: dict[str, Any], documents: list[Any]) -> list[tuple[str, str]]:
    """The faults of a stack, each as its path and its reason; documents are called ``x``."""
    with pytest.raises(InvalidInput) as caught:
        parse_options({"name": "shop", **options}, documents, "x", None)
    return [(fault.path, fault.reason) for fault in caught.value.faults]
