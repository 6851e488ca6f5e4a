"""`processes` against processes of the test's own: what lives, what has ended, and who watches whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._host.kernel import processes

CONTAINER = "c0ffee" * 10
# A parent with the container's id among its arguments, as a monitor has it, and its child.
MONITOR = (
    f"import subprocess, sys; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); p.wait() # {CONTAINER}"
)


@pytest.fixture
def pair() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A monitor and the process that it watches."""
    monitor = subprocess.Popen([sys.executable, "-c", MONITOR], stdout=subprocess.PIPE)
    assert monitor.stdout is not None
    child = int(monitor.stdout.readline())
    try:
        yield monitor, child
    finally:
        monitor.kill()
        monitor.wait()
        monitor.stdout.close()
        if Path(f"/proc/{child}").exists():
            os.kill(child, signal.SIGKILL)


def await_end(pid: int) -> None:
    deadline = time.monotonic() + 60
    while processes.find(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_that_is_watched(pair: tuple[subprocess.Popen[bytes], int]) -> None:
    monitor, child = pair
    found = processes.find(child)
    assert found is not None
    assert found.parent == monitor.pid
    assert found.age_seconds is not None
    assert 0 <= found.age_seconds < 3600
    assert found == processes.find(child)
    assert processes.is_monitor(monitor.pid, CONTAINER)
    assert processes.is_watched(child, CONTAINER)
    # Another container's process has another monitor.
    assert not processes.is_watched(child, "decade" * 10)
    assert not processes.is_watched(os.getpid(), CONTAINER)


def test_a_monitor_that_is_gone(pair: tuple[subprocess.Popen[bytes], int]) -> None:
    monitor, child = pair
    monitor.kill()
    # Until it is waited for it is a zombie, which watches nothing.
    await_end(monitor.pid)
    assert processes.find(child)
    assert not processes.is_watched(child, CONTAINER)
    monitor.wait()
    assert not processes.is_monitor(monitor.pid, CONTAINER)


def test_a_process_that_has_ended_and_is_not_waited_for() -> None:
    child = subprocess.Popen(["true"])
    await_end(child.pid)
    assert Path(f"/proc/{child.pid}").exists()
    child.wait()
    assert processes.find(child.pid) is None


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1])
def test_no_process(pid: int) -> None:
    assert processes.find(pid) is None
    assert not processes.is_monitor(pid, CONTAINER)


def test_a_name_with_blanks_and_parentheses(tmp_path: Path) -> None:
    program = tmp_path / "a) R (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([str(program), "600"]) as child:
        try:
            found = processes.find(child.pid)
            assert found is not None
            assert found.parent == os.getpid()
        finally:
            child.kill()
