"""Which window of which monitor is to be judged: asked for by a schedule, or by a person.

Must not call AWS. A schedule says {"monitor", "scheduledTime"}, a person {"monitor", "windowStart", "windowEnd"};
times are ISO 8601.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.shared.errors import MalformedEventError

NEEDS_LABELS = frozenset({"model_quality", "bias"})


@dataclass(frozen=True, slots=True)
class Monitor:
    """What a monitor does, as its settings say; `rest` is how long after its end a window is judged."""

    name: str
    analyses: tuple[str, ...]
    length: timedelta
    rest: timedelta

    @property
    def needs_labels(self) -> bool:
        """Whether an analysis compares with ground truth."""
        return not NEEDS_LABELS.isdisjoint(self.analyses)


@dataclass(frozen=True, slots=True)
class Window:
    """`start` included, `end` not; in UTC and on full seconds."""

    start: datetime
    end: datetime

    def document(self) -> dict[str, str]:
        """As JSON."""
        return {"start": iso(self.start), "end": iso(self.end)}


def iso(moment: datetime) -> str:
    """As the job reads it: 2026-11-23T18:00:00Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def parse_monitors(settings: Mapping[str, Mapping[str, Any]], *, delivery: timedelta) -> dict[str, Monitor]:
    """The monitors of the function's settings; `delivery` is how late captured requests may be in S3."""
    return {
        name: Monitor(
            name=name,
            analyses=tuple(one["analyses"]),
            length=timedelta(minutes=one["window_minutes"]),
            rest=max(delivery, timedelta(minutes=one["label_delay_minutes"])),
        )
        for name, one in settings.items()
    }


def parse_request(event: Mapping[str, Any], monitors: Mapping[str, Monitor]) -> tuple[Monitor, Window]:
    """The monitor and the window of a request; MalformedEventError saying what is wrong with it."""
    monitor = monitors.get(str(event.get("monitor")))
    if monitor is None:
        raise MalformedEventError(
            f"there is no monitor {event.get('monitor')!r}; there are: {', '.join(sorted(monitors))}"
        )
    if "windowStart" in event or "windowEnd" in event:
        window = Window(_moment(event, "windowStart"), _moment(event, "windowEnd"))
        if window.start >= window.end:
            raise MalformedEventError("windowStart should be before windowEnd")
        return monitor, window
    end = _moment(event, "scheduledTime").replace(second=0) - monitor.rest
    return monitor, Window(end - monitor.length, end)


def _moment(event: Mapping[str, Any], name: str) -> datetime:
    text = str(event.get(name, ""))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise MalformedEventError(f"{name} should be a time such as 2026-11-23T18:00:00Z, not {text!r}") from None
    # A time without a zone is UTC, as all times of SageMaker are.
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return zoned.astimezone(UTC).replace(microsecond=0)
