"""Wait for what a local cloud or a server does in its own time."""

import time
from collections.abc import Callable
from typing import TypeVar

from benchmarks.measure import BenchmarkError

T = TypeVar("T")


class WaitError(BenchmarkError):
    """What was waited for did not come in time."""


def wait_for(condition: Callable[[], T | None], *, what: str, seconds: float = 60, pace: float = 0.05) -> T:
    """What the condition gives as soon as that is true, looked at every `pace` seconds; WaitError after the limit.

    Where the moment itself is measured, `pace` is the resolution.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(pace)  # the pace of polling: neither AWS's APIs nor a server that starts have a way to wait
    raise WaitError(f"waited {seconds:.0f} s in vain for {what}")
