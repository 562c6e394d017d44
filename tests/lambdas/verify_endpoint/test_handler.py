"""The entry point: a job is answered whatever happens."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from lambdas.verify_endpoint import handler
from lambdas.verify_endpoint.errors import VerificationError
from tests.lambdas.fake_client import FakeClient, client_error

JOB = "11111111-2222-4333-8444-555555555555"
PARAMETERS = {"endpoint": "e", "modelPackageArn": "arn", "stage": "staging", "stackName": "s"}


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return 100_000


class _Verification:
    """Does as a test says."""

    def __init__(self, outcome: Any) -> None:
        self._outcome = outcome

    def verify(self, *_: Any, **__: Any) -> Any:
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


class _Good:
    summary = "all is well"

    def variables(self, region: str) -> dict[str, str]:
        return {"Summary": self.summary, "Region": region}


def _job(parameters: str = json.dumps(PARAMETERS)) -> dict[str, Any]:
    configuration = {"FunctionName": "verify", "UserParameters": parameters}
    data = {"actionConfiguration": {"configuration": configuration}, "inputArtifacts": [], "outputArtifacts": []}
    return {"CodePipeline.job": {"id": JOB, "accountId": "123456789012", "data": data}}


@pytest.fixture
def codepipeline(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    """The client that gets the answers."""
    nothing: Any = lambda **_: {}  # noqa: E731
    client = FakeClient("codepipeline", {"put_job_success_result": nothing, "put_job_failure_result": nothing})
    monkeypatch.setattr(boto3, "client", lambda service: client)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    return client


def _verifying(monkeypatch: pytest.MonkeyPatch, outcome: Any) -> None:
    monkeypatch.setattr(handler, "verification", lambda: _Verification(outcome))


def test_a_verified_endpoint_succeeds_with_variables(codepipeline: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipeline's next actions can show what was found."""
    _verifying(monkeypatch, _Good())
    assert handler.handle(_job(), _Context()) == {"outcome": "succeeded"}
    (success,) = codepipeline.requests("put_job_success_result")
    assert success["jobId"] == JOB
    assert success["outputVariables"] == {"Summary": "all is well", "Region": "eu-west-1"}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (VerificationError("SageMaker rolled back e"), "SageMaker rolled back e"),
        (client_error("AccessDeniedException", "not authorized"), "AWS refused a call of the verification"),
        (EndpointConnectionError(endpoint_url="https://x"), "AWS refused a call of the verification"),
        (KeyError("Stacks"), "the verification itself failed (KeyError: 'Stacks'); see its log"),
        (VerificationError("x" * 6000), "x" * 5000),
    ],
)
def test_every_error_fails_the_action_with_its_reason(
    codepipeline: FakeClient, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    """Also a bug, and never with a stack trace; nothing is left hanging."""
    _verifying(monkeypatch, error)
    assert handler.handle(_job(), _Context()) == {"outcome": "failed"}
    (failure,) = codepipeline.requests("put_job_failure_result")
    assert failure["failureDetails"]["message"].startswith(message)
    assert "Traceback" not in failure["failureDetails"]["message"]
    assert not codepipeline.requests("put_job_success_result")


@pytest.mark.parametrize("parameters", ["", "[]", json.dumps(PARAMETERS | {"stackName": ""})])
def test_wrong_user_parameters_fail_the_action(codepipeline: FakeClient, parameters: str) -> None:
    """The reason names what is missing."""
    assert handler.handle(_job(parameters), _Context()) == {"outcome": "failed"}
    (failure,) = codepipeline.requests("put_job_failure_result")
    assert "missing: " in failure["failureDetails"]["message"]
    assert "stackName" in failure["failureDetails"]["message"]


def test_missing_settings_fail_the_action(codepipeline: FakeClient) -> None:
    """A wrong deployment must not hang a release either."""
    handler.verification.cache_clear()
    assert handler.handle(_job(), _Context()) == {"outcome": "failed"}
    (failure,) = codepipeline.requests("put_job_failure_result")
    assert "LATENCY_BUDGET_MS" in failure["failureDetails"]["message"]


def test_a_job_that_was_answered_before_needs_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda may repeat an invocation whose answer was taken."""

    def answered(**_: Any) -> dict[str, Any]:
        raise client_error("InvalidJobStateException", "the job has succeeded")

    client = FakeClient("codepipeline", {"put_job_success_result": answered})
    monkeypatch.setattr(boto3, "client", lambda service: client)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    _verifying(monkeypatch, _Good())
    assert handler.handle(_job(), _Context()) == {"outcome": "succeeded"}


def test_an_answer_that_cannot_be_given_raises(codepipeline: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda then repeats the invocation."""

    def throttled(**_: Any) -> dict[str, Any]:
        raise client_error("ThrottlingException", "Rate exceeded")

    client = FakeClient("codepipeline", {"put_job_failure_result": throttled})
    monkeypatch.setattr(boto3, "client", lambda service: client)
    _verifying(monkeypatch, VerificationError("slow"))
    with pytest.raises(Exception, match="Rate exceeded"):
        handler.handle(_job(), _Context())


def test_an_event_that_is_no_job_is_dropped() -> None:
    """There is nobody to answer."""
    assert handler.handle({"source": "aws.events"}, _Context()) == {"outcome": "dropped"}
