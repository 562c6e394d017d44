"""Which worker an invocation gets."""

import threading
from typing import Any

from local_cloud.functions.pool import WorkerPool
from tests.local_cloud.functions.fakes import function
from tests.waiting import LIMIT_SECONDS


class FakeWorker:
    """A worker without a process."""

    def __init__(self) -> None:
        self.usable = True
        self.stopped = threading.Event()

    def initialize(self) -> None:
        """Nothing to load."""

    def stop(self) -> None:
        self.usable = False
        self.stopped.set()


def lease(pool: WorkerPool, key: str) -> Any:
    """One lease of the function under a key."""
    return pool.lease(function(), key=key, start=FakeWorker)  # type: ignore[arg-type]


def test_workers_are_kept_apart_by_key() -> None:
    """A worker is used again for its own key only."""
    pool = WorkerPool()
    with lease(pool, "a") as first:
        pass
    with lease(pool, "b") as other:
        pass
    with lease(pool, "a") as again:
        pass
    assert (first.cold, other.cold, again.cold) == (True, True, False)
    assert again.worker is first.worker
    pool.close()


def test_an_unusable_worker_ends_with_its_lease() -> None:
    """What timed out or failed to start is stopped and not used again."""
    pool = WorkerPool()
    with lease(pool, "a") as first:
        first.worker.usable = False
    assert first.worker.stopped.is_set()
    with lease(pool, "a") as second:
        assert second.cold
    pool.close()


def test_idle_workers_end_after_a_while() -> None:
    """A worker that nobody needs is stopped when its time is over."""
    pool = WorkerPool(idle_seconds=0.02)
    with lease(pool, "a") as used:
        pass
    assert used.worker.stopped.wait(LIMIT_SECONDS)
    pool.close()


def test_a_worker_that_was_starting_during_a_reset_is_stopped() -> None:
    """A reset leaves no worker behind, not even one that it could not see yet."""
    pool = WorkerPool()

    def start() -> FakeWorker:
        pool.reset()
        return FakeWorker()

    with pool.lease(function(), key="a", start=start) as leased:  # type: ignore[arg-type]
        assert leased.worker.stopped.is_set()  # type: ignore[attr-defined]
    pool.close()
