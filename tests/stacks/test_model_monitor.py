"""The setting `monitoring.engine = "model-monitor"`: SageMaker's own schedules run our analyzer, with the endpoint."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cfnlint.api import lint

from config.settings import Settings
from drift_monitor.drift.policy import AlarmPolicy
from drift_monitor.job.settings import parse_settings
from stacks.endpoint_checks import faults
from stacks.metric_checks import EmittedMetrics, metric_faults
from stacks.projects import Project, ProjectError, load_projects
from tests.stacks.registry_schema import compare
from tests.stacks.replacements import REPLACE, UPDATE, deployed, plan
from tests.synthesized import ROOT

Template = dict[str, Any]
Synthesize = Callable[[Settings, tuple[Project, ...]], dict[str, Template]]

_MONITORS = {
    "inputs": {"analyses": ["data_quality"], "window_minutes": 360},
    "outcomes": {"analyses": ["model_quality", "bias"], "window_minutes": 1440, "label_delay_minutes": 1440},
}
_MONITORING = {"engine": "model-monitor", "monitors": _MONITORS, "policy": {"effect_floor": 0.2}}
_SETTINGS = {"stage": "test", "monitoring": _MONITORING}
_DEFINITION, _SCHEDULE = "AWS::SageMaker::DataQualityJobDefinition", "AWS::SageMaker::MonitoringSchedule"
_LONGEST_CONFIGURATION_VALUE = 1000
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataQualityAppSpecification.html
_LONGEST_VARIABLE = 256


@pytest.fixture(scope="module")
def stage(synthesize: Synthesize) -> dict[str, Template]:
    """All templates of a stage with that engine."""
    return synthesize(Settings.model_validate(_SETTINGS), load_projects(("car_prices",), source_root=ROOT))


@pytest.fixture
def endpoint(stage: dict[str, Template]) -> Template:
    """The template that a release deploys."""
    return stage["Cd4ml-test-CarPricesEndpoint"]


def _of(template: Template, kind: str) -> Iterator[tuple[str, Any]]:
    return ((name, body) for name, body in template["Resources"].items() if body["Type"] == kind)


def _deployed(template: Template, *, version: int, baseline: str | None = None) -> Template:
    return deployed(
        template,
        version=version,
        monitored=baseline != "none",
        BaselineUri=baseline or f"s3://artifacts/pipelines/{version}/baseline/",
        MonitoringRoleArn="arn:aws:iam::123456789012:role/monitoring",
    )


def test_the_job_runs_our_analyzer_on_the_released_versions_baseline(endpoint: Template) -> None:
    """Image, entry point, baseline, output and role are the container contract's, and every field is the registry's."""
    ((_, definition),) = _of(endpoint, _DEFINITION)
    ((_, schedule),) = _of(endpoint, _SCHEDULE)
    compared = [
        field
        for body in (definition, schedule)
        for field in compare(body["Type"], body["Properties"])
        # Its pattern is for a name, and a reference that is cut from an ARN is none yet.
        if "MonitoringJobDefinitionName" not in field[0]
    ]
    assert [(path, wrong) for path, wrong in compared if wrong] == []
    assert len(compared) > 30

    properties = definition["Properties"]
    application = properties["DataQualityAppSpecification"]
    assert application["ContainerEntrypoint"] == ["python", "-m", "drift_monitor.job"]
    assert "container-assets" in json.dumps(application["ImageUri"])
    assert application["Environment"]["analyses"] == "data_quality"
    policy = parse_settings({**application["Environment"], "dataset_source": "/in", "output_path": "/out"}).policy
    assert policy == AlarmPolicy(effect_floor=0.2, windows_to_alarm=1, windows=1)
    assert max(map(len, map(str, application["Environment"].values()))) <= _LONGEST_VARIABLE
    assert properties["DataQualityBaselineConfig"] == {
        "StatisticsResource": {"S3Uri": {"Fn::Join": ["", [{"Ref": "BaselineUri"}, "statistics.json"]]}},
        "ConstraintsResource": {"S3Uri": {"Fn::Join": ["", [{"Ref": "BaselineUri"}, "constraints.json"]]}},
    }
    (output,) = properties["DataQualityJobOutputConfig"]["MonitoringOutputs"]
    assert output["S3Output"]["S3Uri"]["Fn::Join"][1][-1] == "/monitoring/runs/car_prices/inputs"
    assert properties["RoleArn"] == {"Ref": "MonitoringRoleArn"}
    config = schedule["Properties"]["MonitoringScheduleConfig"]
    assert config["ScheduleConfig"] == {"ScheduleExpression": "cron(0 0/6 ? * * *)"}


def test_a_new_version_replaces_the_definition_and_updates_the_schedule(endpoint: Template) -> None:
    """What has to be replaced carries no name of ours, and what carries one stays."""
    ((definition, body),) = _of(endpoint, _DEFINITION)
    ((schedule, named),) = _of(endpoint, _SCHEDULE)

    actions = plan(_deployed(endpoint, version=7), _deployed(endpoint, version=8))

    assert (actions[definition], actions[schedule]) == (REPLACE, UPDATE)
    assert "JobDefinitionName" not in body["Properties"]
    assert named["Properties"]["MonitoringScheduleName"] == "car-prices-test-inputs"
    assert definition == "carpricestestmonitorinputs"


def test_staging_has_no_schedule(endpoint: Template, stage: dict[str, Template]) -> None:
    """Nobody asks it anything; production gets the baseline from the execution, like the version."""
    for _, body in (*_of(endpoint, _DEFINITION), *_of(endpoint, _SCHEDULE)):
        assert body["Condition"] == "Monitored"
    assert endpoint["Conditions"]["Monitored"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "BaselineUri"}, "none"]}]}

    ((_, pipeline),) = _of(stage["Cd4ml-test-Release"], "AWS::CodePipeline::Pipeline")
    variables = {variable["Name"]: variable.get("DefaultValue") for variable in pipeline["Properties"]["Variables"]}
    assert variables == {"ModelPackageArn": None, "Reason": "No reason given", "BaselineUri": None}
    baselines = {}
    for one in pipeline["Properties"]["Stages"]:
        overrides = one["Actions"][0]["Configuration"].get("ParameterOverrides")
        if overrides:
            # An ARN or URI of a deployment is shorter.
            text = "".join(part if isinstance(part, str) else "x" * 100 for part in overrides["Fn::Join"][1])
            assert len(text) <= _LONGEST_CONFIGURATION_VALUE
            baselines[one["Name"]] = json.loads(text)["BaselineUri"]
            assert set(json.loads(text)) == set(endpoint["Parameters"])
    assert baselines == {"Staging": "none", "Production": "#{variables.BaselineUri}"}


def test_a_version_without_a_baseline_cannot_be_released(stage: dict[str, Template]) -> None:
    """The function that starts releases is told to refuse it."""
    told = [
        body["Properties"]["Environment"]["Variables"]["BASELINE"]
        for _, body in _of(stage["Cd4ml-test-Release"], "AWS::Lambda::Function")
        if "BASELINE" in body["Properties"]["Environment"]["Variables"]
    ]

    assert told == ["needed"]


def test_production_alone_may_deploy_schedules(stage: dict[str, Template]) -> None:
    """Job definitions by the project's prefix, schedules by name, and the one role that their jobs run under."""
    release = stage["Cd4ml-test-Release"]
    statements = [
        (name, statement)
        for name, body in _of(release, "AWS::IAM::Policy")
        for statement in body["Properties"]["PolicyDocument"]["Statement"]
        if "Monitoring" in json.dumps(statement["Action"]) or "DataQuality" in json.dumps(statement["Action"])
    ]

    assert {name[: len("carpricesDeployProduction")] for name, _ in statements} == {"carpricesDeployProduction"}
    resources = json.dumps([statement["Resource"] for _, statement in statements])
    assert ":monitoring-schedule/car-prices-test-inputs" in resources
    assert ":data-quality-job-definition/*carpricestest*" in resources
    jobs = next(name for name, _ in _of(release, "AWS::IAM::Role") if name.startswith("carpricesMonitoringJobs"))
    passing = [name for name, body in _of(release, "AWS::IAM::Policy") if _passes(body, jobs)]
    assert [name[: len("carpricesDeployProduction")] for name in passing] == ["carpricesDeployProduction"]


def _passes(policy: Any, role: str) -> bool:
    return any(
        statement["Action"] == "iam:PassRole" and json.dumps({"Fn::GetAtt": [role, "Arn"]}) in json.dumps(statement)
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    )


def test_what_sagemaker_cannot_feed_stays_with_our_scheduler(stage: dict[str, Template]) -> None:
    """Labels and the model reach our pipeline only; no monitor runs twice, and the alarms know who emits what."""
    monitoring = stage["Cd4ml-test-Monitoring"]
    payloads = [
        json.loads(body["Properties"]["Target"]["Input"])["monitor"]
        for _, body in _of(monitoring, "AWS::Scheduler::Schedule")
    ]
    emitted = EmittedMetrics(
        analyses={
            "car-prices-test-production": {
                "car-prices-test-inputs": ("data_quality",),
                "outcomes": ("model_quality", "bias"),
            }
        },
        variant="champion",
    )

    assert payloads == ["outcomes"]
    assert {name: found for name, one in stage.items() if (found := metric_faults(one, emitted))} == {}


def test_a_failed_run_is_told_like_one_of_our_pipeline(stage: dict[str, Template]) -> None:
    """SageMaker has no event for the execution of a schedule, but one for its job."""
    rules = [body["Properties"] for _, body in _of(stage["Cd4ml-test-Monitoring"], "AWS::Events::Rule")]

    (rule,) = (one for one in rules if "SageMaker Processing Job State Change" in one["EventPattern"]["detail-type"])

    detail = rule["EventPattern"]["detail"]
    assert detail["ProcessingJobStatus"] == ["Failed"]
    assert ":monitoring-schedule/car-prices-test-inputs" in json.dumps(detail["MonitoringScheduleArn"])
    assert [list(target["InputTransformer"]["InputPathsMap"]) for target in rule["Targets"]] == [
        ["schedule", "job", "reason"]
    ]


def test_the_template_is_sound_and_a_named_job_definition_is_not(endpoint: Template) -> None:
    """A name of ours would make the next release fail: its replacement could not take it."""
    assert faults(endpoint, variant="champion") == []
    assert [str(match) for match in lint(json.dumps(endpoint), regions=["us-east-1"])] == []
    ((name, body),) = _of(endpoint, _DEFINITION)
    properties = {**body["Properties"], "JobDefinitionName": "inputs"}
    mutant = {**endpoint, "Resources": {**endpoint["Resources"], name: {**body, "Properties": properties}}}

    (fault,) = faults(mutant, variant="champion")

    assert f"{name}: remove JobDefinitionName" in fault


def test_without_the_engine_nothing_of_it_is_there(synthesize_endpoint: Callable[[Settings], Template]) -> None:
    """Not a resource and not a parameter; neither if the monitors are there and nothing is to run by itself."""
    disabled = {"engine": "model-monitor", "monitors": _MONITORS, "enabled": False}
    for settings in ({"stage": "test"}, {"stage": "test", "monitoring": disabled}):
        template = synthesize_endpoint(Settings.model_validate(settings))
        assert "BaselineUri" not in template["Parameters"]
        assert not list(_of(template, _SCHEDULE))


def test_a_schedules_name_that_is_too_long_is_refused() -> None:
    """SageMaker would refuse it in production, after staging has passed."""
    (project,) = load_projects(("car_prices",), source_root=ROOT)

    with pytest.raises(ProjectError, match="too long for a monitoring schedule: at most 63 characters"):
        project.monitor_name("s" * 16, "m" * 40)
