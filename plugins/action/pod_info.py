# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's part of the module pod_info: gets it to its host."""

from __future__ import annotations

from ..plugin_utils._shipping import ShippingAction


class ActionModule(ShippingAction):
    """Runs the module."""
