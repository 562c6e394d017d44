"""From a resource definition to the properties its provider gets: functions, dynamic references, scalar types."""

from collections.abc import Callable
from typing import Any

from local_cloud.cloudformation.dynamic_references import resolve_dynamic_references
from local_cloud.cloudformation.intrinsics.evaluator import Evaluator
from local_cloud.cloudformation.schemas import SchemaStore
from local_cloud.cloudformation.template import ResourceDefinition


class PropertyResolver:
    """Resolves properties of one account and region; `fetch` reads a Parameter Store value by name."""

    def __init__(self, schemas: SchemaStore, fetch: Callable[[str], str]) -> None:
        self.schemas = schemas
        self._fetch = fetch

    def resolve(self, definition: ResourceDefinition, evaluator: Evaluator) -> dict[str, Any]:
        """The resolved properties; raises TemplateError for a function or a reference that does not work out."""
        resolved = resolve_dynamic_references(evaluator.resolve(definition.properties), self._fetch)
        schema = self.schemas.get(definition.type)
        return schema.coerced(resolved) if schema else resolved
