"""One page about an endpoint: requests, errors, latency, machines, and the state of its alarms.

Must not show a metric that SageMaker does not emit for the variant.
https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Aws, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

_INVOCATIONS, _MACHINES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
# Title of a graph -> namespace and (metric, statistic) of its lines. CloudWatch's own grid has 24 columns.
_GRAPHS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "Requests": (_INVOCATIONS, (("Invocations", "Sum"), ("InvocationsPerInstance", "Sum"))),
    "Errors": (_INVOCATIONS, (("Invocation4XXErrors", "Sum"), ("Invocation5XXErrors", "Sum"))),
    "Latency (microseconds)": (
        _INVOCATIONS,
        (("ModelLatency", "p50"), ("ModelLatency", "p99"), ("OverheadLatency", "p99")),
    ),
    "Machines (percent)": (_MACHINES, (("CPUUtilization", "Average"), ("MemoryUtilization", "Average"))),
}
_COLUMNS, _ROWS = 12, 6


class EndpointDashboard(Construct):
    """Dashboard with the name of the endpoint."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        variant_name: str,
        alarm_arns: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        graphs = [
            _graph(title, place=place, endpoint_name=endpoint_name, variant_name=variant_name)
            for place, title in enumerate(_GRAPHS)
        ]
        alarms = {
            "type": "alarm",
            "x": 0,
            "y": _ROWS * ((len(graphs) + 1) // 2),
            "width": 2 * _COLUMNS,
            "height": 2,
            "properties": {"title": "What rolls a deployment back", "alarms": list(alarm_arns)},
        }
        cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=endpoint_name,
            dashboard_body=Stack.of(self).to_json_string({"widgets": [*graphs, alarms]}),
        )


def _graph(title: str, *, place: int, endpoint_name: str, variant_name: str) -> dict[str, Any]:
    namespace, lines = _GRAPHS[title]
    dimensions = ["EndpointName", endpoint_name, "VariantName", variant_name]
    return {
        "type": "metric",
        "x": _COLUMNS * (place % 2),
        "y": _ROWS * (place // 2),
        "width": _COLUMNS,
        "height": _ROWS,
        "properties": {
            "title": title,
            "region": Aws.REGION,
            "period": 60,
            "metrics": [[namespace, metric, *dimensions, {"stat": statistic}] for metric, statistic in lines],
        },
    }
