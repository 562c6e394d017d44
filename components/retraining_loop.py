"""The loop back to training as a Step Functions workflow: decide, train, wait, tell, and free the lock in any case.

Must not approve anything, and must not hold a rule of its own: its functions decide. The definition is written as
the Amazon States Language has it, so that it reads like what runs.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from components.own_account import for_this_account

_POLL_SECONDS = 30
# What Lambda itself may answer; the function's own errors are for the loop.
_TRANSIENT = [
    *("Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"),
    "Lambda.TooManyRequestsException",
]


@dataclass(frozen=True, kw_only=True)
class LoopFunctions:
    """ARNs of the functions that the loop calls."""

    decide: str
    start: str
    finish: str


class RetrainingLoop(Construct):
    """Workflow `name`; `arn` is public."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        functions: LoopFunctions,
        pipeline_arn: str,
        timeout_hours: int,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        role = self._role(name, functions, pipeline_arn)
        machine = stepfunctions.CfnStateMachine(
            self,
            "Machine",
            state_machine_name=name,
            state_machine_type="STANDARD",
            role_arn=role.role_arn,
            definition_string=stack.to_json_string(_definition(functions, timeout_seconds=3600 * timeout_hours)),
        )
        # An execution that starts before the role's policy exists fails on its first state.
        machine.node.add_dependency(role)
        self.name = name
        self.arn = machine.attr_arn

    def _role(self, name: str, functions: LoopFunctions, pipeline_arn: str) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description=f"State machine {name}",
            assumed_by=for_this_account("states"),
        )
        called = [functions.decide, functions.start, functions.finish]
        role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=called))
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["sagemaker:DescribePipelineExecution"], resources=[f"{pipeline_arn}/execution/*"]
            )
        )
        return role


def _definition(functions: LoopFunctions, *, timeout_seconds: int) -> dict[str, Any]:
    return {
        "Comment": "Trains on new data, on a violation or on a schedule; a person decides about the result.",
        "StartAt": "Begin",
        "TimeoutSeconds": timeout_seconds,
        "States": {**_deciding(functions), **_training(functions), **_ending(functions)},
    }


def _deciding(functions: LoopFunctions) -> dict[str, Any]:
    """Up to the decision: train, wait for a training that nobody waits for, or nothing."""
    decide = {"trigger.$": "$.trigger", "execution.$": "$$.Execution.Id"}
    return {
        "Begin": {"Type": "Pass", "Parameters": {"trigger.$": "$"}, "Next": "Decide"},
        "Decide": _call(functions.decide, decide, result="decision", then="Needed", otherwise="NothingDecided"),
        "NothingDecided": {"Type": "Pass", "Result": {"Payload": {}}, "ResultPath": "$.decision", "Next": "GiveUp"},
        "Needed": _choice(
            "$.decision.Payload.decision", {"train": "StartTraining", "attend": "Attend"}, otherwise="NotNeeded"
        ),
        "NotNeeded": {"Type": "Succeed"},
    }


def _training(functions: LoopFunctions) -> dict[str, Any]:
    """From the start of a training, or from one that runs already, to its end."""
    start = {
        "dataset.$": "$.decision.Payload.snapshot.dataset",
        "dataVersion.$": "$.decision.Payload.snapshot.data_version",
        "filesManifest.$": "$.decision.Payload.snapshot.files_manifest",
        "reason.$": "$.decision.Payload.reason",
        "execution.$": "$$.Execution.Id",
    }
    return {
        "Attend": {
            "Type": "Pass",
            "Parameters": {"Payload": {"execution.$": "$.decision.Payload.training"}},
            "ResultPath": "$.training",
            "Next": "Wait",
        },
        "StartTraining": _call(functions.start, start, result="training", then="Wait", otherwise="GiveUp"),
        "Wait": {"Type": "Wait", "Seconds": _POLL_SECONDS, "Next": "LookAtTraining"},
        "LookAtTraining": _look_at_training(),
        "Trained": _choice("$.status.status", {"Executing": "Wait", "Stopping": "Wait"}, otherwise="Finish"),
    }


def _ending(functions: LoopFunctions) -> dict[str, Any]:
    """Free the lock, tell, and decide anew if data came meanwhile."""
    ended = {"execution.$": "$$.Execution.Id", "decision.$": "$.decision.Payload"}
    trained = {**ended, "training.$": "$.training.Payload", "status.$": "$.status"}
    failed = {**ended, "error.$": "$.error"}
    return {
        "Finish": _call(functions.finish, trained, result="end", then="Again", otherwise="GiveUp"),
        "Again": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.end.Payload.again", "BooleanEquals": True, "Next": "NewerData"}],
            "Default": "Result",
        },
        "NewerData": {
            "Type": "Pass",
            "Parameters": {"trigger": {"reason": "new data", "description": "newer data came during a training"}},
            "Next": "Decide",
        },
        "Result": _choice("$.end.Payload.result", {"candidate": "CandidateWaits"}, otherwise="NoCandidate"),
        "CandidateWaits": {"Type": "Succeed"},
        "NoCandidate": {
            "Type": "Fail",
            "Error": "NoCandidate",
            "Cause": "The training brought no version to approve; the approvers have been told why.",
        },
        "GiveUp": _call(functions.finish, failed, result="end", then="Failed", otherwise="Failed"),
        "Failed": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"},
    }


def _call(function: str, payload: Mapping[str, Any], *, result: str, then: str, otherwise: str) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload": dict(payload)},
        "ResultSelector": {"Payload.$": "$.Payload"},
        "ResultPath": f"$.{result}",
        "Retry": [{"ErrorEquals": _TRANSIENT, "IntervalSeconds": 2, "MaxAttempts": 5, "BackoffRate": 2}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": otherwise}],
        "Next": then,
    }


def _look_at_training() -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sagemaker:describePipelineExecution",
        "Parameters": {"PipelineExecutionArn.$": "$.training.Payload.execution"},
        "ResultSelector": {"status.$": "$.PipelineExecutionStatus"},
        "ResultPath": "$.status",
        "Retry": [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 10, "MaxAttempts": 5, "BackoffRate": 2}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "GiveUp"}],
        "Next": "Trained",
    }


def _choice(variable: str, cases: Mapping[str, str], *, otherwise: str) -> dict[str, Any]:
    return {
        "Type": "Choice",
        "Choices": [{"Variable": variable, "StringEquals": value, "Next": state} for value, state in cases.items()],
        "Default": otherwise,
    }
