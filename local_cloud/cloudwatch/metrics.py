"""The measurements of all metrics: what PutMetricData and the services record, by time and by period.

It knows nothing of requests or alarms. Memory is bounded for each metric: beyond 20,000 values the older half is merged
to one datum a second, and what is then still too much is forgotten from the oldest on.
"""

import bisect
import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter

from local_cloud.clock import Clock
from local_cloud.cloudwatch.statistics import Summary, of_value, of_values, together

MOST_VALUES = 20_000
_moment = attrgetter("moment")


@dataclass(frozen=True)
class MetricKey:
    """What identifies a metric. `dimensions` are sorted (name, value) pairs."""

    account: str
    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


def metric_key(
    *, account: str, region: str, namespace: str, metric_name: str, dimensions: Mapping[str, str]
) -> MetricKey:
    """The key of a metric with its dimensions in any order."""
    return MetricKey(account, region, namespace, metric_name, tuple(sorted(dimensions.items())))


@dataclass(frozen=True)
class Datapoint:
    """All measurements of one period; `timestamp` is its start."""

    timestamp: datetime
    summary: Summary
    unit: str


@dataclass(frozen=True, slots=True)
class _Sample:
    """One datum. `timestamp` is the time it was given, `moment` where it lies on the scaled axis of alarms."""

    timestamp: float
    moment: float
    summary: Summary
    unit: str


class MetricStore:
    """Metrics of all accounts and regions; thread-safe, recording is cheap."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._series: dict[MetricKey, _Series] = {}

    def record(
        self,
        *,
        account: str,
        region: str,
        namespace: str,
        metric_name: str,
        dimensions: Mapping[str, str],
        value: float | None = None,
        values: Sequence[float] = (),
        counts: Sequence[float] = (),
        statistics: Summary | None = None,
        timestamp: datetime | None = None,
        unit: str = "None",
    ) -> None:
        """Add one datum: a `value`, or `values` (each as often as `counts` says, once by default), or a statistic set.

        `timestamp` is now by default. Waiting times are scaled, so a datum's age is, too: one that is dated an hour
        back lies 36 s back for alarms on a clock of scale 0.01.
        """
        now = self._clock.now().timestamp()
        given = timestamp.timestamp() if timestamp is not None else now
        summary = statistics or _summary(value, values, counts)
        sample = _Sample(given, now - (now - given) * self._clock.scale, summary, unit)
        key = metric_key(
            account=account, region=region, namespace=namespace, metric_name=metric_name, dimensions=dimensions
        )
        with self._lock:
            self._series.setdefault(key, _Series()).add(sample)

    def query(
        self, key: MetricKey, *, start: datetime, end: datetime, period: int, unit: str | None = None
    ) -> list[Datapoint]:
        """Datapoints of the periods (seconds, aligned to the clock) that begin in [start, end), oldest first.

        Measurements of different units make different datapoints, as in GetMetricStatistics.
        """
        first = math.floor(start.timestamp() / period) * period
        bins: dict[tuple[int, str], list[Summary]] = {}
        for sample in self._samples(key):
            begin = math.floor(sample.timestamp / period) * period
            if first <= begin < end.timestamp() and unit in (None, sample.unit):
                bins.setdefault((begin, sample.unit), []).append(sample.summary)
        return [
            Datapoint(datetime.fromtimestamp(begin, UTC), together(parts), name)
            for (begin, name), parts in sorted(bins.items())
        ]

    def windows(
        self, key: MetricKey, *, end: float, width: float, count: int, unit: str | None = None
    ) -> list[Summary | None]:
        """The `count` windows of `width` real seconds before the moment `end`, oldest first; None where nothing is."""
        bins: list[list[Summary]] = [[] for _ in range(count)]
        with self._lock:
            series = self._series.get(key, _Series()).samples
            low = bisect.bisect_left(series, end - count * width, key=_moment)
            high = bisect.bisect_left(series, end, key=_moment)
            samples = series[low:high]
        for sample in samples:
            if unit in (None, sample.unit):
                back = math.ceil((end - sample.moment) / width)
                bins[count - min(max(back, 1), count)].append(sample.summary)
        return [together(parts) if parts else None for parts in bins]

    def keys(self, *, account: str, region: str) -> list[MetricKey]:
        """The metrics of an account and region, sorted."""
        with self._lock:
            found = [key for key in self._series if (key.account, key.region) == (account, region)]
        return sorted(found, key=lambda key: (key.namespace, key.name, key.dimensions))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._series.clear()

    def _samples(self, key: MetricKey) -> Iterable[_Sample]:
        with self._lock:
            return list(self._series.get(key, _Series()).samples)


def _summary(value: float | None, values: Sequence[float], counts: Sequence[float]) -> Summary:
    if value is not None:
        return of_value(value)
    return of_values(zip(values, counts or [1.0] * len(values), strict=True))


class _Series:
    """The data of one metric in the order of their moments; the store holds the lock."""

    def __init__(self) -> None:
        self.samples: list[_Sample] = []
        self._size = 0

    def add(self, sample: _Sample) -> None:
        """Put a datum into its place, and make room if there are too many."""
        bisect.insort(self.samples, sample, key=_moment)
        self._size += _size(sample)
        if self._size > MOST_VALUES:
            self._compact()

    def _compact(self) -> None:
        """Merge the older half by second and unit, then forget the oldest down to nine tenths of the limit.

        The newest datum stays, however large it is.
        """
        half = (len(self.samples) + 1) // 2
        groups: dict[tuple[int, str], list[_Sample]] = {}
        for sample in self.samples[:half]:
            groups.setdefault((math.floor(sample.timestamp), sample.unit), []).append(sample)
        merged = [
            _Sample(second, group[0].moment, together(sample.summary for sample in group).coarse(), unit)
            for (second, unit), group in groups.items()
        ]
        samples = sorted(merged, key=_moment) + self.samples[half:]
        kept = len(samples) - 1
        self._size = _size(samples[kept])
        while kept and self._size + _size(samples[kept - 1]) <= MOST_VALUES * 9 // 10:
            kept -= 1
            self._size += _size(samples[kept])
        self.samples = samples[kept:]


def _size(sample: _Sample) -> int:
    return max(len(sample.summary.values), 1)
