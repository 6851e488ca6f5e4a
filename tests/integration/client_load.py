# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that ask a Service without pause, half of them by connections that they keep, and what came of it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_CLIENTS = 6
_PATIENCE_SECONDS = 20


@dataclass
class Answers:
    """How often each text was answered, and what went wrong otherwise. A request is tried once."""

    texts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.texts.total()

    def seen_since(self, before: Counter[str]) -> set[str]:
        """The texts that were answered since then."""
        return {*(self.texts - before)}


class NamedConnection(http.client.HTTPConnection):
    """A connection to this host by one of its names, with TLS where there is a context."""

    def __init__(self, host: str, port: int, timeout: float = _PATIENCE_SECONDS, context: ssl.SSLContext | None = None):
        super().__init__(host, port, timeout)
        self._context = context

    def connect(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        if self._context:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)


@contextlib.contextmanager
def load(
    host: str,
    port: int,
    path: str = "/hostname",
    pause_seconds: float = 0.02,
    connect: Callable[..., http.client.HTTPConnection] = http.client.HTTPConnection,
) -> Iterator[Answers]:
    """Ask until the block ends."""
    answers, is_over = Answers(), threading.Event()

    def ask(is_kept: bool) -> None:
        connection = None
        while not is_over.wait(pause_seconds):
            try:
                connection = connection or connect(host, port, timeout=_PATIENCE_SECONDS)
                connection.request("GET", path)
                response = connection.getresponse()
                text = response.read().decode(errors="replace").strip()
                if response.status == 200:
                    answers.texts[text] += 1
                else:
                    answers.failures.append(f"{response.status} {text[:60]}")
            except (OSError, http.client.HTTPException) as error:
                answers.failures.append(f"{type(error).__name__}: {error} (kept: {is_kept})")
                is_broken = True
            else:
                is_broken = False
            if connection and (is_broken or not is_kept):
                connection.close()
                connection = None

    threads = [threading.Thread(target=ask, args=(number % 2 == 0,), daemon=True) for number in range(_CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        is_over.set()
        for thread in threads:
            thread.join(_PATIENCE_SECONDS)
