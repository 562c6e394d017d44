"""The proof that every alarm and every graph of our own metrics has a series behind it; plain functions over templates.

An alarm on a metric that nobody emits never goes off and looks healthy, so that a stage with one is refused. Must not
know how an analysis computes anything: which metrics it emits stands in `drift_monitor.metric_names`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drift_monitor import metric_names
from drift_monitor.metric_names import ENDPOINT_DIMENSION, FEATURE_DIMENSION, MONITOR_DIMENSION, VARIANT_DIMENSION
from stacks.errors import StacksError

# However it is spelled: AWS's guide has three ways, and public alarms have more.
_MODEL_MONITOR = re.compile(r"/?aws/sagemaker/(endpoints?|modelmonitoring)/data-metrics?", re.IGNORECASE)
# Stands for what only a deployment knows, such as the region.
_LATER = "${later}"
_SEARCH = re.compile(r"SEARCH\('\{(?P<schema>[^}]*)\} (?P<terms>[^']*)'")
_TERM = re.compile(r'(\w+)="([^"]*)"')


class MetricError(StacksError):
    """A template watches what no analysis emits; the message lists every fault with its resource."""

    def __init__(self, found: Sequence[str]) -> None:
        lines = "".join(f"\n  {fault}" for fault in found)
        super().__init__(f"{len(found)} alarm(s) or graph(s) would never see a value:{lines}")


@dataclass(frozen=True, kw_only=True)
class EmittedMetrics:
    """What a stage's monitors emit. `analyses`: endpoint -> monitor, as the dimension names it -> its analyses.

    `variant` is the one that is monitored. `columns`: (endpoint, schedule) of SageMaker -> columns that it looks at.
    """

    analyses: Mapping[str, Mapping[str, Sequence[str]]]
    variant: str
    columns: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Series:
    """A metric with its dimensions; a dimension that is searched for has the value None."""

    namespace: str
    metric: str
    dimensions: Mapping[str, Any]


def emitted_by(analyses: Iterable[str]) -> frozenset[str]:
    """Names of the metrics that a run with these analyses emits once, with endpoint and monitor as dimensions."""
    given = tuple(analyses)
    own = (name for analysis in given for name in metric_names.ANALYSES[analysis])
    figures = metric_names.MODEL_QUALITY if "model_quality" in given else frozenset()
    return frozenset({*metric_names.ALWAYS, *own, *figures})


def check_assembly(folder: Path, emitted: EmittedMetrics) -> None:
    """Check the templates of a synthesized assembly and of those inside it; raises MetricError."""
    found = [
        f"{file.name.removesuffix('.template.json')}: {fault}"
        for file in sorted(folder.rglob("*.template.json"))
        for fault in metric_faults(json.loads(file.read_text(encoding="utf-8")), emitted)
    ]
    if found:
        # A template that a release deploys lies there twice: as itself, and as the release's source.
        raise MetricError(list(dict.fromkeys(found)))


def metric_faults(template: Mapping[str, Any], emitted: EmittedMetrics) -> list[str]:
    """What is wrong with the alarms and dashboards of `template` that name a metric of ours or of Model Monitor."""
    return [
        f"{name}: {fault}"
        for name, body in template["Resources"].items()
        for series in _watched(body)
        if (fault := _fault(series, emitted)) is not None
    ]


def _watched(body: Mapping[str, Any]) -> Iterator[_Series]:
    properties = body.get("Properties", {})
    if body["Type"] == "AWS::CloudWatch::Alarm" and _is_checked(properties.get("Namespace")):
        dimensions = {entry["Name"]: entry["Value"] for entry in properties.get("Dimensions", [])}
        yield _Series(properties["Namespace"], properties["MetricName"], dimensions)
    if body["Type"] == "AWS::CloudWatch::Dashboard":
        for widget in json.loads(_text(properties["DashboardBody"]))["widgets"]:
            for line in widget["properties"].get("metrics", []):
                yield from _line(line)


def _is_checked(namespace: Any) -> bool:
    return namespace == metric_names.NAMESPACE or _MODEL_MONITOR.fullmatch(str(namespace)) is not None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "".join(part if isinstance(part, str) else _LATER for part in value["Fn::Join"][1])


def _line(line: Sequence[Any]) -> Iterator[_Series]:
    """One line of a graph: [namespace, metric, dimension, value, ..., options], or [{"expression": ...}].

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    """
    texts = [part for part in line if isinstance(part, str)]
    if texts and _is_checked(texts[0]):
        yield _Series(texts[0], texts[1], dict(zip(texts[2::2], texts[3::2], strict=True)))
    for part in line:
        if isinstance(part, Mapping) and (search := _SEARCH.search(part.get("expression", ""))):
            namespace, *names = search["schema"].split(",")
            if _is_checked(namespace):
                terms = dict(_TERM.findall(search["terms"]))
                yield _Series(namespace, terms.get("MetricName", ""), {name: terms.get(name) for name in names})


def _fault(series: _Series, emitted: EmittedMetrics) -> str | None:
    if series.namespace != metric_names.NAMESPACE:
        return _model_monitor_fault(series, emitted)
    endpoint, names = series.dimensions.get(ENDPOINT_DIMENSION), set(series.dimensions)
    if names == {ENDPOINT_DIMENSION, VARIANT_DIMENSION}:
        return _variant_fault(series, emitted)
    if names not in (
        {ENDPOINT_DIMENSION, MONITOR_DIMENSION},
        {ENDPOINT_DIMENSION, MONITOR_DIMENSION, FEATURE_DIMENSION},
    ):
        return f"{series.metric} has no series with the dimensions {', '.join(sorted(names)) or 'none'}"
    monitors = emitted.analyses.get(str(endpoint))
    if monitors is None:
        return f"no monitor watches endpoint {endpoint}; watched are {_listed(emitted.analyses)}"
    monitor = series.dimensions[MONITOR_DIMENSION]
    if monitor not in monitors:
        return f"there is no monitor {monitor!r} for {endpoint}; there are {_listed(monitors)}"
    by_feature = FEATURE_DIMENSION in names
    known = _by_feature(monitors[monitor]) if by_feature else emitted_by(monitors[monitor])
    if series.metric in known:
        return None
    return (
        f"monitor {monitor} does not emit {series.metric}{' by feature' if by_feature else ''}; its analyses are "
        f"{', '.join(monitors[monitor])}, which emit {_listed(known)}"
    )


def _model_monitor_fault(series: _Series, emitted: EmittedMetrics) -> str | None:
    """What SageMaker sends of the file that the container leaves, for its own schedules only."""
    if series.namespace != metric_names.MODEL_MONITOR_NAMESPACE:
        return f"namespace {series.namespace} has no metrics; they are in {metric_names.MODEL_MONITOR_NAMESPACE}"
    if set(series.dimensions) != set(metric_names.MODEL_MONITOR_DIMENSIONS):
        return f"{series.metric} has the dimensions {_listed(metric_names.MODEL_MONITOR_DIMENSIONS)}, no others"
    endpoint, schedule = (str(series.dimensions[name]) for name in metric_names.MODEL_MONITOR_DIMENSIONS)
    columns = emitted.columns.get((endpoint, schedule))
    if columns is None:
        known = [f"{name} of {watched}" for watched, name in emitted.columns]
        return f"SageMaker has no schedule {schedule!r} for {endpoint}; its schedules are {_listed(known)}"
    prefixes = (metric_names.FEATURE_DRIFT, metric_names.FEATURE_NON_NULL, metric_names.FEATURE_DATA)
    if any(series.metric == f"{prefix}{column}" for prefix in prefixes for column in columns):
        return None
    return (
        f"schedule {schedule} does not emit {series.metric}; it emits {', '.join(prefixes)} followed by one of the "
        f"columns {_listed(columns)}"
    )


def _by_feature(analyses: Sequence[str]) -> frozenset[str]:
    return frozenset({metric_names.FEATURE_DISTANCE}) if "data_quality" in analyses else frozenset()


def _variant_fault(series: _Series, emitted: EmittedMetrics) -> str | None:
    """Figures of model quality are there by variant, too, for the alarms that roll a release back."""
    judged = any("model_quality" in one for monitors in emitted.analyses.values() for one in monitors.values())
    if not judged:
        return f"{series.metric} comes from the analysis model_quality, which no monitor has"
    if series.metric not in metric_names.MODEL_QUALITY:
        return f"no analysis emits {series.metric} for a variant; there are {_listed(metric_names.MODEL_QUALITY)}"
    if series.dimensions[VARIANT_DIMENSION] != emitted.variant:
        return f"monitored is variant {emitted.variant!r}, not {series.dimensions[VARIANT_DIMENSION]!r}"
    return None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
