"""Calling targets: under the role, with what input, what is tried again, what goes to the dead-letter queue."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud.clock import Clock
from local_cloud.events.ledger import Ledger
from local_cloud.scheduler.invocation import Invocation, Invoker
from tests.local_cloud.functions.fakes import ACCOUNT, REGION, FakeClients, client_error
from tests.waiting import LIMIT_SECONDS

SCHEDULE = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/hourly"
GROUP = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/default"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/scheduler"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"
DEAD = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
TIME = "2026-01-02T03:00:00Z"


class World:
    """An invoker and everything around it."""

    def __init__(self, directory: Path) -> None:
        self.clients = FakeClients()
        self.ledger = Ledger(directory)
        self.ended = threading.Event()
        clock = Clock(scale=0.0001)
        self.invoker = Invoker(clients=self.clients, clock=clock, ledger=self.ledger)  # type: ignore[arg-type]

    def invoke(self, arn: str, **target: Any) -> None:
        """Call a target and wait for the end."""
        self.invoker.start(
            Invocation(SCHEDULE, GROUP, ACCOUNT, REGION, {"Arn": arn, "RoleArn": ROLE, **target}, TIME, self.ended.set)
        )
        assert self.invoker.wait_until_idle(LIMIT_SECONDS)
        assert self.ended.is_set()

    def call(self, service: str, operation: str) -> dict[str, Any]:
        """The parameters of the only call of an operation."""
        (parameters,) = self.clients.service(service).called(operation)
        return parameters

    def outcomes(self) -> list[str]:
        return [str(entry["outcome"]) for entry in self.ledger.entries()]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.invoker.close()


@pytest.mark.parametrize(
    ("arn", "target", "service", "operation", "expected"),
    [
        (QUEUE, {"Input": "text"}, "sqs", "send_message", {"MessageBody": "text"}),
        (
            f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/monitor",
            {"SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "Window", "Value": "hour"}]}},
            "sagemaker",
            "start_pipeline_execution",
            {"PipelineName": "monitor", "PipelineParameters": [{"Name": "Window", "Value": "hour"}]},
        ),
        (
            f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:retrain",
            {"Input": '{"reason": "schedule"}'},
            "stepfunctions",
            "start_execution",
            {"input": '{"reason": "schedule"}'},
        ),
        (f"arn:aws:sns:{REGION}:{ACCOUNT}:news", {"Input": "text"}, "sns", "publish", {"Message": "text"}),
        (
            f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default",
            {"Input": '{"a": 1}', "EventBridgeParameters": {"DetailType": "Due", "Source": "cd4ml.monitor"}},
            "events",
            "put_events",
            {
                "Entries": [
                    {
                        "Source": "cd4ml.monitor",
                        "DetailType": "Due",
                        "Detail": '{"a": 1}',
                        "Resources": [SCHEDULE],
                        "EventBusName": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default",
                    }
                ]
            },
        ),
        (
            "arn:aws:scheduler:::aws-sdk:sfn:startExecution",
            {"Input": '{"StateMachineArn": "arn", "Input": "{}"}'},
            "stepfunctions",
            "start_execution",
            {"stateMachineArn": "arn", "input": "{}"},
        ),
    ],
)
def test_each_target_is_called_under_the_execution_role(
    world: World, arn: str, target: dict[str, Any], service: str, operation: str, expected: dict[str, Any]
) -> None:
    """Templated targets by their own call, universal ones by any call, spelled as that API spells it."""
    world.invoke(arn, **target)
    assert expected.items() <= world.call(service, operation).items()
    assert world.clients.callers == [(service, ROLE)]
    assert world.outcomes() == ["delivered"]


def test_without_an_input_a_target_gets_the_default_notification(world: World) -> None:
    """It names the schedule and the moment that was due."""
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:check"
    world.invoke(function)
    call = world.call("lambda", "invoke")
    assert (call["FunctionName"], call["InvocationType"]) == (function, "Event")
    event = json.loads(call["Payload"])
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.scheduler", "Scheduled Event", "{}")
    assert (event["time"], event["resources"]) == (TIME, [SCHEDULE])


def test_context_attributes_are_filled_in_for_every_attempt(world: World) -> None:
    """The attempt number counts, the execution stays the same."""
    world.clients.service("sqs").errors["send_message"] = [client_error("ThrottlingException")]
    names = ("schedule-arn", "scheduled-time", "execution-id", "attempt-number")
    world.invoke(QUEUE, Input=" ".join(f"<aws.scheduler.{name}>" for name in names))

    first, second = [call["MessageBody"].split() for call in world.clients.service("sqs").called("send_message")]
    assert (first[:2], first[3], second[3]) == ([SCHEDULE, TIME], "1", "2")
    assert first[2] == second[2]
    assert world.outcomes() == ["will retry", "delivered"]


def test_what_a_role_may_not_do_is_not_tried_again_and_becomes_a_dead_letter(world: World) -> None:
    """The dead letter is the input, with the target's own error; it is sent under the execution role, too."""
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
    world.clients.service("sns").errors["publish"] = [client_error("AuthorizationError", status=403)]
    world.invoke(topic, Input="text", DeadLetterConfig={"Arn": DEAD})

    letter = world.call("sqs", "send_message")
    told = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert (letter["MessageBody"], letter["QueueUrl"]) == ("text", f"http://127.0.0.1:1/{ACCOUNT}/dead")
    assert told | {"EXECUTION_ID": "any"} == {
        "ERROR_CODE": "AuthorizationError",
        "ERROR_MESSAGE": "AuthorizationError happened",
        "EXECUTION_ID": "any",
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": "0",
        "SCHEDULED_TIME": TIME,
        "SCHEDULE_ARN": SCHEDULE,
        "TARGET_ARN": topic,
    }
    assert world.clients.callers == [("sns", ROLE), ("sqs", ROLE)]
    assert world.outcomes() == ["failed", "dead-lettered"]


def test_retries_end_at_the_limit_of_the_policy(world: World) -> None:
    """Two retries are three attempts; the dead letter says which limit was reached."""
    world.clients.service("sns").errors["publish"] = [client_error("InternalFailure", status=500) for _ in range(9)]
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
    world.invoke(topic, RetryPolicy={"MaximumRetryAttempts": 2}, DeadLetterConfig={"Arn": DEAD})

    assert len(world.clients.service("sns").called("publish")) == 3
    told = world.call("sqs", "send_message")["MessageAttributes"]
    assert told["EXHAUSTED_RETRY_CONDITION"]["StringValue"] == "MaximumRetryAttempts"
    assert told["RETRY_ATTEMPTS"]["StringValue"] == "2"


def test_a_role_that_scheduler_may_not_assume_loses_the_invocation(world: World) -> None:
    """Without a role there is no dead letter either; the ledger says why."""
    world.clients.refuse_role = True
    world.invoke(QUEUE, DeadLetterConfig={"Arn": DEAD})
    assert world.clients.service("sqs").calls == []
    assert world.outcomes() == ["failed", "lost"]
    assert world.ledger.entries()[0]["error_code"] == "FAILED_TO_ASSUME_ROLE"
