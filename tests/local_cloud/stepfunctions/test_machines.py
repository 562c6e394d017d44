"""State machines on the running local cloud: what is refused when they are created, and why."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.stepfunctions.account import Account, role_for
from tests.running_cloud import ACCOUNT

pytestmark = pytest.mark.xdist_group("local-cloud")
PASS = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})


def _refusal(account: Account, **settings: Any) -> tuple[str, str]:
    request = {"name": "m", "definition": PASS, "roleArn": account.role, **settings}
    with pytest.raises(ClientError) as refused:
        account.cloud.client("stepfunctions").create_state_machine(**request)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


def test_what_is_not_emulated_is_refused_by_name(account: Account) -> None:
    """Express workflows, versions, operations without an emulation: nothing is accepted and then ignored."""
    assert _refusal(account, type="EXPRESS")[0] == "StateMachineTypeNotSupported"
    assert "publish" in _refusal(account, publish=True)[1]
    with pytest.raises(ClientError, match="CreateActivity is not emulated"):
        account.cloud.client("stepfunctions").create_activity(name="a")


def test_the_role_must_let_step_functions_assume_it(account: Account) -> None:
    """A role with another trust policy is refused when the state machine is created, in the words of AWS."""
    other = role_for(account.cloud, "other", "lambda.amazonaws.com")

    code, message = _refusal(account, roleArn=other)

    assert code == "AccessDeniedException"
    assert "states.amazonaws.com" in message
    assert other in message


def test_creating_the_same_again_gives_the_same(account: Account) -> None:
    """A repeated request is answered like the first; another definition under the name is refused."""
    client = account.cloud.client("stepfunctions")
    settings = {
        "name": "m",
        "roleArn": account.role,
        "loggingConfiguration": {"level": "ALL", "includeExecutionData": True},
        "tracingConfiguration": {"enabled": True},
    }
    first = client.create_state_machine(definition=PASS, **settings)
    again = client.create_state_machine(definition=PASS, **settings)

    described = client.describe_state_machine(stateMachineArn=first["stateMachineArn"])

    assert again["stateMachineArn"] == first["stateMachineArn"]
    assert (described["loggingConfiguration"], described["tracingConfiguration"]["enabled"]) == (
        {"level": "ALL", "includeExecutionData": True},
        True,
    )
    with pytest.raises(client.exceptions.StateMachineAlreadyExists):
        client.create_state_machine(definition=PASS.replace('"P"', '"Q"'), **settings)


def test_a_role_that_may_only_start_one_machine_starts_no_other(account: Account) -> None:
    """Calls of Step Functions itself are authorized by the ARN of the state machine."""
    machines = {name: account.machine({"P": {"Type": "Pass", "End": True}}, name=name) for name in ("mine", "other")}
    iam = account.cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="caller", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": machines["mine"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="caller", PolicyName="own", PolicyDocument=policy)
    client = account.cloud.role_client("stepfunctions", role)

    client.start_execution(stateMachineArn=machines["mine"])
    with pytest.raises(ClientError, match="states:StartExecution"):
        client.start_execution(stateMachineArn=machines["other"])
