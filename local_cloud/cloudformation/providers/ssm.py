"""Parameter Store parameters."""

from collections.abc import Mapping

from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    picked,
    tag_change,
    tag_list,
)

_GIVEN = ("Type", "Value", "Description", "AllowedPattern", "Tier", "DataType")


class Parameter(Provider):
    """AWS::SSM::Parameter."""

    name_property = "Name"
    properties = frozenset(_GIVEN) | {"Name", "Tags"}

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the parameter's name."""
        name = properties.get("Name") or f"CFN-{context.generated_name(500)}"
        context.client("ssm").put_parameter(
            Name=name, Tags=tag_list(properties), Overwrite=False, **picked(properties, *_GIVEN)
        )
        return Physical(name, _attributes(properties))

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """A new version of the parameter; tags change in place."""
        client = context.client("ssm")
        if picked(old, *_GIVEN) != picked(new, *_GIVEN):
            client.put_parameter(Name=physical.id, Overwrite=True, **picked(new, *_GIVEN))
        tags, kind = tag_change(old, new), "Parameter"
        if tags.added:
            added = tag_list({"Tags": tags.added})
            client.add_tags_to_resource(ResourceType=kind, ResourceId=physical.id, Tags=added)
        if tags.removed:
            client.remove_tags_from_resource(ResourceType=kind, ResourceId=physical.id, TagKeys=tags.removed)
        return Physical(physical.id, _attributes(new))

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """All versions go."""
        context.client("ssm").delete_parameter(Name=physical.id)


def _attributes(properties: Properties) -> dict[str, str]:
    return {"Type": properties["Type"], "Value": properties["Value"]}


PROVIDERS: Mapping[str, Provider] = {"AWS::SSM::Parameter": Parameter()}
