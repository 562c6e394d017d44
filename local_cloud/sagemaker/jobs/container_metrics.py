"""Metrics that a monitoring container leaves in a file, which SageMaker sends to CloudWatch for it.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-cloudwatch.html
Lines are data of PutMetricData without a namespace; they are sent with the job role's rights.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_cloud.sagemaker.jobs.failures import JobFailure
from local_cloud.sagemaker.jobs.layout import files_below

FOLDER = "output/metrics/cloudwatch"
"""Below `/opt/ml`; every file in it is read."""
_MOST_PER_CALL = 1000
_MEMBERS = frozenset({"MetricName", "Timestamp", "Dimensions", "Value", "StatisticValues", "Unit"})


def send_metrics(client: Any, folder: Path, *, namespace: str) -> None:
    """Send every line of the files in `folder`; `client` is one of CloudWatch.

    Raises JobFailure for a line that is no metric, where AWS would lose it without a word.
    """
    data = [datum for file in files_below(folder) for datum in _data(file)]
    for start in range(0, len(data), _MOST_PER_CALL):
        client.put_metric_data(Namespace=namespace, MetricData=data[start : start + _MOST_PER_CALL])


def _data(file: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            datum = json.loads(line)
        except ValueError:
            datum = None
        if not isinstance(datum, dict) or not {"MetricName"} <= datum.keys() <= _MEMBERS:
            raise JobFailure(
                f"ClientError: {FOLDER}/{file.name}, line {number} is no metric: give an object with MetricName, "
                "Timestamp, Dimensions, Unit, and either Value or StatisticValues."
            )
        yield datum
