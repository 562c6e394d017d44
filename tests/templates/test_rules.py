"""What starts what: the EventBridge rules of the app, each with its pattern and target."""

import json
from typing import Any

from tests.templates.conftest import Resource, Templates


def _rule(templates: Templates, detail_type: str) -> Resource:
    (rule,) = (
        rule
        for rule in templates.resources("AWS::Events::Rule")
        if rule.properties["EventPattern"]["detail-type"] == [detail_type]
    )
    return rule


def _target(rule: Resource) -> dict[str, Any]:
    (target,) = rule.properties["Targets"]
    return dict(target)


def _handler_of(templates: Templates, rule: Resource) -> str:
    logical_id = _target(rule)["Arn"]["Fn::GetAtt"][0]
    return str(templates.by_stack[rule.stack]["Resources"][logical_id]["Properties"]["Handler"])


def test_an_upload_starts_ingestion(templates: Templates) -> None:
    """Only new objects below raw/ of the lake match: what ingestion writes itself does not start it again."""
    rule = _rule(templates, "Object Created")
    (bucket,) = (
        bucket.logical_id for bucket in templates.resources("AWS::S3::Bucket") if bucket.logical_id.startswith("Lake")
    )

    assert rule.properties["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [{"Ref": bucket}]}, "object": {"key": [{"prefix": "raw/"}]}},
    }
    assert _handler_of(templates, rule) == "lambdas.ingest_upload.handler.handle"


def test_a_snapshot_starts_training_of_its_own_project(templates: Templates) -> None:
    """The rule matches the project's dataset only, so that a second project does not train on it."""
    rule = _rule(templates, "Snapshot Created")

    assert rule.properties["EventPattern"] == {
        "source": ["cd4ml.ingest"],
        "detail-type": ["Snapshot Created"],
        "detail": {"dataset": ["car_prices"]},
    }
    assert _handler_of(templates, rule) == "lambdas.start_training.handler.handle"


def test_an_approval_or_rejection_starts_a_release(templates: Templates) -> None:
    """Only versions of the project's own registry match, and only once somebody has decided."""
    rule = _rule(templates, "SageMaker Model Package State Change")
    detail = rule.properties["EventPattern"]["detail"]

    assert detail["ModelApprovalStatus"] == ["Approved", "Rejected"]
    (group,) = detail["ModelPackageGroupName"]
    assert "Fn::ImportValue" in json.dumps(group)
    assert _handler_of(templates, rule) == "lambdas.start_release.handler.handle"


def test_a_release_that_does_not_succeed_is_recorded(templates: Templates) -> None:
    """A success writes its own record; every other end of the pipeline comes as an event."""
    rule = _rule(templates, "CodePipeline Pipeline Execution State Change")

    assert rule.properties["EventPattern"]["detail"] == {
        "pipeline": ["car-prices-dev-release"],
        "state": ["FAILED", "STOPPED", "SUPERSEDED"],
    }
    assert _handler_of(templates, rule) == "lambdas.record_release.handler.handle"


def test_events_for_functions_are_retried_and_then_kept(templates: Templates) -> None:
    """What EventBridge cannot deliver lies in the queue of the function it was meant for."""
    for detail_type in (
        "Object Created",
        "Snapshot Created",
        "SageMaker Model Package State Change",
        "CodePipeline Pipeline Execution State Change",
    ):
        rule = _rule(templates, detail_type)
        target = _target(rule)
        function = templates.by_stack[rule.stack]["Resources"][target["Arn"]["Fn::GetAtt"][0]]
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 21600, "MaximumRetryAttempts": 8}
        assert target["DeadLetterConfig"]["Arn"] == function["Properties"]["DeadLetterConfig"]["TargetArn"]


def test_failures_reach_the_topic_as_readable_text(templates: Templates) -> None:
    """A refused file, a failed training or release are told in sentences that name them and say what to do."""
    quarantined = _rule(templates, "File Quarantined")
    failed = _rule(templates, "SageMaker Model Building Pipeline Execution Status Change")

    assert failed.properties["EventPattern"]["detail"]["currentPipelineExecutionStatus"] == ["Failed"]
    refused, unfinished = _rule(templates, "Release Refused"), _rule(templates, "Release Failed")
    assert unfinished.properties["EventPattern"]["detail"] == {
        "project": ["car_prices"],
        "stage": ["dev"],
        "modelPackageArn": [{"prefix": "arn:"}],
        "result": ["Failed", "Stopped"],
    }
    for rule in (quarantined, failed, refused, unfinished):
        transformer = _target(rule)["InputTransformer"]
        for name in transformer["InputPathsMap"]:
            assert f"<{name}>" in transformer["InputTemplate"]
        assert "What to do:" in transformer["InputTemplate"]
        # EventBridge takes text only as quoted lines.
        assert all(line.startswith('"') and line.endswith('"') for line in transformer["InputTemplate"].split("\n"))


def test_nothing_else_is_routed(templates: Templates) -> None:
    """A rule that nobody asked for would start something that nobody expects."""
    assert len(list(templates.resources("AWS::Events::Rule"))) == 8
