"""Pipelines of CodePipeline and scaling of endpoints on the running local cloud, as templates have them."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.cloudformation.live import deploy, destroy, outputs, resource
from tests.running_cloud import RunningCloud
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("local-cloud")


def _policy(*actions: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


def _action(name: str, kind: str, **members: Any) -> dict[str, Any]:
    category, provider = kind.split("/")
    type_id = {"Category": category, "Owner": "AWS", "Provider": provider, "Version": "1"}
    return {"Name": name, "ActionTypeId": type_id, **members}


def _pipeline(**properties: Any) -> dict[str, Any]:
    """A pipeline whose approval has a number, a boolean and an object as text in its configuration."""
    trust = {"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}
    configuration = {"S3Bucket": {"Ref": "Bucket"}, "S3ObjectKey": "app.zip", "PollForSourceChanges": False}
    source = _action("S3", "Source/S3", Configuration=configuration, OutputArtifacts=[{"Name": "App"}])
    approve = _action("Approve", "Approval/Manual", Configuration={"CustomData": {"version": "#{variables.Version}"}})
    return {
        "Bucket": resource("AWS::S3::Bucket", VersioningConfiguration={"Status": "Enabled"}),
        "Role": resource(
            "AWS::IAM::Role",
            AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]},
            Policies=[_policy("s3:*")],
        ),
        "Pipeline": resource(
            "AWS::CodePipeline::Pipeline",
            **{
                "Name": "release",
                "PipelineType": "V2",
                "ExecutionMode": "QUEUED",
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "ArtifactStore": {"Type": "S3", "Location": {"Ref": "Bucket"}},
                "Variables": [{"Name": "Version", "DefaultValue": "none"}],
                "Stages": [
                    {"Name": "Source", "Actions": [source]},
                    {"Name": "Approve", "Actions": [approve]},
                ],
                **properties,
            },
        ),
    }


def test_a_pipeline_follows_its_template(cloud: RunningCloud) -> None:
    """Its configuration is text with its keys unchanged; versions, tags and transitions follow an update."""
    client = cloud.client("codepipeline")
    shown = {"Ref": {"Value": {"Ref": "Pipeline"}}, "Version": {"Value": {"Fn::GetAtt": ["Pipeline", "Version"]}}}
    closed = [{"StageName": "Approve", "Reason": "freeze"}]

    first = _pipeline(Tags=[{"Key": "a", "Value": "1"}], DisableInboundStageTransitions=closed)
    deploy(cloud, first, Outputs=shown)
    declared = client.get_pipeline(name="release")["pipeline"]
    actions = [stage["actions"][0] for stage in declared["stages"]]
    assert [action["configuration"] for action in actions][1] == {"CustomData": '{"version": "#{variables.Version}"}'}
    assert actions[0]["configuration"]["PollForSourceChanges"] == "false"
    assert (declared["executionMode"], declared["variables"][0]["defaultValue"]) == ("QUEUED", "none")
    assert outputs(cloud) == {"Ref": "release", "Version": "1"}
    approve = client.get_pipeline_state(name="release")["stageStates"][1]
    assert approve["inboundTransitionState"]["disabledReason"] == "freeze"

    deploy(cloud, _pipeline(ExecutionMode="PARALLEL", Tags=[{"Key": "b", "Value": "2"}]), Outputs=shown)
    assert client.get_pipeline(name="release")["pipeline"]["executionMode"] == "PARALLEL"
    assert outputs(cloud)["Version"] == "2"
    arn = client.get_pipeline(name="release")["metadata"]["pipelineArn"]
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    assert client.get_pipeline_state(name="release")["stageStates"][1]["inboundTransitionState"]["enabled"]
    destroy(cloud)
    with pytest.raises(ClientError, match="PipelineNotFound"):
        client.get_pipeline(name="release")


def test_a_pipeline_can_run_on_every_update(cloud: RunningCloud) -> None:
    """RestartExecutionOnUpdate starts an execution; the creation has started one before."""
    client = cloud.client("codepipeline")

    def started() -> int:
        return len(client.list_pipeline_executions(pipelineName="release")["pipelineExecutionSummaries"])

    deploy(cloud, _pipeline())
    assert started() == 1
    deploy(cloud, _pipeline(ExecutionMode="PARALLEL", RestartExecutionOnUpdate=True))
    assert wait_for(lambda: started() == 2, what="the second execution")


def test_a_pipeline_that_the_local_cloud_cannot_run_fails_its_stack(cloud: RunningCloud) -> None:
    """With the action that it cannot do, by name."""
    build = _action("Build", "Build/CodeBuild", Configuration={"ProjectName": "p"})
    stages = _pipeline()["Pipeline"]["Properties"]["Stages"]
    with pytest.raises(AssertionError, match="Action Build of stage Build: the action type Build/AWS/CodeBuild/1"):
        deploy(cloud, _pipeline(Stages=[*stages, {"Name": "Build", "Actions": [build]}]))


def test_scaling_is_registered_changed_and_removed(cloud: RunningCloud) -> None:
    """Target and policy are visible with the values of the template; the policy may name the target by its Ref."""
    client = cloud.client("application-autoscaling")
    dimension, endpoint = "sagemaker:variant:DesiredInstanceCount", "endpoint/cars/variant/champion"
    where = {"ServiceNamespace": "sagemaker", "ResourceId": endpoint, "ScalableDimension": dimension}

    def template(maximum: int, invocations: float) -> dict[str, Any]:
        metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
        return {
            "Target": resource(
                "AWS::ApplicationAutoScaling::ScalableTarget", MinCapacity=1, MaxCapacity=maximum, **where
            ),
            "Policy": resource(
                "AWS::ApplicationAutoScaling::ScalingPolicy",
                PolicyName="load",
                PolicyType="TargetTrackingScaling",
                ScalingTargetId={"Ref": "Target"},
                TargetTrackingScalingPolicyConfiguration={
                    "TargetValue": invocations,
                    "PredefinedMetricSpecification": metric,
                },
            ),
        }

    ids = deploy(cloud, template(2, 100))
    assert ids["Target"] == f"{endpoint}|{dimension}|sagemaker"
    assert deploy(cloud, template(4, 200)) == ids

    (target,) = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    (policy,) = client.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert (target["MaxCapacity"], target["ResourceId"]) == (4, endpoint)
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 200
    assert policy["PolicyName"] == "load"
    destroy(cloud)
    assert not client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert not client.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]


def test_what_the_scaling_cannot_do_is_refused(cloud: RunningCloud) -> None:
    """Scheduled actions would never happen."""
    target = resource(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        MinCapacity=1,
        MaxCapacity=2,
        ServiceNamespace="sagemaker",
        ResourceId="endpoint/cars/variant/champion",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        ScheduledActions=[{"ScheduledActionName": "night", "Schedule": "cron(0 22 * * ? *)"}],
    )
    body = json.dumps({"Resources": {"Target": target}})
    with pytest.raises(ClientError, match="ScheduledActions"):
        cloud.client("cloudformation").create_stack(StackName="s", TemplateBody=body)
