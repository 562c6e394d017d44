"""SQS, SNS, EventBridge and Systems Manager parameters: API operations to IAM actions and resources.

Sources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html,
.../list_amazonsns.html, .../list_amazoneventbridge.html and .../list_awssystemsmanager.html
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from local_cloud.iam.api_call import ApiCall, Permission, permissions

_QUEUE_URL = re.compile(r"/(?P<account>\d{12})/(?P<name>[^/]+)$")
_SQS_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
        "DeleteMessageBatch": "DeleteMessage",
        "SendMessageBatch": "SendMessage",
    }
)
_RULE_OPERATIONS: Mapping[str, str] = MappingProxyType(
    {
        "DeleteRule": "Name",
        "DescribeRule": "Name",
        "DisableRule": "Name",
        "EnableRule": "Name",
        "ListTargetsByRule": "Rule",
        "PutRule": "Name",
        "PutTargets": "Rule",
        "RemoveTargets": "Rule",
    }
)
_EVENTS_NAMED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "CreateApiDestination": ("Name", "api-destination/{}"),
        "CreateArchive": ("ArchiveName", "archive/{}"),
        "CreateConnection": ("Name", "connection/{}"),
        "CreateEventBus": ("Name", "event-bus/{}"),
        "DeleteApiDestination": ("Name", "api-destination/{}"),
        "DeleteArchive": ("ArchiveName", "archive/{}"),
        "DeleteConnection": ("Name", "connection/{}"),
        "DeleteEventBus": ("Name", "event-bus/{}"),
        "DescribeArchive": ("ArchiveName", "archive/{}"),
        "DescribeConnection": ("Name", "connection/{}"),
        "DescribeEventBus": ("Name", "event-bus/{}"),
        "StartReplay": ("ReplayName", "replay/{}"),
    }
)
_PARAMETER_OPERATIONS = frozenset(
    {
        "DeleteParameter",
        "DeleteParameters",
        "GetParameter",
        "GetParameterHistory",
        "GetParameters",
        "GetParametersByPath",
        "LabelParameterVersion",
        "PutParameter",
        "UnlabelParameterVersion",
    }
)
_TAG_OPERATIONS = frozenset({"AddTagsToResource", "ListTagsForResource", "RemoveTagsFromResource"})
_PUBLIC_PARAMETERS = "aws/service/"


def sqs_required(call: ApiCall) -> tuple[Permission, ...]:
    """SQS: the queue of QueueUrl (whose account may be another one) or of QueueName."""
    action = f"sqs:{_SQS_ACTIONS.get(call.operation, call.operation)}"
    if url := call.text("QueueUrl"):
        queue = _QUEUE_URL.search(url)
        account, name = (queue["account"], queue["name"]) if queue else (call.account, url.rpartition("/")[2])
        return permissions(action, (call.arn("sqs", name, account=account),))
    if name := call.text("QueueName"):
        owner = call.text("QueueOwnerAWSAccountId") or call.account
        return permissions(action, (call.arn("sqs", name, account=owner),))
    return permissions(action, (arn,) if (arn := call.text("SourceArn")) else ())


def sns_required(call: ApiCall) -> tuple[Permission, ...]:
    """SNS: the topic, also of a subscription."""
    action = "sns:Publish" if call.operation == "PublishBatch" else f"sns:{call.operation}"
    if arn := call.text("TopicArn", "TargetArn", "ResourceArn"):
        return permissions(action, (arn,))
    if subscription := call.text("SubscriptionArn"):
        return permissions(action, (subscription.rpartition(":")[0],))
    name = call.text("Name") if call.operation == "CreateTopic" else None
    return permissions(action, (call.arn("sns", name),) if name else ())


def events_required(call: ApiCall) -> tuple[Permission, ...]:
    """EventBridge: rules (of custom buses by bus and name), and every bus that PutEvents names."""
    action = f"events:{call.operation}"
    if call.operation == "PutEvents":
        buses = (str(entry.get("EventBusName") or "default") for entry in call.structures("Entries"))
        return permissions(action, (_bus(call, bus) for bus in buses))
    if call.operation in _RULE_OPERATIONS:
        rule = call.text(_RULE_OPERATIONS[call.operation])
        return permissions(action, (_rule(call, rule),) if rule else ())
    if call.operation in _EVENTS_NAMED:
        parameter, template = _EVENTS_NAMED[call.operation]
        name = call.text(parameter) or ("default" if call.operation == "DescribeEventBus" else None)
        return permissions(action, (_events_arn(call, template, name),) if name else ())
    return permissions(action, (arn,) if (arn := call.text("ResourceARN")) else ())


def ssm_required(call: ApiCall) -> tuple[Permission, ...]:
    """Systems Manager: parameters; other resources only for tags. Public parameters belong to no account."""
    action = f"ssm:{call.operation}"
    if call.operation in _PARAMETER_OPERATIONS:
        named = call.text("Name", "Path")
        names = call.texts("Names") or ((named,) if named else ())
        return permissions(action, (_parameter(call, name) for name in names))
    identifier = call.text("ResourceId")
    if identifier and call.operation in _TAG_OPERATIONS and call.text("ResourceType") == "Parameter":
        return permissions(action, (_parameter(call, identifier),))
    return permissions(action, ())


def _rule(call: ApiCall, name: str) -> str:
    bus = (call.text("EventBusName") or "default").rpartition("/")[2]
    return call.arn("events", f"rule/{name}" if bus == "default" else f"rule/{bus}/{name}")


def _bus(call: ApiCall, name: str) -> str:
    return _events_arn(call, "event-bus/{}", name)


def _events_arn(call: ApiCall, template: str, name: str) -> str:
    return name if name.startswith("arn:") else call.arn("events", template.format(name))


def _parameter(call: ApiCall, name: str) -> str:
    """ARN of a parameter; a version or label after a colon is no part of it."""
    if name.startswith("arn:"):
        return name
    bare = name.partition(":")[0].lstrip("/")
    account = "" if bare.startswith(_PUBLIC_PARAMETERS) else None
    return call.arn("ssm", f"parameter/{bare}", account=account)
