# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets made in the network namespace of a pod: a socket keeps the namespace it was made in, whoever uses it.

So a pod's ports are reached at its own address, with nothing installed in its images and no port published.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

from ..._errors import HostError
from . import processes

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
NS_GET_USERNS = 0xB701
CHILD_TIMEOUT_SECONDS = 5
_GET_ADDRESS = 0x8915

MENDS = {
    errno.ENOENT: "the process has ended, and the pod's infra container with it: start the pod again",
    errno.ESRCH: "the process has ended, and the pod's infra container with it: start the pod again",
    errno.EACCES: "run as root, or as the user whose Podman runs the pod",
    errno.EPERM: "run as root (where that is root of a container, one with CAP_SYS_ADMIN), or as the user whose Podman"
    " runs the pod",
    errno.EMFILE: "raise this process's limit of open files (ulimit -n)",
}

_libc = ctypes.CDLL(None, use_errno=True)


def open_socket(pid: int | None, family: int, kind: int) -> socket.socket:
    """Return a new socket of the network namespace that process ``pid`` is in; of this process's own for None.

    Root enters the namespace itself; another user enters it by way of the user namespace that owns it, as that of
    rootless Podman. No thread leaves its namespaces for it but one that asked to (`travel_by_this_thread`). Raises
    HostError where that cannot be done.
    """
    try:
        if pid is None:
            return socket.socket(family, kind)
        return _open_in_namespace_of(pid, family, kind)
    except OSError as error:
        place = "on this host" if pid is None else f"in the network namespace of process {pid}"
        mend = MENDS.get(error.errno or 0)
        text = f"cannot open a socket {place}: {error.strerror or error}"
        raise HostError(f"{text}: {mend}" if mend else text) from error


def _open_in_namespace_of(pid: int, family: int, kind: int) -> socket.socket:
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.path.samestat(os.fstat(namespace), os.stat("/proc/self/ns/net")):
            return socket.socket(family, kind)
        if os.geteuid() != 0:
            return _open_in_child(namespace, family, kind)
        if getattr(_travelling, "is_this_thread", False):
            return _open_by_this_thread(namespace, family, kind)
        return _traveller.open(namespace, family, kind)
    finally:
        os.close(namespace)


def address_of(pid: int, interface: str) -> str:
    """The IPv4 address of an interface in the network namespace that process ``pid`` is in; empty where it has none.

    Source: netdevice(7). Raises HostError where the namespace cannot be entered.
    """
    with open_socket(pid, socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            answer = fcntl.ioctl(asking, _GET_ADDRESS, struct.pack("256s", interface.encode()))
        except OSError:
            return ""
    return socket.inet_ntoa(answer[20:24])


class ThreadLost(BaseException):
    """The calling thread cannot leave the namespace that it entered, and has to end."""


_travelling = threading.local()


def travel_by_this_thread() -> None:
    """Let the calling thread itself go into namespaces from here on, which is faster; it must end at `ThreadLost`."""
    _travelling.is_this_thread = True


def _open_by_this_thread(namespace: int, family: int, kind: int) -> socket.socket:
    opened, has_returned = _visit(namespace, family, kind)
    if not has_returned:
        raise ThreadLost("the thread cannot leave the network namespace it has entered")
    if isinstance(opened, OSError):
        raise opened
    return opened


class _Traveller:
    """A thread that enters namespaces and comes back. If it cannot come back, another thread replaces it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: ThreadPoolExecutor | None = None

    def open(self, namespace: int, family: int, kind: int) -> socket.socket:
        with self._lock:
            self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="netns")
            opened, has_returned = self._thread.submit(_visit, namespace, family, kind).result()
            if not has_returned:
                self._thread = None
        if isinstance(opened, OSError):
            raise opened
        return opened


_traveller = _Traveller()


def _visit(namespace: int, family: int, kind: int) -> tuple[socket.socket | OSError, bool]:
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    opened: socket.socket | OSError
    try:
        opened = _enter_and_open(namespace, family, kind)
    except OSError as error:
        opened = error
    try:
        set_namespace(home, CLONE_NEWNET)
    except OSError:
        return opened, False
    finally:
        os.close(home)
    return opened, True


def _enter_and_open(namespace: int, family: int, kind: int) -> socket.socket:
    set_namespace(namespace, CLONE_NEWNET)
    return socket.socket(family, kind)


def _open_in_child(namespace: int, family: int, kind: int) -> socket.socket:
    """Open the socket in a child process: only one without threads may enter a user namespace."""
    owner = fcntl.ioctl(namespace, NS_GET_USERNS)
    try:
        here, there = socket.socketpair()
        with here, there:
            here.settimeout(CHILD_TIMEOUT_SECONDS)
            child = os.fork()
            if child == 0:
                _send_socket(there, owner, namespace, family, kind)
            there.close()
            return _receive_socket(here, child)
    finally:
        os.close(owner)


def _send_socket(channel: socket.socket, owner: int, namespace: int, family: int, kind: int) -> NoReturn:
    """Send the socket, or the number of the error, and end this process."""
    try:
        set_namespace(owner, CLONE_NEWUSER)
        opened = _enter_and_open(namespace, family, kind)
        socket.send_fds(channel, [b"0"], [opened.fileno()])
    except OSError as error:
        channel.send(b"%d" % (error.errno or errno.EIO))
    finally:
        os._exit(0)


def _receive_socket(channel: socket.socket, child: int) -> socket.socket:
    with processes.reaped(child):
        message, descriptors, _flags, _address = socket.recv_fds(channel, 16, 1, socket.MSG_CMSG_CLOEXEC)
    if not descriptors:
        number = int(message or errno.EIO)
        raise OSError(number, os.strerror(number))
    return socket.socket(fileno=descriptors[0])


def set_namespace(namespace: int, kind: int) -> None:
    if _libc.setns(namespace, kind) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
