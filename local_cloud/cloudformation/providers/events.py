"""EventBridge rules with their targets."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.cloudformation.errors import HandlerFailure
from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    already_exists,
    picked,
    tag_change,
    tag_list,
)

_GIVEN = ("ScheduleExpression", "State", "Description", "RoleArn", "EventBusName")


class Rule(Provider):
    """AWS::Events::Rule."""

    name_property = "Name"
    properties = frozenset(_GIVEN) | {"Name", "EventPattern", "Targets", "Tags"}

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the rule's name, after the bus's name and a bar if it is not on the default bus."""
        client = context.client("events")
        name = properties.get("Name") or context.generated_name(64)
        if "Name" in properties and _exists(client, name, properties):
            raise already_exists(f"The rule {name}")
        arn = client.put_rule(**_rule(name, properties), Tags=tag_list(properties))["RuleArn"]
        bus = properties.get("EventBusName", "default")
        physical = Physical(name if bus == "default" else f"{bus}|{name}", {"Arn": arn, "RuleName": name})
        context.report(physical)
        _put_targets(client, name, properties)
        return physical

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """The rule is put anew, targets are put and removed, tags are changed."""
        client, name = context.client("events"), physical.attributes["RuleName"]
        client.put_rule(**_rule(name, new))
        kept = {target["Id"] for target in new.get("Targets", [])}
        dropped = [target["Id"] for target in old.get("Targets", []) if target["Id"] not in kept]
        if dropped:
            client.remove_targets(Rule=name, Ids=dropped, **picked(new, "EventBusName"))
        _put_targets(client, name, new)
        tags, arn = tag_change(old, new), physical.attributes["Arn"]
        if tags.added:
            client.tag_resource(ResourceARN=arn, Tags=tag_list({"Tags": tags.added}))
        if tags.removed:
            client.untag_resource(ResourceARN=arn, TagKeys=tags.removed)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Targets go first, as EventBridge demands."""
        client, name = context.client("events"), physical.attributes["RuleName"]
        bus = picked(properties, "EventBusName")
        identifiers = [target["Id"] for target in properties.get("Targets", [])]
        if identifiers:
            client.remove_targets(Rule=name, Ids=identifiers, **bus)
        client.delete_rule(Name=name, **bus)


def _rule(name: str, properties: Properties) -> dict[str, Any]:
    rule = {"Name": name} | picked(properties, *_GIVEN)
    if "EventPattern" in properties:
        rule["EventPattern"] = json.dumps(properties["EventPattern"])
    return rule


def _put_targets(client: Any, name: str, properties: Properties) -> None:
    targets = properties.get("Targets", [])
    if not targets:
        return
    answer = client.put_targets(Rule=name, Targets=targets, **picked(properties, "EventBusName"))
    if answer.get("FailedEntryCount"):
        raise HandlerFailure(f"Rule {name}: {answer['FailedEntries'][0]['ErrorMessage']}")


def _exists(client: Any, name: str, properties: Properties) -> bool:
    try:
        client.describe_rule(Name=name, **picked(properties, "EventBusName"))
    except ClientError:
        return False
    return True


PROVIDERS: Mapping[str, Provider] = {"AWS::Events::Rule": Rule()}
