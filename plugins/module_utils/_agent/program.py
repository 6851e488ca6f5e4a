# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program podwrightd: its command line, and how the agent is started and stopped where no systemd does it."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Callable, NoReturn

from .._errors import HostError, PodwrightError
from .._host.store import Store
from .._runs import kinds
from . import client as agent_client
from .agent import INGRESS_PORTS, TERMINATED_PODS, Agent
from .systemd import host_goes_down

_USAGE = f"""usage: podwrightd run | start | restart [OPTION]...
       podwrightd stop [--pods]
       podwrightd status

  run      keep the pods of this user until SIGTERM; SIGUSR1 ends the pods as well
  start    the same in the background, where there is no systemd to do it; anew where it runs with other options
  stop     end the agent; its pods go on, unless --pods ends them with their hooks
  restart  stop and start
  status   say whether it runs

  --terminated-pods=N       how many pods that have ended are kept, of more the oldest are removed; {TERMINATED_PODS}
                            unless given, 0 for all
  --ingress-http-port=N     where Ingresses are served; {INGRESS_PORTS[0]} unless given
  --ingress-https-port=N    and those with certificates; {INGRESS_PORTS[1]} unless given
"""
_ARENA_MAX, _ARENAS = -8, 2
_START_SECONDS = 30
_STOP_SECONDS = 3600


@dataclass(frozen=True)
class Options:
    """What an agent is started with."""

    terminated_pods: int = TERMINATED_PODS
    ingress_http_port: int = INGRESS_PORTS[0]
    ingress_https_port: int = INGRESS_PORTS[1]

    def words(self) -> list[str]:
        """The options as words of a command line."""
        return [f"--{name.replace('_', '-')}={number}" for name, number in vars(self).items()]


_BOUNDS = {"terminated_pods": (0, 999_999_999), "ingress_http_port": (1, 65535), "ingress_https_port": (1, 65535)}


def main(arguments: Sequence[str] | None = None) -> int:
    """The agent as a program, with its own arguments unless others are given; returns its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    command, words = (arguments[0] if arguments else ""), list(arguments[1:])
    options = _read_options(words)
    commands: Mapping[str, Callable[[], int]] = {
        "run": lambda: _run(options or Options()),
        "start": lambda: _start(options or Options()),
        "stop": lambda: _stop("--pods" in words),
        "restart": lambda: _stop(False) or _start(options or Options()),
        "status": _status,
    }
    allowed = {"stop": [["--pods"]], "status": []}.get(command, [words] if options else [])
    if command not in commands or words not in ([], *allowed):
        sys.stderr.write(_USAGE)
        return 2
    try:
        return commands[command]()
    except PodwrightError as error:
        sys.stderr.write(f"podwrightd: {error}\n")
        return 1


def _read_options(words: Sequence[str]) -> Options | None:
    """The options in these words; None where these are malformed."""
    found: dict[str, int] = {}
    for word in words:
        name, _equals, number = word.removeprefix("--").replace("-", "_").partition("=")
        first, last = _BOUNDS.get(name, (1, 0))
        is_number = re.fullmatch("[0-9]{1,9}", number) is not None
        if not word.startswith("--") or name in found or not is_number or not first <= int(number) <= last:
            return None
        found[name] = int(number)
    options = replace(Options(), **found)
    return options if options.ingress_http_port != options.ingress_https_port else None


def _run(options: Options) -> NoReturn:
    take_open_files()
    share_arenas()
    kinds.load()
    ports = options.ingress_http_port, options.ingress_https_port
    agent = Agent(terminated_pods=options.terminated_pods, ingress_ports=ports)
    signal.signal(signal.SIGTERM, lambda number, frame: agent.end(host_goes_down()))
    signal.signal(signal.SIGINT, lambda number, frame: agent.end())
    signal.signal(signal.SIGUSR1, lambda number, frame: agent.end(is_to_stop_pods=True))
    agent.run()
    # Python would wait for threads of runs that wait for a pod.
    os._exit(0)


def take_open_files() -> None:
    """Raise the limit of open files as far as this host allows, since each pod takes some. Podman does the same."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def share_arenas() -> None:
    """Have all threads allocate from a few arenas. glibc would give nearly each its own, and keep what is free in it.

    Source: mallopt(3). Other C libraries have no such call and no such arenas.
    """
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)


def _start(options: Options) -> int:
    """Start the agent detached from this process; returns once it answers."""
    if running_agent(Store()):
        health = agent_client.AgentClient().get("/health")
        ports = [options.ingress_http_port, options.ingress_https_port]
        if (health.get("terminated_pods"), health.get("ingress_ports")) == (options.terminated_pods, ports):
            sys.stdout.write("podwrightd runs already\n")
            return 0
        _stop(False)
    store = Store()
    store.ensure()
    with open(store.directory / "agent.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, sys.argv[0], "run", *options.words()],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_SECONDS
    while not agent_client.is_there():
        if process.poll() is not None or time.monotonic() > deadline:
            words = (store.directory / "agent.log").read_text(errors="replace").strip()[-2000:]
            raise HostError(f"the agent did not start: {words or 'it said nothing'}")
        time.sleep(0.05)
    sys.stdout.write(f"podwrightd started (process {process.pid})\n")
    return 0


def _stop(is_to_stop_pods: bool) -> int:
    pid = running_agent(Store())
    if not pid:
        sys.stdout.write("podwrightd does not run\n")
        return 0
    os.kill(pid, signal.SIGUSR1 if is_to_stop_pods else signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while running_agent(Store()) == pid:
        if time.monotonic() > deadline:
            raise HostError(f"the agent (process {pid}) does not end")
        time.sleep(0.05)
    sys.stdout.write("podwrightd stopped\n")
    return 0


def _status() -> int:
    pid = running_agent(Store())
    sys.stdout.write(f"podwrightd runs (process {pid})\n" if pid else "podwrightd does not run\n")
    return 0 if pid else 3


def running_agent(store: Store) -> int:
    """The process of the agent that keeps a state directory, 0 for none."""
    try:
        with open(store.directory / "agent.lock") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read() or 0)
    except OSError:
        pass
    return 0
