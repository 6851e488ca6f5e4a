"""Draws a rollout from the agent's events: which Pods there were, when each took connections, and how many did.

Reads the events as the agent's API tells them, a JSON object a line, and writes an SVG:

    curl --unix-socket /var/lib/podwright/agent.sock http://localhost/v1/events | python scripts/rollout_picture.py

The Pods are those of one Deployment behind a Service of its name. docs/rollout.svg was made so.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

WIDTH, LEFT, RIGHT, ROW, TOP = 860, 150, 20, 18, 46
STEPS_HEIGHT = 60
COLOURS = {"starts": "#c9d3e0", "serves": "#3a9a5b", "leaves": "#e0a33a"}
_PODS_BEGIN = {"SuccessfulCreate": "begin", "SuccessfulDelete": "end"}
_ENDPOINTS = {"EndpointReady": "serve", "EndpointDrains": "leave", "EndpointRemoved": "end"}
_POD = re.compile(r"(?:Created pod: |Deleted pod: |Pod )([a-z0-9.-]*[a-z0-9])")


@dataclass
class Life:
    """When a Pod was asked for, took connections, took no more, and was gone; seconds since the epoch, or None."""

    pod: str
    begin: float
    serve: float | None = None
    leave: float | None = None
    end: float | None = None


def lives(events: Iterable[Mapping[str, Any]], workload: str) -> list[Life]:
    """Those of the Pods of a Deployment, the first one first. What an event repeats counts where it came last."""
    found: dict[str, Life] = {}
    for event in sorted(events, key=lambda event: float(event["last_at"])):
        words = {f"Deployment/{workload}": _PODS_BEGIN, f"Service/{workload}": _ENDPOINTS}.get(event["pod"], {})
        match, moment = _POD.match(event["message"]), words.get(event["reason"])
        if not match or not moment:
            continue
        at = float(event["last_at"])
        if moment == "begin":
            found.setdefault(match[1], Life(match[1], at))
        elif match[1] in found:
            setattr(found[match[1]], moment, at)
    return sorted(found.values(), key=lambda life: (life.begin, life.pod))


def serving(pods: Sequence[Life]) -> list[tuple[float, int]]:
    """How many take connections from each moment on."""
    changes = []
    for life in pods:
        left_at = life.leave if life.leave is not None else life.end
        if life.serve is not None:
            changes.append((life.serve, 1))
            changes += [(left_at, -1)] if left_at is not None else []
    number, steps = 0, []
    for at, change in sorted((at, -change) for at, change in changes):
        number -= change
        steps.append((at, number))
    return steps


def picture(pods: Sequence[Life], title: str, marks: Sequence[tuple[float, str]] = ()) -> str:
    """The SVG. ``marks`` are moments of the run with what was done then."""
    if not pods:
        raise SystemExit("rollout_picture: no event tells of a Pod of this Deployment")
    moments = [at for life in pods for at in (life.begin, life.serve, life.leave, life.end) if at is not None]
    first, last = min([*moments, *(at for at, _text in marks)]), max(moments) + 1
    scale = (WIDTH - LEFT - RIGHT) / (last - first)

    def x(at: float) -> float:
        return round(LEFT + (at - first) * scale, 1)

    bottom = TOP + ROW * len(pods)
    parts = [f'<text x="8" y="18" font-size="14">{escape(title)}</text>']
    for number, (at, text) in enumerate(marks):
        parts.append(f'<path d="M{x(at)} {TOP - 4}V{bottom + STEPS_HEIGHT}" stroke="#888" stroke-dasharray="3 3"/>')
        parts.append(f'<text x="{x(at) + 3}" y="{TOP - 8}">{number + 1}: {escape(text)}</text>')
    for number, life in enumerate(pods):
        y = TOP + ROW * number
        gone = life.end if life.end is not None else last
        out = life.leave if life.leave is not None else gone
        parts.append(f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(life.pod)}</text>')
        spans = [("starts", life.begin, life.serve if life.serve is not None else gone)]
        if life.serve is not None:
            spans += [("serves", life.serve, out), ("leaves", out, gone)]
        for name, since, until in spans:
            width = round(max(x(until) - x(since), 0), 1)
            parts.append(
                f'<rect x="{x(since)}" y="{y + 2}" width="{width}" height="{ROW - 4}" fill="{COLOURS[name]}"/>'
            )
    parts += _steps(serving(pods), x, bottom, last)
    height = bottom + STEPS_HEIGHT + 26
    for number, (name, colour) in enumerate(COLOURS.items()):
        at = LEFT + 110 * number
        parts.append(f'<rect x="{at}" y="{height - 18}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{at + 17}" y="{height - 8}">{name}</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{height - 8}" text-anchor="end">{last - first - 1:.0f} s in all</text>')
    box = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
    head = f'<svg {box} font-family="sans-serif" font-size="11">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>', *parts, "</svg>", ""])


def _steps(steps: Sequence[tuple[float, int]], x: Any, top: int, last: float) -> list[str]:
    """The line of how many take connections, with its lowest and highest number once it has begun."""
    if not steps:
        return []
    most = max(number for _at, number in steps)
    unit = (STEPS_HEIGHT - 20) / most
    base = top + STEPS_HEIGHT - 4
    path = f"M{x(steps[0][0])} {base}" + "".join(
        f"V{round(base - n * unit, 1)}H{x(at)}" for at, n in _held(steps, last)
    )
    return [
        f'<path d="{path}" fill="none" stroke="#222"/>',
        f'<text x="{LEFT - 8}" y="{base}" text-anchor="end">{most} serve at most</text>',
    ]


def _held(steps: Sequence[tuple[float, int]], last: float) -> list[tuple[float, int]]:
    """Each number with the moment until which it holds."""
    until = [*(at for at, _number in steps[1:]), last]
    return [(end, number) for end, (_at, number) in zip(until, steps, strict=True)]


def main() -> int:
    parser = argparse.ArgumentParser(description="Draw a rollout from the agent's events.")
    parser.add_argument("--workload", default="web", help="the Deployment, and its Service")
    options = parser.parse_args()
    events = [json.loads(line) for line in sys.stdin if line.strip()]
    sys.stdout.write(picture(lives(events, options.workload), f"Deployment {options.workload}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
