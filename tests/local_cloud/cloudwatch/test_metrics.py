"""The store of measurements, and the statistics over them."""

import threading
from datetime import datetime, timedelta

import pytest

from local_cloud.cloudwatch.metrics import MOST_VALUES, MetricKey, MetricStore
from local_cloud.cloudwatch.statistics import Summary, check_statistic, of_value, of_values, statistic, together
from local_cloud.service import ServiceError
from tests.local_cloud.cloudwatch.fakes import MIDNIGHT, TurnedClock

KEY = MetricKey("1", "r", "N", "m", (("D", "d"),))


class _Recorder:
    """A store whose only metric is KEY."""

    def __init__(self, *, scale: float = 1.0) -> None:
        self.clock = TurnedClock(scale=scale)
        self.store = MetricStore(self.clock)

    def record(self, value: float, *, at: datetime | None = None, unit: str = "None") -> None:
        self.store.record(
            account="1",
            region="r",
            namespace="N",
            metric_name="m",
            dimensions={"D": "d"},
            value=value,
            timestamp=at,
            unit=unit,
        )

    def sums(self, *, minutes: int = 60, period: int = 60) -> list[tuple[int, float]]:
        found = self.store.query(KEY, start=MIDNIGHT, end=MIDNIGHT + timedelta(minutes=minutes), period=period)
        return [(int((point.timestamp - MIDNIGHT).total_seconds()), point.summary.total) for point in found]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SampleCount", 10.0),
        ("Sum", 55.0),
        ("Average", 5.5),
        ("Minimum", 1.0),
        ("Maximum", 10.0),
        ("p0", 1.0),
        ("p50", 5.0),
        ("p90", 9.0),
        ("p99.9", 10.0),
        ("p100", 10.0),
    ],
)
def test_the_statistics_of_ten_values(name: str, value: float) -> None:
    """Every statistic of 1 to 10, each measured once."""
    assert statistic(of_values((float(number), 1.0) for number in range(1, 11)), name) == value


def test_counts_weigh_values() -> None:
    """A value that was measured nine times is nine measurements."""
    summary = of_values([(1.0, 9.0), (100.0, 1.0)])

    assert (statistic(summary, "Average"), statistic(summary, "p90"), statistic(summary, "p95")) == (10.9, 1.0, 100.0)


def test_a_statistic_set_has_no_percentiles_unless_all_its_values_are_the_same() -> None:
    """As on AWS, percentiles of a statistic set are known only if its minimum is its maximum."""
    assert statistic(Summary(2, 5, 2, 3), "p50") is None
    assert statistic(together([Summary(2, 5, 2, 3), of_value(1)]), "p50") is None
    assert statistic(Summary(4, 8, 2, 2), "p50") == 2


@pytest.mark.parametrize(("name", "code"), [("p101", "InvalidParameterValue"), ("tm90", "NotImplemented")])
def test_other_statistics_are_refused_by_name(name: str, code: str) -> None:
    """Statistics that do not exist are invalid; those that AWS has and this cloud has not are named."""
    with pytest.raises(ServiceError) as refused:
        check_statistic(name, parameter="Stat")

    assert refused.value.code == code
    assert name in refused.value.message


def test_periods_are_aligned_to_the_clock() -> None:
    """A datum belongs to the period in which its timestamp lies, whenever it arrives."""
    recorder = _Recorder()
    for seconds, value in [(119, 1), (120, 2), (59, 4), (0, 8), (60, 16)]:
        recorder.record(value, at=MIDNIGHT + timedelta(seconds=seconds))

    assert recorder.sums() == [(0, 12.0), (60, 17.0), (120, 2.0)]
    assert recorder.sums(minutes=2) == [(0, 12.0), (60, 17.0)]
    assert recorder.sums(period=120) == [(0, 29.0), (120, 2.0)]


def test_units_are_kept_apart() -> None:
    """Without a unit each unit has a datapoint of its own, with one only its data counts."""
    recorder = _Recorder()
    recorder.record(1, unit="Seconds")
    recorder.record(2, unit="Count")
    end = MIDNIGHT + timedelta(minutes=1)

    both = recorder.store.query(KEY, start=MIDNIGHT, end=end, period=60)
    seconds = recorder.store.query(KEY, start=MIDNIGHT, end=end, period=60, unit="Seconds")

    assert [(point.unit, point.summary.total) for point in both] == [("Count", 2.0), ("Seconds", 1.0)]
    assert [point.summary.total for point in seconds] == [1.0]


def test_windows_hold_what_began_in_them() -> None:
    """A window takes its start and leaves its end to the next one."""
    recorder = _Recorder()
    for seconds in (0.0, 0.5, 1.0, 2.999):
        recorder.record(1, at=MIDNIGHT + timedelta(seconds=seconds))
    recorder.record(1, at=MIDNIGHT + timedelta(seconds=3))

    windows = recorder.store.windows(KEY, end=MIDNIGHT.timestamp() + 3, width=1.0, count=4)

    assert [part.count if part else None for part in windows] == [None, 2, 1, 1]


def test_the_age_of_a_datum_is_scaled_for_alarms() -> None:
    """On a clock of scale 0.01, what is dated 100 s back lies 1 s back, like all other waiting times."""
    recorder = _Recorder(scale=0.01)
    recorder.record(1, at=MIDNIGHT - timedelta(seconds=90))

    windows = recorder.store.windows(KEY, end=MIDNIGHT.timestamp(), width=1.0, count=2)

    assert [part.count if part else None for part in windows] == [None, 1]


def test_memory_is_bounded_and_sums_survive_the_merging() -> None:
    """Beyond the limit old data is merged by second: the sum and the extremes stay, the percentile stays close."""
    recorder = _Recorder()
    amount = MOST_VALUES + 5
    for number in range(amount):
        recorder.record(float(number), at=MIDNIGHT + timedelta(milliseconds=number))

    (point,) = recorder.store.query(KEY, start=MIDNIGHT, end=MIDNIGHT + timedelta(hours=1), period=3600)

    assert len(recorder.store._series[KEY].samples) < MOST_VALUES * 0.6
    assert point.summary.total == sum(range(amount))
    assert (point.summary.count, point.summary.minimum, point.summary.maximum) == (amount, 0, amount - 1)
    assert statistic(point.summary, "p25") == pytest.approx(amount / 4, rel=0.01)


def test_what_cannot_be_merged_is_forgotten_from_the_oldest_on() -> None:
    """Data at different seconds cannot be merged, so the store drops the oldest and stays within its limit."""
    recorder = _Recorder()
    for number in range(MOST_VALUES + 1):
        recorder.record(1.0, at=MIDNIGHT + timedelta(seconds=number))

    series = recorder.store._series[KEY].samples

    assert len(series) == MOST_VALUES * 9 // 10
    assert series[-1].timestamp == MIDNIGHT.timestamp() + MOST_VALUES


def test_a_datum_of_many_values_counts_as_many() -> None:
    """Not the number of data is bounded but that of their values: 150 latencies a datum are 150 values."""
    recorder = _Recorder()
    for number in range(MOST_VALUES // 100):
        recorder.store.record(
            account="1",
            region="r",
            namespace="N",
            metric_name="m",
            dimensions={"D": "d"},
            values=[float(number * 150 + index) for index in range(150)],
            timestamp=MIDNIGHT + timedelta(seconds=number),
        )

    kept = recorder.store._series[KEY].samples

    assert sum(len(sample.summary.values) for sample in kept) <= MOST_VALUES
    assert kept[-1].summary.maximum == MOST_VALUES // 100 * 150 - 1


def test_threads_lose_nothing() -> None:
    """Data that several threads record at once is all there."""
    recorder = _Recorder()
    threads = [threading.Thread(target=lambda: [recorder.record(1.0) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert recorder.sums() == [(0, 2000.0)]


def test_accounts_and_dimensions_are_different_metrics() -> None:
    """A metric is what its account, region, namespace, name and dimensions say, in any order of the dimensions."""
    store = MetricStore(TurnedClock())
    for account, dimensions in [("1", {"A": "a", "B": "b"}), ("1", {"B": "b", "A": "a"}), ("2", {})]:
        store.record(account=account, region="r", namespace="N", metric_name="m", dimensions=dimensions, value=1)

    assert store.keys(account="1", region="r") == [MetricKey("1", "r", "N", "m", (("A", "a"), ("B", "b")))]
