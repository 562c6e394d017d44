"""Alarms over what an analysis finds, and one for the case that no analysis happens.

Must not name a metric itself: the names come from whoever knows the analyzer.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

_LONGEST_PERIOD_SECONDS = 86_400
# CloudWatch looks back a week at most:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
_LONGEST_LOOK_SECONDS = 7 * 86_400


@dataclass(frozen=True, kw_only=True)
class MonitorMetrics:
    """One monitor's series: their namespace and dimensions, and how often a value comes."""

    namespace: str
    dimensions: Mapping[str, str]
    seconds_between: int

    @property
    def period_seconds(self) -> int:
        """Of an alarm that sees each value once; CloudWatch's longest is a day."""
        return min(self.seconds_between, _LONGEST_PERIOD_SECONDS)

    @property
    def periods_of_two(self) -> int:
        """In how many periods two values come."""
        return math.ceil(2 * self.seconds_between / self.period_seconds)


@dataclass(frozen=True, kw_only=True)
class _Condition:
    statistic: str
    comparison_operator: str
    evaluation_periods: int
    treat_missing_data: str


# Between two windows there is no value, and nothing new to say.
_FOUND = _Condition(
    statistic="Maximum",
    comparison_operator="GreaterThanOrEqualToThreshold",
    evaluation_periods=1,
    treat_missing_data="ignore",
)
_SILENT = _Condition(
    statistic="SampleCount",
    comparison_operator="LessThanThreshold",
    evaluation_periods=2,
    treat_missing_data="breaching",
)


class MonitoringAlarms(Construct):
    """`arns` are what a dashboard shows; every alarm goes to `topic_arn`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        metrics: MonitorMetrics,
        violations: Mapping[str, str],
        topic_arn: str,
    ) -> None:
        """`violations`: metric -> what it means when it is 1 or more."""
        super().__init__(scope, construct_id)
        self._metrics, self._topic_arn = metrics, topic_arn
        alarms = [self._alarm(name, name, meaning, _FOUND) for name, meaning in violations.items()]
        self.arns: Sequence[str] = [alarm.attr_arn for alarm in alarms]

    def add_silence(self, metric: str, meaning: str) -> None:
        """Alarm when two windows in a row brought no value of `metric`, which every run emits.

        There is none for windows of more than half a week, two of which CloudWatch cannot look back on.
        """
        periods = self._metrics.periods_of_two
        if periods * self._metrics.period_seconds <= _LONGEST_LOOK_SECONDS:
            self._alarm("Silence", metric, meaning, replace(_SILENT, evaluation_periods=periods))

    def _alarm(self, name: str, metric: str, meaning: str, condition: _Condition) -> cloudwatch.CfnAlarm:
        return cloudwatch.CfnAlarm(
            self,
            name,
            alarm_description=meaning,
            namespace=self._metrics.namespace,
            metric_name=metric,
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name=key, value=value)
                for key, value in self._metrics.dimensions.items()
            ],
            period=self._metrics.period_seconds,
            threshold=1,
            statistic=condition.statistic,
            comparison_operator=condition.comparison_operator,
            evaluation_periods=condition.evaluation_periods,
            treat_missing_data=condition.treat_missing_data,
            alarm_actions=[self._topic_arn],
        )
