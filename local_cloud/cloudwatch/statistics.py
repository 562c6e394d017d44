"""What a set of measurements amounts to: CloudWatch's statistics, percentiles included. Pure arithmetic.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from local_cloud.service import ServiceError

STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_PERCENTILE = re.compile(r"p(100|\d{1,2}(?:\.\d{1,10})?)")
_OTHER_EXTENDED = re.compile(r"(tm|tc|ts|wm|pr)\d.*|(TM|TC|TS|WM|PR)\(.*\)|IQM|iqm", re.DOTALL)
_COARSE_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Summary:
    """Measurements taken together.

    `values` are (value, how often) in ascending order; it is empty if only the statistic set is known. A set whose
    minimum is its maximum has one value, so its percentiles are known.
    """

    count: float
    total: float
    minimum: float
    maximum: float
    values: tuple[tuple[float, float], ...] = ()

    def known_values(self) -> tuple[tuple[float, float], ...]:
        """(value, how often); empty if the values are unknown."""
        return ((self.minimum, self.count),) if self.minimum == self.maximum else self.values

    def coarse(self) -> "Summary":
        """The same with values rounded to three digits, so that old data needs little room."""
        counts: dict[float, float] = defaultdict(float)
        for value, count in self.known_values():
            counts[float(f"{value:.{_COARSE_DIGITS}g}")] += count
        return Summary(self.count, self.total, self.minimum, self.maximum, tuple(sorted(counts.items())))


def of_value(value: float, *, count: float = 1.0) -> Summary:
    """One value, measured `count` times."""
    return Summary(count, value * count, value, value)


def of_values(values: Iterable[tuple[float, float]]) -> Summary:
    """Values, each with how often it was measured; at least one."""
    return together(of_value(value, count=count) for value, count in values)


def together(parts: Iterable[Summary]) -> Summary:
    """The summary of all the parts' measurements; at least one part."""
    given = list(parts)
    if len(given) == 1:
        return given[0]
    counts: dict[float, float] = defaultdict(float)
    known = True
    for part in given:
        values = part.known_values()
        known = known and bool(values)
        for value, count in values:
            counts[value] += count
    return Summary(
        count=sum(part.count for part in given),
        total=sum(part.total for part in given),
        minimum=min(part.minimum for part in given),
        maximum=max(part.maximum for part in given),
        values=tuple(sorted(counts.items())) if known else (),
    )


def statistic(summary: Summary, name: str) -> float | None:
    """A statistic by its CloudWatch name (`Sum`, `p99.9`); None if it cannot be told from a statistic set."""
    if name == "SampleCount":
        return summary.count
    if name == "Average":
        return summary.total / summary.count
    if name == "Sum":
        return summary.total
    if name == "Minimum":
        return summary.minimum
    if name == "Maximum":
        return summary.maximum
    return _percentile(summary, percentile_rank(name) or 0.0)


def percentile_rank(name: str) -> float | None:
    """99.9 of `p99.9`; None for a name that is no percentile."""
    found = _PERCENTILE.fullmatch(name)
    return float(found[1]) if found else None


def check_statistic(name: str, *, parameter: str) -> None:
    """Raise ServiceError for a statistic that CloudWatch does not know, or that is not emulated."""
    if name in STATISTICS or percentile_rank(name) is not None:
        return
    if _OTHER_EXTENDED.fullmatch(name):
        text = f"The statistic {name} is not emulated by the local cloud; it knows {', '.join(STATISTICS)} and pNN."
        raise ServiceError("NotImplemented", text, status=501)
    raise ServiceError("InvalidParameterValue", f"The value {name} for parameter {parameter} is not supported.")


def _percentile(summary: Summary, rank: float) -> float | None:
    """The smallest value that `rank` percent of the measurements do not exceed."""
    needed, seen = summary.count * rank / 100, 0.0
    for value, count in summary.known_values():
        seen += count
        if seen >= needed:
            return value
    return summary.maximum if summary.known_values() else None
