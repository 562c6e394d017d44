"""What the tests of state machines share on a running local cloud: roles, a function, and machines that run."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.running_cloud import ACCOUNT, REGION, RunningCloud
from tests.waiting import wait_for

_FUNCTION = """
class DataTooOld(Exception):
    pass


def handle(event, context):
    if event.get("fail"):
        raise DataTooOld(event["fail"])
    return {"seen": event}
"""
_ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True)
class Account:
    """An empty account with one role for state machines."""

    cloud: RunningCloud
    role: str

    def allow(self, *actions: str, resource: str = "*") -> None:
        """What the state machines' role may do, and nothing else."""
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.cloud.client("iam").put_role_policy(RoleName="machine", PolicyName="own", PolicyDocument=document)

    def function(self) -> str:
        """The ARN of a function that gives back its event, or fails with DataTooOld."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("index.py", _FUNCTION)
        role = role_for(self.cloud, "function", "lambda.amazonaws.com")
        made = self.cloud.client("lambda").create_function(
            FunctionName="f",
            Runtime="python3.11",
            Role=role,
            Handler="index.handle",
            Code={"ZipFile": buffer.getvalue()},
            Timeout=60,
        )
        return str(made["FunctionArn"])

    def machine(self, states: Mapping[str, Any], *, name: str = "m", **fields: Any) -> str:
        """The ARN of a new state machine that starts at the first state; `fields` are the definition's own."""
        definition = {"StartAt": next(iter(states)), "States": states, **fields}
        client = self.cloud.client("stepfunctions")
        made = client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=self.role)
        return str(made["stateMachineArn"])

    def start(self, machine: str, given: Any = None, **named: str) -> str:
        """The ARN of a new execution."""
        body = json.dumps({} if given is None else given)
        client = self.cloud.client("stepfunctions")
        return str(client.start_execution(stateMachineArn=machine, input=body, **named)["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        """The description of an execution once it has ended."""
        client = self.cloud.client("stepfunctions")

        def description() -> dict[str, Any] | None:
            described: dict[str, Any] = client.describe_execution(executionArn=execution)
            return described if described["status"] in _ENDED else None

        return wait_for(description, what=f"{execution} to end") or {}

    def ran(self, states: Mapping[str, Any], given: Any = None, *, name: str = "m") -> dict[str, Any]:
        """The description of an execution of a new machine."""
        return self.ended(self.start(self.machine(states, name=name), given))


def prepare(cloud: RunningCloud) -> Account:
    """A role `machine` without any rights, which Step Functions may assume for state machines only, as CDK has it."""
    only_for = {
        "ArnLike": {"aws:SourceArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:*"},
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
    }
    return Account(cloud, role_for(cloud, "machine", "states.amazonaws.com", Condition=only_for))


def role_for(cloud: RunningCloud, name: str, principal: str, **condition: Any) -> str:
    """The ARN of a new role that a service may assume."""
    trust = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole", **condition}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return str(cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"])
