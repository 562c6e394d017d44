"""ISO 8601 durations, as CacheConfig.ExpireAfter writes them: `P30D`, `PT12H`, and AWS's own looser `30d`, `T30m`."""

import re
from datetime import timedelta

_DURATION = re.compile(
    r"P?(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
_DAYS_PER_YEAR = 365
_DAYS_PER_MONTH = 30


def parse_duration(text: str) -> timedelta:
    """The length of a duration; a year counts 365 days, a month 30. Raises ValueError if the text is not one."""
    found = _DURATION.fullmatch(text.strip().upper())
    if found is None or not any(found.groups()):
        raise ValueError(f"{text!r} is not an ISO 8601 duration such as P30D or PT12H")
    parts = {name: int(value or 0) for name, value in found.groupdict().items()}
    days = parts["years"] * _DAYS_PER_YEAR + parts["months"] * _DAYS_PER_MONTH + parts["days"]
    return timedelta(
        days=days,
        weeks=parts["weeks"],
        hours=parts["hours"],
        minutes=parts["minutes"],
        seconds=parts["seconds"],
    )
