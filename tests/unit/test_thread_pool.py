# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import queue
import threading
import time

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._agent.thread_pool import ThreadPool


@pytest.fixture
def pool():
    pool = ThreadPool(4, "tested")
    yield pool
    pool.close()


def names_after(pool, number, work):
    """Which threads have run so many pieces of work that were handed in at once."""
    names = queue.SimpleQueue()

    def run():
        work()
        names.put(threading.get_ident())

    for _turn in range(number):
        pool.submit(run)
    return [names.get(timeout=10) for _turn in range(number)]


def test_few_threads_go_on_while_they_keep_up(pool):
    """Beside the one that works there is the one that watches; the two may change places."""
    threads = set()
    for _turn in range(5):
        threads |= set(names_after(pool, 200, lambda: None))
        time.sleep(0.06)
    assert len(threads) <= 2


def test_work_keeps_its_order(pool):
    done = queue.SimpleQueue()
    for number in range(100):
        pool.submit(lambda number=number: done.put(number))
    assert [done.get(timeout=10) for _turn in range(100)] == list(range(100))


def test_others_help_where_work_stands_still(pool):
    gate, done = threading.Event(), queue.SimpleQueue()
    for _turn in range(3):
        pool.submit(lambda: gate.wait(10))
    pool.submit(lambda: done.put("done"))
    assert done.get(timeout=10) == "done"
    gate.set()


def test_no_more_threads_than_it_may_have(pool):
    gate, lock, counts = threading.Event(), threading.Lock(), {"now": 0, "most": 0}

    def stand_still():
        with lock:
            counts["now"] += 1
            counts["most"] = max(counts["most"], counts["now"])
        gate.wait(10)
        with lock:
            counts["now"] -= 1

    for _turn in range(12):
        pool.submit(stand_still)
    deadline = time.monotonic() + 10
    while counts["now"] < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    assert counts == {"now": 4, "most": 4}
    gate.set()
    assert names_after(pool, 3, lambda: None)
    assert counts["most"] == 4


def test_a_thread_that_ends_is_replaced(pool):
    done, hook = queue.SimpleQueue(), threading.excepthook

    def end():
        raise RuntimeError("ends")

    threading.excepthook = lambda arguments: None
    try:
        for _turn in range(9):
            pool.submit(end)
        pool.submit(lambda: done.put("done"))
        assert done.get(timeout=10) == "done"
    finally:
        threading.excepthook = hook


def test_work_that_comes_at_any_moment_is_done(pool):
    """Also at that moment in which the last thread turns idle."""
    for pause in (0, 0.00001, 0.0001, 0.001):
        for _turn in range(200):
            assert names_after(pool, 1, lambda: None)
            time.sleep(pause)


def test_closed_it_runs_nothing_more(pool):
    pool.submit(lambda: None)
    pool.close()
    done = []
    pool.submit(lambda: done.append(1))
    time.sleep(0.1)
    assert not done


def test_without_a_thread_it_waits_for_the_next_work(pool, monkeypatch):
    done = queue.SimpleQueue()

    def fail(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        pool.submit(lambda: done.put("first"))
    pool.submit(lambda: done.put("second"))
    assert [done.get(timeout=10) for _turn in range(2)] == ["first", "second"]
