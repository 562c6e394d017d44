"""What starts what: the EventBridge rules of the app, each with its pattern and target."""

import json
from typing import Any

from tests.templates.conftest import Resource, Templates
from tests.templates.policies import identity_statements


def _rule(templates: Templates, detail_type: str, *, stack: str | None = None) -> Resource:
    """The one rule for a type of event, in one stack if there are rules for it in several."""
    (rule,) = (
        rule
        for rule in templates.resources("AWS::Events::Rule")
        if rule.properties["EventPattern"]["detail-type"] == [detail_type]
        and stack in (None, rule.stack.removeprefix("Cd4ml-dev-"))
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
    rule = _rule(templates, "Object Created", stack="DataLake")
    (bucket,) = (
        bucket.logical_id for bucket in templates.resources("AWS::S3::Bucket") if bucket.logical_id.startswith("Lake")
    )

    assert rule.properties["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [{"Ref": bucket}]}, "object": {"key": [{"prefix": "raw/"}]}},
    }
    assert _handler_of(templates, rule) == "lambdas.ingest_upload.handler.handle"


def test_new_data_and_violations_start_the_loop_of_their_own_project(templates: Templates) -> None:
    """The rules match one dataset, or project and stage, so that no other project trains; nothing else starts it."""
    snapshot, violation = _rule(templates, "Snapshot Created"), _rule(templates, "Violation Found")
    failed = _rule(templates, "Retraining Failed")

    assert snapshot.properties["EventPattern"] == {
        "source": ["cd4ml.ingest"],
        "detail-type": ["Snapshot Created"],
        "detail": {"dataset": ["car_prices"]},
    }
    assert violation.properties["EventPattern"] == {
        "source": ["cd4ml.monitoring"],
        "detail-type": ["Violation Found"],
        "detail": {"project": ["car_prices"], "stage": ["dev"]},
    }
    # Only with newer data than the failed one had: else a training that always fails would start itself for ever.
    assert failed.properties["EventPattern"] == {
        "source": ["cd4ml.retraining"],
        "detail-type": ["Retraining Failed"],
        "detail": {"project": ["car_prices"], "stage": ["dev"], "newerData": [True]},
    }
    (machine,) = templates.resources("AWS::StepFunctions::StateMachine")
    starters = []
    for policy, statement in identity_statements(templates):
        if "states:StartExecution" in statement["Action"]:
            assert statement["Action"] == ["states:StartExecution"]
            assert statement["Resource"] == [{"Fn::GetAtt": [machine.logical_id, "Arn"]}]
            starters += policy.properties["Roles"]
    assert [{"Fn::GetAtt": [role["Ref"], "Arn"]} for role in starters] == [_target(snapshot)["RoleArn"]]
    for rule in (snapshot, violation, failed):
        assert _target(rule)["Arn"] == {"Fn::GetAtt": [machine.logical_id, "Arn"]}
        assert _target(rule)["RoleArn"] == _target(snapshot)["RoleArn"]
        assert _target(rule)["RetryPolicy"] == {"MaximumEventAgeInSeconds": 21600, "MaximumRetryAttempts": 8}
        assert _target(rule)["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0].startswith("carpricesDecideRetraining")


def test_a_loop_that_is_ended_from_outside_is_cleaned_up(templates: Templates) -> None:
    """Whatever no Catch sees, StopExecution and the time limit among it, frees the lock by way of its event."""
    rule = _rule(templates, "Step Functions Execution Status Change")
    (machine,) = templates.resources("AWS::StepFunctions::StateMachine")

    assert rule.properties["EventPattern"]["source"] == ["aws.states"]
    assert rule.properties["EventPattern"]["detail"] == {
        "stateMachineArn": [{"Fn::GetAtt": [machine.logical_id, "Arn"]}],
        "status": ["FAILED", "TIMED_OUT", "ABORTED"],
    }
    assert _handler_of(templates, rule) == "lambdas.finish_retraining.handler.handle"


def test_every_report_of_a_monitor_is_announced(templates: Templates) -> None:
    """Wherever below the project's runs it lies, so that SageMaker's own schedules are heard, too."""
    rule = _rule(templates, "Object Created", stack="Monitoring")

    key = {"wildcard": "monitoring/runs/car_prices/*/monitor_report.json"}
    assert rule.properties["EventPattern"]["detail"]["object"] == {"key": [key]}
    assert _handler_of(templates, rule) == "lambdas.report_monitoring.handler.handle"


def test_an_approval_or_rejection_starts_a_release(templates: Templates) -> None:
    """Only versions of the project's own registry match, and only once somebody has decided."""
    rule = _rule(templates, "SageMaker Model Package State Change", stack="Release")
    detail = rule.properties["EventPattern"]["detail"]

    assert detail["ModelApprovalStatus"] == ["Approved", "Rejected"]
    (group,) = detail["ModelPackageGroupName"]
    assert "Fn::ImportValue" in json.dumps(group)
    assert _handler_of(templates, rule) == "lambdas.start_release.handler.handle"


def test_every_version_that_waits_for_a_decision_is_announced(templates: Templates) -> None:
    """Whoever registered it, in the project's own registry; so no candidate depends on the loop that trained it."""
    rule = _rule(templates, "SageMaker Model Package State Change", stack="Training")
    detail = rule.properties["EventPattern"]["detail"]

    assert detail["ModelApprovalStatus"] == ["PendingManualApproval"]
    assert len(detail["ModelPackageGroupName"]) == 1
    assert _handler_of(templates, rule) == "lambdas.announce_candidate.handler.handle"


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
    for detail_type, stack in (
        ("Object Created", "DataLake"),
        ("Object Created", "Monitoring"),
        ("Step Functions Execution Status Change", "Training"),
        ("SageMaker Model Package State Change", "Release"),
        ("SageMaker Model Package State Change", "Training"),
        ("CodePipeline Pipeline Execution State Change", "Release"),
    ):
        rule = _rule(templates, detail_type, stack=stack)
        target = _target(rule)
        function = templates.by_stack[rule.stack]["Resources"][target["Arn"]["Fn::GetAtt"][0]]
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 21600, "MaximumRetryAttempts": 8}
        assert target["DeadLetterConfig"]["Arn"] == function["Properties"]["DeadLetterConfig"]["TargetArn"]


def test_failures_reach_the_topic_as_readable_text(templates: Templates) -> None:
    """What failed or was refused is told in sentences that name it and say what to do."""
    quarantined = _rule(templates, "File Quarantined")
    failed = [
        _rule(templates, "SageMaker Model Building Pipeline Execution Status Change", stack=stack)
        for stack in ("Training", "Monitoring")
    ]
    skipped = _rule(templates, "Retraining Skipped")

    for rule in failed:
        assert rule.properties["EventPattern"]["detail"]["currentPipelineExecutionStatus"] == ["Failed"]
    assert skipped.properties["EventPattern"]["detail"] == {
        "project": ["car_prices"],
        "stage": ["dev"],
        "somebodyActs": [True],
    }
    refused, unfinished = _rule(templates, "Release Refused"), _rule(templates, "Release Failed")
    assert unfinished.properties["EventPattern"]["detail"] == {
        "project": ["car_prices"],
        "stage": ["dev"],
        "modelPackageArn": [{"prefix": "arn:"}],
        "result": ["Failed", "Stopped"],
    }
    for rule in (quarantined, *failed, skipped, refused, unfinished):
        transformer = _target(rule)["InputTransformer"]
        for name in transformer["InputPathsMap"]:
            assert f"<{name}>" in transformer["InputTemplate"]
        assert "What to do:" in transformer["InputTemplate"]
        # EventBridge takes text only as quoted lines.
        assert all(line.startswith('"') and line.endswith('"') for line in transformer["InputTemplate"].split("\n"))


def test_nothing_else_is_routed(templates: Templates) -> None:
    """A rule that nobody asked for would start something that nobody expects."""
    assert len(list(templates.resources("AWS::Events::Rule"))) == 15
