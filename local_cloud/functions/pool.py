"""Which worker runs an invocation: warm ones are used again, concurrent ones are apart, idle ones end.

It decides about concurrency only; starting and talking to a worker is left to `runner.py` and `worker.py`.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local_cloud.events.background import BackgroundWork
from local_cloud.functions.specification import FunctionSpec
from local_cloud.functions.worker import Worker
from local_cloud.service import ServiceError

MOST_CONCURRENT = 10
"""Workers of one function without reserved concurrency: a laptop is not a Region."""
_MOST_IDLE = 16
_IDLE_SECONDS = 120.0
_WAIT_FOR_A_WORKER_SECONDS = 60.0


@dataclass(frozen=True)
class Lease:
    """A worker that belongs to one invocation; `cold` if it was started for it."""

    worker: Worker
    cold: bool


@dataclass(frozen=True)
class _Idle:
    key: Hashable
    worker: Worker
    since: float


class WorkerPool:
    """The workers of all functions; mutable and thread-safe."""

    def __init__(self, *, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._idle: list[_Idle] = []
        self._busy: set[Worker] = set()
        self._invocations: Counter[tuple[str, str, str]] = Counter()
        self._generation = 0
        self._changed = threading.Condition()
        self._reaper = BackgroundWork("idle-functions", threads=1)

    @contextmanager
    def lease(self, spec: FunctionSpec, *, key: Hashable, start: Callable[[], Worker]) -> Iterator[Lease]:
        """A worker that `key` describes, started if none is idle; given back at the end of the block.

        Raises ServiceError (TooManyRequestsException) beyond the function's reserved concurrency.
        """
        function = (spec.account, spec.region, spec.name)
        self._enter(function, reserved=spec.reserved_concurrency)
        try:
            worker = self._take(key)
            lease = Lease(worker, cold=False) if worker else Lease(self._start(start), cold=True)
            try:
                yield lease
            finally:
                self._give_back(key, lease.worker)
        finally:
            with self._changed:
                self._invocations[function] -= 1
                self._changed.notify_all()

    def reset(self) -> None:
        """End every worker; invocations that run fail."""
        with self._changed:
            self._generation += 1
            workers = [*(idle.worker for idle in self._idle), *self._busy]
            self._idle.clear()
        self._reaper.reset()
        for worker in workers:
            worker.stop()

    def close(self) -> None:
        """`reset`, and end the reaper."""
        self._reaper.close()
        self.reset()

    def _enter(self, function: tuple[str, str, str], *, reserved: int | None) -> None:
        most = MOST_CONCURRENT if reserved is None else reserved
        patience = _WAIT_FOR_A_WORKER_SECONDS if reserved is None else 0.0
        with self._changed:
            if not self._changed.wait_for(lambda: self._invocations[function] < most, patience):
                raise ServiceError("TooManyRequestsException", "Rate Exceeded.", status=429)
            self._invocations[function] += 1

    def _take(self, key: Hashable) -> Worker | None:
        """The warm worker that was used last, so that those which are not needed grow old."""
        with self._changed:
            for idle in reversed(self._idle):
                if idle.key == key:
                    self._idle.remove(idle)
                    self._busy.add(idle.worker)
                    return idle.worker
        return None

    def _start(self, start: Callable[[], Worker]) -> Worker:
        generation = self._generation
        worker = start()
        with self._changed:
            self._busy.add(worker)
            outdated = generation != self._generation
        if outdated:
            worker.stop()
        worker.initialize()
        return worker

    def _give_back(self, key: Hashable, worker: Worker) -> None:
        surplus: list[Worker] = []
        with self._changed:
            self._busy.discard(worker)
            if worker.usable:
                self._idle.append(_Idle(key, worker, time.monotonic()))
                while len(self._idle) > _MOST_IDLE:
                    surplus.append(self._idle.pop(0).worker)
            else:
                surplus.append(worker)
        for unwanted in surplus:
            unwanted.stop()
        self._reaper.submit(self._end_the_old, delay_seconds=self._idle_seconds)

    def _end_the_old(self) -> None:
        oldest = time.monotonic() - self._idle_seconds
        with self._changed:
            old = [idle for idle in self._idle if idle.since <= oldest]
            self._idle = [idle for idle in self._idle if idle.since > oldest]
        for idle in old:
            idle.worker.stop()
