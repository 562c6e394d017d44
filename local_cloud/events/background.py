"""Work that happens after the caller was answered: a few threads, tasks that may start later, a way to wait for all.

It knows nothing of events or functions. Tasks are plain callables; a task may submit further ones (a retry).
"""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_log = logging.getLogger(__name__)
_RESET_LIMIT_SECONDS = 10.0


@dataclass(frozen=True, order=True)
class _Task:
    due: float
    number: int
    run: Callable[[], None] = field(compare=False)
    generation: int = field(compare=False)


def cloud_age(since: float, *, scale: float) -> float:
    """Seconds of cloud time since a `time.monotonic()`; none on a clock that does not wait at all."""
    return (time.monotonic() - since) / scale if scale > 0 else 0.0


class BackgroundWork:
    """Runs tasks in the order in which they are due; mutable and thread-safe.

    Threads are started when they are first needed. `delay_seconds` are real seconds: the caller applies the clock's
    scale.
    """

    def __init__(self, name: str, *, threads: int) -> None:
        self._name = name
        self._most_threads = threads
        self._threads: list[threading.Thread] = []
        self._waiting: list[_Task] = []
        self._running = 0
        self._numbers = itertools.count()
        self._generation = 0
        self._closed = False
        self._changed = threading.Condition()
        self._local = threading.local()

    def submit(self, run: Callable[[], None], *, delay_seconds: float = 0.0) -> None:
        """Run `run` as soon as a thread is free, `delay_seconds` from now at the earliest.

        Ignored after `close`, and when a task that was begun before a `reset` submits its sequel.
        """
        with self._changed:
            generation = getattr(self._local, "generation", self._generation)
            if self._closed or generation != self._generation:
                return
            task = _Task(time.monotonic() + delay_seconds, next(self._numbers), run, generation)
            heapq.heappush(self._waiting, task)
            if len(self._threads) < min(self._most_threads, len(self._waiting) + self._running):
                thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify_all()

    def wait_until_idle(self, timeout: float) -> bool:
        """Whether no task waits or runs any more, at the latest after `timeout` real seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._running, timeout)

    def reset(self) -> None:
        """Forget what waits; what runs is given ten seconds to end and cannot submit anything further."""
        with self._changed:
            self._generation += 1
            self._waiting.clear()
            self._changed.notify_all()
            own = 1 if hasattr(self._local, "generation") else 0
            self._changed.wait_for(lambda: self._running <= own, _RESET_LIMIT_SECONDS)

    def close(self) -> None:
        """`reset`, and end the threads."""
        with self._changed:
            self._closed = True
        self.reset()

    def _work(self) -> None:
        while (task := self._next()) is not None:
            self._local.generation = task.generation
            try:
                task.run()
            except Exception:  # noqa: BLE001
                # A task's failure must not end the thread that all later tasks depend on.
                _log.exception("a task of %s failed", self._name)
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

    def _next(self) -> _Task | None:
        """The next task that is due, counted as running; None after `close`."""
        with self._changed:
            while not self._closed:
                wait = self._waiting[0].due - time.monotonic() if self._waiting else None
                if wait is not None and wait <= 0:
                    self._running += 1
                    return heapq.heappop(self._waiting)
                self._changed.wait(wait)
            return None
