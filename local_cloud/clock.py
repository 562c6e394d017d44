"""The one clock of the local cloud: wall time, and waits that a scale factor can shorten."""

import threading
from datetime import UTC, datetime


class Clock:
    """Wall-clock timestamps are real; waiting times (bake, schedules, retry back-off) are multiplied by `scale`."""

    def __init__(self, *, scale: float = 1.0) -> None:
        self.scale = scale

    def now(self) -> datetime:
        """The present moment, with microseconds, in UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float, *, until: threading.Event) -> bool:
        """Wait `seconds` of cloud time or until the event is set; True if the event was set."""
        return until.wait(seconds * self.scale)
