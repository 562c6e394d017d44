"""Mutants of the monitoring stack: an alarm or graph that would never see a value is refused with what there is."""

import copy
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from drift_monitor import metric_names
from drift_monitor.quality.regression import METRICS
from stacks.metric_checks import EmittedMetrics, MetricError, check_assembly, emitted_by, metric_faults
from stacks.projects import Project, load_projects
from tests.synthesized import ROOT

Template = dict[str, Any]
Synthesize = Callable[[Settings, tuple[Project, ...]], dict[str, Template]]

EMITTED = EmittedMetrics(
    analyses={
        "car-prices-test-production": {
            "inputs": ("data_quality", "attribution"),
            "outcomes": ("model_quality", "bias"),
        }
    },
    variant="champion",
    columns={("car-prices-test-production", "car-prices-test-inputs"): frozenset({"engine_hp", "prediction"})},
)


@pytest.fixture(scope="module")
def stage(synthesize: Synthesize) -> dict[str, Template]:
    """All templates of a stage with monitors, and with a model's error that rolls a release back."""
    quality = {
        "namespace": "Cd4ml/Monitoring",
        "metric_name": "ModelQuality/mape",
        "breaches": "above",
        "threshold": 30,
    }
    settings = Settings.model_validate({"stage": "test", "endpoint": {"alarms": {"quality": quality}}})
    return synthesize(settings, load_projects(("car_prices",), source_root=ROOT))


@pytest.fixture
def mutant(stage: dict[str, Template]) -> Template:
    """A copy of the monitoring stack to break."""
    return copy.deepcopy(stage["Cd4ml-test-Monitoring"])


def _alarm(template: Template, metric: str = "DataQualityViolations") -> Any:
    (found,) = (
        body["Properties"]
        for body in template["Resources"].values()
        if body["Type"] == "AWS::CloudWatch::Alarm" and body["Properties"]["MetricName"] == metric
    )
    return found


def _misspelled(template: Template) -> None:
    _alarm(template)["MetricName"] = "DataQualityViolation"


def _of_another_monitor(template: Template) -> None:
    _alarm(template)["Dimensions"][1]["Value"] = "outcomes"


def _of_a_monitor_that_is_gone(template: Template) -> None:
    _alarm(template)["Dimensions"][1]["Value"] = "hourly"


def _of_the_staging_endpoint(template: Template) -> None:
    _alarm(template)["Dimensions"][0]["Value"] = "car-prices-test-staging"


def _with_model_monitors_dimensions(template: Template) -> None:
    _alarm(template)["Dimensions"] = [{"Name": "Endpoint", "Value": "x"}, {"Name": "MonitoringSchedule", "Value": "y"}]


def _of_model_monitor(
    template: Template,
    metric: str = "feature_baseline_drift_engine_hp",
    *,
    namespace: str = "aws/sagemaker/Endpoints/data-metrics",
    names: tuple[str, str] = ("Endpoint", "MonitoringSchedule"),
    schedule: str = "car-prices-test-inputs",
) -> None:
    """Turn an alarm into one on what SageMaker sends for its own schedules."""
    alarm = _alarm(template)
    alarm.update(MetricName=metric, Namespace=namespace)
    values = ("car-prices-test-production", schedule)
    alarm["Dimensions"] = [{"Name": name, "Value": value} for name, value in zip(names, values, strict=True)]


def _by_a_feature_of_labels(template: Template) -> None:
    alarm = _alarm(template, "BiasViolations")
    alarm["MetricName"] = "FeatureDistance"
    alarm["Dimensions"].append({"Name": "Feature", "Value": "engine_hp"})


def _unknown_figure_of_the_variant(template: Template) -> None:
    alarm = _alarm(template, "ModelQualityViolations")
    alarm["MetricName"] = "ModelQuality/map"
    alarm["Dimensions"][1] = {"Name": "VariantName", "Value": "champion"}


def _figure_of_another_variant(template: Template) -> None:
    alarm = _alarm(template, "ModelQualityViolations")
    alarm["MetricName"] = "ModelQuality/mape"
    alarm["Dimensions"][1] = {"Name": "VariantName", "Value": "shadow"}


def _in_dashboard(template: Template, old: str, new: str) -> None:
    (dashboard,) = (body for body in template["Resources"].values() if body["Type"] == "AWS::CloudWatch::Dashboard")
    text = json.dumps(dashboard)
    assert old in text
    dashboard.update(json.loads(text.replace(old, new)))


def _graph_of_an_unknown_metric(template: Template) -> None:
    _in_dashboard(template, "LargestDistance", "MaximumDistance")


def _search_for_an_unknown_metric(template: Template) -> None:
    _in_dashboard(template, "FeatureDistance", "FeatureDrift")


def test_the_stage_is_sound(stage: dict[str, Template]) -> None:
    """Every alarm and every graph has a series behind it, that of the endpoint's rollback alarm included."""
    assert {name: faults for name, template in stage.items() if (faults := metric_faults(template, EMITTED))} == {}
    assert "ModelQuality/mape" in json.dumps(stage["Cd4ml-test-CarPricesEndpoint"])


def test_a_column_that_a_schedule_of_sagemaker_looks_at_may_be_watched(mutant: Template) -> None:
    """Where SageMaker sends the metrics that the container leaves, with the dimensions that it gives them."""
    _of_model_monitor(mutant)

    assert metric_faults(mutant, EMITTED) == []


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (_misspelled, "monitor inputs does not emit DataQualityViolation; its analyses are data_quality, attribution"),
        (_of_another_monitor, "monitor outcomes does not emit DataQualityViolations"),
        (_of_a_monitor_that_is_gone, "there is no monitor 'hourly' for car-prices-test-production; there are inputs"),
        (_of_the_staging_endpoint, "no monitor watches endpoint car-prices-test-staging"),
        (_with_model_monitors_dimensions, "has no series with the dimensions Endpoint, MonitoringSchedule"),
        (
            partial(_of_model_monitor, metric="feature_baseline_drift_check"),
            "does not emit feature_baseline_drift_check",
        ),
        (partial(_of_model_monitor, metric="constraint_violation_count"), "followed by one of the columns engine_hp"),
        (partial(_of_model_monitor, namespace="/aws/sagemaker/Endpoints/data-metric"), "data-metric has no metrics"),
        (partial(_of_model_monitor, names=("EndpointName", "ScheduleName")), "Endpoint, MonitoringSchedule, no others"),
        (partial(_of_model_monitor, schedule="inputs"), "SageMaker has no schedule 'inputs'"),
        (_by_a_feature_of_labels, "monitor outcomes does not emit FeatureDistance by feature"),
        (_unknown_figure_of_the_variant, "no analysis emits ModelQuality/map for a variant; there are ModelQuality/"),
        (_figure_of_another_variant, "monitored is variant 'champion', not 'shadow'"),
        (_graph_of_an_unknown_metric, "monitor inputs does not emit MaximumDistance"),
        (_search_for_an_unknown_metric, "monitor inputs does not emit FeatureDrift by feature"),
    ],
)
def test_a_mutant_is_refused(mutant: Template, break_it: Callable[[Template], None], message: str) -> None:
    """The fault names the resource, what it waits for in vain, and what there is."""
    break_it(mutant)

    faults = metric_faults(mutant, EMITTED)

    assert [fault for fault in faults if message in fault], faults
    assert all(fault.split(":")[0] in mutant["Resources"] for fault in faults)


def test_the_error_of_a_model_needs_labels(stage: dict[str, Template]) -> None:
    """A rollback alarm on it without a monitor that compares with labels would never go off."""
    without = EmittedMetrics(analyses={"car-prices-test-production": {"inputs": ("data_quality",)}}, variant="champion")

    (fault,) = metric_faults(stage["Cd4ml-test-CarPricesEndpoint"], without)

    assert "ModelQuality/mape comes from the analysis model_quality, which no monitor has" in fault


def test_a_fault_anywhere_in_an_assembly_ends_the_synthesis(mutant: Template, tmp_path: Path) -> None:
    """In whichever stack it is, also in an assembly inside the assembly."""
    _misspelled(mutant)
    (tmp_path / "assembly-Endpoints").mkdir()
    (tmp_path / "assembly-Endpoints" / "Cd4ml-test-Monitoring.template.json").write_text(json.dumps(mutant))

    with pytest.raises(MetricError, match=r"1 alarm\(s\) or graph\(s\) would never see a value:\n  Cd4ml-test-Monitor"):
        check_assembly(tmp_path, EMITTED)


def test_the_list_holds_what_the_analyses_compute() -> None:
    """A figure that the regression analysis reports can be watched, and every analysis has an alarm's metric."""
    assert {f"ModelQuality/{name}" for name in METRICS} <= metric_names.MODEL_QUALITY
    for analysis, names in metric_names.ANALYSES.items():
        assert set(names) <= emitted_by([analysis])
        assert any(name.endswith("Violations") for name in names)
