"""Models, endpoint configurations and endpoints of a template: order, waiting, failure, rollback, tags.

SageMaker is a ledger here; the templates that run real servers are tested with the endpoints themselves.
"""

import json
from collections import deque
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.clock import Clock
from local_cloud.cloudformation.providers.endpoints import PROVIDERS
from local_cloud.cloudformation.providers.registry import ProviderRegistry
from local_cloud.cloudformation.service import CloudFormation
from tests.local_cloud.operations import CONTEXT
from tests.waiting import wait_for

_ARN = "arn:aws:sagemaker:us-east-1:123456789012:"


class _Waiter:
    def wait(self, **_: Any) -> None:
        """The endpoint is gone at once."""


class Ledger:
    """SageMaker and CloudWatch. `calls` is what happened; `coming` are the next answers of DescribeEndpoint."""

    def __init__(self) -> None:
        self.endpoint_url = ""
        self.calls: list[tuple[str, str]] = []
        self.requests: list[dict[str, Any]] = []
        self.endpoint: dict[str, Any] = {}
        self.coming: deque[dict[str, Any]] = deque()
        self.alarms: list[str] = []

    def system(self, service: str, **_: str) -> "Ledger":
        return self

    def create_model(self, **request: Any) -> dict[str, str]:
        self._note("create", "model", request["ModelName"])
        return {"ModelArn": f"{_ARN}model/{request['ModelName']}"}

    def create_endpoint_config(self, **request: Any) -> dict[str, str]:
        self._note("create", "config", request["EndpointConfigName"])
        return {"EndpointConfigArn": f"{_ARN}endpoint-config/{request['EndpointConfigName']}"}

    def create_endpoint(self, **request: Any) -> dict[str, str]:
        self._note("create", "endpoint", request["EndpointConfigName"])
        arn = f"{_ARN}endpoint/{request['EndpointName']}"
        self.endpoint = {
            "EndpointName": request["EndpointName"],
            "EndpointArn": arn,
            "EndpointConfigName": request["EndpointConfigName"],
            "EndpointStatus": "InService",
        }
        return {"EndpointArn": arn}

    def update_endpoint(self, **request: Any) -> None:
        self._note("update", "endpoint", request["EndpointConfigName"])
        self.requests.append(request)
        self.endpoint = {
            **self.endpoint,
            "EndpointConfigName": request["EndpointConfigName"],
            "LastDeploymentConfig": request.get("DeploymentConfig", {}),
        }

    def describe_endpoint(self, **_: str) -> dict[str, Any]:
        if not self.endpoint:
            missing = {"Error": {"Code": "ValidationException", "Message": "Could not find endpoint"}}
            raise ClientError(missing, "DescribeEndpoint")
        if self.coming:
            self.calls.append(("describe", self.coming[0].get("EndpointStatus", "InService")))
            self.endpoint = {**self.endpoint, **self.coming.popleft()}
        return self.endpoint

    def delete_endpoint(self, **_: str) -> None:
        self._note("delete", "endpoint", self.endpoint["EndpointConfigName"])
        self.endpoint = {}

    def delete_endpoint_config(self, **request: str) -> None:
        self._note("delete", "config", request["EndpointConfigName"])

    def delete_model(self, **request: str) -> None:
        self._note("delete", "model", request["ModelName"])

    def get_waiter(self, _: str) -> _Waiter:
        return _Waiter()

    def describe_alarms(self, **request: Any) -> dict[str, Any]:
        found = [{"AlarmName": name} for name in self.alarms if name in request["AlarmNames"]]
        return {"MetricAlarms": found, "CompositeAlarms": []}

    def _note(self, verb: str, kind: str, name: str) -> None:
        self.calls.append((f"{verb} {kind}", name))


class Stacks:
    """One stack with a model, a configuration and an endpoint, over the ledger."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        engine = CloudFormation(
            clients=self.ledger,  # type: ignore[arg-type]
            clock=Clock(),
            providers=ProviderRegistry(PROVIDERS),
        )
        self._operations = engine.service().operations

    def deploy(self, version: str) -> str:
        """Create or update the stack to a model version; its final status."""
        operation = "UpdateStack" if self.ledger.calls else "CreateStack"
        self._call(operation, StackName="s", TemplateBody=json.dumps(_template(version)))
        return self._settled()

    def delete(self) -> None:
        """Delete the stack."""
        self._call("DeleteStack", StackName="s")
        wait_for(lambda: not self.ledger.endpoint, what="the endpoint to go")

    def reason(self) -> str:
        """The first failed resource's reason."""
        events = self._call("DescribeStackEvents", StackName="s")["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        return str(failed[-1]["ResourceStatusReason"])

    def _settled(self) -> str:
        def status() -> str | None:
            found = str(self._call("DescribeStacks", StackName="s")["Stacks"][0]["StackStatus"])
            return None if found.endswith("_IN_PROGRESS") else found

        return wait_for(status, what="the stack to settle") or ""

    def _call(self, operation: str, **params: Any) -> dict[str, Any]:
        handler = self._operations[operation].handler
        assert handler is not None
        return handler(CONTEXT, params)


def _template(version: str) -> dict[str, Any]:
    variant = {
        "VariantName": "champion",
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1,
        "InstanceType": "ml.m5.large",
    }
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}}
    policy = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE"}}
    return {
        "Resources": {
            "Model": {
                "Type": "AWS::SageMaker::Model",
                "Properties": {
                    "ExecutionRoleArn": "arn:aws:iam::123456789012:role/m",
                    "PrimaryContainer": {"ModelPackageName": f"{_ARN}model-package/cars/{version}"},
                },
            },
            "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": [variant]}},
            "Endpoint": {
                "Type": "AWS::SageMaker::Endpoint",
                "Properties": {
                    "EndpointName": "cars-production",
                    "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
                    "RetainAllVariantProperties": True,
                    "DeploymentConfig": {"BlueGreenUpdatePolicy": policy, **alarms},
                },
            },
        }
    }


@pytest.fixture
def stacks() -> Stacks:
    """A stack that serves version 1."""
    made = Stacks()
    assert made.deploy("1") == "CREATE_COMPLETE"
    return made


def test_a_new_version_moves_the_endpoint_before_the_old_one_goes(stacks: Stacks) -> None:
    """New model, new configuration, update, wait until in service, and only then the old ones are deleted."""
    (_, old_model), (_, old_config), _ = stacks.ledger.calls
    before = len(stacks.ledger.calls)
    settling = ("InService", "Updating", "Updating", "InService")
    stacks.ledger.coming.extend({"EndpointStatus": status} for status in settling)

    assert stacks.deploy("2") == "UPDATE_COMPLETE"

    calls = stacks.ledger.calls[before:]
    new_config = stacks.ledger.endpoint["EndpointConfigName"]
    verbs = [call[0] for call in calls if call[0] != "describe"]
    order = ["create model", "create config", "update endpoint", "delete config", "delete model"]
    assert verbs == order
    assert calls.index(("delete config", old_config)) > calls.index(("describe", "Updating"))
    assert ("delete model", old_model) in calls
    assert new_config != old_config
    assert stacks.ledger.requests[0]["RetainAllVariantProperties"] is True


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"FailureReason": "the container did not answer"}, "the container did not answer"),
        ({}, "alarm errors is in ALARM"),
    ],
)
def test_a_rollback_that_is_explained_fails_the_update(stacks: Stacks, told: dict[str, str], reason: str) -> None:
    """By SageMaker's reason or by an alarm; the old model and configuration stay, the new ones go."""
    (_, old_model), (_, old_config), _ = stacks.ledger.calls
    before = len(stacks.ledger.calls)
    stacks.ledger.alarms = [] if told else ["errors"]
    back = {"EndpointStatus": "InService", "EndpointConfigName": old_config, **told}
    stacks.ledger.coming.extend([{"EndpointStatus": "InService"}, {"EndpointStatus": "RollingBack"}, back])

    assert stacks.deploy("2") == "UPDATE_ROLLBACK_COMPLETE"

    assert f"Endpoint cars-production was rolled back to {old_config}: {reason}" in stacks.reason()
    deleted = [name for verb, name in stacks.ledger.calls[before:] if verb.startswith("delete")]
    assert len(deleted) == 2
    assert not {old_model, old_config} & set(deleted)


def test_a_silent_rollback_passes(stacks: Stacks) -> None:
    """Nothing tells why: the stack is complete while the endpoint serves the old configuration. Verification's part."""
    (_, _), (_, old_config), _ = stacks.ledger.calls
    back = {"EndpointStatus": "InService", "EndpointConfigName": old_config}
    stacks.ledger.coming.extend([{"EndpointStatus": "InService"}, back])

    assert stacks.deploy("2") == "UPDATE_COMPLETE"


@pytest.mark.parametrize("status", ["Failed", "UpdateRollbackFailed", "OutOfService"])
def test_an_endpoint_that_does_not_come_up_fails_with_its_reason(status: str) -> None:
    """The stack rolls back, and its event tells what SageMaker told."""
    stacks = Stacks()
    stacks.ledger.coming.extend(
        [{"EndpointStatus": "Creating"}, {"EndpointStatus": status, "FailureReason": "no capacity"}]
    )

    assert stacks.deploy("1") == "ROLLBACK_COMPLETE"

    assert f"Endpoint cars-production is {status}: no capacity" in stacks.reason()
    assert stacks.ledger.calls[-3:] == [
        ("delete endpoint", stacks.ledger.calls[-2][1]),
        ("delete config", stacks.ledger.calls[-2][1]),
        ("delete model", stacks.ledger.calls[-1][1]),
    ]


def test_an_endpoint_that_exists_outside_the_stack_is_not_taken_over() -> None:
    """Its name is taken."""
    stacks = Stacks()
    stacks.ledger.endpoint = {
        "EndpointName": "cars-production",
        "EndpointArn": f"{_ARN}endpoint/cars-production",
        "EndpointConfigName": "by-hand",
        "EndpointStatus": "InService",
    }

    assert stacks.deploy("1") == "ROLLBACK_COMPLETE"
    assert "The endpoint cars-production already exists" in stacks.reason()
    assert stacks.ledger.endpoint["EndpointConfigName"] == "by-hand"


def test_a_deleted_stack_leaves_nothing(stacks: Stacks) -> None:
    """The endpoint goes first."""
    before = len(stacks.ledger.calls)
    stacks.delete()
    wait_for(lambda: len(stacks.ledger.calls) == before + 3, what="the rest to go")
    verbs = [verb for verb, _ in stacks.ledger.calls[before:]]
    assert verbs == ["delete endpoint", "delete config", "delete model"]
