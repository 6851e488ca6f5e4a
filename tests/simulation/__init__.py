# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deterministic simulation: the real agent, keepers, runs and store over a simulated Podman, clock and scheduler.

One number, the seed, decides everything that happens, so that a failure can be played again.
"""
