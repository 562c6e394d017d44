"""Single action types: what they hand to services, how long they wait, what they refuse."""

import json
import threading
from typing import Any

import pytest

from local_cloud.api_model import ApiModel
from local_cloud.codepipeline.actions import lambda_invoke, manual_approval
from local_cloud.codepipeline.actions.base import ActionFailure
from local_cloud.codepipeline.actions.lambda_invoke import LambdaInvoke
from local_cloud.codepipeline.actions.manual_approval import ManualApproval
from local_cloud.codepipeline.actions.stack_inputs import stack_request
from local_cloud.codepipeline.jobs import JobDesk
from local_cloud.service import ServiceError
from tests.local_cloud.codepipeline.works import EXPIRATION, PIPELINE_ARN, FakeArtifacts, work
from tests.local_cloud.operations import CONTEXT, assert_shape


class FakeFunction:
    """A function that answers its jobs with prepared requests, in a thread of its own; none for a silent one."""

    def __init__(self, desk: JobDesk, *answers: dict[str, Any]) -> None:
        self.events: list[dict[str, Any]] = []
        self.details: list[dict[str, Any]] = []
        self._desk = desk
        self._answers = list(answers)

    def get_function_configuration(self, **_: str) -> dict[str, int]:
        return {"Timeout": 0}

    def invoke(self, **request: Any) -> None:
        assert request["InvocationType"] == "Event"
        event = json.loads(request["Payload"])["CodePipeline.job"]
        self.events.append(event)
        self.details.append(self._call("GetJobDetails", jobId=event["id"]))
        if self._answers:
            answer = {"jobId": event["id"], **self._answers.pop(0)}
            threading.Thread(target=self._call, args=("PutJobSuccessResult",), kwargs=answer).start()

    def _call(self, operation: str, **params: Any) -> dict[str, Any]:
        handler = self._desk.operations()[operation].handler
        assert handler is not None
        return handler(CONTEXT, params)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait is lengthened for the sake of people or of slow functions."""
    monkeypatch.setattr(lambda_invoke, "_SHORTEST_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(lambda_invoke, "_GRACE_SECONDS", 0.0)
    monkeypatch.setattr(manual_approval, "_SHORTEST_WAIT_SECONDS", 0.0)


def test_a_function_gets_the_documented_event() -> None:
    """Id, account, configuration, artifacts, credentials with their end, and the key; GetJobDetails tells the rest."""
    desk = JobDesk()
    function = FakeFunction(desk, {"outputVariables": {"a": "b"}})
    configuration = {"FunctionName": "verify", "UserParameters": "{}"}
    given = work(configuration, services={"lambda": function}, inputs=("In",), outputs=("Out",))

    assert LambdaInvoke(desk).run(given).variables == {"a": "b"}

    (event,) = function.events
    assert event["accountId"] == "123456789012"

    def place(name: str) -> dict[str, Any]:
        return {"type": "S3", "s3Location": {"bucketName": "artifacts", "objectKey": f"p/{name}/key"}}

    assert event["data"] == {
        "actionConfiguration": {"configuration": configuration},
        "inputArtifacts": [{"name": "In", "revision": "v1", "location": place("In")}],
        "outputArtifacts": [{"name": "Out", "revision": None, "location": place("Out")}],
        "artifactCredentials": {
            "accessKeyId": "ASIATEST",
            "secretAccessKey": "secret",
            "sessionToken": "token",
            "expirationTime": int(EXPIRATION.timestamp() * 1000),
        },
        "encryptionKey": {"id": "arn:aws:kms:us-east-1:123456789012:key/k", "type": "KMS"},
    }
    (details,) = function.details
    assert_shape(ApiModel("codepipeline"), "GetJobDetails", details)
    assert details["jobDetails"]["data"]["pipelineContext"]["pipelineArn"] == PIPELINE_ARN


def test_a_function_that_wants_to_go_on_is_invoked_again() -> None:
    """With its token and a new job; the old job is over."""
    desk = JobDesk()
    function = FakeFunction(desk, {"continuationToken": "half"}, {"executionDetails": {"summary": "done"}})
    outcome = LambdaInvoke(desk).run(work({"FunctionName": "f"}, services={"lambda": function}))

    first, second = function.events
    assert outcome.summary == "done"
    assert second["data"]["continuationToken"] == "half"
    assert first["id"] != second["id"]
    with pytest.raises(ServiceError, match="not in progress"):
        function._call("PutJobSuccessResult", jobId=first["id"])


@pytest.mark.usefixtures("impatient")
def test_a_function_that_reports_nothing_fails_the_action() -> None:
    """The message says what the function should have done, and a late result is refused."""
    desk = JobDesk()
    function = FakeFunction(desk)
    with pytest.raises(ActionFailure, match="Lambda function f failed to return a result"):
        LambdaInvoke(desk).run(work({"FunctionName": "f"}, services={"lambda": function}))
    with pytest.raises(ServiceError, match="not in progress"):
        function._call("PutJobSuccessResult", jobId=function.events[0]["id"])


@pytest.mark.usefixtures("impatient")
def test_an_approval_that_nobody_gives_fails_in_the_end() -> None:
    """After the action's own time limit, which passes on the scaled clock."""
    with pytest.raises(ActionFailure, match="not given within 5 minutes"):
        ManualApproval().run(work({}, services={}, timeout_minutes=5, scale=0.0001))


def test_parameters_come_from_everywhere_and_overrides_win() -> None:
    """Template configuration, overrides, other files and places of artifacts; tags and capabilities beside them."""
    files = {
        "t.json": "{}",
        "c.json": json.dumps({"Parameters": {"A": "file", "B": "file"}, "Tags": {"k": "v"}}),
        "p.json": json.dumps({"x": "found"}),
    }
    overrides = {
        "B": "override",
        "C": {"Fn::GetParam": ["App", "p.json", "x"]},
        "D": {"Fn::GetArtifactAtt": ["App", "ObjectKey"]},
    }
    configuration = {
        "StackName": "s",
        "RoleArn": "role",
        "TemplatePath": "App::t.json",
        "TemplateConfiguration": "App::c.json",
        "ParameterOverrides": json.dumps(overrides),
        "Capabilities": "CAPABILITY_IAM,CAPABILITY_AUTO_EXPAND",
    }

    request = stack_request(work(configuration, services={"s3": FakeArtifacts(files)}, inputs=("App",)), token="t")

    values = {item["ParameterKey"]: item["ParameterValue"] for item in request["Parameters"]}
    assert values == {"A": "file", "B": "override", "C": "found", "D": "p/App/key"}
    assert request["Tags"] == [{"Key": "k", "Value": "v"}]
    assert request["Capabilities"] == ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    assert (request["TemplateBody"], request["RoleARN"], request["ClientRequestToken"]) == ("{}", "role", "t")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ("{", "ParameterOverrides is not JSON"),
        ("[]", "ParameterOverrides must be a JSON object"),
        ('{"A": 1}', "The value of parameter A must be text"),
        ('{"A": {"Fn::GetArtifactAtt": ["Other", "URL"]}}', "Other is not an input artifact"),
        ('{"A": {"Fn::GetArtifactAtt": ["App", "Size"]}}', "not Size"),
        ('{"A": {"Fn::GetParam": ["App", "t.json", "x"]}}', "t.json in artifact App has no text under x"),
    ],
)
def test_wrong_parameters_are_named(overrides: str, message: str) -> None:
    """Each with the parameter, the artifact or the file."""
    configuration = {
        "StackName": "s",
        "RoleArn": "role",
        "TemplatePath": "App::t.json",
        "ParameterOverrides": overrides,
    }
    given = work(configuration, services={"s3": FakeArtifacts({"t.json": "{}"})}, inputs=("App",))
    with pytest.raises(ActionFailure, match=message) as raised:
        stack_request(given, token=None)
    assert raised.value.code == "ConfigurationError"
