"""When things are due on the scaled clock: one thread that fires every entry at its time.

Each entry has a time line of its own, which begins when the entry is put: the waiting time to the next occurrence is
multiplied by the clock's scale, for a cron expression as well as for a rate. At scale 0.01, `rate(1 hour)` fires every
36 seconds, and `cron(0 3 * * ? *)` put at 02:00 fires after 36 seconds and then every 864. What it fires is given the
real moment at which it was due, since time stamps are real everywhere in the local cloud.

Nothing fires before its time. Moments are counted from the beginning of the time line, so they do not drift; moments
that were missed (the machine slept) fire once together, and the next keeps to the time line.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from local_cloud.clock import Clock
from local_cloud.cloudwatch.pacemaker import Pacemaker
from local_cloud.scheduler.expressions import Occurrences

SMALLEST_SCALE = 1 / 6000
"""A minute is never shorter than a hundredth of a second: tests run with a clock that hardly waits at all."""
_log = logging.getLogger(__name__)
Fire = Callable[[datetime], None]
"""Called with the real moment that was due; must return at once."""


@dataclass(frozen=True)
class Timeline:
    """Cloud time for one entry: it begins at `anchor` and passes `1 / scale` times as fast as real time."""

    anchor: datetime
    scale: float

    def real(self, moment: datetime) -> datetime:
        """The real moment at which it is `moment` on this line."""
        return self.anchor + (moment - self.anchor) * self.scale

    def cloud(self, moment: datetime) -> datetime:
        """What time it is on this line at a real moment."""
        return self.anchor + (moment - self.anchor) / self.scale


@dataclass(frozen=True)
class _Entry:
    occurrences: Occurrences
    timeline: Timeline
    fire: Fire
    occurrence: datetime

    @property
    def due(self) -> datetime:
        return self.timeline.real(self.occurrence)

    def following(self, now: datetime) -> "_Entry | None":
        """The entry with the first occurrence that is not due yet, or None after the last one."""
        found = self.occurrences.next_after(max(self.occurrence, self.timeline.cloud(now)))
        return _Entry(self.occurrences, self.timeline, self.fire, found) if found else None


class Timetable:
    """Entries by key; mutable and thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()
        self._pacemaker = Pacemaker("timetable", self._beat)

    @property
    def scale(self) -> float:
        """The factor on waiting times."""
        return max(self._clock.scale, SMALLEST_SCALE)

    def put(
        self, key: str, occurrences: Occurrences, fire: Fire, *, anchor: datetime, grace: timedelta = timedelta(0)
    ) -> bool:
        """Fire at every occurrence after `anchor` (the present moment), replacing the entry of that key.

        With `grace`, occurrences that lie this much in the past count as well. False if there is no occurrence.
        """
        timeline = Timeline(anchor, self.scale)
        first = occurrences.next_after(anchor - grace)
        with self._lock:
            self._entries.pop(key, None)
            if first is not None:
                self._entries[key] = _Entry(occurrences, timeline, fire, first)
        if first is not None:
            self._pacemaker.wake()
        return first is not None

    def remove(self, key: str) -> None:
        """Fire the entry no more; one that is being fired at this moment may still come."""
        with self._lock:
            self._entries.pop(key, None)

    def next_due(self, key: str) -> datetime | None:
        """The real moment at which an entry is due next, or None if it is not in the table."""
        with self._lock:
            entry = self._entries.get(key)
        return entry.due if entry else None

    def clear(self) -> None:
        """Forget all entries."""
        with self._lock:
            self._entries.clear()

    def close(self) -> None:
        """Fire nothing more."""
        self.clear()
        self._pacemaker.close()

    def _beat(self) -> float | None:
        now = self._clock.now()
        with self._lock:
            ripe = {key: entry for key, entry in self._entries.items() if entry.due <= now}
            for key, entry in ripe.items():
                following = entry.following(now)
                if following is None:
                    del self._entries[key]
                else:
                    self._entries[key] = following
        for key, entry in ripe.items():
            try:
                entry.fire(entry.due)
            except Exception:  # noqa: BLE001
                # One thread serves all entries: a defect behind one of them must not silence the others.
                _log.exception("%s failed", key)
        with self._lock:
            pauses = [(entry.due - self._clock.now()).total_seconds() for entry in self._entries.values()]
        return max(min(pauses), 0.0) if pauses else None
