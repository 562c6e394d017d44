"""What PutMetricAlarm and PutCompositeAlarm are given, checked as CloudWatch checks it and made into a condition.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from collections.abc import Mapping
from typing import Any

from local_cloud.cloudwatch.alarm import MetricCondition
from local_cloud.cloudwatch.alarm_rules import Rule, RuleError, parse
from local_cloud.cloudwatch.evaluation import COMPARISONS, Missing, Threshold
from local_cloud.cloudwatch.metric_plan import MetricPlan, plan_of_metric, plan_of_queries
from local_cloud.service import RequestContext, ServiceError

ACTION_SERVICES = {
    "sns": "publishes the notification",
    "lambda": "invokes the function",
    "autoscaling": "is noted in the alarm's history; nothing is scaled",
}
_NOT_EMULATED = (
    *("ActionConfiguration", "ActionsSuppressor", "EvaluationCriteria", "EvaluationInterval", "EvaluationWindow"),
    *("ThresholdMetricId", "WarmUpConfiguration"),
)
_OF_ONE_METRIC = ("Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit")
_SHORTEST_PERIOD = 10
_SECONDS_OF_A_DAY = 86_400
_SECONDS_OF_A_WEEK = 604_800
_ACTION_LISTS = ("OKActions", "AlarmActions", "InsufficientDataActions")


def alarm_settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """The settings to keep of a request, with the defaults that CloudWatch gives back; raises ServiceError."""
    for name in _NOT_EMULATED:
        if name in params:
            raise _not_emulated(f"{name} of {params['AlarmName']}")
    kept = {name: value for name, value in params.items() if name not in ("Tags", "ActionsEnabled")}
    settings = kept | {name: list(params.get(name, ())) for name in _ACTION_LISTS}
    for arn in (arn for name in _ACTION_LISTS for arn in settings[name]):
        _check_action(arn)
    return settings


def metric_condition(context: RequestContext, params: Mapping[str, Any]) -> MetricCondition:
    """The condition of a metric alarm; raises ServiceError (ValidationError in most cases)."""
    if ("MetricName" in params) == ("Metrics" in params):
        raise _invalid("Exactly one of MetricName and Metrics must be given.")
    _require(params, "ComparisonOperator", "EvaluationPeriods")
    if params["ComparisonOperator"] not in COMPARISONS:
        raise _not_emulated(f"The anomaly detection that {params['ComparisonOperator']} compares with")
    _require(params, "Threshold")
    plan = _plan_of_one(context, params) if "MetricName" in params else _plan_of_many(context, params)
    if plan.period < _SHORTEST_PERIOD:
        raise _invalid("The period of an alarm must be 10, 20, 30 or a multiple of 60.")
    threshold = _threshold(params)
    span = plan.period * threshold.evaluation_periods
    if span > (_SECONDS_OF_A_WEEK if plan.period >= 3600 else _SECONDS_OF_A_DAY):
        raise _invalid(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400), "
            "or a week for periods of an hour and more."
        )
    low = params.get("EvaluateLowSampleCountPercentile", "evaluate")
    if low not in ("evaluate", "ignore"):
        raise _invalid(f"EvaluateLowSampleCountPercentile must be evaluate or ignore; it is {low}.")
    return MetricCondition(plan, threshold, needs_enough_samples=low == "ignore")


def composite_rule(params: Mapping[str, Any]) -> Rule:
    """The rule of a composite alarm; raises ServiceError (ValidationError)."""
    try:
        return parse(params["AlarmRule"])
    except RuleError as error:
        raise _invalid(f"Error in AlarmRule of {params['AlarmName']}: {error}.") from None


def _plan_of_one(context: RequestContext, params: Mapping[str, Any]) -> MetricPlan:
    _require(params, "Namespace", "Period")
    if ("Statistic" in params) == ("ExtendedStatistic" in params):
        raise _invalid("Exactly one of Statistic and ExtendedStatistic must be given.")
    return plan_of_metric(context, params)


def _plan_of_many(context: RequestContext, params: Mapping[str, Any]) -> MetricPlan:
    if beside := [name for name in _OF_ONE_METRIC if params.get(name)]:
        raise _invalid(f"{beside[0]} cannot be given beside Metrics.")
    plan = plan_of_queries(context, params["Metrics"], parameter="Metrics")
    if len(plan.returned) != 1:
        raise _invalid("Exactly one element of the metrics list should return data.")
    if len({query.period for query in plan.metrics.values()}) > 1:
        raise _invalid("All metrics of an alarm must have the same period.")
    if not plan.metrics:
        raise _invalid("At least one element of the metrics list must be a metric.")
    return plan


def _threshold(params: Mapping[str, Any]) -> Threshold:
    periods = params["EvaluationPeriods"]
    to_alarm = params.get("DatapointsToAlarm", periods)
    if to_alarm > periods:
        raise _invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    missing = params.get("TreatMissingData", Missing.MISSING.value)
    if missing not in [known.value for known in Missing]:
        known = ", ".join(Missing)
        raise _invalid(f"The value {missing} for TreatMissingData is not supported; it must be one of {known}.")
    return Threshold(params["ComparisonOperator"], params["Threshold"], periods, to_alarm, Missing(missing))


def _check_action(arn: str) -> None:
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        raise _invalid(f"Invalid arn syntax: {arn}")
    if parts[2] not in ACTION_SERVICES:
        raise _not_emulated(f"The alarm action {arn}")


def _require(params: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if params.get(name) is None:
            raise _invalid(f"The parameter {name} is required.")


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


def _not_emulated(what: str) -> ServiceError:
    return ServiceError("NotImplemented", f"{what} is not emulated by the local cloud.", status=501)
