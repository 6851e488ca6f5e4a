# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in the namespaces of a user's Podman, which has its own user namespace and mounts.

Only there a user may mount, and touch what belongs to the subordinate ids that its containers run as.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
from collections.abc import Iterator
from typing import Callable, NoReturn

from ..._errors import HostError
from ..kernel import processes
from ..kernel.netns import CLONE_NEWUSER, set_namespace
from .program import podman_program, service_environment, user_runtime_directory

CLONE_NEWNS = 0x20000
_NAMESPACES = (("user", CLONE_NEWUSER), ("mnt", CLONE_NEWNS))


def run_in_podmans_namespaces(work: Callable[[], object]) -> object:
    """Do ``work`` as root of the namespaces that Podman has its mounts in: for root that is here, else in a child.

    Returns what it does, which JSON can tell. What it raises of HostError and OSError is raised; what else it leaves
    behind in memory is lost.
    """
    if os.geteuid() == 0:
        return work()
    with _process_in_them() as pid:
        flags = os.O_RDONLY | os.O_CLOEXEC
        namespaces = [(os.open(f"/proc/{pid}/ns/{name}", flags), kind) for name, kind in _NAMESPACES]
        answer, question = os.pipe()
        # Only a process without threads may enter a user namespace.
        child = os.fork()
        if child == 0:
            _work_and_end(work, namespaces, question)
        os.close(question)
        for namespace, _kind in namespaces:
            os.close(namespace)
        told = _hear(answer, child)
    if "message" in told:
        raise HostError(str(told["message"]))
    if told["errno"]:
        raise OSError(told["errno"], told["text"])
    return told["value"]


@contextlib.contextmanager
def _process_in_them() -> Iterator[int]:
    """Yield the id of a process in these namespaces; it ends with the context."""
    command = [podman_program(), "unshare", "sh", "-c", "echo $$; read -r line"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=service_environment()
    ) as process:
        try:
            if process.stdout is None or process.stderr is None:
                raise HostError("podman unshare has no output")
            line = process.stdout.readline()
            if not line.strip().isdigit():
                words = process.stderr.read(2000).decode(errors="replace").strip()
                raise HostError(f"the namespaces of this user's Podman cannot be entered (podman unshare): {words}")
            yield int(line)
        finally:
            # At the end of its input it ends.
            process.communicate()


def _work_and_end(work: Callable[[], object], namespaces: list[tuple[int, int]], question: int) -> NoReturn:
    told: dict[str, object] = {"errno": 0}
    try:
        for namespace, kind in namespaces:
            set_namespace(namespace, kind)
        told["value"] = work()
    except HostError as error:
        told = {"message": str(error)}
    except OSError as error:
        told = {"errno": error.errno or errno.EIO, "text": str(error)}
    except BaseException as error:
        told = {"message": f"{type(error).__name__}: {error}"}
    finally:
        os.write(question, json.dumps(told).encode())
        os._exit(0)


def _hear(answer: int, child: int) -> dict[str, object]:
    with processes.reaped(child), open(answer, "rb") as pipe:
        heard = pipe.read()
    told: dict[str, object] = json.loads(heard or b'{"message": "the process in the namespaces of Podman was killed"}')
    return told


def mounting_process() -> str:
    """The process, as a name in /proc, whose mounts are those that Podman has; empty where that is not known.

    It starts nothing: a user's Podman without namespaces has no mounts yet.
    """
    if os.geteuid() == 0:
        return "self"
    with contextlib.suppress(OSError, ValueError), open(f"{user_runtime_directory()}/libpod/tmp/pause.pid") as file:
        return str(int(file.read()))
    return ""
