"""One page about what the monitors of a live model found.

Must not show a metric that no analysis emits: the caller names them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Aws, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from components.monitoring_alarms import MonitorMetrics

_COLUMNS, _ROWS = 12, 6


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Lines of one monitor: metric names, or a search for all series of a metric by a further dimension."""

    title: str
    metrics: MonitorMetrics
    lines: Sequence[str]
    by_dimension: str | None = None


class MonitoringDashboard(Construct):
    """Dashboard `name` with the alarms on top."""

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, graphs: Sequence[Graph], alarm_arns: Sequence[str]
    ) -> None:
        super().__init__(scope, construct_id)
        alarms = {
            "type": "alarm",
            "x": 0,
            "y": 0,
            "width": 2 * _COLUMNS,
            "height": 2,
            "properties": {"title": "Violations", "alarms": list(alarm_arns)},
        }
        widgets = [_widget(graph, place=place) for place, graph in enumerate(graphs)]
        cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=name,
            dashboard_body=Stack.of(self).to_json_string({"widgets": [alarms, *widgets]}),
        )


def _widget(graph: Graph, *, place: int) -> dict[str, Any]:
    return {
        "type": "metric",
        "x": _COLUMNS * (place % 2),
        "y": 2 + _ROWS * (place // 2),
        "width": _COLUMNS,
        "height": _ROWS,
        "properties": {
            "title": graph.title,
            "region": Aws.REGION,
            "period": graph.metrics.period_seconds,
            "metrics": _searched(graph) if graph.by_dimension else _named(graph),
        },
    }


def _named(graph: Graph) -> list[list[Any]]:
    dimensions = [part for pair in graph.metrics.dimensions.items() for part in pair]
    return [[graph.metrics.namespace, line, *dimensions, {"stat": "Maximum"}] for line in graph.lines]


def _searched(graph: Graph) -> list[list[Any]]:
    """One search expression for each metric: which features there are is only known to the analysis.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
    """
    names = ",".join([graph.metrics.namespace, *graph.metrics.dimensions, str(graph.by_dimension)])
    return [
        [{"expression": _search(names, line, graph.metrics.dimensions), "id": f"s{i}"}]
        for i, line in enumerate(graph.lines)
    ]


def _search(schema: str, metric: str, dimensions: Mapping[str, str]) -> str:
    wanted = " ".join(f'{name}="{value}"' for name, value in dimensions.items())
    return f"SEARCH('{{{schema}}} MetricName=\"{metric}\" {wanted}', 'Maximum')"
