"""Wait for what another thread, process or server does in its own time."""

import time
from collections.abc import Callable
from typing import TypeVar

# For a machine that is busy otherwise: no test waits that long for what works.
LIMIT_SECONDS = 60
T = TypeVar("T")


def wait_for(condition: Callable[[], T | None], *, what: str, seconds: float = LIMIT_SECONDS) -> T:
    """What the condition gives as soon as that is true; AssertionError with `what` after the limit."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.05)  # the pace of polling: what happens elsewhere has no way to tell a test
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
