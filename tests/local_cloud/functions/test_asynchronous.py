"""Asynchronous invocations: retries on the scaled clock, destinations, dead letters."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from local_cloud.clock import Clock
from local_cloud.functions.asynchronous import AsynchronousInvoker
from local_cloud.functions.specification import FunctionSpec, InvocationResult
from local_cloud.service import ServiceError
from tests.local_cloud.functions.fakes import ACCOUNT, REGION, FakeClients, client_error, function
from tests.waiting import LIMIT_SECONDS

QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:failed"
QUEUE_URL = f"http://127.0.0.1:1/{ACCOUNT}/failed"
OK = InvocationResult('"done"', None, "")
BAD = InvocationResult('{"errorType": "ValueError", "errorMessage": "no such file"}', "Unhandled", "")
THROTTLED = ServiceError("TooManyRequestsException", "Rate Exceeded.", status=429)


class FakeRunner:
    """Gives the prepared outcomes one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.outcomes: list[InvocationResult | ServiceError] = [OK]
        self.requests: list[tuple[str, str | None]] = []
        self._lock = threading.Lock()

    def invoke(self, spec: FunctionSpec, payload: str, *, request_id: str | None = None) -> InvocationResult:
        with self._lock:
            self.requests.append((payload, request_id))
            outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, ServiceError):
            raise outcome
        return outcome


@pytest.fixture
def fake_runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
def invoker(fake_runner: FakeRunner, clients: FakeClients) -> Iterator[AsynchronousInvoker]:
    engine = AsynchronousInvoker(runner=fake_runner, clients=clients, clock=Clock(scale=0.0005))  # type: ignore[arg-type]
    yield engine
    engine.close()


def run(invoker: AsynchronousInvoker, **changes: Any) -> None:
    """Queue an event and wait until it has come to its end."""
    invoker.invoke(function(**changes), '{"key": "raw/a.csv"}')
    assert invoker.wait_until_idle(LIMIT_SECONDS)


def test_an_event_that_succeeds_runs_once(invoker: AsynchronousInvoker, fake_runner: FakeRunner) -> None:
    """Success needs no second attempt."""
    run(invoker)
    assert len(fake_runner.requests) == 1


def test_a_function_error_is_tried_again_under_the_same_request_id(
    invoker: AsynchronousInvoker, fake_runner: FakeRunner, clients: FakeClients
) -> None:
    """After one failure the second attempt succeeds, and nothing is reported as failed."""
    fake_runner.outcomes = [BAD, OK]
    run(invoker, dead_letter_arn=QUEUE)
    assert len(fake_runner.requests) == 2
    assert len(set(fake_runner.requests)) == 1
    assert clients.service("sqs").calls == []


def test_an_event_that_is_not_json_is_refused_at_once(invoker: AsynchronousInvoker, fake_runner: FakeRunner) -> None:
    """The caller learns of it, as on AWS, and nothing is queued."""
    with pytest.raises(ServiceError) as refused:
        invoker.invoke(function(), "{not json")
    assert refused.value.code == "InvalidRequestContentException"
    assert fake_runner.requests == []


def test_three_failures_go_to_the_dead_letter_queue_with_awss_attributes(
    invoker: AsynchronousInvoker, fake_runner: FakeRunner, clients: FakeClients
) -> None:
    """The event itself is sent with the request id, the status and the error text, in the name of the role."""
    fake_runner.outcomes = [BAD]
    run(invoker, dead_letter_arn=QUEUE)
    assert len(fake_runner.requests) == 3
    (message,) = clients.service("sqs").called("send_message")
    assert (message["QueueUrl"], message["MessageBody"]) == (QUEUE_URL, '{"key": "raw/a.csv"}')
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes == {
        "RequestID": fake_runner.requests[0][1],
        "ErrorCode": "200",
        "ErrorMessage": "no such file",
    }
    assert message["MessageAttributes"]["ErrorCode"]["DataType"] == "Number"
    assert clients.callers == [("sqs", function().role_arn)]


def test_the_on_failure_record_is_the_documented_one(
    invoker: AsynchronousInvoker, fake_runner: FakeRunner, clients: FakeClients
) -> None:
    """An on-failure destination gets the request, the last response and why nothing more is tried."""
    fake_runner.outcomes = [BAD]
    run(invoker, event_invoke_config={"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}})
    record = json.loads(clients.service("sqs").called("send_message")[0]["MessageBody"])
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": fake_runner.requests[0][1],
            "functionArn": f"{function().arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"key": "raw/a.csv"},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorType": "ValueError", "errorMessage": "no such file"},
    }


@pytest.mark.parametrize(("retries", "attempts"), [(0, 1), (1, 2), (2, 3)])
def test_maximum_retry_attempts_is_obeyed(
    invoker: AsynchronousInvoker, fake_runner: FakeRunner, retries: int, attempts: int
) -> None:
    """EventInvokeConfig bounds the retries."""
    fake_runner.outcomes = [BAD]
    run(invoker, event_invoke_config={"MaximumRetryAttempts": retries})
    assert len(fake_runner.requests) == attempts


def test_an_event_that_is_too_old_is_reported_without_another_attempt(
    invoker: AsynchronousInvoker, fake_runner: FakeRunner, clients: FakeClients
) -> None:
    """A retry that would come after MaximumEventAge becomes EventAgeExceeded."""
    fake_runner.outcomes = [BAD]
    destination = {"OnFailure": {"Destination": QUEUE}}
    run(invoker, event_invoke_config={"MaximumEventAgeInSeconds": 60, "DestinationConfig": destination})
    record = json.loads(clients.service("sqs").called("send_message")[0]["MessageBody"])
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert "responsePayload" not in record
    assert len(fake_runner.requests) < 3


def test_throttling_does_not_use_up_the_retries(invoker: AsynchronousInvoker, fake_runner: FakeRunner) -> None:
    """An event waits for concurrency as long as it is young enough."""
    fake_runner.outcomes = [THROTTLED, THROTTLED, THROTTLED, THROTTLED, OK]
    run(invoker, event_invoke_config={"MaximumRetryAttempts": 0})
    assert len(fake_runner.requests) == 5


def test_retries_are_left_after_throttling(invoker: AsynchronousInvoker, fake_runner: FakeRunner) -> None:
    """A function error after two refusals is still the first failure."""
    fake_runner.outcomes = [THROTTLED, THROTTLED, BAD, OK]
    run(invoker, event_invoke_config={"MaximumRetryAttempts": 1})
    assert len(fake_runner.requests) == 4


def test_other_refusals_are_final(invoker: AsynchronousInvoker, fake_runner: FakeRunner, clients: FakeClients) -> None:
    """A role that cannot be assumed does not become assumable by waiting."""
    fake_runner.outcomes = [ServiceError("AccessDeniedException", "cannot be assumed", status=403)]
    run(invoker, dead_letter_arn=QUEUE)
    (message,) = clients.service("sqs").called("send_message")
    assert message["MessageAttributes"]["ErrorCode"]["StringValue"] == "403"
    assert len(fake_runner.requests) == 1


@pytest.mark.parametrize(
    ("arn", "service", "operation"),
    [
        (f"arn:aws:sns:{REGION}:{ACCOUNT}:topic", "sns", "publish"),
        (f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:next", "lambda", "invoke"),
        (f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default", "events", "put_events"),
    ],
)
def test_destinations_of_each_kind_are_called(
    invoker: AsynchronousInvoker, clients: FakeClients, arn: str, service: str, operation: str
) -> None:
    """A success goes to the on-success destination, whatever its kind."""
    run(invoker, event_invoke_config={"DestinationConfig": {"OnSuccess": {"Destination": arn}}})
    assert len(clients.service(service).called(operation)) == 1


def test_a_destination_that_refuses_is_noted(
    invoker: AsynchronousInvoker, fake_runner: FakeRunner, clients: FakeClients
) -> None:
    """A role without sqs:SendMessage loses the record, which is said in words; the dead letter is still tried."""
    fake_runner.outcomes = [BAD]
    clients.service("sqs").errors["send_message"] = [client_error("AccessDenied")]
    config = {"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}}
    run(invoker, event_invoke_config=config, dead_letter_arn=QUEUE)
    assert len(clients.service("sqs").called("send_message")) == 2
    (text,) = invoker.lost
    assert QUEUE in text
    assert "AccessDenied" in text


def test_a_destination_of_an_unknown_kind_is_named(invoker: AsynchronousInvoker) -> None:
    """An S3 destination is not emulated: the loss names it."""
    arn = "arn:aws:s3:::bucket"
    run(invoker, event_invoke_config={"DestinationConfig": {"OnSuccess": {"Destination": arn}}})
    assert "does not send invocation records to arn:aws:s3:::bucket" in invoker.lost[0]


def test_a_reset_forgets_what_waits(invoker: AsynchronousInvoker, fake_runner: FakeRunner) -> None:
    """No retry of an event comes after the reset."""
    fake_runner.outcomes = [BAD]
    slow = AsynchronousInvoker(runner=fake_runner, clients=FakeClients(), clock=Clock(scale=10))  # type: ignore[arg-type]
    slow.invoke(function(), "{}")
    slow.reset()
    assert slow.wait_until_idle(LIMIT_SECONDS)
    assert len(fake_runner.requests) <= 1
    slow.close()
