"""SQS queues and queue policies."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    already_exists,
    tag_change,
    tag_map,
)

_DEFAULTS: Mapping[str, Any] = {
    "DelaySeconds": 0,
    "MaximumMessageSize": 262144,
    "MessageRetentionPeriod": 345600,
    "ReceiveMessageWaitTimeSeconds": 0,
    "VisibilityTimeout": 30,
    "KmsMasterKeyId": "",
    "KmsDataKeyReusePeriodSeconds": 300,
    "SqsManagedSseEnabled": True,
    "RedrivePolicy": "",
    "RedriveAllowPolicy": "",
    "ContentBasedDeduplication": False,
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
    "FifoQueue": False,
}


class Queue(Provider):
    """AWS::SQS::Queue."""

    name_property = "QueueName"
    properties = frozenset(_DEFAULTS) | {"QueueName", "Tags"}

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the queue's URL."""
        client = context.client("sqs")
        name = properties.get("QueueName") or context.generated_name(75) + (
            ".fifo" if properties.get("FifoQueue") else ""
        )
        if "QueueName" in properties and _exists(client, name):
            raise already_exists(f"The queue {name}")
        attributes = {key: _text(value) for key, value in properties.items() if key in _DEFAULTS}
        url = client.create_queue(QueueName=name, Attributes=attributes, tags=tag_map(properties))["QueueUrl"]
        return Physical(url, {"Arn": context.arn("sqs", name), "QueueName": name, "QueueUrl": url})

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Attributes and tags change in place; a removed attribute gets its default."""
        client = context.client("sqs")
        changed = {
            key: _text(new.get(key, default))
            for key, default in _DEFAULTS.items()
            if old.get(key) != new.get(key) and key != "FifoQueue"
        }
        if changed:
            client.set_queue_attributes(QueueUrl=physical.id, Attributes=changed)
        tags = tag_change(old, new)
        if tags.added:
            client.tag_queue(QueueUrl=physical.id, Tags=dict(tags.added))
        if tags.removed:
            client.untag_queue(QueueUrl=physical.id, TagKeys=tags.removed)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The messages go with it."""
        context.client("sqs").delete_queue(QueueUrl=physical.id)


class QueuePolicy(Provider):
    """AWS::SQS::QueuePolicy."""

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is an id that CloudFormation makes up."""
        _set_policy(context, properties["Queues"], json.dumps(properties["PolicyDocument"]))
        name = context.generated_name(64)
        return Physical(name, {"Id": name})

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Queues that are no longer named lose the policy."""
        _set_policy(context, new["Queues"], json.dumps(new["PolicyDocument"]))
        _set_policy(context, [queue for queue in old["Queues"] if queue not in new["Queues"]], "")
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The queues stay, without a policy."""
        _set_policy(context, properties["Queues"], "")


def _set_policy(context: ResourceContext, queues: list[str], policy: str) -> None:
    for queue in queues:
        context.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})


def _exists(client: Any, name: str) -> bool:
    try:
        client.get_queue_url(QueueName=name)
    except ClientError:
        return False
    return True


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


PROVIDERS: Mapping[str, Provider] = {"AWS::SQS::Queue": Queue(), "AWS::SQS::QueuePolicy": QueuePolicy()}
