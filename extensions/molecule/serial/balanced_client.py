# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a service on several hosts, as clients behind a load balancer do, for as long as a command runs.

The balancer knows of each host what it learns by asking for its health; a request goes to the hosts in turn that are
Ready by then. The report is JSON: the command's exit status and output, how many requests there were and which failed,
and by host the requests by the version that answered, and how often the balancer took it out. Ends with 0, however the
command ended; with 1 if the hosts are not all Ready before and after it.
"""

from __future__ import annotations

import argparse
import collections
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

REQUEST_INTERVAL_SECONDS = 0.1
REQUEST_TIMEOUT_SECONDS = 10
HEALTH_INTERVAL_SECONDS = 0.25
HEALTH_TIMEOUT_SECONDS = 2
READY_TIMEOUT_SECONDS = 60
SETTLING_SECONDS = 2
"""How long it is asked on once the command has ended and all hosts are Ready."""


class Host:
    """One of the hosts behind the balancer, watched until ``end`` is set."""

    def __init__(self, name: str, url: str, end: threading.Event) -> None:
        self.name = name
        self.is_ready = False
        self.times_taken_out = 0
        self.answers: collections.Counter[str] = collections.Counter()
        self._url = url
        self._end = end

    def watch(self) -> None:
        while not self._end.wait(HEALTH_INTERVAL_SECONDS):
            is_healthy = self._is_healthy()
            self.times_taken_out += self.is_ready and not is_healthy
            self.is_ready = is_healthy

    def request(self) -> None:
        """One request of a client; OSError when it fails."""
        with urllib.request.urlopen(self._url, timeout=REQUEST_TIMEOUT_SECONDS) as answer:
            self.answers[answer.read().decode().strip()] += 1

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._url}/healthz", timeout=HEALTH_TIMEOUT_SECONDS):
                return True
        except OSError:
            return False


class Clients:
    """Requests at a steady pace, each in a thread of its own, so that a slow answer holds no other request up."""

    def __init__(self, hosts: Iterable[Host], end: threading.Event) -> None:
        self.hosts = list(hosts)
        self.requests = 0
        self.failures: list[str] = []
        self._end = end

    def ask(self) -> None:
        threads = []
        while not self._end.wait(REQUEST_INTERVAL_SECONDS):
            self.requests += 1
            threads.append(threading.Thread(target=self._ask_next, args=(self.requests,)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _ask_next(self, number: int) -> None:
        ready = [host for host in self.hosts if host.is_ready]
        if not ready:
            self.failures.append(f"{time.time():.2f}: no host is Ready")
            return
        host = ready[number % len(ready)]
        try:
            host.request()
        except OSError as error:
            self.failures.append(f"{time.time():.2f}: {host.name}: {error}")


def await_ready(hosts: Iterable[Host]) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_SECONDS
    while waiting := [host.name for host in hosts if not host.is_ready]:
        if time.monotonic() > deadline:
            raise SystemExit(f"not Ready within {READY_TIMEOUT_SECONDS} s: {', '.join(waiting)}")
        time.sleep(HEALTH_INTERVAL_SECONDS)


def ask_while_running(command: list[str], urls: dict[str, str]) -> dict[str, Any]:
    """Run the command amid requests; the report."""
    end = threading.Event()
    hosts = [Host(name, url, end) for name, url in urls.items()]
    clients = Clients(hosts, end)
    threads = [threading.Thread(target=work) for work in (*(host.watch for host in hosts), clients.ask)]
    for thread in threads[:-1]:
        thread.start()
    try:
        await_ready(hosts)
        threads[-1].start()
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        await_ready(hosts)
        time.sleep(SETTLING_SECONDS)
    finally:
        end.set()
        for thread in threads:
            if thread.ident:
                thread.join()
    return {
        "exit_status": done.returncode,
        "output": done.stdout,
        "requests": clients.requests,
        "failures": clients.failures,
        "hosts": {
            host.name: {"answers": dict(host.answers), "times_taken_out": host.times_taken_out} for host in hosts
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", type=Path, required=True, help="the file to write")
    parser.add_argument("--hosts", type=json.loads, required=True, help="the service's address by host, as JSON")
    parser.add_argument("command", nargs="+", help="what to run meanwhile, after --")
    asked = parser.parse_args()
    asked.report.write_text(json.dumps(ask_while_running(asked.command, asked.hosts), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
