"""Tasks on the running local cloud: real functions, tables, queues and topics, called as the state machine's role."""

import json
from typing import Any

import pytest

from tests.local_cloud.stepfunctions.account import Account
from tests.local_cloud.stepfunctions.programs import CAUGHT, INVOKE, caught, task
from tests.running_cloud import ACCOUNT, REGION
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("local-cloud")
SDK = "arn:aws:states:::aws-sdk"


def _output(described: dict[str, Any]) -> Any:
    assert described["status"] == "SUCCEEDED", (described.get("error"), described.get("cause"))
    return json.loads(described["output"])


def _table(account: Account) -> None:
    account.cloud.client("dynamodb").create_table(
        TableName="locks",
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )


def _queue(account: Account) -> str:
    return str(account.cloud.client("sqs").create_queue(QueueName="inbox")["QueueUrl"])


def _messages(account: Account, url: str) -> list[dict[str, Any]]:
    client = account.cloud.client("sqs")

    def received() -> list[dict[str, Any]]:
        messages = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    return wait_for(received, what="a message")


def test_functions_really_run(account: Account) -> None:
    """Both ways to invoke a function execute its handler; the optimized one gives the answer, the ARN the payload."""
    function = account.function()
    account.allow("lambda:InvokeFunction", resource=function)
    invoke = task(
        Parameters={"FunctionName": function, "Payload.$": "$"},
        ResultSelector={"Payload.$": "$.Payload", "Code.$": "$.StatusCode"},
        ResultPath="$.first",
        Next="ByArn",
    )

    output = _output(account.ran({"Invoke": invoke, "ByArn": task(function, InputPath="$.first")}, {"rows": 7}))

    assert output == {"seen": {"Payload": {"seen": {"rows": 7}}, "Code": 200}}


def test_a_function_s_error_is_caught_by_the_class_of_its_exception(account: Account) -> None:
    """The Cause is the function's error as JSON; the execution goes on in the state that the Catch names."""
    function = account.function()
    account.allow("lambda:InvokeFunction", resource=function)
    parameters = {"FunctionName": function, "Payload": {"fail": "from 2011"}}
    catch = [{"ErrorEquals": ["DataTooOld"], "ResultPath": "$.error", "Next": "Told"}]

    output = _output(account.ran({"A": task(Parameters=parameters, Catch=catch), "Told": {**CAUGHT, "Result": None}}))
    told = account.ran({"A": task(Parameters=parameters)}, name="uncaught")

    assert output is None
    assert (told["status"], told["error"]) == ("FAILED", "DataTooOld")
    assert json.loads(told["cause"])["errorMessage"] == "from 2011"


@pytest.mark.parametrize(
    ("resource", "error"),
    [
        ("arn:aws:states:::dynamodb:putItem", "DynamoDB.ConditionalCheckFailedException"),
        (f"{SDK}:dynamodb:putItem", "DynamoDb.ConditionalCheckFailedException"),
    ],
)
def test_a_lock_that_is_taken_fails_with_the_name_that_aws_gives(account: Account, resource: str, error: str) -> None:
    """The two integrations of DynamoDB spell the same error differently; only the right name catches it."""
    _table(account)
    account.allow("dynamodb:PutItem")
    parameters = {
        "TableName": "locks",
        "Item": {"k": {"S.$": "$.name"}},
        "ConditionExpression": "attribute_not_exists(k)",
    }
    machine = account.machine({"Lock": task(resource, Parameters=parameters, **caught(error)), "Caught": CAUGHT})

    first = account.ended(account.start(machine, {"name": "training"}))
    second = account.ended(account.start(machine, {"name": "training"}))

    assert first["output"] != '"caught"'
    assert second["output"] == '"caught"'
    assert account.cloud.client("dynamodb").scan(TableName="locks")["Count"] == 1


def test_the_role_s_policies_decide(account: Account) -> None:
    """A task that the role may not do fails with who may not do what; nothing is done as anybody else."""
    _table(account)
    account.allow("dynamodb:GetItem")

    state = task("arn:aws:states:::dynamodb:putItem", Parameters={"TableName": "locks", "Item": {"k": {"S": "x"}}})
    described = account.ran({"Lock": state})

    assert (described["status"], described["error"]) == ("FAILED", "DynamoDB.AmazonDynamoDBException")
    assert "assumed-role/machine/" in described["cause"]
    assert "not authorized to perform: dynamodb:PutItem" in described["cause"]
    assert account.cloud.client("dynamodb").scan(TableName="locks")["Count"] == 0


def test_any_service_is_called_in_the_sdk_s_spelling(account: Account) -> None:
    """Names are capitalized whatever the API's own spelling; moments are ISO strings, bodies text."""
    account.allow("ssm:GetParameter", "s3:GetObject", "states:DescribeStateMachine")
    account.cloud.client("ssm").put_parameter(Name="/live", Value="7", Type="String")
    account.cloud.client("s3").create_bucket(Bucket="reports")
    account.cloud.client("s3").put_object(Bucket="reports", Key="r.json", Body=b'{"drift": 0.1}')
    states = {
        "Live": task(f"{SDK}:ssm:getParameter", Parameters={"Name": "/live"}, ResultPath="$.live", Next="Report"),
        "Report": task(
            f"{SDK}:s3:getObject", Parameters={"Bucket": "reports", "Key": "r.json"}, ResultPath="$.report", Next="Me"
        ),
        "Me": task(
            f"{SDK}:sfn:describeStateMachine",
            Parameters={"StateMachineArn.$": "$$.StateMachine.Id"},
            ResultPath="$.me",
        ),
    }

    output = _output(account.ran(states))

    assert output["live"]["Parameter"]["Value"] == "7"
    assert output["report"]["Body"] == '{"drift": 0.1}'
    assert output["me"]["Name"] == "m"
    for moment in (output["live"]["Parameter"]["LastModifiedDate"], output["me"]["CreationDate"]):
        assert len(moment) == len("2026-11-23T17:00:00.000Z")
        assert moment.endswith("Z")


def test_a_parameter_that_does_not_exist_fails_past_every_catch(account: Account) -> None:
    """A misspelled parameter is States.Runtime, as on AWS: found offline, not caught and hidden."""
    account.allow("ssm:GetParameter")
    state = task(f"{SDK}:ssm:getParameter", Parameters={"Nmae": "/live"}, **caught("States.ALL"))

    described = account.ran({"A": state, "Caught": CAUGHT})

    assert (described["status"], described["error"]) == ("FAILED", "States.Runtime")
    assert 'The field "Nmae" is not supported' in described["cause"]


def test_messages_and_events_are_sent(account: Account) -> None:
    """Objects become JSON text; an event tells which execution it is from, and reaches the rule that matches it."""
    url = _queue(account)
    topic = account.cloud.client("sns").create_topic(Name="approvers")["TopicArn"]
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:inbox"
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    account.cloud.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    account.cloud.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"}
    )
    events = account.cloud.client("events")
    events.put_rule(Name="ours", EventPattern=json.dumps({"source": ["cd4ml.retraining"]}))
    events.put_targets(Rule="ours", Targets=[{"Id": "inbox", "Arn": queue}])
    account.allow("sqs:SendMessage", "sns:Publish", "events:PutEvents")
    entry = {"Source": "cd4ml.retraining", "DetailType": "Done", "Detail": {"rows.$": "$.rows"}}
    states = {
        "Send": task(
            "arn:aws:states:::sqs:sendMessage",
            Parameters={"QueueUrl": url, "MessageBody": {"by": "sqs"}},
            ResultPath=None,
            Next="Publish",
        ),
        "Publish": task(
            "arn:aws:states:::sns:publish",
            Parameters={"TopicArn": topic, "Message": {"by": "sns"}},
            ResultPath=None,
            Next="Emit",
        ),
        "Emit": task("arn:aws:states:::events:putEvents", Parameters={"Entries": [entry]}),
    }

    described = account.ran(states, {"rows": 3})

    assert _output(described)["FailedEntryCount"] == 0
    account.cloud.page("idle")
    found = _messages(account, url)
    assert [message["by"] for message in found if "by" in message] == ["sqs", "sns"]
    (event,) = (message for message in found if "source" in message)
    assert event["detail"] == {"rows": 3}
    assert event["resources"] == [described["stateMachineArn"], described["executionArn"]]


def test_a_state_machine_waits_for_another(account: Account) -> None:
    """.sync:2 gives the other's output as JSON; an execution that fails there fails the task here."""
    account.allow("states:StartExecution", "states:DescribeExecution", "states:StopExecution")
    inner = account.machine(
        {
            "C": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.bad", "BooleanEquals": True, "Next": "F"}],
                "Default": "W",
            },
            "W": {"Type": "Wait", "Seconds": 10, "Next": "P"},
            "P": {"Type": "Pass", "Result": {"error": 0.2}, "End": True},
            "F": {"Type": "Fail", "Error": "TooOld", "Cause": "2011"},
        },
        name="inner",
    )
    parameters = {"StateMachineArn": inner, "Input.$": "$"}
    outer = account.machine({"Run": task("arn:aws:states:::states:startExecution.sync:2", Parameters=parameters)})

    good = account.ended(account.start(outer, {"bad": False}))
    bad = account.ended(account.start(outer, {"bad": True}))

    assert _output(good)["Output"] == {"error": 0.2}
    assert isinstance(_output(good)["StopDate"], int)
    assert (bad["status"], bad["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(bad["cause"])["Error"] == "TooOld"


def test_a_person_s_decision_is_waited_for(account: Account) -> None:
    """A message carries the task's token to somebody, whose answer becomes the task's result."""
    url = _queue(account)
    account.allow("sqs:SendMessage")
    body = {"token.$": "$$.Task.Token", "model": "7"}
    state = task("arn:aws:states:::sqs:sendMessage.waitForTaskToken", Parameters={"QueueUrl": url, "MessageBody": body})
    execution = account.start(account.machine({"Ask": state}))
    (message,) = _messages(account, url)
    client = account.cloud.client("stepfunctions")

    client.send_task_heartbeat(taskToken=message["token"])
    client.send_task_success(taskToken=message["token"], output='{"approved": true}')

    assert _output(account.ended(execution)) == {"approved": True}
    with pytest.raises(client.exceptions.TaskTimedOut):
        client.send_task_failure(taskToken=message["token"], error="TooLate")


def test_a_pipeline_is_started_and_described(account: Account) -> None:
    """The loop's own calls of SageMaker by SDK integration: an unknown pipeline fails with SageMaker's error."""
    account.allow("sagemaker:StartPipelineExecution")
    state = task(
        f"{SDK}:sagemaker:startPipelineExecution",
        Parameters={"PipelineName": "missing"},
        **caught("SageMaker.ResourceNotFoundException"),
    )

    assert _output(account.ran({"Train": state, "Caught": CAUGHT})) == "caught"


def test_a_function_that_is_missing_is_lambda_s_error(account: Account) -> None:
    """Errors of the service, unlike those of the handler, carry the service's name."""
    account.allow("lambda:InvokeFunction")

    described = account.ran({"A": task(INVOKE, Parameters={"FunctionName": "missing"})})

    assert described["error"] == "Lambda.ResourceNotFoundException"
