"""Whether what stands out in a window has done so in enough windows for an alarm. Must not compute statistics."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from drift_monitor.results import Window


@dataclass(frozen=True)
class Persistence:
    """What earlier windows add: the unbroken run that this window prolongs, and all hits among the last windows."""

    run: int
    since: datetime | None
    hits: int


def persistence(past: Sequence[tuple[Window | None, bool]], *, windows: int) -> Persistence:
    """`past`: the earlier windows in which a subject could be judged, oldest first, and whether it stood out there.

    Windows in which it could not be judged are left out by the caller: they neither prolong a run nor end it.
    """
    recent = list(reversed(past))
    run: list[Window | None] = []
    for window, stood_out in recent:
        if not stood_out:
            break
        run.append(window)
    first = run[-1] if run else None
    hits = sum(stood_out for _, stood_out in recent[: windows - 1])
    return Persistence(len(run), first.start if first else None, hits)
