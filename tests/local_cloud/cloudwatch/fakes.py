"""CloudWatch with a clock that tests turn, and with what it tells others kept in lists instead of sent."""

from datetime import UTC, datetime, timedelta
from typing import Any

from local_cloud.clock import Clock
from local_cloud.cloudwatch.actions import ActionError, Actions
from local_cloud.cloudwatch.alarm import Transition
from local_cloud.cloudwatch.alarms import Alarms
from local_cloud.cloudwatch.api_model import CloudWatchModel
from local_cloud.cloudwatch.metrics import MetricStore
from local_cloud.cloudwatch.queue_metrics import QueueMetrics
from local_cloud.cloudwatch.service import CloudWatch
from local_cloud.events.bus import EventBus
from tests.local_cloud.operations import CONTEXT, Operations
from tests.waiting import LIMIT_SECONDS

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"
PLAIN_ALARM = {
    "Namespace": "N",
    "MetricName": "m",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


class TurnedClock(Clock):
    """A clock that stands still until it is turned."""

    def __init__(self, *, scale: float = 1.0) -> None:
        super().__init__(scale=scale)
        self.time = MIDNIGHT

    def now(self) -> datetime:
        """The time to which the clock was turned last."""
        return self.time

    def turn(self, seconds: float) -> None:
        """Go on by real seconds."""
        self.time += timedelta(seconds=seconds)


class RecordedActions(Actions):
    """Keeps (action ARN, new state) instead of calling anything. ARNs in `failing` fail."""

    def __init__(self) -> None:
        self.called: list[tuple[str, str]] = []
        self.failing: set[str] = set()

    def call(self, arn_text: str, transition: Transition) -> None:
        """Keep it."""
        if arn_text in self.failing:
            raise ActionError("no permission")
        self.called.append((arn_text, transition.alarm.state.value.value))


class FakeCloudWatch(Operations):
    """The engine; `published` are the events, `actions.called` the actions, `depths` the queues by name."""

    def __init__(self, *, scale: float = 1.0) -> None:
        self.clock = TurnedClock(scale=scale)
        self.published: list[dict[str, Any]] = []
        self.actions = RecordedActions()
        self.depths: dict[str, dict[str, int]] = {}
        self.metrics = MetricStore(self.clock)
        queues = QueueMetrics(metrics=self.metrics, depths=lambda account, region, queue: self.depths.get(queue))
        self.alarms = Alarms(
            metrics=self.metrics,
            clock=self.clock,
            events=EventBus(self.clock, lambda account, region, event: self.published.append(event)),
            actions=self.actions,
            sample=queues.sample,
            automatic=False,
        )
        self.engine = CloudWatch(metrics=self.metrics, alarms=self.alarms, clock=self.clock)
        super().__init__(self.engine.service(), model=CloudWatchModel())

    def put_alarm(self, name: str = "a", **settings: Any) -> None:
        """An alarm on the sum of N/m above 1 in one period of a minute, unless settings say otherwise."""
        chosen = {key: value for key, value in (PLAIN_ALARM | settings).items() if value is not None}
        self.call("PutMetricAlarm", AlarmName=name, **chosen)

    def measure(self, value: float, *, name: str = "m", **dimensions: str) -> None:
        """Record N/m now."""
        self.metrics.record(
            account=CONTEXT.account,
            region=CONTEXT.region,
            namespace="N",
            metric_name=name,
            dimensions=dimensions,
            value=value,
        )

    def after(self, seconds: float) -> None:
        """Turn the clock, evaluate, and wait until all is told."""
        self.clock.turn(seconds)
        self.alarms.evaluate()
        self.told()

    def told(self) -> None:
        """Wait until events and actions are out."""
        assert self.alarms.wait_until_idle(LIMIT_SECONDS)

    def state(self, name: str = "a") -> str | None:
        """The state of an alarm."""
        return self.alarms.state_of(CONTEXT.account, CONTEXT.region, name)

    def described(self, name: str = "a") -> dict[str, Any]:
        """DescribeAlarms of one alarm."""
        answer = self.call("DescribeAlarms", AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        alarm: dict[str, Any] = (answer["MetricAlarms"] + answer["CompositeAlarms"])[0]
        return alarm
