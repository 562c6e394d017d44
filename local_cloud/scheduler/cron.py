"""Cron expressions of AWS: six fields, `?`, `L`, `W` and `#`, in a time zone. Pure.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
What that page does not document (`LW`, ranges that wrap around) is refused.
"""

import calendar
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from local_cloud.scheduler.errors import ScheduleExpressionError

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
_SATURDAY = 7
DaysOfMonth = Callable[[int, int], Sequence[int]]
"""(year, month): the days on which a schedule runs, in order."""


@dataclass(frozen=True)
class Field:
    """One of the six fields: its name in errors, its limits, and names for its values."""

    name: str
    first: int
    last: int
    names: Mapping[str, int]

    def values(self, text: str) -> tuple[int, ...]:
        """The values of lists, ranges and steps, in order; raises ScheduleExpressionError."""
        return tuple(sorted({value for part in text.split(",") for value in self._part(part)}))

    def number(self, text: str) -> int:
        """One value, by number or name."""
        value = self.names.get(text.upper()) if not text.isdecimal() else int(text)
        if value is None or not self.first <= value <= self.last:
            raise self.refusal(text)
        return value

    def refusal(self, text: str) -> ScheduleExpressionError:
        """What is wrong with a part of this field."""
        return ScheduleExpressionError(
            f"{text!r} is no value of the field {self.name}, which takes {self.first} to {self.last}"
        )

    def _part(self, text: str) -> range:
        span, slash, step = text.partition("/")
        if slash and (not step.isdecimal() or int(step) == 0):
            raise self.refusal(text)
        if span == "*":
            begin, end = self.first, self.last
        elif "-" in span:
            begin, end = map(self.number, span.split("-", 1))
        else:
            begin = self.number(span)
            end = self.last if slash else begin
        if begin > end:
            raise self.refusal(text)
        return range(begin, end + 1, int(step) if slash else 1)


_MINUTES = Field("minutes", 0, 59, {})
_HOURS = Field("hours", 0, 23, {})
_DAYS = Field("day-of-month", 1, 31, {})
_MONTH = Field("month", 1, 12, _MONTHS)
_WEEK = Field("day-of-week", 1, _SATURDAY, _WEEKDAYS)
_YEARS = Field("year", 1970, 2199, {})


@dataclass(frozen=True)
class Cron:
    """The moments of a cron expression.

    A time of day that the spring change of clocks leaves out is skipped; one that the autumn change repeats counts
    once, as AWS documents.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: DaysOfMonth
    months: tuple[int, ...]
    years: tuple[int, ...]
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime | None:
        """The first moment (UTC) after `moment`, or None if there is none."""
        floor = moment.astimezone(self.zone).replace(tzinfo=None, second=0, microsecond=0)
        for local in self._times_of_day(floor):
            found = local.replace(tzinfo=self.zone).astimezone(UTC)
            exists = found.astimezone(self.zone).replace(tzinfo=None) == local
            if exists and found > moment:
                return found
        return None

    def _times_of_day(self, floor: datetime) -> Iterator[datetime]:
        """Local times from `floor` on, without their zone."""
        for day in self._dates(floor.date()):
            for hour in self.hours:
                for minute in self.minutes:
                    local = datetime(day.year, day.month, day.day, hour, minute)
                    if local >= floor:
                        yield local

    def _dates(self, first: date) -> Iterator[date]:
        for year in self.years:
            for month in self.months:
                if (year, month) < (first.year, first.month):
                    continue
                for day in self.days(year, month):
                    if date(year, month, day) >= first:
                        yield date(year, month, day)


def parse_cron(fields: str, zone: ZoneInfo) -> Cron:
    """The text between the brackets of `cron(...)`; raises ScheduleExpressionError."""
    parts = fields.split()
    if len(parts) != 6:
        raise ScheduleExpressionError(
            f"cron({fields}) has {len(parts)} fields; write minutes hours day-of-month month day-of-week year"
        )
    minutes, hours, days, months, weekdays, years = parts
    return Cron(
        minutes=_MINUTES.values(minutes),
        hours=_HOURS.values(hours),
        days=_days(days, weekdays),
        months=_MONTH.values(months),
        years=_YEARS.values(years),
        zone=zone,
    )


def _days(days: str, weekdays: str) -> DaysOfMonth:
    if (days == "?") == (weekdays == "?"):
        raise ScheduleExpressionError(
            "exactly one of day-of-month and day-of-week must be '?', "
            f"not day-of-month {days!r} with day-of-week {weekdays!r}"
        )
    return _of_month(days) if weekdays == "?" else _of_week(weekdays)


def _of_month(text: str) -> DaysOfMonth:
    if text == "L":
        return lambda year, month: [_length(year, month)]
    if match := re.fullmatch(r"(\d+)W", text):
        wanted = _DAYS.number(match[1])
        return lambda year, month: _nearest_workday(year, month, wanted)
    values = _DAYS.values(text)
    return lambda year, month: [day for day in values if day <= _length(year, month)]


def _of_week(text: str) -> DaysOfMonth:
    if match := re.fullmatch(r"(\w+)#([1-5])", text):
        weekday, ordinal = _WEEK.number(match[1]), int(match[2])
        return lambda year, month: _on(year, month, (weekday,))[ordinal - 1 : ordinal]
    if (match := re.fullmatch(r"(\w+)L", text)) and match[1].upper() not in _WEEKDAYS:
        last = _WEEK.number(match[1])
        return lambda year, month: _on(year, month, (last,))[-1:]
    # A lone L is the last day of the week.
    wanted = (_SATURDAY,) if text == "L" else _WEEK.values(text)
    return lambda year, month: _on(year, month, wanted)


def _on(year: int, month: int, weekdays: Sequence[int]) -> list[int]:
    """The days of a month that fall on one of these days of the week (1 is Sunday)."""
    return [day for day in range(1, _length(year, month) + 1) if _weekday(year, month, day) in weekdays]


def _nearest_workday(year: int, month: int, day: int) -> list[int]:
    """The day from Monday to Friday nearest to `day` within the month; none in a month that is too short."""
    if day > _length(year, month):
        return []
    weekday = _weekday(year, month, day)
    if weekday == _SATURDAY:
        return [day - 1 if day > 1 else day + 2]
    if weekday == 1:
        return [day + 1 if day < _length(year, month) else day - 2]
    return [day]


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _weekday(year: int, month: int, day: int) -> int:
    return date(year, month, day).isoweekday() % 7 + 1
