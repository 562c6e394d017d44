"""The timetable: entries fire on the scaled clock, not before their time, without drift, and never in a burst."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from local_cloud.clock import Clock
from local_cloud.scheduler.expressions import Once, Rate, parse_expression
from local_cloud.scheduler.timetable import Timeline, Timetable
from tests.waiting import wait_for

SCALE = 1 / 600
MINUTE = timedelta(minutes=1)


class JumpingClock(Clock):
    """A clock that can be put forward, as that of a machine that has slept."""

    def __init__(self) -> None:
        super().__init__(scale=SCALE)
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


class Fired:
    """What has fired: the moment that was due, and the moment at which it came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: list[tuple[datetime, datetime]] = []

    def __call__(self, due: datetime) -> None:
        with self._lock:
            self._entries.append((due, self._clock.now()))

    def entries(self) -> list[tuple[datetime, datetime]]:
        with self._lock:
            return list(self._entries)


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def timetable(clock: JumpingClock) -> Iterator[Timetable]:
    table = Timetable(clock)
    yield table
    table.close()


def test_a_rate_fires_on_the_scaled_grid(timetable: Timetable, clock: JumpingClock) -> None:
    """A minute lasts 0.1 s: nothing comes early (another entry wakes the thread often), and nothing drifts."""
    fired, anchor = Fired(clock), clock.now()
    timetable.put("a", Rate(MINUTE, anchor), fired, anchor=anchor)
    timetable.put("waker", Rate(MINUTE / 20, anchor), Fired(clock), anchor=anchor)
    wait_for(lambda: len(fired.entries()) >= 5, what="five moments")

    for due, came in fired.entries():
        steps = (due - anchor) / (MINUTE * SCALE)
        assert came >= due
        assert steps == pytest.approx(round(steps), abs=0.001)
        assert round(steps) >= 1


def test_what_was_missed_fires_once(timetable: Timetable, clock: JumpingClock) -> None:
    """After an hour of sleep one moment is made up for, and the grid goes on where it would be."""
    fired, anchor = Fired(clock), clock.now()
    timetable.put("a", Rate(100 * MINUTE, anchor), fired, anchor=anchor)

    clock.ahead = timedelta(hours=1)
    timetable.put("waker", Once(anchor + timedelta(days=900)), Fired(clock), anchor=anchor)

    wait_for(fired.entries, what="the missed moment")
    assert [due for due, _ in fired.entries()] == [anchor + 100 * MINUTE * SCALE]
    following = timetable.next_due("a")
    assert following is not None
    assert clock.now() < following <= clock.now() + 100 * MINUTE * SCALE


def test_a_cron_expression_waits_the_scaled_time(timetable: Timetable, clock: JumpingClock) -> None:
    """From 02:00 to 03:00 is one hour of cloud time, and the next day is a scaled day later."""
    anchor = datetime(2030, 1, 1, 2, tzinfo=UTC)
    clock.ahead = anchor - Clock().now()
    cron = parse_expression("cron(0 3 * * ? *)", zone=ZoneInfo("UTC"), origin=anchor)
    timetable.put("a", cron, Fired(clock), anchor=anchor)
    assert timetable.next_due("a") == anchor + timedelta(hours=1) * SCALE

    line = Timeline(anchor, SCALE)
    assert line.real(anchor + timedelta(hours=25)) == anchor + timedelta(hours=25) * SCALE
    assert line.cloud(line.real(anchor + timedelta(hours=25))) == anchor + timedelta(hours=25)


def test_an_entry_that_is_removed_or_over_fires_no_more(timetable: Timetable, clock: JumpingClock) -> None:
    """A one-time entry leaves the table when it has fired, a removed one does not come; a past one is never put."""
    fired, anchor = Fired(clock), clock.now()
    timetable.put("removed", Rate(10 * MINUTE, anchor), fired, anchor=anchor)
    timetable.remove("removed")
    assert timetable.put("once", Once(anchor + 10 * MINUTE), fired, anchor=anchor)
    assert not timetable.put("past", Once(anchor - MINUTE), fired, anchor=anchor)

    wait_for(fired.entries, what="the one-time entry")
    assert [due for due, _ in fired.entries()] == [anchor + 10 * MINUTE * SCALE]
    assert timetable.next_due("once") is None
