"""The words and the data with which CloudWatch explains a state: StateReason and StateReasonData."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_cloud.cloudwatch.alarm import Alarm, MetricCondition
from local_cloud.cloudwatch.evaluation import COMPARISONS, Missing, State, Threshold, Verdict

INITIAL_REASON = "Unchecked: Initial alarm creation"
_MOST_REASON = 1023
_MOST_DATA = 4000
_FILLED_AS = {Missing.BREACHING: "Breaching", Missing.NOT_BREACHING: "NonBreaching"}


@dataclass(frozen=True)
class Evaluated:
    """The evaluation range: start of each period (seconds since 1970), its value and number of measurements."""

    starts: Sequence[float]
    values: Sequence[float | None]
    counts: Sequence[float | None]


def timestamp(moment: datetime) -> str:
    """The form in which CloudWatch writes a time into events and messages."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def reason(verdict: Verdict, evaluated: Evaluated, *, threshold: Threshold, explicit: bool) -> str:
    """StateReason of a metric alarm. `explicit` is whether DatapointsToAlarm was given: the wording depends on it."""
    if verdict.state is State.INSUFFICIENT_DATA:
        unknown = threshold.evaluation_periods
        return f"Insufficient Data: {_datapoints(unknown)} {_was(unknown)} unknown."
    alarm = verdict.state is State.ALARM
    deciding = [index for index in verdict.used if threshold.is_breached_by(evaluated.values[index] or 0.0) is alarm]
    text = _observed(deciding, verdict, evaluated, threshold=threshold, alarm=alarm, explicit=explicit)
    treated = _FILLED_AS.get(threshold.missing)
    if verdict.filled and treated:
        noun = "datapoint" if verdict.filled == 1 else "datapoints"
        text += f" and {verdict.filled} missing {noun} {_was(verdict.filled)} treated as [{treated}]"
    if explicit and deciding:
        text += f" ({_minimum(threshold, alarm=alarm)})"
    return f"Threshold Crossed: {text}."[:_MOST_REASON]


def reason_data(
    condition: MetricCondition, evaluated: Evaluated, verdict: Verdict, *, settings: Mapping[str, Any], now: datetime
) -> str:
    """StateReasonData of a metric alarm: JSON text."""
    newest_first = list(verdict.used)
    data: dict[str, Any] = {"version": "1.0", "queryDate": timestamp(now)}
    if newest_first:
        data["startDate"] = _moment(evaluated.starts[newest_first[-1]])
    if "MetricName" in settings:
        if "Unit" in settings:
            data["unit"] = settings["Unit"]
        data["statistic"] = settings.get("Statistic") or settings["ExtendedStatistic"]
    data |= {
        "period": condition.plan.period,
        "recentDatapoints": [evaluated.values[index] for index in reversed(newest_first)],
        "threshold": condition.threshold.value,
    }
    data["evaluatedDatapoints"] = [_evaluated(evaluated, index) for index in newest_first]
    while len(text := json.dumps(data, separators=(",", ":"))) > _MOST_DATA:
        # The oldest go first, and single values before their list.
        del (data["evaluatedDatapoints"] or data["recentDatapoints"])[-1]
    return text


def composite_reason(alarm: Alarm, triggering: Alarm | None, state: State) -> str:
    """StateReason of a composite alarm: the child whose change decided, or that the alarm is new."""
    if triggering is None:
        return f"{alarm.arn} was created and its alarm rule evaluates to {state.value}"
    when = triggering.state.transitioned.astimezone(UTC)
    return f"{triggering.arn} transitioned to {triggering.state.value.value} at {when:%A %d %B, %Y %H:%M:%S} UTC"


def composite_reason_data(children: Sequence[Alarm]) -> str:
    """StateReasonData of a composite alarm: JSON text."""
    triggering = [
        {
            "arn": child.arn,
            "state": {"value": child.state.value.value, "timestamp": timestamp(child.state.transitioned)},
        }
        for child in children
    ]
    return json.dumps({"triggeringAlarms": triggering}, separators=(",", ":"))


def _observed(
    deciding: Sequence[int],
    verdict: Verdict,
    evaluated: Evaluated,
    *,
    threshold: Threshold,
    alarm: bool,
    explicit: bool,
) -> str:
    if not deciding:
        received = len(verdict.used)
        periods = "1 period" if threshold.evaluation_periods == 1 else f"{threshold.evaluation_periods} periods"
        what = _datapoints(received) if received else "no datapoints"
        return f"{what} {_was(received)} received for {periods}"
    listed = ", ".join(
        f"{float(evaluated.values[index] or 0.0)} ({_short(evaluated.starts[index])})" for index in deciding
    )
    if explicit:
        amount = f"{len(deciding)} out of the last {threshold.evaluation_periods} datapoints"
    else:
        amount = _datapoints(len(deciding))
    relation = COMPARISONS[threshold.comparison][1]
    denial = "" if alarm else "not "
    return f"{amount} [{listed}] {_was(len(deciding))} {denial}{relation} the threshold ({float(threshold.value)})"


def _minimum(threshold: Threshold, *, alarm: bool) -> str:
    needed = threshold.datapoints_to_alarm
    if alarm:
        return f"minimum {_datapoints(needed)} for OK -> ALARM transition"
    return f"minimum {_datapoints(threshold.evaluation_periods - needed + 1)} for ALARM -> OK transition"


def _evaluated(evaluated: Evaluated, index: int) -> dict[str, Any]:
    count = evaluated.counts[index]
    known = {"sampleCount": count} if count is not None else {}
    return {"timestamp": _moment(evaluated.starts[index])} | known | {"value": evaluated.values[index]}


def _datapoints(number: int) -> str:
    return f"{number} datapoint" if number == 1 else f"{number} datapoints"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _moment(seconds: float) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))


def _short(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d/%m/%y %H:%M:%S}"
