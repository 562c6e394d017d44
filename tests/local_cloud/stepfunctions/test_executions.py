"""Executions on the running local cloud: their life, their names, their history, and who is told."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.stepfunctions.account import Account, role_for
from tests.local_cloud.stepfunctions.programs import INVOKE, task
from tests.running_cloud import ACCOUNT, REGION
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("local-cloud")
LONG = {"Wait": {"Type": "Wait", "Seconds": 100_000, "End": True}}
SHORT = {"Pass": {"Type": "Pass", "End": True}}
FAIL = {"Fail": {"Type": "Fail", "Error": "NoLabels", "Cause": "none came"}}


def _code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def test_a_name_is_used_once(account: Account) -> None:
    """The same name and input give the running execution; another input, or one that has ended, is refused."""
    client = account.cloud.client("stepfunctions")
    machine = account.machine(LONG)

    first = account.start(machine, {"a": 1}, name="drift-17")
    assert account.start(machine, {"a": 1}, name="drift-17") == first
    with pytest.raises(ClientError) as other_input:
        account.start(machine, {"a": 2}, name="drift-17")
    client.stop_execution(executionArn=first)
    with pytest.raises(ClientError) as ended:
        account.start(machine, {"a": 1}, name="drift-17")

    assert {_code(other_input), _code(ended)} == {"ExecutionAlreadyExists"}
    assert len(client.list_executions(stateMachineArn=machine)["executions"]) == 1


def test_a_stopped_execution_has_ended_at_once(account: Account) -> None:
    """StopExecution answers when the execution is over: ABORTED, with its reason, its date and its last event."""
    client = account.cloud.client("stepfunctions")
    before = datetime.now(UTC)
    execution = account.start(account.machine(LONG))

    stopped = client.stop_execution(executionArn=execution, error="Superseded", cause="newer data")
    described = client.describe_execution(executionArn=execution)
    (last,) = client.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=1)["events"]

    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "Superseded", "newer data")
    assert before <= described["startDate"] <= described["stopDate"] == stopped["stopDate"]
    assert last["type"] == "ExecutionAborted"
    assert last["executionAbortedEventDetails"] == {"error": "Superseded", "cause": "newer data"}


def test_an_update_does_not_touch_what_runs(account: Account) -> None:
    """A running execution keeps its definition; the next one takes the new one, under a new revision."""
    client = account.cloud.client("stepfunctions")
    machine = account.machine({"A": {"Type": "Wait", "Seconds": 50, "Next": "B"}, "B": {**SHORT["Pass"], "Result": 1}})
    running = account.start(machine)
    before = client.describe_state_machine(stateMachineArn=machine)["revisionId"]

    definition = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": 2, "End": True}}}
    revision = client.update_state_machine(stateMachineArn=machine, definition=json.dumps(definition))["revisionId"]

    assert revision != before
    assert account.ended(account.start(machine))["output"] == "2"
    assert account.ended(running)["output"] == "1"


def test_the_history_says_what_happened(account: Account) -> None:
    """Every state and task with its dates, in order and in pages; the failure with its cause."""
    account.allow("lambda:InvokeFunction")
    client = account.cloud.client("stepfunctions")
    described = account.ran({"Ready": {"Type": "Pass", "Next": "Go"}, "Go": task(INVOKE, Parameters={"Payload": {}})})

    pages = client.get_paginator("get_execution_history").paginate(
        executionArn=described["executionArn"], PaginationConfig={"PageSize": 2}
    )
    events = [event for page in pages for event in page["events"]]

    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskFailed",
        "ExecutionFailed",
    ]
    assert [event["id"] for event in events] == list(range(1, 9))
    assert described["startDate"] <= events[0]["timestamp"] <= events[-1]["timestamp"] <= described["stopDate"]
    failure = events[-1]["executionFailedEventDetails"]
    assert (failure["error"], failure["cause"]) == (described["error"], described["cause"])
    assert "FunctionName" in failure["cause"]


@pytest.mark.parametrize(
    ("states", "fields", "status"),
    [
        (SHORT, {}, "SUCCEEDED"),
        (FAIL, {}, "FAILED"),
        (LONG, {"TimeoutSeconds": 10}, "TIMED_OUT"),
        (LONG, {}, "ABORTED"),
    ],
)
def test_everybody_is_told(account: Account, states: dict[str, Any], fields: dict[str, Any], status: str) -> None:
    """An event for the start and one for the end in AWS's form, and the metrics that alarms watch."""
    url = account.cloud.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:inbox"
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    account.cloud.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    pattern = {"source": ["aws.states"], "detail-type": ["Step Functions Execution Status Change"]}
    account.cloud.client("events").put_rule(Name="all", EventPattern=json.dumps(pattern))
    account.cloud.client("events").put_targets(Rule="all", Targets=[{"Id": "inbox", "Arn": queue}])

    execution = account.start(account.machine(states, **fields), {"window": "2012"})
    if status == "ABORTED":
        account.cloud.client("stepfunctions").stop_execution(executionArn=execution)
    described = account.ended(execution)
    account.cloud.page("idle")
    messages = account.cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    told = {event["detail"]["status"]: event for event in (json.loads(message["Body"]) for message in messages)}

    assert described["status"] == status
    assert set(told) == {"RUNNING", status}
    detail = told[status]["detail"]
    assert told[status]["resources"] == [execution]
    assert (detail["input"], detail["name"]) == ('{"window": "2012"}', execution.rpartition(":")[2])
    assert detail["startDate"] == told["RUNNING"]["detail"]["startDate"] <= detail["stopDate"]
    assert told["RUNNING"]["detail"]["stopDate"] is None
    assert (detail["error"], detail["output"]) == (described.get("error"), described.get("output"))
    metric = {
        "SUCCEEDED": "ExecutionsSucceeded",
        "FAILED": "ExecutionsFailed",
        "TIMED_OUT": "ExecutionsTimedOut",
        "ABORTED": "ExecutionsAborted",
    }[status]
    dimensions = [{"Name": "StateMachineArn", "Value": described["stateMachineArn"]}]
    metrics = account.cloud.client("cloudwatch").list_metrics(Namespace="AWS/States", Dimensions=dimensions)["Metrics"]
    assert {known["MetricName"] for known in metrics} == {"ExecutionsStarted", "ExecutionTime", metric}


def test_a_rule_starts_a_state_machine_as_the_target_s_role(account: Account) -> None:
    """The event is the input; a role that may not start executions starts none, and the refusal is on record."""
    cloud, machine = account.cloud, account.machine(SHORT)
    role = role_for(cloud, "rule", "events.amazonaws.com")
    events = cloud.client("events")
    events.put_rule(Name="drift", EventPattern=json.dumps({"source": ["cd4ml.monitoring"]}))
    events.put_targets(Rule="drift", Targets=[{"Id": "loop", "Arn": machine, "RoleArn": role}])
    entry = {"Source": "cd4ml.monitoring", "DetailType": "Violation", "Detail": json.dumps({"feature": "price"})}

    events.put_events(Entries=[entry])
    cloud.page("idle")
    client = cloud.client("stepfunctions")
    assert client.list_executions(stateMachineArn=machine)["executions"] == []
    codes = {delivery["error_code"] for delivery in cloud.page("status")["deliveries"]}
    assert codes == {None, "NO_PERMISSIONS"}

    statement = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": machine}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.client("iam").put_role_policy(RoleName="rule", PolicyName="own", PolicyDocument=document)
    events.put_events(Entries=[entry])
    cloud.page("idle")
    (execution,) = client.list_executions(stateMachineArn=machine)["executions"]
    described = account.ended(execution["executionArn"])
    assert json.loads(described["input"])["detail"] == {"feature": "price"}


def test_a_reset_ends_what_runs(account: Account) -> None:
    """After a reset there are neither state machines nor executions, and what ran does nothing more."""
    cloud = account.cloud
    account.start(account.machine({"A": {"Type": "Wait", "Seconds": 50, "Next": "B"}, "B": SHORT["Pass"]}))

    cloud.reset()

    assert cloud.client("stepfunctions").list_state_machines()["stateMachines"] == []
    assert cloud.page("status")["state_machines"] == []


def test_a_list_can_be_narrowed_to_a_status(account: Account) -> None:
    """Newest first, by status, in pages."""
    client = account.cloud.client("stepfunctions")
    machine = account.machine(FAIL)
    failed = [account.start(machine, name=name) for name in ("one", "two", "three")]
    for execution in failed:
        account.ended(execution)

    def arns(**chosen: Any) -> list[str]:
        pages = client.get_paginator("list_executions").paginate(stateMachineArn=machine, **chosen)
        return [execution["executionArn"] for page in pages for execution in page["executions"]]

    assert arns(statusFilter="FAILED", PaginationConfig={"PageSize": 2}) == failed[::-1]
    assert arns(statusFilter="RUNNING") == []
    assert (
        wait_for(lambda: account.cloud.page("status")["state_machines"], what="the status page")[0]["execution"]
        == "one"
    )
