"""Universal targets: any operation of an AWS SDK, named by `arn:aws:scheduler:::aws-sdk:service:apiAction`.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError
from botocore.model import OperationNotFoundError, Shape

from local_cloud.api_model import ApiModel
from local_cloud.events.failures import DeliveryError
from local_cloud.service import invalid

_ARN = re.compile(r"arn:[\w-]+:scheduler:::aws-sdk:([\w-]+):(\w+)")
# Names of the AWS SDK for Java, which these ARNs use, where boto3 has another one.
_BOTO3_NAMES = {"cloudwatchlogs": "logs", "eventbridge": "events", "cloudwatchevents": "events", "sfn": "stepfunctions"}
_READING = re.compile(
    r"(?i)(get|describe|list|poll|receive|search|scan|query|select|read|lookup|discover|validate"
    r"|batchGet|batchDescribe|batchRead|transactGet|adminGet|adminList|testMigration|retrieve|testConnection"
    r"|translateDocument|isAuthorized|invokeModel)"
)


@dataclass(frozen=True)
class UniversalTarget:
    """One operation: `client` is boto3's name of the service."""

    client: str
    operation: str
    shape: Shape

    def send(self, client: Any, body: str) -> object:
        """Call the operation; raises DeliveryError if the input is no JSON object."""
        try:
            given = json.loads(body)
        except ValueError as error:
            raise DeliveryError("INVALID_JSON", f"the input of {self.operation} is not JSON: {error}") from error
        if not isinstance(given, dict):
            raise DeliveryError("INVALID_JSON", f"the input of {self.operation} is no JSON object")
        return getattr(client, xform_name(self.operation))(**_spelled(self.shape, given))


def is_universal(arn: str) -> bool:
    """Whether a target's ARN names an operation instead of a resource."""
    return ":scheduler:::aws-sdk:" in arn


def universal_target(arn: str) -> UniversalTarget:
    """The operation that an ARN names; raises ValidationException if there is none, or if it only reads."""
    match = _ARN.fullmatch(arn)
    if match is None:
        raise invalid(f"{arn} is not in the correct format: write arn:aws:scheduler:::aws-sdk:service:apiAction")
    service, action = _BOTO3_NAMES.get(match[1].lower(), match[1].lower()), match[2]
    if _READING.match(action):
        raise invalid(f"{arn} only reads; EventBridge Scheduler does not call such operations")
    operation = action[0].upper() + action[1:]
    try:
        shape = ApiModel(service).input_shape(operation)
    except (BotoCoreError, OperationNotFoundError) as error:
        raise invalid(f"{arn} is no service and API action that exists: {error}") from error
    return UniversalTarget(service, operation, shape)


def _spelled(shape: Shape | None, value: Any) -> Any:
    """Members as the API spells them: the SDK of these ARNs writes every first letter large."""
    if shape is None:
        return value
    if shape.type_name == "structure" and isinstance(value, Mapping):
        members = {name.lower(): name for name in shape.members}
        names = {given: members.get(given.lower(), given) for given in value}
        return {name: _spelled(shape.members.get(name), value[given]) for given, name in names.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_spelled(shape.member, item) for item in value]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {key: _spelled(shape.value, item) for key, item in value.items()}
    return value
