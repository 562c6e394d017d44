"""Schedule expressions: `rate(...)`, `cron(...)` and `at(...)`, as moments one after another. Pure.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from local_cloud.scheduler.cron import parse_cron
from local_cloud.scheduler.errors import ScheduleExpressionError

_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_FORM = re.compile(r"(rate|cron|at)\((.*)\)")
_RATE = re.compile(r"(\d+) (minute|hour|day)(s?)")
_AT = "%Y-%m-%dT%H:%M:%S"
_INSTANT = timedelta(microseconds=1)


class Occurrences(Protocol):
    """The moments (UTC) at which something is to happen."""

    def next_after(self, moment: datetime) -> datetime | None:
        """The first one after `moment`, or None if there is none."""


@dataclass(frozen=True)
class Rate:
    """`origin`, and every `period` after it."""

    period: timedelta
    origin: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        """The first one after `moment`; there always is one."""
        if moment < self.origin:
            return self.origin
        return self.origin + ((moment - self.origin) // self.period + 1) * self.period


@dataclass(frozen=True)
class Once:
    """One moment."""

    moment: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        """The moment, unless it has passed."""
        return self.moment if self.moment > moment else None


@dataclass(frozen=True)
class Between:
    """Those occurrences that lie from `start` to `end`; None is an open end."""

    occurrences: Occurrences
    start: datetime | None
    end: datetime | None

    def next_after(self, moment: datetime) -> datetime | None:
        """The first one after `moment` in the window, or None if there is none."""
        found = self.occurrences.next_after(max(moment, self.start - _INSTANT) if self.start else moment)
        return None if found is None or (self.end and found > self.end) else found


def parse_expression(text: str, *, zone: ZoneInfo, origin: datetime) -> Occurrences:
    """The occurrences of an expression; a rate counts from `origin`. Raises ScheduleExpressionError."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise ScheduleExpressionError(f"{text!r} is no rate(value unit), cron(fields) or at(yyyy-mm-ddThh:mm:ss)")
    kind, inner = form.groups()
    if kind == "cron":
        return parse_cron(inner, zone)
    return _rate(inner, origin) if kind == "rate" else _at(inner, zone)


def _rate(text: str, origin: datetime) -> Rate:
    match = _RATE.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise ScheduleExpressionError(
            f"rate({text}) is no positive number with minute, minutes, hour, hours, day or days"
        )
    try:
        rate = Rate(int(match[1]) * _UNITS[match[2]], origin)
        rate.next_after(origin)
        return rate
    except OverflowError as error:
        raise ScheduleExpressionError(f"rate({text}) is too long") from error


def _at(text: str, zone: ZoneInfo) -> Once:
    try:
        return Once(datetime.strptime(text, _AT).replace(tzinfo=zone).astimezone(UTC))
    except ValueError as error:
        raise ScheduleExpressionError(f"at({text}) is no moment written as at(yyyy-mm-ddThh:mm:ss)") from error
