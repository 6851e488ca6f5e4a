# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many pods serve while a rollout goes on, asked of the pods themselves, without pause."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
from podman_host import PodmanHost


@dataclass
class Served:
    """What was seen: at each look the pods that answered, and the pods that there were."""

    answering: list[int] = field(default_factory=list)
    there: list[int] = field(default_factory=list)


@contextlib.contextmanager
def watched(host: PodmanHost, port: int) -> Iterator[Served]:
    """Ask each pod over HTTP at its own address, again and again, until the block ends; any answer counts."""
    served, is_over = Served(), threading.Event()
    watcher = threading.Thread(target=_watch, args=(host, port, served, is_over), daemon=True)
    watcher.start()
    try:
        yield served
    finally:
        is_over.set()
        watcher.join(60)


def _watch(host: PodmanHost, port: int, served: Served, is_over: threading.Event) -> None:
    """Each look asks twice, and the better count is taken: pods come and go while they are asked one after another."""
    with host.api() as api, ThreadPoolExecutor(8) as workers:
        addresses: dict[str, str] = {}
        before = _ask(api, workers, port, addresses)
        while not is_over.is_set():
            now = _ask(api, workers, port, addresses)
            served.answering.append(max(before[0], now[0]))
            served.there.append(now[1])
            before = now


def _ask(api: Any, workers: ThreadPoolExecutor, port: int, addresses: dict[str, str]) -> tuple[int, int]:
    """How many pods answer, and how many there are."""
    found = [pod for pod in api.get("/pods/json").json() or [] if pod["InfraId"]]
    for pod in found:
        if not addresses.get(pod["Id"]):
            addresses[pod["Id"]] = _address(api, pod["InfraId"])
    known = [address for address in (addresses[pod["Id"]] for pod in found) if address]
    answers = workers.map(lambda address: _answers(f"http://{address}:{port}/"), known)
    return sum(answers), len(found)


def _address(api: Any, infra: str) -> str:
    response = api.get(f"/containers/{infra}/json")
    networks = response.json()["NetworkSettings"]["Networks"] if response.ok else {}
    return next((network["IPAddress"] for network in networks.values() if network.get("IPAddress")), "")


def _answers(url: str) -> bool:
    try:
        requests.get(url, timeout=5)
    except requests.RequestException:
        return False
    return True
