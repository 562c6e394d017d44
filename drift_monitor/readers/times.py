"""Times of events in UTC, to the microsecond."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drift_monitor.readers.health import HealthCounter

TIME_TYPE = pa.timestamp("us", tz="UTC")


def read_times(texts: Any, *, folder_hour: datetime | None, health: HealthCounter) -> Any:
    """Timestamps of ISO 8601 texts. Where there is none the folder's hour stands in; null if there is no folder either.

    A time without a zone is taken as UTC.
    """
    try:
        times = pc.cast(texts, TIME_TYPE)
    except pa.ArrowInvalid:
        times = pa.array([None if text is None else _time(text) for text in texts.to_pylist()], TIME_TYPE)
    if times.null_count:
        missing = texts.filter(times.is_null())
        example = next((text for text in missing.to_pylist() if text), "")
        health.problem("an event has no time that can be read", example, count=times.null_count)
        times = pc.fill_null(times, pa.scalar(folder_hour, TIME_TYPE))
    return times


def hours_of(times: Any) -> list[datetime]:
    """The different hours of timestamps (TIME_TYPE), ascending."""
    values = times.drop_null().to_numpy(zero_copy_only=False).astype("datetime64[h]")
    if not len(values):
        return []
    # Mostly a single one, which is cheaper to see than to sort out.
    hours = values[:1] if values.min() == values.max() else np.unique(values)
    return [hour.astype("datetime64[s]").item().replace(tzinfo=UTC) for hour in hours]


def _time(text: str) -> datetime | None:
    try:
        # Samples in the documentation have spaces within: 16: 20: 00Z.
        time = datetime.fromisoformat(text.replace(": ", ":").strip())
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
