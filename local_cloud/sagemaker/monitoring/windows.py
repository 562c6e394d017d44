"""When a monitoring schedule runs, and which window of time a run looks at. Pure.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-schedule-expression.html
Time stamps are real in the local cloud and waiting times are scaled, so a window has a scaled length: at scale 0.01,
an hourly schedule runs every 36 seconds and looks at the 36 seconds before. Windows follow one another without a gap.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from local_cloud.scheduler.cron import Cron, parse_cron
from local_cloud.scheduler.errors import ScheduleExpressionError
from local_cloud.service import invalid

NOW = "NOW"
# SageMaker picks the hour of a schedule that names none.
_DAILY = "cron(0 0 ? * * *)"
_CRON = re.compile(r"cron\((0 (\*|\d{1,2}(?:/(\d{1,2}))?) \? \* \* \*)\)")
_OFFSET = re.compile(r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")
# AWS starts a run up to 20 minutes after the hour; captured requests of the hour arrive meanwhile.
DELAY = timedelta(minutes=10)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """From `start` (inclusive) to `end` (exclusive), both real moments in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Pace:
    """How often a schedule runs; `cron` is None for one run at once."""

    cron: Cron | None
    period: timedelta


@dataclass(frozen=True)
class Delayed:
    """When runs start: DELAY after each hour of `cron` that comes after `origin`."""

    cron: Cron
    origin: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        """The first one after `moment`."""
        hour = self.cron.next_after(max(moment - DELAY, self.origin))
        return hour + DELAY if hour else None


def pace_of(config: Mapping[str, Any]) -> Pace:
    """The pace of a ScheduleConfig; raises ValidationException for what SageMaker does not take."""
    expression = config.get("ScheduleExpression", _DAILY)
    if expression == NOW:
        if "DataAnalysisStartTime" not in config or "DataAnalysisEndTime" not in config:
            raise invalid("The schedule NOW needs DataAnalysisStartTime and DataAnalysisEndTime.")
        return Pace(None, _HOUR)
    match = _CRON.fullmatch(expression)
    if match is None:
        raise invalid(
            f"The schedule {expression} is not supported; write cron(0 * ? * * *), cron(0 [00-23] ? * * *), "
            "cron(0 [00-23]/[01-24] ? * * *) or NOW."
        )
    fields, hour, step = match.groups()
    try:
        cron = parse_cron(fields, ZoneInfo("UTC"))
    except ScheduleExpressionError as error:
        raise invalid(f"The schedule {expression} is not supported: {error}.") from error
    return Pace(cron, _HOUR if hour == "*" else int(step) * _HOUR if step else _DAY)


def window_of(
    schedule: Mapping[str, Any], source: Mapping[str, Any], *, period: timedelta, due: datetime, scale: float
) -> Window:
    """The window of a run that was due at a real moment: the schedule's own offsets, the input's, or one period.

    `schedule` is ScheduleConfig, `source` EndpointInput. Raises ValidationException for a window without length.
    """
    begin = schedule.get("DataAnalysisStartTime") or source.get("StartTimeOffset")
    finish = schedule.get("DataAnalysisEndTime") or source.get("EndTimeOffset")
    start = offset(begin) if begin else -period
    end = offset(finish) if finish else timedelta(0)
    if start >= end:
        raise invalid(f"The analysis window from {begin or -period} to {finish or 'PT0H'} has no length.")
    return Window(due + start * scale, due + end * scale)


def offset(text: str) -> timedelta:
    """An ISO 8601 duration such as -PT1H or -P8D; raises ValidationException."""
    match = _OFFSET.fullmatch(text)
    if match is None or not any(match.groups()[1:]):
        raise invalid(f"{text!r} is no offset such as -PT1H, PT0H or -P8D.")
    days, hours, minutes = (int(part or 0) for part in match.groups()[1:])
    length = timedelta(days=days, hours=hours, minutes=minutes)
    return -length if match[1] else length
