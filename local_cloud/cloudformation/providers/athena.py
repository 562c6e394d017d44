"""Athena workgroups."""

from collections.abc import Mapping

from local_cloud.cloudformation.errors import HandlerFailure
from local_cloud.cloudformation.providers.base import Physical, Properties, Provider, ResourceContext, tag_list


class WorkGroup(Provider):
    """AWS::Athena::WorkGroup."""

    name_property = "Name"
    properties = frozenset({"Name", "Description", "State", "RecursiveDeleteOption", "WorkGroupConfiguration", "Tags"})
    note = "an update makes the workgroup anew under its name, so its query history is lost"

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the workgroup's name."""
        if properties.get("State", "ENABLED") != "ENABLED":
            raise HandlerFailure("A workgroup with State DISABLED is not emulated")
        context.client("athena").create_work_group(
            Name=properties["Name"],
            Configuration=properties.get("WorkGroupConfiguration", {}),
            Description=properties.get("Description", ""),
            Tags=tag_list(properties),
        )
        return Physical(properties["Name"])

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Deletes and creates, since the Athena emulation cannot update a workgroup."""
        context.client("athena").delete_work_group(WorkGroup=physical.id, RecursiveDeleteOption=True)
        return self.create(context, new)

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Its queries go with it if RecursiveDeleteOption says so."""
        recursive = bool(properties.get("RecursiveDeleteOption", False))
        context.client("athena").delete_work_group(WorkGroup=physical.id, RecursiveDeleteOption=recursive)


PROVIDERS: Mapping[str, Provider] = {"AWS::Athena::WorkGroup": WorkGroup()}
