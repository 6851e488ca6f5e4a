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
    addresses: dict[str, str] = {}
    with host.api() as api, ThreadPoolExecutor(8) as workers:
        while not is_over.is_set():
            found = [pod for pod in api.get("/pods/json").json() or [] if pod["InfraId"]]
            for pod in found:
                if not addresses.get(pod["Id"]):
                    addresses[pod["Id"]] = _address(api, pod["InfraId"])
            known = [address for address in (addresses[pod["Id"]] for pod in found) if address]
            answers = list(workers.map(lambda address: _answers(f"http://{address}:{port}/"), known))
            served.answering.append(sum(answers))
            served.there.append(len(found))


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
