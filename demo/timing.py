"""Headings, and how long what stands under each of them took."""

import time


class Timing:
    """A stopwatch with named laps, in seconds."""

    def __init__(self) -> None:
        self._laps: list[tuple[str, float]] = []

    def begin(self, name: str, what: str) -> None:
        """End the lap so far, and print the heading of the next."""
        self._laps.append((name, time.monotonic()))
        print(f"\n== {name}: {what}", flush=True)

    @property
    def total(self) -> float:
        """Seconds since the first lap began."""
        return time.monotonic() - self._laps[0][1]

    def __str__(self) -> str:
        ends = [start for _, start in self._laps[1:]] + [time.monotonic()]
        return ", ".join(f"{name} {end - start:.0f} s" for (name, start), end in zip(self._laps, ends, strict=True))
