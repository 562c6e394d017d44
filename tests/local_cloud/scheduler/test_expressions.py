"""Schedule expressions: the moments that AWS documents for them, and what AWS refuses."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from local_cloud.scheduler.errors import ScheduleExpressionError
from local_cloud.scheduler.expressions import Between, parse_expression

ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday


def _moments(text: str, *, zone: str = "UTC", after: datetime = ORIGIN, count: int = 3) -> list[str]:
    """The first moments of an expression after `after`, in its time zone."""
    occurrences = parse_expression(text, zone=ZoneInfo(zone), origin=ORIGIN)
    found: list[str] = []
    moment: datetime | None = after
    while len(found) < count and moment is not None:
        moment = occurrences.next_after(moment)
        if moment is not None:
            found.append(f"{moment.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The examples of AWS's pages on schedule types and on rules.
        ("cron(15 10 ? * 6L 2022-2026)", ["Fri 2026-01-30 10:15", "Fri 2026-02-27 10:15", "Fri 2026-03-27 10:15"]),
        ("cron(0 10 * * ? *)", ["Thu 2026-01-01 10:00", "Fri 2026-01-02 10:00", "Sat 2026-01-03 10:00"]),
        ("cron(0 18 ? * MON-FRI *)", ["Thu 2026-01-01 18:00", "Fri 2026-01-02 18:00", "Mon 2026-01-05 18:00"]),
        ("cron(0 8 1 * ? *)", ["Thu 2026-01-01 08:00", "Sun 2026-02-01 08:00", "Sun 2026-03-01 08:00"]),
        ("cron(0/15 * * * ? *)", ["Thu 2026-01-01 00:15", "Thu 2026-01-01 00:30", "Thu 2026-01-01 00:45"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", ["Thu 2026-01-01 08:00", "Thu 2026-01-01 08:05", "Thu 2026-01-01 08:10"]),
        ("cron(0 9 ? * 2#1 *)", ["Mon 2026-01-05 09:00", "Mon 2026-02-02 09:00", "Mon 2026-03-02 09:00"]),
        ("cron(0 0 ? * 3#2 *)", ["Tue 2026-01-13 00:00", "Tue 2026-02-10 00:00", "Tue 2026-03-10 00:00"]),
        ("cron(1/10 12 * * ? *)", ["Thu 2026-01-01 12:01", "Thu 2026-01-01 12:11", "Thu 2026-01-01 12:21"]),
        ("cron(0 0 1 JAN,MAR ? *)", ["Sun 2026-03-01 00:00", "Fri 2027-01-01 00:00", "Mon 2027-03-01 00:00"]),
        # The last day, the last day of the week, the fifth weekday, and the working day nearest to the 3rd and the 1st.
        ("cron(0 0 L * ? *)", ["Sat 2026-01-31 00:00", "Sat 2026-02-28 00:00", "Tue 2026-03-31 00:00"]),
        ("cron(0 0 ? * L *)", ["Sat 2026-01-03 00:00", "Sat 2026-01-10 00:00", "Sat 2026-01-17 00:00"]),
        ("cron(0 0 ? * SUN#5 *)", ["Sun 2026-03-29 00:00", "Sun 2026-05-31 00:00", "Sun 2026-08-30 00:00"]),
        ("cron(0 0 3W * ? *)", ["Fri 2026-01-02 00:00", "Tue 2026-02-03 00:00", "Tue 2026-03-03 00:00"]),
        ("cron(1 0 1W * ? *)", ["Thu 2026-01-01 00:01", "Mon 2026-02-02 00:01", "Mon 2026-03-02 00:01"]),
        ("cron(0 0 31W * ? *)", ["Fri 2026-01-30 00:00", "Tue 2026-03-31 00:00", "Fri 2026-05-29 00:00"]),
        ("cron(0 0 29 2 ? *)", ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00", "Fri 2036-02-29 00:00"]),
        ("cron(0 0 30 2 ? *)", []),
        ("cron(0 0 1 1 ? 2027)", ["Fri 2027-01-01 00:00"]),
        ("rate(5 minutes)", ["Thu 2026-01-01 00:05", "Thu 2026-01-01 00:10", "Thu 2026-01-01 00:15"]),
        ("rate(1 day)", ["Fri 2026-01-02 00:00", "Sat 2026-01-03 00:00", "Sun 2026-01-04 00:00"]),
        ("at(2026-03-04T05:06:07)", ["Wed 2026-03-04 05:06"]),
        ("at(2025-03-04T05:06:07)", []),
    ],
)
def test_an_expression_gives_the_documented_moments(text: str, expected: list[str]) -> None:
    """Wildcards, names, steps, ranges and lists mean what AWS says."""
    assert _moments(text) == expected


def test_a_time_zone_moves_with_daylight_saving() -> None:
    """A cron time is local: skipped where the clock jumps forward, counted once where it goes back."""
    spring = datetime(2026, 3, 7, tzinfo=UTC)
    days = _moments("cron(30 2 * * ? *)", zone="America/New_York", after=spring, count=3)
    assert days == ["Sat 2026-03-07 02:30", "Mon 2026-03-09 02:30", "Tue 2026-03-10 02:30"]

    autumn = datetime(2026, 11, 1, 4, tzinfo=UTC)
    cron = parse_expression("cron(30 1 * * ? *)", zone=ZoneInfo("America/New_York"), origin=ORIGIN)
    first = cron.next_after(autumn)
    assert first == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert cron.next_after(first) == datetime(2026, 11, 2, 6, 30, tzinfo=UTC)

    one_time = parse_expression("at(2026-07-01T12:00:00)", zone=ZoneInfo("Europe/Berlin"), origin=ORIGIN)
    assert one_time.next_after(ORIGIN) == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_start_and_end_limit_a_schedule() -> None:
    """Moments on the first and the last instant of the window count, others outside it do not."""
    start, end = ORIGIN + timedelta(days=1), ORIGIN + timedelta(days=1, hours=2)
    daily = Between(parse_expression("rate(1 hour)", zone=ZoneInfo("UTC"), origin=start), start, end)
    found = [daily.next_after(moment) for moment in (ORIGIN, start, end - timedelta(hours=1), end)]
    assert found == [start, start + timedelta(hours=1), end, None]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("cron(0 0 * * * *)", "exactly one of day-of-month and day-of-week must be '?'"),
        ("cron(0 0 ? * ? *)", "exactly one of day-of-month and day-of-week must be '?'"),
        ("cron(0 0 * * ?)", "has 5 fields"),
        ("cron(60 0 * * ? *)", "'60' is no value of the field minutes, which takes 0 to 59"),
        ("cron(0 0 ? * FUN *)", "'FUN' is no value of the field day-of-week"),
        ("cron(0 0 LW * ? *)", "'LW' is no value of the field day-of-month"),
        ("cron(0/0 0 * * ? *)", "'0/0' is no value of the field minutes"),
        ("cron(0 17-8 * * ? *)", "'17-8' is no value of the field hours"),
        ("cron(0 0 ? * 2#6 *)", "'2#6' is no value of the field day-of-week"),
        ("rate(0 minutes)", "is no positive number with minute"),
        ("rate(5 seconds)", "is no positive number with minute"),
        ("rate(999999999 days)", "is too long"),
        ("at(tomorrow)", "is no moment written as"),
        ("every hour", "is no rate"),
    ],
)
def test_what_aws_refuses_is_refused_with_the_reason(text: str, complaint: str) -> None:
    """The message names the part that is wrong."""
    with pytest.raises(ScheduleExpressionError, match=complaint.replace("?", r"\?")):
        parse_expression(text, zone=ZoneInfo("UTC"), origin=ORIGIN)
