"""The resource ARNs of Task states: which service and operation they name, and how the state waits for it.

Only what the local cloud executes is accepted; everything else is refused by name when the state machine is created.
https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from botocore.exceptions import UnknownServiceError

from local_cloud.api_model import ApiModel
from local_cloud.errors import LocalCloudError


class Pattern(StrEnum):
    """How long a task lasts: until the answer, until the job ended, or until somebody returns the token."""

    REQUEST_RESPONSE = ""
    SYNC = "sync"
    SYNC_JSON = "sync:2"
    WAIT_FOR_CALLBACK = "waitForTaskToken"


class UnknownResource(LocalCloudError):
    """A resource that the local cloud does not execute."""


@dataclass(frozen=True)
class Integration:
    """A resource ARN, taken apart. `service` is boto3's name; `operation` the API's, as in `PutItem`.

    `name` is the service as the ARN spells it; `is_sdk` says that it is an AWS SDK integration, not an optimized one.
    """

    name: str
    service: str
    operation: str
    pattern: Pattern
    is_sdk: bool


_OPTIMIZED: Mapping[str, Mapping[str, tuple[Pattern, ...]]] = MappingProxyType(
    {
        "dynamodb": dict.fromkeys(("getItem", "putItem", "updateItem", "deleteItem"), ()),
        "events": {"putEvents": (Pattern.WAIT_FOR_CALLBACK,)},
        "lambda": {"invoke": (Pattern.WAIT_FOR_CALLBACK,)},
        "sagemaker": {
            "createEndpoint": (),
            "createEndpointConfig": (),
            "createModel": (),
            "createProcessingJob": (Pattern.SYNC,),
            "createTrainingJob": (Pattern.SYNC,),
            "updateEndpoint": (),
        },
        "sns": {"publish": (Pattern.WAIT_FOR_CALLBACK,)},
        "sqs": {"sendMessage": (Pattern.WAIT_FOR_CALLBACK,)},
        "states": {"startExecution": (Pattern.SYNC, Pattern.SYNC_JSON, Pattern.WAIT_FOR_CALLBACK)},
    }
)
_BOTO_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "applicationautoscaling": "application-autoscaling",
        "cloudwatchlogs": "logs",
        "eventbridge": "events",
        "sagemakerruntime": "sagemaker-runtime",
        "sfn": "stepfunctions",
        "states": "stepfunctions",
    }
)


def parse_resource(arn: str) -> Integration:
    """The integration that a Task state's Resource names; raises UnknownResource, saying what is known."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        raise UnknownResource(f"{arn!r} is no ARN of a function or of a service integration")
    if parts[2] == "lambda" and parts[5].startswith("function:"):
        return Integration("lambda", "lambda", "Invoke", Pattern.REQUEST_RESPONSE, is_sdk=False)
    if parts[2] != "states" or parts[5].startswith("activity:"):
        raise UnknownResource(f"{arn} is not emulated by the local cloud: activities and other services' ARNs")
    call, _, suffix = parts[5].partition(".")
    service, _, action = call.partition(":")
    pattern = _pattern(arn, suffix)
    return _sdk(arn, action, pattern) if service == "aws-sdk" else _optimized(arn, service, action, pattern)


def _pattern(arn: str, suffix: str) -> Pattern:
    try:
        return Pattern(suffix)
    except ValueError:
        raise UnknownResource(f"{arn} ends in .{suffix}; known are .sync, .sync:2 and .waitForTaskToken") from None


def _optimized(arn: str, service: str, action: str, pattern: Pattern) -> Integration:
    actions = _OPTIMIZED.get(service)
    if actions is None or action not in actions:
        known = ", ".join(f"{name}:{entry}" for name, entries in _OPTIMIZED.items() for entry in entries)
        raise UnknownResource(
            f"{arn} is not emulated by the local cloud; optimized integrations: {known}; all other calls: "
            "arn:aws:states:::aws-sdk:<service>:<action>"
        )
    if pattern and pattern not in actions[action]:
        raise UnknownResource(f"{arn}: {service}:{action} has no pattern .{pattern}")
    operation = action[0].upper() + action[1:]
    return Integration(service, _BOTO_NAMES.get(service, service), operation, pattern, is_sdk=False)


def _sdk(arn: str, call: str, pattern: Pattern) -> Integration:
    name, _, action = call.partition(":")
    if pattern not in (Pattern.REQUEST_RESPONSE, Pattern.WAIT_FOR_CALLBACK):
        raise UnknownResource(f"{arn}: AWS SDK integrations have no pattern .{pattern}")
    service = _BOTO_NAMES.get(name, name)
    try:
        operation = ApiModel(service).operation_name(action)
    except UnknownServiceError:
        raise UnknownResource(f"{arn}: there is no service {name!r}") from None
    if operation is None or not action[:1].islower():
        raise UnknownResource(f"{arn}: {name} has no action {action!r}; actions are written in camelCase")
    return Integration(name, service, operation, pattern, is_sdk=True)
