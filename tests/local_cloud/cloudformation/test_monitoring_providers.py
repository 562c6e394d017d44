"""Model Monitor's job definitions and schedules on the running local cloud, as templates have them."""

from typing import Any

import pytest

from tests.local_cloud.cloudformation.live import deploy, destroy, outputs, resource
from tests.running_cloud import ACCOUNT, REGION, RunningCloud

pytestmark = pytest.mark.xdist_group("local-cloud")

ROLE = f"arn:aws:iam::{ACCOUNT}:role/monitor"
PREFIX = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
KINDS = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")


def _definition(kind: str, *, name: str, maximum: int) -> dict[str, Any]:
    application: dict[str, Any] = {"ImageUri": "image"}
    given: dict[str, Any] = {"EndpointInput": {"EndpointName": "prices", "LocalPath": "/opt/ml/processing/input"}}
    if kind in ("ModelQuality", "ModelBias"):
        given["GroundTruthS3Input"] = {"S3Uri": "s3://lake/labels"}
    if kind == "ModelQuality":
        application["ProblemType"] = "Regression"
    if kind in ("ModelBias", "ModelExplainability"):
        application["ConfigUri"] = "s3://lake/config.json"
    output = {"S3Uri": "s3://lake/reports", "LocalPath": "/opt/ml/processing/output"}
    return resource(
        f"AWS::SageMaker::{kind}JobDefinition",
        **{
            "JobDefinitionName": name,
            "RoleArn": ROLE,
            f"{kind}AppSpecification": application,
            f"{kind}JobInput": given,
            f"{kind}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
            "JobResources": {
                "ClusterConfig": {"InstanceCount": "1", "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": maximum},
        },
    )


def _template(*, version: str, hour: int, maximum: int) -> dict[str, Any]:
    definitions = {kind: _definition(kind, name=f"{kind}-{version}", maximum=maximum) for kind in KINDS}
    config = {
        "ScheduleConfig": {"ScheduleExpression": f"cron(0 {hour} ? * * *)"},
        "MonitoringJobDefinitionName": f"DataQuality-{version}",
        "MonitoringType": "DataQuality",
    }
    schedule = resource(
        "AWS::SageMaker::MonitoringSchedule",
        MonitoringScheduleName="nightly",
        MonitoringScheduleConfig=config,
        Tags=[{"Key": "version", "Value": version}],
        attributes={"DependsOn": ["DataQuality"]},
    )
    return {**definitions, "Schedule": schedule}


def test_schedule_and_job_definitions_follow_their_template(cloud: RunningCloud) -> None:
    """A definition with a hashed name is replaced, the schedule moves to it in place, and all goes with the stack."""
    client = cloud.client("sagemaker")
    shown = {
        "Schedule": {"Value": {"Fn::GetAtt": ["Schedule", "MonitoringScheduleArn"]}},
        "Definition": {"Value": {"Fn::GetAtt": ["DataQuality", "JobDefinitionArn"]}},
    }
    first = deploy(cloud, _template(version="v1", hour=1, maximum=600), Outputs=shown)
    assert outputs(cloud) == {
        "Schedule": f"{PREFIX}:monitoring-schedule/nightly",
        "Definition": f"{PREFIX}:data-quality-job-definition/dataquality-v1",
    }
    assert first["Schedule"] == f"{PREFIX}:monitoring-schedule/nightly"
    assert first["ModelBias"] == f"{PREFIX}:model-bias-job-definition/modelbias-v1"

    second = deploy(cloud, _template(version="v2", hour=2, maximum=900), Outputs=shown)
    assert second["Schedule"] == first["Schedule"]
    live = client.describe_monitoring_schedule(MonitoringScheduleName="nightly")
    assert live["MonitoringScheduleConfig"]["ScheduleConfig"]["ScheduleExpression"] == "cron(0 2 ? * * *)"
    assert live["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"] == "DataQuality-v2"
    tags = client.list_tags(ResourceArn=first["Schedule"])["Tags"]
    assert {"Key": "version", "Value": "v2"} in tags
    for kind in ("data_quality", "model_quality", "model_bias", "model_explainability"):
        listed = getattr(client, f"list_{kind}_job_definitions")()["JobDefinitionSummaries"]
        assert [entry["MonitoringJobDefinitionName"][-2:] for entry in listed] == ["v2"]
    described = client.describe_data_quality_job_definition(JobDefinitionName="DataQuality-v2")
    assert described["StoppingCondition"] == {"MaxRuntimeInSeconds": 900}

    destroy(cloud)
    assert client.list_monitoring_schedules()["MonitoringScheduleSummaries"] == []
    assert client.list_data_quality_job_definitions()["JobDefinitionSummaries"] == []


def test_a_job_definition_under_a_kept_name_cannot_change(cloud: RunningCloud) -> None:
    """Every property is create-only, so a change under the same name fails the update, as on AWS."""
    deploy(cloud, _template(version="v1", hour=1, maximum=600))
    with pytest.raises(AssertionError, match="DataQuality"):
        deploy(cloud, _template(version="v1", hour=1, maximum=900))
