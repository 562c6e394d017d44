"""The alarms that send a deployment back: what of an endpoint they watch, and how they judge it.

Must not name an alarm (its name would block a replacement) and must not leave missing data to the default: an endpoint
without requests reports nothing, and is well.
https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

_MICROSECONDS_PER_MILLISECOND = 1000


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """One metric and its limit. `statistic` is one of CloudWatch's, or a percentile such as `p99`.

    `breaches` is `above` or `below`.
    """

    name: str
    meaning: str
    metric_name: str
    statistic: str
    threshold: float
    namespace: str = "AWS/SageMaker"
    breaches: str = "above"


@dataclass(frozen=True, kw_only=True)
class AlarmWindow:
    """An alarm goes off with `datapoints_to_alarm` bad ones among the last `evaluation_periods` of `period_seconds`."""

    period_seconds: int
    evaluation_periods: int
    datapoints_to_alarm: int


@dataclass(frozen=True, kw_only=True)
class WatchedVariant:
    """The endpoint's variant whose metrics count, and the topic that hears of an alarm; both may be parameters."""

    endpoint_name: str
    variant_name: str
    topic_arn: str


class RollbackAlarms(Construct):
    """One alarm for each rule; `names` are what a deployment refers to, `arns` what a dashboard shows."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        variant: WatchedVariant,
        rules: Sequence[AlarmRule],
        window: AlarmWindow,
    ) -> None:
        super().__init__(scope, construct_id)
        alarms = [_alarm(self, rule, variant=variant, window=window) for rule in rules]
        self.names = tuple(alarm.ref for alarm in alarms)
        self.arns = tuple(alarm.attr_arn for alarm in alarms)


def server_errors(percent: float) -> AlarmRule:
    """More than `percent` of the requests answered with a 5xx status: the metric is 0 or 1 for each request."""
    return AlarmRule(
        name="ServerErrors",
        meaning=f"More than {percent:g} % of the requests end with a server error",
        metric_name="Invocation5XXErrors",
        statistic="Average",
        threshold=percent / 100,
    )


def slow_answers(milliseconds: float) -> AlarmRule:
    """One request in a hundred takes the model longer than `milliseconds`; SageMaker reports microseconds."""
    return AlarmRule(
        name="SlowAnswers",
        meaning=f"One request in a hundred takes the model longer than {milliseconds:g} ms",
        metric_name="ModelLatency",
        statistic="p99",
        threshold=milliseconds * _MICROSECONDS_PER_MILLISECOND,
    )


def _alarm(scope: Construct, rule: AlarmRule, *, variant: WatchedVariant, window: AlarmWindow) -> cloudwatch.CfnAlarm:
    percentile = rule.statistic.startswith("p")
    dimensions = {"EndpointName": variant.endpoint_name, "VariantName": variant.variant_name}
    return cloudwatch.CfnAlarm(
        scope,
        rule.name,
        alarm_description=f"{rule.meaning}. During a deployment this rolls back; otherwise read the endpoint's log",
        namespace=rule.namespace,
        metric_name=rule.metric_name,
        dimensions=[
            cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value) for name, value in dimensions.items()
        ],
        statistic=None if percentile else rule.statistic,
        extended_statistic=rule.statistic if percentile else None,
        comparison_operator="GreaterThanThreshold" if rule.breaches == "above" else "LessThanThreshold",
        threshold=rule.threshold,
        period=window.period_seconds,
        evaluation_periods=window.evaluation_periods,
        datapoints_to_alarm=window.datapoints_to_alarm,
        treat_missing_data="notBreaching",
        alarm_actions=[variant.topic_arn],
    )
