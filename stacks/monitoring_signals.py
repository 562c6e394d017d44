"""Alarms and the dashboard over what the monitors emit. That they emit it is proven by `stacks.metric_checks`.

Must not decide what is a violation: the analyses do.
"""

from collections.abc import Iterator

from constructs import Construct

from components.monitoring_alarms import MonitoringAlarms, MonitorMetrics
from components.monitoring_dashboard import Graph, MonitoringDashboard
from drift_monitor import metric_names
from stacks.endpoint_stack import CHAMPION
from stacks.metric_checks import EmittedMetrics, emitted_by
from stacks.project_scope import ProjectScope
from stacks.projects import PRODUCTION
from stacks.stage import Stage

_VIOLATIONS = {
    metric_names.DATA_QUALITY_VIOLATIONS: "The requests differ from what the live model was judged on",
    metric_names.ATTRIBUTION_VIOLATIONS: "The live model leans on other features than it did in training",
    metric_names.MODEL_QUALITY_VIOLATIONS: "The live model is worse than its limits",
    metric_names.BIAS_VIOLATIONS: "The live model treats groups more differently than it did in training",
}
_ADVICE = "What to do: open the report that the event Violation Found names, under monitoring/runs/."


def add_signals(construct: Construct, scope: ProjectScope, *, topic_arn: str) -> None:
    """Alarms of every monitor, and one dashboard for all."""
    settings = scope.stage.settings.monitoring
    arns: list[str] = []
    graphs: list[Graph] = []
    for name, monitor in settings.monitors.items():
        emitted = emitted_by(monitor.analyses)
        metrics = MonitorMetrics(
            namespace=metric_names.NAMESPACE,
            dimensions={
                metric_names.ENDPOINT_DIMENSION: scope.endpoint_name(PRODUCTION),
                metric_names.MONITOR_DIMENSION: scope.stage.monitor_dimension(scope.project, name),
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
        if settings.enabled:
            meaning = (
                f"Monitor {name} is silent: no version is live yet, or the live one has no baseline, or a run failed. "
                "What to do: read the logs of its function and its pipeline, or of its monitoring schedule."
            )
            alarms.add_silence(metric_names.ROWS, meaning)
        arns += alarms.arns
        graphs += _graphs(name, metrics, emitted)
    dashboard = f"{scope.project.resource_name(scope.stage.name)}-monitoring"
    MonitoringDashboard(construct, "Dashboard", name=dashboard, graphs=graphs, alarm_arns=arns)


def emitted_metrics(stage: Stage) -> EmittedMetrics:
    """What the monitors of all projects of the stage emit."""
    settings = stage.settings.monitoring
    monitors = settings.monitors
    return EmittedMetrics(
        analyses={
            project.endpoint_name(stage.name, PRODUCTION): {
                stage.monitor_dimension(project, name): monitor.analyses for name, monitor in monitors.items()
            }
            for project in stage.projects
        },
        variant=CHAMPION,
        columns={
            (project.endpoint_name(stage.name, PRODUCTION), project.monitor_name(stage.name, name)): frozenset(
                [*(column.name for column in project.contract.features), metric_names.ANSWER]
            )
            for project in stage.projects
            for name in settings.by_sagemaker
        },
    )


def _graphs(name: str, metrics: MonitorMetrics, emitted: frozenset[str]) -> Iterator[Graph]:
    lines = {
        "rows": (metric_names.ROWS,),
        "drift": (metric_names.LARGEST_DISTANCE, metric_names.DRIFTED_FEATURES),
        "use of features (NDCG)": (metric_names.ATTRIBUTION_NDCG,),
        # The one or the other, as the model predicts numbers or classes.
        "error (MAPE) or accuracy": tuple(f"{metric_names.MODEL_QUALITY_PREFIX}{one}" for one in ("mape", "accuracy")),
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
