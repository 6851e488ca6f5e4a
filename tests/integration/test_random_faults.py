# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations, updates and faults by chance: whatever comes together, what is wanted is met in the end, and nothing

is lost, left over or given away. PODWRIGHT_FAULTS_SEED names the first seed, PODWRIGHT_FAULTS_SECONDS how long new ones
are begun; a seed without seconds is one episode.
"""

from __future__ import annotations

import itertools
import logging
import os
import time

import pytest
from podman_host import PodmanHost
from random_faults import Episode, clear

pytestmark = pytest.mark.integration

IS_FULL = bool(os.environ.get("PODWRIGHT_TEST_FULL"))
SEED = os.environ.get("PODWRIGHT_FAULTS_SEED")
SECONDS = float(os.environ.get("PODWRIGHT_FAULTS_SECONDS") or (0 if SEED else 1800 if IS_FULL else 50))

log = logging.getLogger(__name__)


def replay_command(seed: int) -> str:
    return f"PODWRIGHT_FAULTS_SEED={seed} .venv/bin/python -m pytest tests/integration/test_random_faults.py"


def test_what_is_wanted_is_met_in_the_end(in_host: PodmanHost) -> None:
    # The sample is the same each time; the full run looks elsewhere each time.
    first = int(SEED) if SEED else int(time.time()) if IS_FULL else 1
    deadline = time.monotonic() + SECONDS
    for seed in itertools.count(first):
        episode = Episode(in_host, seed, replay_command(seed))
        episode.run()
        log.info("seed %s\n%s", seed, "\n".join(episode.journal))
        clear(in_host)
        if time.monotonic() >= deadline:
            break
