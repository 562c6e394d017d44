"""Delivery to targets: who calls, what is retried, what goes to the dead-letter queue."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from local_cloud.clock import Clock
from local_cloud.events.delivery import Delivery
from local_cloud.events.ledger import FILE_NAME
from local_cloud.events.retries import MOST_RETRIES
from tests.local_cloud.functions.fakes import ACCOUNT, REGION, FakeClients, client_error
from tests.waiting import LIMIT_SECONDS

RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/on-upload"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ingest"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"
DEAD = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/events"
WITH_DEAD_LETTERS = {"DeadLetterConfig": {"Arn": DEAD}}
EVENT: dict[str, Any] = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "Snapshot Created",
    "source": "cd4ml.ingest",
    "account": ACCOUNT,
    "time": "2026-01-02T03:04:05Z",
    "region": REGION,
    "resources": [],
    "detail": {"dataset": "car_prices", "dataVersion": "0123456789abcdef", "rows": 3},
}


@dataclass(frozen=True)
class FakeVerdict:
    """What a target's policy says."""

    allowed: bool = True
    reason: str = "with an Allow"


class FakePermits:
    """Allows everything except the targets in `refused`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.refused: set[str] = set()

    def __call__(self, *, source_arn: str, target_arn: str) -> FakeVerdict:
        self.asked.append((source_arn, target_arn))
        if target_arn in self.refused:
            return FakeVerdict(False, "because no resource-based policy allows it")
        return FakeVerdict()


@dataclass(frozen=True)
class World:
    """A delivery engine and everything around it."""

    delivery: Delivery
    clients: FakeClients
    permits: FakePermits
    directory: Path

    def deliver(self, arn: str, **target: Any) -> None:
        """Hand the event to one target and wait for the end."""
        self.delivery.deliver(
            account=ACCOUNT, region=REGION, rule_arn=RULE, target={"Id": "1", "Arn": arn, **target}, event=EVENT
        )
        assert self.delivery.wait_until_idle(LIMIT_SECONDS)

    def outcomes(self) -> list[str]:
        return [str(entry["outcome"]) for entry in self.delivery.ledger.entries()]

    def dead_letter(self) -> tuple[Any, dict[str, str]]:
        """Body and attributes of the only message sent to a queue."""
        (message,) = self.clients.service("sqs").called("send_message")
        assert message["QueueUrl"] == f"http://127.0.0.1:1/{ACCOUNT}/dead"
        attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        return json.loads(message["MessageBody"]), attributes


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clients, permits = FakeClients(), FakePermits()
    delivery = Delivery(
        clients=clients,  # type: ignore[arg-type]
        clock=Clock(scale=0.0001),
        directory=tmp_path,
        permits=permits,
    )
    yield World(delivery, clients, permits, tmp_path)
    delivery.close()


def test_a_function_is_invoked_asynchronously_if_its_policy_allows_the_rule(world: World) -> None:
    """EventBridge itself calls, after the function's policy was asked about this rule."""
    world.deliver(FUNCTION)
    (call,) = world.clients.service("lambda").called("invoke")
    assert (call["FunctionName"], call["InvocationType"]) == (FUNCTION, "Event")
    assert json.loads(call["Payload"]) == EVENT
    assert world.permits.asked == [(RULE, FUNCTION)]
    assert world.clients.callers == [("lambda", "system")]
    assert world.outcomes() == ["accepted", "delivered"]


@pytest.mark.parametrize(
    ("arn", "target", "service", "operation", "expected"),
    [
        (QUEUE, {}, "sqs", "send_message", {"QueueUrl": f"http://127.0.0.1:1/{ACCOUNT}/queue"}),
        (
            f"{QUEUE}.fifo",
            {"SqsParameters": {"MessageGroupId": "$.detail.dataset"}},
            "sqs",
            "send_message",
            {"MessageGroupId": "car_prices"},
        ),
        (
            f"arn:aws:sns:{REGION}:{ACCOUNT}:topic",
            {"InputTransformer": {"InputPathsMap": {"n": "$.detail.rows"}, "InputTemplate": '"<n> rows"'}},
            "sns",
            "publish",
            {"Message": '"3 rows"'},
        ),
        (
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/events/all:*",
            {},
            "logs",
            "put_log_events",
            {"logGroupName": "/aws/events/all"},
        ),
        (f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/other", {}, "events", "put_events", {}),
        (
            f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:flow",
            {"RoleArn": ROLE, "Input": "{}"},
            "stepfunctions",
            "start_execution",
            {"input": "{}"},
        ),
        (
            f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/car-prices-dev",
            {
                "RoleArn": ROLE,
                "SageMakerPipelineParameters": {
                    "PipelineParameterList": [
                        {"Name": "DataVersion", "Value": "$.detail.dataVersion"},
                        {"Name": "Commit", "Value": "unrecorded"},
                    ]
                },
            },
            "sagemaker",
            "start_pipeline_execution",
            {
                "PipelineName": "car-prices-dev",
                "PipelineParameters": [
                    {"Name": "DataVersion", "Value": "0123456789abcdef"},
                    {"Name": "Commit", "Value": "unrecorded"},
                ],
            },
        ),
        (
            f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:release",
            {
                "RoleArn": ROLE,
                "InputTransformer": {
                    "InputPathsMap": {"v": "$.detail.dataVersion"},
                    "InputTemplate": '{"variables": [{"name": "Version", "value": <v>}]}',
                },
            },
            "codepipeline",
            "start_pipeline_execution",
            {"name": "release", "variables": [{"name": "Version", "value": "0123456789abcdef"}]},
        ),
        (
            f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/checks",
            {"RoleArn": ROLE},
            "codebuild",
            "start_build",
            {"projectName": "checks"},
        ),
    ],
)
def test_each_kind_of_target_is_called_in_its_own_way(
    world: World, arn: str, target: dict[str, Any], service: str, operation: str, expected: dict[str, Any]
) -> None:
    """The call carries what AWS documents for the kind, and a target with a role is called with it."""
    world.deliver(arn, **target)
    (call,) = world.clients.service(service).called(operation)
    assert {name: call[name] for name in expected} == expected
    assert world.clients.callers == [(service, target.get("RoleArn", "system"))]
    assert world.outcomes()[-1] == "delivered"


def test_a_target_that_recovers_gets_the_event_once_it_can(world: World) -> None:
    """Throttling and a server error are overcome by retries of the same delivery."""
    world.clients.service("lambda").errors["invoke"] = [
        client_error("ThrottlingException"),
        client_error("ServiceException", status=500),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    ]
    world.deliver(FUNCTION, **WITH_DEAD_LETTERS)
    assert world.outcomes() == ["accepted", "will retry", "will retry", "will retry", "delivered"]
    assert world.clients.service("sqs").calls == []


def test_exhausted_retries_go_to_the_dead_letter_queue_with_awss_attributes(world: World) -> None:
    """After MaximumRetryAttempts the original event is kept, with what went wrong."""
    world.clients.service("lambda").errors["invoke"] = [client_error("ServiceException", status=500)] * 9
    world.deliver(FUNCTION, RetryPolicy={"MaximumRetryAttempts": 2}, Input='"other"', **WITH_DEAD_LETTERS)
    body, attributes = world.dead_letter()
    assert body == EVENT
    assert "ServiceException" in attributes.pop("ERROR_MESSAGE")
    assert attributes == {
        "RULE_ARN": RULE,
        "TARGET_ARN": FUNCTION,
        "ERROR_CODE": "INTERNAL_ERROR",
        "RETRY_ATTEMPTS": "2",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
    }
    assert len(world.clients.service("lambda").called("invoke")) == 3


def test_an_event_that_gets_too_old_is_not_tried_again(world: World) -> None:
    """MaximumEventAgeInSeconds counts cloud time, which the clock's scale makes pass."""
    world.clients.service("lambda").errors["invoke"] = [client_error("ServiceException", status=500)] * 99
    world.deliver(FUNCTION, RetryPolicy={"MaximumEventAgeInSeconds": 60}, **WITH_DEAD_LETTERS)
    _, attributes = world.dead_letter()
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds"


def test_retries_end_even_under_awss_default_policy(world: World) -> None:
    """A target that stays broken is given up after a number of attempts that people can wait for."""
    world.clients.service("lambda").errors["invoke"] = [client_error("ServiceException", status=500)] * 999
    world.deliver(FUNCTION)
    assert len(world.clients.service("lambda").called("invoke")) == 1 + MOST_RETRIES
    assert world.outcomes()[-2:] == ["failed", "lost"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (client_error("AccessDeniedException", status=403), "NO_PERMISSIONS"),
        (client_error("ResourceNotFoundException", status=404), "NO_RESOURCE"),
        (client_error("ValidationException"), "SDK_CLIENT_ERROR"),
        (client_error("ResourceLimitExceeded"), "RESOURCE_LIMIT_EXCEEDED"),
    ],
)
def test_what_cannot_get_better_is_not_tried_again(world: World, error: Exception, code: str) -> None:
    """Missing rights, missing targets and wrong requests go to the dead-letter queue at once."""
    world.clients.service("lambda").errors["invoke"] = [error]
    world.deliver(FUNCTION, **WITH_DEAD_LETTERS)
    _, attributes = world.dead_letter()
    assert (attributes["ERROR_CODE"], attributes["RETRY_ATTEMPTS"]) == (code, "0")
    assert "EXHAUSTED_RETRY_CONDITION" not in attributes
    assert world.outcomes() == ["accepted", "failed", "dead-lettered"]


def test_a_target_whose_policy_does_not_allow_the_rule_is_not_called(world: World) -> None:
    """The dead letter says who may not do what, on what, for which rule, and why."""
    world.permits.refused = {FUNCTION}
    world.deliver(FUNCTION, **WITH_DEAD_LETTERS)
    _, attributes = world.dead_letter()
    assert attributes["ERROR_CODE"] == "NO_PERMISSIONS"
    assert attributes["ERROR_MESSAGE"] == (
        f"events.amazonaws.com may not lambda:InvokeFunction on {FUNCTION} for {RULE} "
        "because no resource-based policy allows it"
    )
    assert world.clients.service("lambda").calls == []


def test_a_dead_letter_queue_whose_policy_refuses_loses_the_event_and_says_so(world: World) -> None:
    """Nothing is sent to a queue that does not allow EventBridge; the ledger keeps the reason."""
    world.permits.refused = {FUNCTION, DEAD}
    world.deliver(FUNCTION, **WITH_DEAD_LETTERS)
    assert world.clients.service("sqs").calls == []
    last = world.delivery.ledger.entries()[-1]
    assert last["outcome"] == "lost"
    assert DEAD in last["error_message"]


def test_a_role_that_does_not_trust_eventbridge_is_a_permanent_failure(world: World) -> None:
    """The target is not called under any other identity instead."""
    world.clients.refuse_role = True
    world.deliver(f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:flow", RoleArn=ROLE, **WITH_DEAD_LETTERS)
    _, attributes = world.dead_letter()
    assert attributes["ERROR_CODE"] == "FAILED_TO_ASSUME_ROLE"
    assert world.clients.service("stepfunctions").calls == []


@pytest.mark.parametrize(
    ("arn", "text"),
    [
        (f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s", "does not deliver to arn:aws:kinesis"),
        (f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:flow", "give the target a RoleArn"),
        ("not an arn", "is no ARN"),
    ],
)
def test_targets_that_cannot_be_called_are_named(world: World, arn: str, text: str) -> None:
    """An unknown kind, a missing role or a wrong ARN is recorded with words that name it."""
    world.deliver(arn)
    last = world.delivery.ledger.entries()[-1]
    assert last["outcome"] == "lost"
    assert text in last["error_message"]


def test_events_can_be_made_to_come_twice(world: World) -> None:
    """The test switch delivers each event again, as EventBridge may, under another delivery id."""
    world.delivery.duplicate_deliveries = 1
    world.deliver(FUNCTION)
    assert len(world.clients.service("lambda").called("invoke")) == 2
    assert len({entry["delivery_id"] for entry in world.delivery.ledger.entries()}) == 2


def test_the_ledger_is_also_a_file_and_a_reset_empties_both(world: World) -> None:
    """Each entry is a line of JSON; after a reset nothing is left."""
    world.deliver(FUNCTION)
    file = world.directory / FILE_NAME
    assert [json.loads(line) for line in file.read_text().splitlines()] == world.delivery.ledger.entries()
    world.delivery.reset()
    assert world.delivery.ledger.entries() == []
    assert not file.exists()
