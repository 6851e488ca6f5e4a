# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy before the pods of Services: an HAProxy of our own, with its configuration, sockets and process.

Its file is written first and its process told afterwards: so one that starts anew has what was told last. Endpoints
and certificates change by its socket, without a reload; listeners and the rules of Ingresses change by a reload, which
hands the sockets over.

It goes on where the agent ends, as containers do. No other HAProxy of the host is touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Callable

from .._errors import HostError
from .._reconcile.ingresses.entrance import Certificate, Entrance
from .._reconcile.operations import Operation
from .._reconcile.services import configuration as text
from .._reconcile.services.configuration import Surroundings, Traffic
from .._reconcile.services.endpoints import (
    AddServer,
    DeleteServer,
    DrainServer,
    ReadyServer,
    plan_endpoints,
    pod_of,
    settled,
)
from .._reconcile.services.fronts import Front
from . import state_files
from .certificates import CertificateFiles
from .kernel import processes
from .podman.container_output import read_end

FOLDER = "proxy"
"""Where in the state directory its files are."""
_START_SECONDS = 10
_ANSWER_SECONDS = 5
_POLL_SECONDS = 0.02
_AGAIN_SECONDS = 10
"""How soon at the earliest listeners are tried again that could not be had."""
_LOG_CHARACTERS = 600
_LOG_BYTES = 16 * 1024
"""How much of the end of the log is read: it grows with each server that goes down."""
_ALERTS = 2
_USER = "haproxy"


def program() -> str:
    """HAProxy on this host; empty where it has none."""
    return shutil.which("haproxy", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin") or ""


class Proxy:
    """The proxy of one state directory. For one thread at a time, save for `sessions` and `traffic`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._file = directory / "haproxy.cfg"
        self._socket = directory / "run.sock"
        self._master = directory / "master.sock"
        self._log = directory / "haproxy.log"
        self._pid_file = directory / "process"
        self._loaded = directory / "loaded"
        """The digest of the listeners that the process has."""
        self._certificates = CertificateFiles(directory / "certificates")
        self._process: subprocess.Popen[bytes] | None = None
        self._refused = ("", 0.0, "")
        """The digest of the listeners that the process could not have last, when (monotonic seconds), and why."""

    @property
    def is_there(self) -> bool:
        """Whether anything was ever set up."""
        return self._file.exists()

    def settle(self, fronts: Sequence[Front], entrance: Entrance | None = None) -> tuple[Operation, ...]:
        """Make the proxy serve exactly these fronts, and the entrance that leads to some of them; without any it ends.

        Returns what was done to endpoints. Raises HostError, and then what it served before is served on.
        """
        self._reap()
        state_files.trim_log(self._log)
        if not fronts:
            self.end()
            return ()
        certificates = entrance.certificates if entrance else ()
        listed = text.frame(fronts, self._around, entrance) + self._certificates.lines(certificates)
        frame = hashlib.sha256(listed.encode()).hexdigest()
        is_running = self.is_running or self._is_adopted()
        if is_running:
            fronts = self._with_known(fronts)
        self._certificates.write(certificates)
        self._write(fronts, entrance)
        if not is_running:
            self._start()
            self._loaded.write_text(frame)
            self._certificates.note_loaded(certificates)
        elif not self._loaded.exists() or self._loaded.read_text() != frame:
            try:
                self._reload(frame)
                self._certificates.note_loaded(certificates)
            finally:
                # The listeners that it could not have are no reason to leave the others as they are.
                done = self._tell(fronts, certificates)
            return done
        done = self._tell(fronts, certificates)
        self._certificates.forget_others(certificates)
        return done

    def _tell(self, fronts: Sequence[Front], certificates: Sequence[Certificate]) -> tuple[Operation, ...]:
        """What the process takes without a reload."""
        done = self._settle_endpoints(fronts)
        self._certificates.tell(certificates, self.ask_worker)
        return done

    def _with_known(self, fronts: Sequence[Front]) -> Sequence[Front]:
        """Servers of which nobody knows yet whether they are ready, as the process has them."""
        if all(server.is_ready is not None for front in fronts for server in front.servers):
            return fronts
        found = text.read_servers_state(self.ask_worker("show servers state"))
        return [settled(front, found.get(front.name, ())) for front in fronts]

    def forget_refusal(self) -> None:
        """Try listeners again at once that could not be had."""
        self._refused = ("", 0.0, "")

    def end(self) -> None:
        """End the process and forget its files. Does nothing where there is none."""
        if not self.is_there:
            return
        self._await(self._has_ended, "does not end")
        self._reap()
        shutil.rmtree(self.directory, ignore_errors=True)

    def traffic(self) -> Mapping[tuple[str, str], Traffic]:
        """What each server has to do, by front and server; nothing where the proxy does not answer."""
        with contextlib.suppress(HostError):
            return text.read_statistics(self.ask_worker("show stat"))
        return {}

    def sessions(self, pod: str) -> int:
        """How many sessions a pod has, those from before a reload among them. Raises HostError."""
        told = [self.ask_worker("show stat", pid) for pid in (0, *self._old_workers())]
        return sum(
            traffic.sessions
            for rows in map(text.read_statistics, told)
            for (_front, server), traffic in rows.items()
            if pod_of(server) == pod
        )

    def ask_worker(self, command: str, pid: int = 0) -> str:
        """The answer of the process that listens or, by its number, of one from before a reload. Raises HostError."""
        return self._ask(self._master, f"@!{pid} {command}") if pid else self._ask(self._socket, command)

    @property
    def is_running(self) -> bool:
        """Whether its process is there, also where it is just about to take its file anew and does not answer."""
        return self._pid() > 0

    # --- endpoints ---------------------------------------------------------------------------------------------------

    def _settle_endpoints(self, fronts: Sequence[Front]) -> tuple[Operation, ...]:
        """Settle them in the process that listens, and in those that still serve what came before a reload."""
        for pid in self._old_workers():
            # It may end at any moment.
            with contextlib.suppress(HostError):
                self._settle_in(fronts, _Worker(self, pid))
        return self._settle_in(fronts, _Worker(self))

    def _settle_in(self, fronts: Sequence[Front], worker: _Worker) -> tuple[Operation, ...]:
        found = text.read_servers_state(worker.ask("show servers state"))
        known = {front for front, _server in text.read_statistics(worker.ask("show stat"))}
        return tuple(
            operation
            for front in fronts
            if front.name in known
            for operation in plan_endpoints(front, found.get(front.name, ()))
            if worker.perform(front, operation)
        )

    def _old_workers(self) -> list[int]:
        told = self._ask(self._master, "show proc").partition("# old workers")[2].partition("# programs")[0]
        return [int(line.split()[0]) for line in told.splitlines() if line[:1].isdigit()]

    # --- the process -------------------------------------------------------------------------------------------------

    @property
    def _around(self) -> Surroundings:
        try:
            pwd.getpwnam(_USER)
            user = _USER if os.geteuid() == 0 else ""
        except KeyError:
            user = ""
        has_ipv6 = os.path.exists("/proc/net/if_inet6")
        return Surroundings(str(self._socket), user, has_ipv6, str(self._certificates.list_file))

    def _write(self, fronts: Sequence[Front], entrance: Entrance | None) -> None:
        wanted = text.configuration(fronts, self._around, entrance).encode()
        if not self._file.exists() or self._file.read_bytes() != wanted:
            state_files.make_directory(self.directory)
            state_files.write(self._file, wanted)

    def _start(self) -> None:
        found = program()
        if not found:
            raise HostError("HAProxy is not on this host, and Services need it: install the package haproxy")
        self._check(found)
        self._log.unlink(missing_ok=True)
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [found, "-W", "-S", str(self._master), "-f", str(self._file)],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._note(self._process.pid)
        self._await(lambda: self._answers or self._process_ended, "does not start")
        if self._process_ended:
            raise HostError(f"the proxy did not start: {self._last_words()}")

    def _note(self, pid: int) -> None:
        state_files.write(self._pid_file, f"{pid} {_start_of(pid)}".encode(), is_lasting=False)

    def _is_adopted(self) -> bool:
        """Whether there is a process that nobody has noted: its agent may have been killed as soon as it had begun it.

        Another one beside it would share its ports, and it would serve for ever what it was told first.
        """
        pid = self._reloads()[0]
        if pid:
            self._note(pid)
        return pid > 0

    def _check(self, found: str) -> None:
        """Raise HostError for a configuration that HAProxy does not take, in its words."""
        done = subprocess.run(
            [found, "-c", "-q", "-f", str(self._file)], capture_output=True, timeout=30, check=False, text=True
        )
        if done.returncode:
            raise HostError(f"HAProxy does not take {self._file}: {done.stderr.strip()[-_LOG_CHARACTERS:]}")

    def _reload(self, frame: str) -> None:
        """Have the process take its file anew. What it could not have is not tried again at once: it costs a pause."""
        refused, refused_at, error = self._refused
        if refused == frame and time.monotonic() < refused_at + _AGAIN_SECONDS:
            raise HostError(error)
        try:
            self._try_to_reload()
        except HostError as problem:
            self._refused = frame, time.monotonic(), str(problem)
            raise
        self._loaded.write_text(frame)

    def _try_to_reload(self) -> None:
        self._check(program())
        before = self._reloads()
        self._ask(self._master, "reload")
        self._await(lambda: self._reloads() not in (before, (0, 0, 0)) and self._answers, "does not reload")
        if self._reloads()[2] > before[2]:
            raise HostError(f"the proxy could not take other ports, and goes on as before: {self._last_words()}")

    def _reloads(self) -> tuple[int, int, int]:
        """The process, how often it has loaded its file anew, and how often in a row it could not."""
        with contextlib.suppress(HostError):
            match = re.search(
                r"^(\d+)\s+master\s+(\d+) \[failed: (\d+)\]", self._ask(self._master, "show proc"), re.MULTILINE
            )
            if match:
                return int(match[1]), int(match[2]), int(match[3])
        return 0, 0, 0

    def _pid(self) -> int:
        """The process, by what was written down when it was started; 0 for none. It keeps its number at a reload."""
        try:
            pid, started = self._pid_file.read_text().split()
            return int(pid) if started == _start_of(int(pid)) else 0
        except (OSError, ValueError):
            return 0

    def _has_ended(self) -> bool:
        """Whether there is no process; one that there is gets told to end, again and again: a reload may lose that."""
        self._reap()
        pid = self._pid()
        with contextlib.suppress(ProcessLookupError):
            if pid:
                os.kill(pid, signal.SIGTERM)
        return not pid

    @property
    def _answers(self) -> bool:
        with contextlib.suppress(HostError):
            return bool(self._ask(self._socket, "show version").strip())
        return False

    @property
    def _process_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _reap(self) -> None:
        if self._process_ended:
            self._process = None

    def _last_words(self) -> str:
        """The latest alerts, or what else was said last."""
        said = (read_end(self._log, _LOG_BYTES) or b"").decode(errors="replace").strip().splitlines()
        alerts = [line.partition(") : ")[2] for line in said if line.startswith("[ALERT]")]
        return " ".join(alerts[-_ALERTS:] or said[-_ALERTS:])[-_LOG_CHARACTERS:] or "it said nothing"

    def _await(self, is_so: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not is_so():
            if time.monotonic() > deadline:
                raise HostError(f"the proxy {what}: {self._last_words()}")
            time.sleep(_POLL_SECONDS)

    def _ask(self, path: Path, command: str) -> str:
        """The answer to a command. Raises HostError where there is none; one that loads its file anew is waited for."""
        deadline = time.monotonic() + _ANSWER_SECONDS
        while True:
            try:
                return _ask_once(path, command)
            except OSError as error:
                is_away = isinstance(error, (ConnectionRefusedError, FileNotFoundError)) and self.is_running
                if not is_away or time.monotonic() > deadline:
                    raise HostError(f"the proxy does not answer at {path}: {error}") from error
            time.sleep(_POLL_SECONDS)


class _Worker:
    """A process of the proxy that serves: the one that listens or, by its number, one from before a reload."""

    def __init__(self, proxy: Proxy, pid: int = 0) -> None:
        self._proxy = proxy
        self._pid = pid

    def ask(self, command: str) -> str:
        return self._proxy.ask_worker(command, self._pid)

    def perform(self, front: Front, operation: Operation) -> bool:
        """Whether it could be done. Only the removal of a server that still has sessions cannot."""
        if isinstance(operation, AddServer):
            server = next(one for one in front.servers if one.name == operation.server)
            self._tell(f"add server {front.name}/{text.words(server)}", "registered")
            self._tell(f"enable health {front.name}/{server.name}")
        elif isinstance(operation, ReadyServer):
            self._tell(f"set server {front.name}/{operation.server} state ready")
        elif isinstance(operation, DrainServer):
            # A client that stays with a server would come to one that only drains.
            state = "maint" if front.affinity_seconds else "drain"
            self._tell(f"set server {front.name}/{operation.server} state {state}")
        elif isinstance(operation, DeleteServer):
            self._tell(f"set server {front.name}/{operation.server} state maint")
            return "deleted" in self.ask(f"del server {front.name}/{operation.server}")
        return True

    def _tell(self, command: str, answer: str = "") -> None:
        told = self.ask(command).strip()
        if answer not in told or (told and not answer):
            raise HostError(f"the proxy refused {command.partition(' check')[0]!r}: {told or 'without a word'}")


def _ask_once(path: Path, command: str) -> str:
    with socket.socket(socket.AF_UNIX) as asked:
        asked.settimeout(_ANSWER_SECONDS)
        asked.connect(str(path))
        asked.sendall(f"{command}\n".encode())
        asked.shutdown(socket.SHUT_WR)
        parts = []
        while part := asked.recv(65536):
            parts.append(part)
    return b"".join(parts).decode(errors="replace")


def _start_of(pid: int) -> str:
    """When a process began: with its number it is no other. Empty where it is gone."""
    found = processes.find(pid)
    return f"{found.started_at:.2f}" if found else ""
