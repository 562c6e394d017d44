"""Alarms and the dashboard over what the monitors emit, and the proof that they emit it.

An alarm on a metric that nobody emits never goes off and looks healthy: a template with one is refused.
"""

from collections.abc import Iterable, Iterator

from constructs import Construct

from components.monitoring_alarms import MonitoringAlarms, MonitorMetrics
from components.monitoring_dashboard import Graph, MonitoringDashboard
from config.monitoring_settings import MonitorSettings
from drift_monitor import metric_names
from stacks.errors import StacksError
from stacks.project_scope import ProjectScope
from stacks.projects import PRODUCTION

_VIOLATIONS = {
    metric_names.DATA_QUALITY_VIOLATIONS: "The requests differ from what the live model was judged on",
    metric_names.ATTRIBUTION_VIOLATIONS: "The live model leans on other features than it did in training",
    metric_names.MODEL_QUALITY_VIOLATIONS: "The live model is worse than its limits",
    metric_names.BIAS_VIOLATIONS: "The live model treats groups more differently than it did in training",
}
_ADVICE = "What to do: open the report that the event Violation Found names, under monitoring/runs/."


class UnknownMetricError(StacksError):
    """An alarm or a graph names a metric that none of the monitor's analyses emits."""


def add_signals(construct: Construct, scope: ProjectScope, *, topic_arn: str) -> None:
    """Alarms of every monitor, and one dashboard for all."""
    settings = scope.stage.settings.monitoring
    arns: list[str] = []
    graphs: list[Graph] = []
    for name, monitor in settings.monitors.items():
        emitted = emitted_metrics(monitor)
        metrics = MonitorMetrics(
            namespace=metric_names.NAMESPACE,
            dimensions={
                metric_names.ENDPOINT_DIMENSION: scope.endpoint_name(PRODUCTION),
                metric_names.MONITOR_DIMENSION: name,
            },
            seconds_between=60 * monitor.window_minutes,
        )
        violations = {
            metric: f"{meaning} (monitor {name}). {_ADVICE}"
            for metric, meaning in _VIOLATIONS.items()
            if metric in emitted
        }
        alarms = MonitoringAlarms(
            construct, f"Alarms-{name}", metrics=metrics, violations=violations, topic_arn=topic_arn
        )
        if settings.enabled and settings.engine == "analyzer":
            meaning = f"Monitor {name} is silent: read the logs of its schedule, its function and its pipeline."
            alarms.add_silence(checked(metric_names.ROWS, emitted), meaning)
        arns += alarms.arns
        graphs += _graphs(name, metrics, emitted)
    dashboard = f"{scope.project.resource_name(scope.stage.name)}-monitoring"
    MonitoringDashboard(construct, "Dashboard", name=dashboard, graphs=graphs, alarm_arns=arns)


def emitted_metrics(monitor: MonitorSettings) -> frozenset[str]:
    """Names of the metrics that a run of the monitor emits."""
    own = (name for analysis in monitor.analyses for name in metric_names.ANALYSES[analysis])
    return frozenset({*metric_names.ALWAYS, *own, metric_names.FEATURE_DISTANCE})


def checked(name: str, emitted: Iterable[str]) -> str:
    """The name, if the analyzer emits it; UnknownMetricError otherwise."""
    if name not in emitted:
        raise UnknownMetricError(
            f"no analysis of this monitor emits the metric {name!r}, so an alarm on it would never go off; "
            f"there are: {', '.join(sorted(emitted))}"
        )
    return name


def _graphs(name: str, metrics: MonitorMetrics, emitted: frozenset[str]) -> Iterator[Graph]:
    lines = {
        "rows": (metric_names.ROWS,),
        "drift": (metric_names.LARGEST_DISTANCE, metric_names.DRIFTED_FEATURES),
        "use of features (NDCG)": (metric_names.ATTRIBUTION_NDCG,),
        "labels (percent)": (metric_names.LABEL_COVERAGE_PERCENT,),
        "unusable requests (percent)": (metric_names.UNUSABLE_CAPTURE_PERCENT,),
    }
    for title, wanted in lines.items():
        if emitted.issuperset(wanted):
            yield Graph(title=f"{name}: {title}", metrics=metrics, lines=wanted)
    if metric_names.DRIFTED_FEATURES in emitted:
        yield Graph(
            title=f"{name}: distance by feature",
            metrics=metrics,
            lines=(metric_names.FEATURE_DISTANCE,),
            by_dimension=metric_names.FEATURE_DIMENSION,
        )
