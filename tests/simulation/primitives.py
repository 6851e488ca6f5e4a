# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of ``threading``, ``queue`` and ``concurrent.futures`` that the collection uses, over the scheduler."""

from __future__ import annotations

import collections
import queue
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace, TracebackType
from typing import Any

from .scheduler import Killed, Scheduler


class Lock:
    """``threading.Lock``: whoever has it, anyone may release it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._is_held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        self._scheduler.raise_if_dead()
        if self._is_held and not blocking:
            return False
        while self._is_held:
            if not self._scheduler.wait(lambda: not self._is_held, None if timeout < 0 else timeout):
                return False
        self._is_held = True
        return True

    def release(self) -> None:
        self._is_held = False

    def locked(self) -> bool:
        return self._is_held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


class RLock:
    """``threading.RLock``."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._owner: object = None
        self._depth = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        self._scheduler.raise_if_dead()
        me = self._scheduler.current
        while self._owner not in (None, me):
            if not blocking or not self._scheduler.wait(lambda: self._owner is None, None if timeout < 0 else timeout):
                return False
        self._owner = me
        self._depth += 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if self._depth <= 0:
            self._owner, self._depth = None, 0

    def give_up(self) -> int:
        """Release it however often it was acquired; the depth is for `take_back`."""
        depth, self._owner, self._depth = self._depth, None, 0
        return depth

    def take_back(self, depth: int) -> None:
        self._scheduler.wait(lambda: self._owner is None, None)
        self._owner, self._depth = self._scheduler.current, depth

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


class Condition:
    """``threading.Condition`` over a lock of its own."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._lock = RLock(scheduler)
        self._waiters: list[list[bool]] = []

    def __enter__(self) -> bool:
        return self._lock.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        told = [False]
        self._waiters.append(told)
        depth = self._lock.give_up()
        try:
            self._scheduler.wait(lambda: told[0], timeout)
        finally:
            if told in self._waiters:
                self._waiters.remove(told)
        self._lock.take_back(depth)
        return told[0]

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        ends_at = None if timeout is None else self._scheduler.now + timeout
        result = predicate()
        while not result:
            left = None if ends_at is None else ends_at - self._scheduler.now
            if left is not None and left <= 0:
                break
            self.wait(left)
            result = predicate()
        return result

    def notify(self, number: int = 1) -> None:
        for told in self._waiters[:number]:
            told[0] = True

    def notify_all(self) -> None:
        self.notify(len(self._waiters))


class Event:
    """``threading.Event``."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True

    def clear(self) -> None:
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        if not self._is_set:
            self._scheduler.wait(lambda: self._is_set, timeout)
        else:
            self._scheduler.raise_if_dead()
        return self._is_set


class Thread:
    """``threading.Thread``, as far as a target and its life go; it belongs to the process that begins it."""

    def __init__(
        self,
        scheduler: Scheduler,
        target: Callable[..., object] | None = None,
        name: str = "",
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        daemon: bool = False,
    ) -> None:
        self._scheduler = scheduler
        self._work = lambda: target(*args, **(kwargs or {})) if target else None
        self._thread: Any = None
        self.name = name or "thread"
        self.daemon = daemon

    def start(self) -> None:
        self._scheduler.raise_if_dead()
        self._thread = self._scheduler.start(self.name, self._scheduler.current.process, self._work)

    def join(self, timeout: float | None = None) -> None:
        self._scheduler.wait(lambda: not self.is_alive(), timeout)

    def is_alive(self) -> bool:
        return self._thread is not None and not self._thread.is_over


class SimpleQueue:
    """``queue.SimpleQueue``, and ``queue.Queue`` without a bound."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._items: collections.deque[Any] = collections.deque()

    def put(self, item: Any) -> None:
        self._items.append(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        if block:
            while not self._items:
                if not self._scheduler.wait(lambda: bool(self._items), timeout):
                    raise queue.Empty
        return self.get_nowait()

    def get_nowait(self) -> Any:
        self._scheduler.raise_if_dead()
        if not self._items:
            raise queue.Empty
        return self._items.popleft()


class Future:
    """``concurrent.futures.Future``: what `Executor.submit` gives, or what is told its result by whoever made it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._is_done = False
        self._result: Any = None
        self._error: BaseException | None = None

    def run(self, work: Callable[[], Any]) -> None:
        try:
            self._result = work()
        except Killed:
            raise
        except BaseException as error:
            self._error = error
        finally:
            self._is_done = True

    def done(self) -> bool:
        return self._is_done

    def set_result(self, result: Any) -> None:
        self._result, self._is_done = result, True

    def set_exception(self, error: BaseException) -> None:
        self._error, self._is_done = error, True

    def result(self, timeout: float | None = None) -> Any:
        error = self.exception(timeout)
        if error is not None:
            raise error
        return self._result

    def exception(self, timeout: float | None = None) -> BaseException | None:
        if not self._is_done and not self._scheduler.wait(self.done, timeout):
            raise TimeoutError
        return self._error


class Executor:
    """``ThreadPoolExecutor``: a thread for each piece of work, as many at a time as it may have."""

    def __init__(self, scheduler: Scheduler, max_workers: int = 4, thread_name_prefix: str = "worker") -> None:
        self._scheduler = scheduler
        self._most = max_workers
        self._running = 0
        self._name = thread_name_prefix
        self._futures: list[Future] = []

    def submit(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Future:
        future = Future(self._scheduler)
        self._futures = [*(one for one in self._futures if not one.done()), future]

        def serve() -> None:
            self._scheduler.wait(lambda: self._running < self._most, None)
            self._running += 1
            try:
                future.run(lambda: work(*args, **kwargs))
            finally:
                self._running -= 1

        self._scheduler.start(self._name, self._scheduler.current.process, serve)
        return future

    def map(self, work: Callable[..., Any], *groups: Any) -> Iterator[Any]:
        futures = [self.submit(work, *items) for items in zip(*groups, strict=True)]
        return iter([future.result() for future in futures])

    def shutdown(self, wait: bool = True, cancel_futures: bool = False) -> None:
        if wait:
            self._scheduler.wait(lambda: all(future.done() for future in self._futures), None)

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.shutdown()


def threading_module(scheduler: Scheduler) -> SimpleNamespace:
    """What stands in the place of ``threading`` in a module."""

    def local() -> _Local:
        return _Local(scheduler)

    return SimpleNamespace(
        Lock=lambda: Lock(scheduler),
        RLock=lambda: RLock(scheduler),
        Condition=lambda: Condition(scheduler),
        Event=lambda: Event(scheduler),
        Thread=lambda *args, **kwargs: Thread(scheduler, *args[1:], **kwargs),
        local=local,
        current_thread=lambda: scheduler.current,
        main_thread=threading.main_thread,
        get_ident=lambda: id(scheduler.current),
    )


class _Local:
    """``threading.local``."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.__dict__["_scheduler"] = scheduler
        self.__dict__["_values"] = {}

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[self._scheduler.current, name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._values[self._scheduler.current, name] = value


def queue_module(scheduler: Scheduler) -> SimpleNamespace:
    """What stands in the place of ``queue`` in a module."""
    return SimpleNamespace(
        SimpleQueue=lambda: SimpleQueue(scheduler),
        Queue=lambda maxsize=0: SimpleQueue(scheduler),
        Empty=queue.Empty,
        Full=queue.Full,
    )


def executor_class(scheduler: Scheduler) -> Callable[..., Executor]:
    """What stands in the place of ``ThreadPoolExecutor``."""
    return lambda max_workers=4, thread_name_prefix="worker": Executor(scheduler, max_workers, thread_name_prefix)


def future_class(scheduler: Scheduler) -> Callable[[], Future]:
    """What stands in the place of ``Future``."""
    return lambda: Future(scheduler)
