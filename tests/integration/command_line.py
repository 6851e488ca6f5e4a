# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`podwright` as a program, for tests: in a shell, in a pipe, and in terminals of any width."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator

from agent_process import AgentProcess
from pod_runs import PATIENCE_SECONDS

from ansible_collections.podwright.pods.plugins import module_utils
from playbooks import REPOSITORY


class CommandLine:
    """The command, with the agent's socket where it looks for it by itself."""

    def __init__(self, agent: AgentProcess) -> None:
        self.program = [sys.executable, "-m", "podwright_cli"]
        self.environment = {
            **agent.host.environment_without_service,
            "PYTHONPATH": f"{REPOSITORY / 'roles' / 'agent' / 'files'}:{REPOSITORY / 'collections'}",
            "PODWRIGHT_PACKAGE": module_utils.__name__,
            "TERM": "xterm-256color",
        }
        self.environment.pop("NO_COLOR", None)
        self.environment.pop("COLUMNS", None)

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.program, *arguments],
            env={**self.environment, **environment},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    def shows(self, *arguments: str, **more: str) -> str:
        """What a call prints that goes well."""
        done = self.run(*arguments, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fails(self, *arguments: str, code: int = 1, **more: str) -> str:
        """What a call says that goes wrong; nothing of it is on standard output."""
        done = self.run(*arguments, **more)
        assert done.returncode == code, (done.stdout, done.stderr)
        assert done.stdout == ""
        return done.stderr

    def table(self, *arguments: str) -> list[dict[str, str]]:
        """The rows of a table, by header; columns are three blanks apart."""
        header, *lines = self.shows(*arguments).splitlines()
        starts = [found.start() for found in re.finditer(r"(?<=\s\s)\S|^\S", header)]
        ends = [*starts[1:], None]
        places = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
        return [{header[place].strip(): line[place].strip() for place in places} for line in lines]

    @contextlib.contextmanager
    def following(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A call that goes on, ended as a person ends it."""
        process = subprocess.Popen(
            [*self.program, *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            yield process
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_SECONDS) == 130
            assert process.stderr is not None
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()
            process.communicate()

    def on_terminal(self, columns: int, *arguments: str, answer: str = "", **environment: str) -> tuple[str, int]:
        """What a terminal of that width is sent, and the exit code."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        process = subprocess.Popen(
            [*self.program, *arguments],
            env={**self.environment, **environment},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        if answer:
            os.write(master, answer.encode())
        sent = b""
        # Linux' way to say that nobody has the terminal open any more.
        with contextlib.suppress(OSError):
            while more := os.read(master, 65536):
                sent += more
        os.close(master)
        return sent.decode().replace("\r\n", "\n"), process.wait(30)
