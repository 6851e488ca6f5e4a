# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: this directory on the import path (for `pods`), and how hard hypothesis tries."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# Generated pods are large, and a test machine may be busy: neither says anything about the code.
_LENIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("sample", settings(max_examples=30, **_LENIENT))
settings.register_profile("full", settings(max_examples=1000, **_LENIENT))
settings.load_profile("full" if os.environ.get("PODWRIGHT_TEST_FULL") else "sample")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest first, so that no worker is left alone with one of them at the end."""
    longest = ("test_lamp", "test_stack_interrupted", "test_agent_role", "test_pod_generated")
    items.sort(key=lambda item: item.path.stem not in longest)
