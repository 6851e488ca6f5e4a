# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a rollout is drawn from events."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from rollout_picture import Life, lives, picture, serving


def event(at: float, reason: str, about: str, message: str) -> dict[str, Any]:
    return {"last_at": at, "reason": reason, "pod": about, "message": message}


EVENTS = [
    event(1, "SuccessfulCreate", "Deployment/web", "Created pod: web-a-0: revision 1 has 0 pods"),
    event(3, "EndpointReady", "Service/web", "Pod web-a-0 takes connections of port http: it is ready"),
    event(10, "SuccessfulCreate", "Deployment/web", "Created pod: web-b-0: revision 2 has 0 pods"),
    event(12, "EndpointReady", "Service/web", "Pod web-b-0 takes connections of port http: it is ready"),
    event(13, "EndpointDrains", "Service/web", "Pod web-a-0 takes no more connections of port http: it leaves"),
    event(15, "EndpointRemoved", "Service/web", "Pod web-a-0 is no endpoint of port http any more: it is gone"),
    event(2, "Started", "web-a-0", "Started container main"),
    event(2, "SuccessfulCreate", "Deployment/other", "Created pod: other-a-0: of another"),
    event(20, "SuccessfulCreate", "Deployment/web", "Created pod: web-c-0: revision 3 has 0 pods"),
    event(25, "SuccessfulDelete", "Deployment/web", "Deleted pod: web-c-0: going back"),
]
LIVES = [Life("web-a-0", 1, 3, 13, 15), Life("web-b-0", 10, 12), Life("web-c-0", 20, end=25)]


def test_a_rollout() -> None:
    found = lives(reversed(EVENTS), "web")
    assert found == LIVES
    assert serving(found) == [(3, 1), (12, 2), (13, 1)]
    root = ElementTree.fromstring(picture(found, "a < b", [(10, "another image")]))
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if text and text.startswith("web-")] == ["web-a-0", "web-b-0", "web-c-0"]
    assert {"a < b", "1: another image", "25 s in all"} & {*texts} == {"a < b", "1: another image"}
    assert "24 s in all" in texts
    spans = [float(one.attrib["width"]) for one in root.iter("{http://www.w3.org/2000/svg}rect") if one.get("x")]
    assert spans[:6] == [pytest.approx(width, abs=0.2) for width in (55.2, 276, 55.2, 55.2, 386.4, 0)]


def test_events_without_such_a_rollout() -> None:
    with pytest.raises(SystemExit, match="no event tells of a Pod"):
        picture(lives(EVENTS, "nothing"), "")
