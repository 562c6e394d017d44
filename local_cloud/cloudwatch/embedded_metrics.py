"""Metrics in log lines: the Embedded Metric Format, taken out of what is written to CloudWatch Logs.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from local_cloud.cloudwatch.metrics import MetricStore
from local_cloud.service import RequestContext

_MARK = '"_aws"'


class EmbeddedMetrics:
    """Feeds a store from PutLogEvents. A line that breaks the format is a log line and nothing more, as on AWS."""

    def __init__(self, metrics: MetricStore) -> None:
        self._metrics = metrics

    def take(self, context: RequestContext, params: Mapping[str, Any]) -> None:
        """Record the metrics in the log events of one PutLogEvents request."""
        for event in params.get("logEvents", ()):
            if _MARK not in event["message"]:
                continue
            for datum in _data(event["message"]):
                self._metrics.record(account=context.account, region=context.region, **datum)


def _data(message: str) -> Iterator[dict[str, Any]]:
    """The arguments for `MetricStore.record` of each metric and each set of dimensions in a line."""
    try:
        line = json.loads(message)
        about = line["_aws"]
        timestamp = datetime.fromtimestamp(about["Timestamp"] / 1000, UTC)
        for directive in about["CloudWatchMetrics"]:
            for names in directive.get("Dimensions") or [[]]:
                dimensions = {name: str(line[name]) for name in names}
                for metric in directive["Metrics"]:
                    yield {
                        "namespace": directive["Namespace"],
                        "metric_name": metric["Name"],
                        "dimensions": dimensions,
                        "timestamp": timestamp,
                        "unit": metric.get("Unit", "None"),
                    } | _measured(line[metric["Name"]])
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        return


def _measured(value: object) -> dict[str, Any]:
    """A number, or a list of numbers; raises ValueError or TypeError for anything else."""
    if isinstance(value, list):
        if not value:
            raise ValueError("no values")
        return {"values": [_number(item) for item in value]}
    return {"value": _number(value)}


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return float(value)
