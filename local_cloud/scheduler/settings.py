"""What a schedule may say: defaults, and the checks that CreateSchedule and UpdateSchedule make beyond the API model.

https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local_cloud.events.arns import Arn, ArnError, parse_arn
from local_cloud.sagemaker.refusals import refuse
from local_cloud.scheduler.errors import ScheduleExpressionError
from local_cloud.scheduler.expressions import Between, Occurrences, Once, parse_expression
from local_cloud.scheduler.universal import is_universal, universal_target
from local_cloud.service import invalid

TIMING = ("ScheduleExpression", "ScheduleExpressionTimezone", "StartDate", "EndDate", "State", "FlexibleTimeWindow")
"""The settings whose change begins a schedule anew."""
_DEFAULTS: Mapping[str, Any] = {
    "ScheduleExpressionTimezone": "UTC",
    "State": "ENABLED",
    "ActionAfterCompletion": "NONE",
}
_RETRIES: Mapping[str, int] = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
_TEMPLATED = ("codepipeline", "events", "lambda", "sagemaker", "sns", "sqs", "states")
_JSON_INPUT = ("events", "lambda", "states")
_REFUSED = (
    "Target.EcsParameters",
    "Target.KinesisParameters",
    "Target.EventBridgePutEventsV2Parameters",
    "Target.EventBridgePutRawEventsParameters",
)
_MOMENTS = ("StartDate", "EndDate")
_OLDEST_START = timedelta(minutes=5)


def settings_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """A request's settings with the defaults and all moments in UTC; raises ValidationException."""
    refuse(params, _REFUSED)
    given = {name: value for name, value in params.items() if name not in ("Name", "GroupName", "ClientToken")}
    given |= {name: _in_utc(given[name]) for name in _MOMENTS if name in given}
    target = given["Target"]
    given["Target"] = target | {"RetryPolicy": {**_RETRIES, **target.get("RetryPolicy", {})}}
    settings = {**_DEFAULTS, **given}
    _check_window(settings)
    _check_target(settings["Target"])
    return settings


def check_start(settings: Mapping[str, Any], now: datetime) -> None:
    """Raise ValidationException for a schedule that would have begun more than five minutes ago."""
    start = settings.get("StartDate")
    if start and start < now - _OLDEST_START:
        raise invalid("The StartDate you specify cannot be earlier than 5 minutes ago.")


def occurrences(settings: Mapping[str, Any], *, now: datetime) -> Occurrences:
    """When a schedule that begins `now` runs; raises ValidationException for an expression AWS would refuse."""
    start, end = settings.get("StartDate"), settings.get("EndDate")
    try:
        zone = ZoneInfo(settings["ScheduleExpressionTimezone"])
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise invalid(f"Invalid Schedule Expression Timezone {settings['ScheduleExpressionTimezone']}.") from error
    try:
        found = parse_expression(settings["ScheduleExpression"], zone=zone, origin=start or now)
    except ScheduleExpressionError as error:
        raise invalid(f"Invalid Schedule Expression {settings['ScheduleExpression']}: {error}.") from error
    # One-time schedules ignore both dates.
    return found if isinstance(found, Once) else Between(found, start, end)


def _check_window(settings: Mapping[str, Any]) -> None:
    window = settings["FlexibleTimeWindow"]
    flexible = window["Mode"] == "FLEXIBLE"
    if flexible != ("MaximumWindowInMinutes" in window):
        raise invalid(
            "FlexibleTimeWindow needs MaximumWindowInMinutes with the mode FLEXIBLE, and takes none with the mode OFF."
        )
    start, end = settings.get("StartDate"), settings.get("EndDate")
    if start and end and end <= start:
        raise invalid("The EndDate must be later than the StartDate.")


def _check_target(target: Mapping[str, Any]) -> None:
    arn = target["Arn"]
    if is_universal(arn):
        universal_target(arn)
        _check_json(target)
        return
    try:
        known = parse_arn(arn)
    except ArnError as error:
        raise invalid(f"Provided Arn is not in correct format: {error}") from error
    if known.service not in _TEMPLATED:
        raise invalid(
            f"The target {arn} is not emulated by the local cloud; there are {', '.join(_TEMPLATED)} and the "
            "universal targets."
        )
    _check_parameters(known, target)


def _check_parameters(arn: Arn, target: Mapping[str, Any]) -> None:
    if arn.service == "events" and "EventBridgeParameters" not in target:
        raise invalid("EventBridgeParameters are required for an event bus as the target.")
    if arn.service == "sqs" and arn.resource.endswith(".fifo") != bool(target.get("SqsParameters")):
        raise invalid("SqsParameters with a MessageGroupId are required for a FIFO queue, and for no other.")
    if arn.service in _JSON_INPUT:
        _check_json(target)


def _check_json(target: Mapping[str, Any]) -> None:
    try:
        json.loads(target.get("Input", "{}"))
    except ValueError as error:
        raise invalid(f"Invalid Input: the input of {target['Arn']} is not JSON: {error}") from error


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
