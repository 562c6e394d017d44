"""The depth of the queues that alarms watch, looked up whenever alarms are evaluated.

Queues that no alarm names are not measured: AWS sends these metrics by itself, here nobody would read them.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from collections.abc import Callable, Mapping

from local_cloud.cloudwatch.alarm import MetricCondition
from local_cloud.cloudwatch.metrics import MetricKey, MetricStore

NAMESPACE = "AWS/SQS"
QueueDepths = Callable[[str, str, str], Mapping[str, int] | None]
"""(account, region, queue): numbers of messages by metric name, or None if there is no such queue."""


class QueueMetrics:
    """Records the depth of queues."""

    def __init__(self, *, metrics: MetricStore, depths: QueueDepths) -> None:
        self._metrics = metrics
        self._depths = depths

    def sample(self, condition: MetricCondition) -> None:
        """Measure every queue that an alarm's condition reads."""
        for query in condition.plan.metrics.values():
            if query.key.namespace == NAMESPACE:
                self._measure(query.key)

    def _measure(self, key: MetricKey) -> None:
        queue = dict(key.dimensions).get("QueueName")
        depth = (self._depths(key.account, key.region, queue) or {}).get(key.name) if queue else None
        if queue is None or depth is None:
            return
        self._metrics.record(
            account=key.account,
            region=key.region,
            namespace=NAMESPACE,
            metric_name=key.name,
            dimensions={"QueueName": queue},
            value=float(depth),
            unit="Count",
        )
