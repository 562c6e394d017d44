"""State of the engines, partitioned by account and region as AWS partitions it, and emptied together by a reset."""

import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from local_cloud.service import RequestContext

T = TypeVar("T")


class Partitioned(Generic[T]):
    """One lazily made `T` for each account and region. `T` does its own locking."""

    def __init__(self, factory: Callable[[], T]) -> None:
        self._factory = factory
        self._partitions: dict[tuple[str, str], T] = {}
        self._lock = threading.Lock()

    def of(self, context: RequestContext) -> T:
        """The partition that the caller's account and region address."""
        with self._lock:
            return self._partitions.setdefault((context.account, context.region), self._factory())

    def __iter__(self) -> Iterator[T]:
        with self._lock:
            return iter(list(self._partitions.values()))

    def clear(self) -> None:
        """Forget everything: what `/moto-api/reset` does for moto's own backends."""
        with self._lock:
            self._partitions.clear()
