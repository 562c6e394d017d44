"""SNS topics, topic policies and subscriptions."""

import json
from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    already_exists,
    tag_change,
    tag_list,
)

_TOPIC_ATTRIBUTES = ("DisplayName", "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication", "SignatureVersion")
_SUBSCRIPTION_ATTRIBUTES = (
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "DeliveryPolicy",
)


class Topic(Provider):
    """AWS::SNS::Topic."""

    name_property = "TopicName"
    properties = frozenset(_TOPIC_ATTRIBUTES) | {"TopicName", "Subscription", "Tags"}

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the topic's ARN."""
        client = context.client("sns")
        name = properties.get("TopicName") or context.generated_name(256)
        arn = context.arn("sns", name)
        if "TopicName" in properties and any(
            topic["TopicArn"] == arn
            for page in client.get_paginator("list_topics").paginate()
            for topic in page["Topics"]
        ):
            raise already_exists(f"The topic {name}")
        attributes = {key: _text(properties[key]) for key in _TOPIC_ATTRIBUTES if key in properties}
        client.create_topic(Name=name, Attributes=attributes, Tags=tag_list(properties))
        physical = Physical(arn, {"TopicArn": arn, "TopicName": name})
        context.report(physical)
        _subscribe(client, arn, {}, properties)
        return physical

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Attributes, added subscriptions and tags change in place."""
        client = context.client("sns")
        for key in _TOPIC_ATTRIBUTES:
            if old.get(key) != new.get(key):
                client.set_topic_attributes(
                    TopicArn=physical.id, AttributeName=key, AttributeValue=_text(new.get(key, ""))
                )
        _subscribe(client, physical.id, old, new)
        tags = tag_change(old, new)
        if tags.added:
            client.tag_resource(ResourceArn=physical.id, Tags=tag_list({"Tags": tags.added}))
        if tags.removed:
            client.untag_resource(ResourceArn=physical.id, TagKeys=tags.removed)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Its subscriptions go with it."""
        context.client("sns").delete_topic(TopicArn=physical.id)


class TopicPolicy(Provider):
    """AWS::SNS::TopicPolicy."""

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is an id that CloudFormation makes up."""
        self._put(context, properties)
        name = context.generated_name(64)
        return Physical(name, {"Id": name})

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """A put replaces the whole policy."""
        self._put(context, new)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Each topic gets the policy it was born with: its own account may use it."""
        for topic in properties["Topics"]:
            own = {
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:GetTopicAttributes"],
                "Resource": topic,
                "Condition": {"StringEquals": {"AWS:SourceOwner": context.account}},
            }
            self._put(context, {"Topics": [topic], "PolicyDocument": {"Version": "2008-10-17", "Statement": [own]}})

    def _put(self, context: ResourceContext, properties: Properties) -> None:
        for topic in properties["Topics"]:
            context.client("sns").set_topic_attributes(
                TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
            )


class Subscription(Provider):
    """AWS::SNS::Subscription."""

    note = (
        "an e-mail becomes a file in the state directory, and its subscription is confirmed by itself; nothing is sent "
        "to SMS or HTTP endpoints outside this machine"
    )
    properties = frozenset(_SUBSCRIPTION_ATTRIBUTES) | {"TopicArn", "Protocol", "Endpoint"}

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the subscription's ARN."""
        attributes = {key: _text(properties[key]) for key in _SUBSCRIPTION_ATTRIBUTES if key in properties}
        subscription = context.client("sns").subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties["Endpoint"],
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )
        return Physical(subscription["SubscriptionArn"], {"Arn": subscription["SubscriptionArn"]})

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Filter and delivery attributes change in place."""
        for key in _SUBSCRIPTION_ATTRIBUTES:
            if old.get(key) != new.get(key):
                context.client("sns").set_subscription_attributes(
                    SubscriptionArn=physical.id, AttributeName=key, AttributeValue=_text(new.get(key, {}))
                )
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The topic stays."""
        context.client("sns").unsubscribe(SubscriptionArn=physical.id)


def _subscribe(client: Any, topic: str, old: Properties, new: Properties) -> None:
    for entry in new.get("Subscription", []):
        if entry not in old.get("Subscription", []):
            client.subscribe(TopicArn=topic, Protocol=entry["Protocol"], Endpoint=entry["Endpoint"])


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


PROVIDERS: Mapping[str, Provider] = {
    "AWS::SNS::Topic": Topic(),
    "AWS::SNS::TopicPolicy": TopicPolicy(),
    "AWS::SNS::Subscription": Subscription(),
}
