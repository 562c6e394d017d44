"""Which state an alarm's datapoints mean: M out of N, and what missing datapoints count for. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The states of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Missing(StrEnum):
    """TreatMissingData."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


EXTRA_PERIODS = 2
"""CloudWatch looks further back than EvaluationPeriods for real datapoints; by two in the tables it publishes."""

COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclass(frozen=True)
class Threshold:
    """When datapoints are an alarm: `datapoints_to_alarm` (M) breaching ones out of `evaluation_periods` (N)."""

    comparison: str
    value: float
    evaluation_periods: int
    datapoints_to_alarm: int
    missing: Missing = Missing.MISSING

    @property
    def evaluation_range(self) -> int:
        """How many periods are looked at."""
        return self.evaluation_periods + EXTRA_PERIODS

    def is_breached_by(self, value: float) -> bool:
        """Whether one datapoint breaches."""
        return COMPARISONS[self.comparison][0](value, self.value)


@dataclass(frozen=True)
class Verdict:
    """The state that follows, or None to keep the present one; `used` are positions of the datapoints that decided
    (newest first) and `filled` is how many missing ones were made up for."""

    state: State | None
    used: tuple[int, ...]
    filled: int


def evaluate(datapoints: Sequence[float | None], threshold: Threshold) -> Verdict:
    """Judge the datapoints of the evaluation range, oldest first, None where one is missing."""
    newest_first = [index for index in reversed(range(len(datapoints))) if datapoints[index] is not None]
    used = tuple(newest_first[: threshold.evaluation_periods])
    breaching = [index for index in used if threshold.is_breached_by(datapoints[index] or 0.0)]
    filled = threshold.evaluation_periods - len(used)
    if filled == 0 or len(breaching) >= threshold.datapoints_to_alarm:
        return Verdict(_state(len(breaching), threshold), used, filled)
    if threshold.missing is Missing.BREACHING:
        return Verdict(_state(len(breaching) + filled, threshold), used, filled)
    if threshold.missing is Missing.NOT_BREACHING or len(breaching) < len(used):
        return Verdict(State.OK, used, filled)
    if threshold.missing is Missing.IGNORE:
        return Verdict(None, used, filled)
    return Verdict(_without_evidence(datapoints, used, threshold), used, filled)


def _state(breaching: int, threshold: Threshold) -> State:
    return State.ALARM if breaching >= threshold.datapoints_to_alarm else State.OK


def _without_evidence(datapoints: Sequence[float | None], used: tuple[int, ...], threshold: Threshold) -> State | None:
    """All there is breaches, but it is not enough: an alarm only once the oldest of it is M periods old."""
    if not used:
        return State.INSUFFICIENT_DATA
    age = len(datapoints) - used[-1]
    return State.ALARM if age >= threshold.datapoints_to_alarm else None
