# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What containers wrote, wherever it is shown: messages of errors, events, and the command's own lines."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.module_utils import _errors as errors
from ansible_collections.podwright.pods.plugins.module_utils._agent.event_log import EventLog
from ansible_collections.podwright.pods.plugins.module_utils._printable import one_line, printable

HOSTILE = "\x1b[31mred\x1b]0;title\x07\x9b2J\u202eabc\x00"
SHOWN = "\\x1b[31mred\\x1b]0;title\\x07\\x9b2J\\u202eabc\\x00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a line\n\tand another one", "a line\n\tand another one"),
        (HOSTILE, SHOWN),
        ("written to a terminal\r\nline\r\n", "written to a terminal\nline\n"),
        ("over\rwritten", "over\\rwritten"),
        ("\ud800", "\\ud800"),
        ("Grüße \u00a0\u3000日本 👩\u200d💻", "Grüße \u00a0\u3000日本 👩\u200d💻"),
        ("\u2028\u2066", "\\u2028\\u2066"),
    ],
)
def test_what_is_shown(text: str, expected: str) -> None:
    assert printable(text) == expected


@given(st.text(), st.integers(3, 40))
def test_nothing_is_obeyed_and_nothing_grows_beyond_its_limit(text: str, limit: int) -> None:
    shown = printable(text)
    assert not [letter for letter in shown if unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t"]
    assert printable(shown) == shown
    assert len(printable(text, limit)) <= limit
    assert "\n" not in one_line(text)


@pytest.mark.parametrize(
    "error",
    [
        errors.PodwrightError(HOSTILE),
        errors.HostError(HOSTILE),
        errors.PodmanError(HOSTILE),
        errors.InvalidInput([errors.Fault("place", HOSTILE)]),
        errors.ContainerFailed("web", "main", "Error", HOSTILE, HOSTILE),
    ],
)
def test_errors_show_nothing_that_a_terminal_obeys(error: errors.PodwrightError) -> None:
    assert SHOWN in str(error)
    assert getattr(error, "logs", SHOWN) == SHOWN


def test_events_neither(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events")
    log.add("Unhealthy", "web", HOSTILE)
    assert [event.message for event in log.list()] == [SHOWN]
