"""CloudFormation's own types: custom resources, wait condition handles, and CDK's metadata."""

import json
from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.custom_resources import CallbackDesk
from local_cloud.cloudformation.errors import HandlerFailure
from local_cloud.cloudformation.providers.base import Physical, Properties, Provider, ResourceContext
from local_cloud.cloudformation.providers.registry import CUSTOM_TYPE
from local_cloud.service import Fidelity

_DEFAULT_TIMEOUT_SECONDS = 3600.0
_ERROR_LIMIT = 300


class CustomResource(Provider):
    """AWS::CloudFormation::CustomResource and Custom::*: the function behind ServiceToken really runs."""

    note = "ServiceToken must be a Lambda function; SNS topics are refused"

    def __init__(self, desk: CallbackDesk) -> None:
        self._desk = desk

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the id that the function answers."""
        return self._request(context, "Create", properties, {})

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """A function that answers another id has made a new resource; the engine then deletes the old one."""
        known = {"PhysicalResourceId": physical.id, "OldResourceProperties": _texts(old)}
        return self._request(context, "Update", new, known)

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The function is told to delete."""
        self._request(context, "Delete", properties, {"PhysicalResourceId": physical.id})

    def _request(
        self, context: ResourceContext, kind: str, properties: Properties, more: Mapping[str, Any]
    ) -> Physical:
        token = str(properties["ServiceToken"])
        if ":lambda:" not in token:
            raise HandlerFailure(f"ServiceToken {token} is no Lambda function; other kinds are not emulated")
        request_id, url = self._desk.open()
        event = {
            "RequestType": kind,
            "ServiceToken": token,
            "ResponseURL": url,
            "StackId": context.stack_id,
            "RequestId": request_id,
            "LogicalResourceId": context.logical_id,
            "ResourceType": context.type,
            "ResourceProperties": _texts(properties),
            **more,
        }
        answer = context.client("lambda").invoke(FunctionName=token, Payload=json.dumps(event))
        body = answer["Payload"].read().decode(errors="replace")
        if answer.get("FunctionError"):
            raise HandlerFailure(f"Function {token} failed: {body[:_ERROR_LIMIT]}")
        seconds = float(properties.get("ServiceTimeout", _DEFAULT_TIMEOUT_SECONDS))
        response = self._desk.wait(request_id, seconds=seconds)
        if response.get("Status") != "SUCCESS":
            raise HandlerFailure(f"Received response status [FAILED] from custom resource: {response.get('Reason')}")
        physical_id = response.get("PhysicalResourceId") or more.get("PhysicalResourceId") or request_id
        return Physical(str(physical_id), dict(response.get("Data") or {}))


class Metadata(Provider):
    """AWS::CDK::Metadata: tells AWS which constructs an app uses."""

    fidelity = Fidelity.RECORDED
    note = "it has no effect on AWS either; it only counts usage"

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is an id that CloudFormation makes up."""
        return Physical(context.generated_name(64))

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Nothing to do."""
        return physical


class WaitConditionHandle(Provider):
    """AWS::CloudFormation::WaitConditionHandle."""

    fidelity = Fidelity.RECORDED
    note = "a URL that nobody answers; wait conditions themselves are refused"

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is a URL."""
        name = context.generated_name(64)
        return Physical(f"{context.clients.endpoint_url}/_local-cloud/wait-condition/{name}")


def _texts(value: Any) -> Any:
    """Scalars as CloudFormation sends them to custom resources: all of them as text."""
    if isinstance(value, Mapping):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else str(value)


def providers(desk: CallbackDesk) -> Mapping[str, Provider]:
    """The types of this module."""
    return {
        CUSTOM_TYPE: CustomResource(desk),
        "AWS::CDK::Metadata": Metadata(),
        "AWS::CloudFormation::WaitConditionHandle": WaitConditionHandle(),
    }
