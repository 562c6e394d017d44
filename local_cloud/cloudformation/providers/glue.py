"""Glue catalog databases and tables."""

from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.errors import ReplacementNeeded
from local_cloud.cloudformation.providers.base import Physical, Properties, Provider, ResourceContext


class Database(Provider):
    """AWS::Glue::Database."""

    properties = frozenset({"CatalogId", "DatabaseInput", "DatabaseName"})

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the database's name."""
        name = _database_name(properties) or context.generated_name(255, lower=True)
        context.client("glue").create_database(
            CatalogId=properties["CatalogId"], DatabaseInput={**properties["DatabaseInput"], "Name": name}
        )
        return Physical(name)

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """All but the name changes in place."""
        if _database_name(old) != _database_name(new):
            raise ReplacementNeeded
        context.client("glue").update_database(
            CatalogId=new["CatalogId"],
            Name=physical.id,
            DatabaseInput={**new["DatabaseInput"], "Name": physical.id},
        )
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Its tables go with it."""
        context.client("glue").delete_database(CatalogId=properties["CatalogId"], Name=physical.id)


class Table(Provider):
    """AWS::Glue::Table."""

    properties = frozenset({"CatalogId", "DatabaseName", "TableInput", "Name"})

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the table's name."""
        table = _table(context, properties)
        context.client("glue").create_table(
            CatalogId=properties["CatalogId"], DatabaseName=properties["DatabaseName"], TableInput=table
        )
        return Physical(table["Name"])

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """A new version of the table."""
        context.client("glue").update_table(
            CatalogId=new["CatalogId"],
            DatabaseName=new["DatabaseName"],
            TableInput={**new["TableInput"], "Name": physical.id},
        )
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The data stays."""
        context.client("glue").delete_table(
            CatalogId=properties["CatalogId"], DatabaseName=properties["DatabaseName"], Name=physical.id
        )


def _database_name(properties: Properties) -> str | None:
    name = properties.get("DatabaseName") or properties["DatabaseInput"].get("Name")
    return None if name is None else str(name)


def _table(context: ResourceContext, properties: Properties) -> dict[str, Any]:
    table = dict(properties["TableInput"])
    table["Name"] = properties.get("Name") or table.get("Name") or context.generated_name(255, lower=True)
    return table


PROVIDERS: Mapping[str, Provider] = {"AWS::Glue::Database": Database(), "AWS::Glue::Table": Table()}
