"""What an alarm is: its settings as they were put, its state, and how both look in answers. Plain values.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local_cloud.cloudwatch.alarm_rules import Rule
from local_cloud.cloudwatch.evaluation import State, Threshold
from local_cloud.cloudwatch.metric_plan import MetricPlan

METRIC_ALARM, COMPOSITE_ALARM = "MetricAlarm", "CompositeAlarm"
_ACTIONS = {State.OK: "OKActions", State.ALARM: "AlarmActions", State.INSUFFICIENT_DATA: "InsufficientDataActions"}


@dataclass(frozen=True)
class AlarmState:
    """A state, why (in words, and as JSON text), and since when. `updated` also moves when only the reason changes."""

    value: State
    reason: str
    reason_data: str | None
    updated: datetime
    transitioned: datetime


@dataclass(frozen=True)
class MetricCondition:
    """When a metric alarm is in which state."""

    plan: MetricPlan
    threshold: Threshold
    needs_enough_samples: bool = False
    """EvaluateLowSampleCountPercentile: a percentile of too few samples changes nothing."""


@dataclass(frozen=True)
class Alarm:
    """A metric alarm or a composite alarm. `settings` is the request that put it, defaults filled in."""

    name: str
    arn: str
    settings: Mapping[str, Any]
    condition: MetricCondition | Rule
    state: AlarmState
    configured: datetime
    actions_enabled: bool

    @property
    def kind(self) -> str:
        """AlarmType."""
        return METRIC_ALARM if isinstance(self.condition, MetricCondition) else COMPOSITE_ALARM

    @property
    def account(self) -> str:
        """The account in which the alarm lives."""
        return self.arn.split(":")[4]

    @property
    def region(self) -> str:
        """The region in which the alarm lives."""
        return self.arn.split(":")[3]

    def actions(self, state: State) -> tuple[str, ...]:
        """The ARNs to call when the alarm comes into a state; none while actions are disabled."""
        return tuple(self.settings[_ACTIONS[state]]) if self.actions_enabled else ()

    def all_actions(self) -> tuple[str, ...]:
        """The ARNs of every state."""
        return tuple(arn for name in _ACTIONS.values() for arn in self.settings[name])

    def described(self) -> dict[str, Any]:
        """The MetricAlarm or CompositeAlarm structure."""
        state = {
            "StateValue": self.state.value.value,
            "StateReason": self.state.reason,
            "StateUpdatedTimestamp": self.state.updated,
            "StateTransitionedTimestamp": self.state.transitioned,
        } | ({"StateReasonData": self.state.reason_data} if self.state.reason_data is not None else {})
        own = {
            "AlarmArn": self.arn,
            "AlarmConfigurationUpdatedTimestamp": self.configured,
            "ActionsEnabled": self.actions_enabled,
        }
        return dict(self.settings) | own | state


@dataclass(frozen=True)
class Transition:
    """An alarm that came into another state: `alarm` as it is now, and the state that it left.

    `children` are the alarms that a composite alarm's rule held to account, as they are now.
    """

    alarm: Alarm
    previous: AlarmState
    children: tuple[Alarm, ...] = ()
