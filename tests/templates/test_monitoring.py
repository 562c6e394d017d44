"""Monitoring as it would be deployed: what its roles may do, when it runs, and whom its alarms reach."""

import json
from typing import Any

import pytest

from tests.synthesized import stack_files, synthesized_assembly
from tests.templates.conftest import Resource, Templates
from tests.templates.policies import identity_statements

_STACK = "Cd4ml-dev-Monitoring"
_LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
_DEAD_LETTERS = {"sqs:SendMessage"}


def _rights(templates: Templates, role: str, *, stack: str) -> dict[str, str]:
    """Action -> its resources as text, of the role whose logical id begins so."""
    return {
        action: json.dumps(statement["Resource"])
        for policy, statement in identity_statements(templates)
        if policy.stack == stack and policy.properties.get("Roles", [{}])[0].get("Ref", "").startswith(role)
        for action in statement["Action"]
    }


@pytest.mark.parametrize(
    ("stack", "role", "actions"),
    [
        (
            _STACK,
            "carpricesStartMonitoring",
            {
                *("sagemaker:DescribeModelPackage", "ssm:GetParameter", "sagemaker:StartPipelineExecution"),
                *("s3:GetObject", "s3:PutObject", "s3:ListBucket", "kms:Decrypt", "kms:GenerateDataKey"),
                "events:PutEvents",
            },
        ),
        (_STACK, "carpricesReportMonitoring", {"s3:GetObject", "s3:ListBucket", "kms:Decrypt", "events:PutEvents"}),
        (
            "Cd4ml-dev-Training",
            "carpricesDecideRetraining",
            {
                *("dynamodb:GetItem", "dynamodb:UpdateItem", "states:DescribeExecution", "events:PutEvents"),
                *("sagemaker:ListPipelineExecutions", "sagemaker:ListPipelineParametersForExecution"),
                *("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"),
                *("s3:GetObject", "s3:ListBucket", "kms:Decrypt", "ssm:GetParameter"),
            },
        ),
        (
            "Cd4ml-dev-Training",
            "carpricesStartTraining",
            {
                *("sagemaker:StartPipelineExecution", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"),
                "ssm:GetParameter",
            },
        ),
        (
            "Cd4ml-dev-Training",
            "carpricesFinishRetraining",
            {
                *("dynamodb:UpdateItem", "sagemaker:ListPipelineExecutionSteps", "events:PutEvents", "sns:Publish"),
                *("s3:GetObject", "s3:ListBucket", "kms:Decrypt", "kms:GenerateDataKey"),
            },
        ),
        (
            "Cd4ml-dev-Training",
            "carpricesAnnounceCandidate",
            {
                *("sagemaker:DescribeModelPackage", "sagemaker:DescribePipelineExecution"),
                *("s3:GetObject", "s3:PutObject", "s3:ListBucket", "kms:Decrypt", "kms:GenerateDataKey"),
                *("events:PutEvents", "sns:Publish"),
            },
        ),
    ],
)
def test_a_function_may_do_what_it_does_and_no_more(
    templates: Templates, stack: str, role: str, actions: set[str]
) -> None:
    """Beside writing its log and its dead letters; none may approve, deploy, delete or write to the lake."""
    assert set(_rights(templates, role, stack=stack)) == actions | _LOGS | _DEAD_LETTERS


def test_rights_end_at_the_monitors_own_things(templates: Templates) -> None:
    """One pipeline, one parameter, one registry, and the runs of one project."""
    starter = _rights(templates, "carpricesStartMonitoring", stack=_STACK)

    assert ":pipeline/car-prices-dev-monitoring" in starter["sagemaker:StartPipelineExecution"]
    assert ":parameter/cd4ml/car_prices/dev/champion" in starter["ssm:GetParameter"]
    for action in ("s3:GetObject", "s3:PutObject"):
        assert starter[action].endswith('/monitoring/runs/car_prices/*"]]}]')
    decide = _rights(templates, "carpricesDecideRetraining", stack="Cd4ml-dev-Training")
    assert ":execution:car-prices-dev-retraining:*" in decide["states:DescribeExecution"]
    assert "snapshots/car_prices/*" in decide["s3:GetObject"]
    announce = _rights(templates, "carpricesAnnounceCandidate", stack="Cd4ml-dev-Training")
    assert announce["s3:PutObject"].endswith('/releases/car_prices/candidates/*"]]}]')


def test_the_job_hands_production_data_to_ingestion_and_cannot_pass_it_by(templates: Templates) -> None:
    """It writes below raw/, where every upload is checked by the contract, and never what training reads."""
    puts = [
        resource["Fn::Join"][1][-1]
        for policy, statement in identity_statements(templates)
        if policy.stack == _STACK and "Jobs" in policy.logical_id and "s3:PutObject" in statement["Action"]
        for resource in statement["Resource"]
    ]

    assert sorted(puts) == ["/monitoring/runs/car_prices/*", "/raw/car_prices/captured/*"]


def test_the_monitoring_pipeline_runs_a_job_and_registers_nothing(templates: Templates) -> None:
    """Its role may start processing jobs under the monitors' job role; no training, no registry."""
    rights = _rights(templates, "carpricesExecution", stack=_STACK)

    assert {"sagemaker:CreateProcessingJob", "iam:PassRole"} <= set(rights)
    assert not {action for action in rights if "TrainingJob" in action or "ModelPackage" in action}


def _schedules(stage: str) -> dict[str, dict[str, Any]]:
    """Monitor -> properties of its schedule."""
    files = dict(stack_files(synthesized_assembly(stage)))
    resources = json.loads(files[f"Cd4ml-{stage}-Monitoring"].read_text())["Resources"].values()
    found = [body["Properties"] for body in resources if body["Type"] == "AWS::Scheduler::Schedule"]
    return {json.loads(properties["Target"]["Input"])["monitor"]: properties for properties in found}


@pytest.mark.parametrize(("stage", "state"), [("dev", "DISABLED"), ("prod", "ENABLED")])
def test_monitors_run_by_themselves_where_somebody_depends_on_them(stage: str, state: str) -> None:
    """In development each run costs something and a person starts it; in production none is forgotten."""
    schedules = _schedules(stage)

    assert {name: (one["State"], one["ScheduleExpression"]) for name, one in schedules.items()} == {
        "inputs": (state, "rate(60 minutes)"),
        "outcomes": (state, "rate(1440 minutes)"),
    }
    for schedule in schedules.values():
        payload = json.loads(schedule["Target"]["Input"])
        assert payload["scheduledTime"] == "<aws.scheduler.scheduled-time>"
        assert schedule["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 21600, "MaximumRetryAttempts": 8}
        assert schedule["Target"]["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0].startswith("carpricesStartMonitoring")


def test_every_schedule_has_a_role_that_calls_one_target(templates: Templates) -> None:
    """The role invokes the target of its schedule, keeps what it could not deliver, and nothing else."""
    schedules = list(templates.resources("AWS::Scheduler::Schedule"))
    assert len(schedules) == 2
    for schedule in schedules:
        role, target = schedule.properties["Target"]["RoleArn"]["Fn::GetAtt"][0], schedule.properties["Target"]
        rights = _rights(templates, role, stack=schedule.stack)
        assert set(rights) == {"lambda:InvokeFunction", "sqs:SendMessage"}
        assert rights["lambda:InvokeFunction"] == json.dumps([target["Arn"]])


def _alarms(templates: Templates) -> list[Resource]:
    return [
        alarm
        for alarm in templates.resources("AWS::CloudWatch::Alarm")
        if alarm.properties["Namespace"] == "Cd4ml/Monitoring"
    ]


def test_every_kind_of_violation_has_an_alarm_that_says_what_to_do(templates: Templates) -> None:
    """One for each analysis of each monitor; between two windows nothing is new, so the state stays."""
    alarms = [alarm.properties for alarm in _alarms(templates)]

    assert sorted(alarm["MetricName"] for alarm in alarms) == [
        *("AttributionViolations", "BiasViolations", "DataQualityViolations", "ModelQualityViolations"),
    ]
    for alarm in alarms:
        assert (alarm["Threshold"], alarm["TreatMissingData"], alarm["EvaluationPeriods"]) == (1, "ignore", 1)
        assert alarm["Period"] in (3600, 86_400)
        assert "What to do:" in alarm["AlarmDescription"]
        assert alarm["AlarmActions"]


def test_a_monitor_that_should_run_and_is_silent_is_told(templates: Templates) -> None:
    """Where monitors run by themselves, two windows without a run are an alarm; elsewhere there is none."""
    production = json.loads(dict(stack_files(synthesized_assembly("prod")))["Cd4ml-prod-Monitoring"].read_text())
    silent = [
        body["Properties"]
        for body in production["Resources"].values()
        if body["Type"] == "AWS::CloudWatch::Alarm" and body["Properties"]["MetricName"] == "Rows"
    ]

    assert [(one["Period"], one["EvaluationPeriods"], one["TreatMissingData"]) for one in silent] == [
        (3600, 2, "breaching"),
        (86_400, 2, "breaching"),
    ]
    assert "Rows" not in {alarm.properties["MetricName"] for alarm in _alarms(templates)}
