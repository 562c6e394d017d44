"""What an update would change, as a frozen list: the content of a change set, and the test for "nothing to do".

It reads the live resources and resolves the new template against them; it changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from local_cloud.cloudformation.graph import creation_order
from local_cloud.cloudformation.intrinsics.evaluator import Evaluator
from local_cloud.cloudformation.intrinsics.scope import Scope
from local_cloud.cloudformation.intrinsics.unknown import UNKNOWN, has_unknown
from local_cloud.cloudformation.properties import PropertyResolver
from local_cloud.cloudformation.schemas import ResourceSchema
from local_cloud.cloudformation.stacks import LiveResource
from local_cloud.cloudformation.template import ResourceDefinition, Template

_ABSENT = object()


@dataclass(frozen=True)
class PropertyChange:
    """One changed top-level property. `recreation` is Never, Always or Conditionally."""

    name: str
    before: Any
    after: Any
    kind: str
    recreation: str

    @property
    def dynamic(self) -> bool:
        """Whether the new value is known only once other resources have changed."""
        return has_unknown(self.after)


@dataclass(frozen=True)
class ResourceChange:
    """One line of a change set. `replacement` is True, False or Conditional, as CloudFormation writes it."""

    action: str
    definition: ResourceDefinition
    live: LiveResource | None
    properties: Mapping[str, Any] | None
    replacement: str = "False"
    scope: tuple[str, ...] = ()
    details: tuple[PropertyChange, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Every change, in the order of creation; `desired` holds all resolved properties of the new template."""

    changes: tuple[ResourceChange, ...]
    outputs: tuple[Mapping[str, Any], ...]
    desired: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def active(template: Template, evaluator: Evaluator) -> dict[str, ResourceDefinition]:
    """The resources whose condition holds."""
    return {
        logical_id: definition
        for logical_id, definition in template.resources.items()
        if definition.condition is None or evaluator.condition(definition.condition)
    }


def resolve_outputs(template: Template, evaluator: Evaluator) -> list[dict[str, Any]]:
    """The outputs whose condition holds, in the shape of the API."""
    outputs = []
    for output in template.outputs.values():
        if output.condition is not None and not evaluator.condition(output.condition):
            continue
        value = evaluator.resolve(output.value)
        shape = {"OutputKey": output.key, "OutputValue": value if isinstance(value, str) else str(value)}
        if output.description is not None:
            shape["Description"] = output.description
        if output.export_name is not None:
            shape["ExportName"] = evaluator.resolve(output.export_name)
        outputs.append(shape)
    return outputs


def changed_properties(
    before: Mapping[str, Any], after: Mapping[str, Any], schema: ResourceSchema | None
) -> tuple[PropertyChange, ...]:
    """The top-level properties that differ, each with what changing it means for the resource."""
    changes = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, _ABSENT), after.get(name, _ABSENT)
        if old == new:
            continue
        kind = "Add" if old is _ABSENT else "Remove" if new is _ABSENT else "Modify"
        old, new = (None if value is _ABSENT else value for value in (old, new))
        changes.append(PropertyChange(name, old, new, kind, _recreation(name, before, after, schema)))
    return tuple(changes)


def _recreation(name: str, before: Mapping[str, Any], after: Mapping[str, Any], schema: ResourceSchema | None) -> str:
    paths = [path for path in schema.create_only if path[0] == name] if schema else []
    if not any(_at(before, path) != _at(after, path) for path in paths):
        return "Never"
    return "Conditionally" if any(has_unknown(_at(after, path)) for path in paths) else "Always"


def _at(value: Any, path: tuple[str, ...]) -> Any:
    if not path:
        return value
    if isinstance(value, list):
        inner = path[1:] if path[0] == "*" else path
        return [_at(item, inner) for item in value]
    return _at(value.get(path[0]), path[1:]) if isinstance(value, Mapping) else None


def needs_replacement(changes: tuple[PropertyChange, ...]) -> str:
    """True, False or Conditional for the resource as a whole."""
    found = {change.recreation for change in changes}
    return "True" if "Always" in found else "Conditional" if "Conditionally" in found else "False"


class PlannedValues:
    """What resources would hand to each other after the update: unknown where a new one takes the place."""

    def __init__(self, live: Mapping[str, LiveResource], definitions: Mapping[str, ResourceDefinition]) -> None:
        self._live = live
        self._definitions = definitions
        self._renewed: set[str] = set()

    def renew(self, logical_id: str) -> None:
        """Note that the resource's values will be new ones."""
        self._renewed.add(logical_id)

    def __contains__(self, logical_id: object) -> bool:
        """Whether the resource is part of the new template."""
        return logical_id in self._definitions

    def reference(self, logical_id: str) -> Any:
        """The physical id, if it stays."""
        return self._live[logical_id].physical_id if self._stays(logical_id) else UNKNOWN

    def attribute(self, logical_id: str, name: str) -> Any:
        """The attribute, if its resource stays."""
        return self._live[logical_id].attributes.get(name, UNKNOWN) if self._stays(logical_id) else UNKNOWN

    def _stays(self, logical_id: str) -> bool:
        return logical_id in self._live and logical_id not in self._renewed


def make_plan(template: Template, scope: Scope, live: Mapping[str, LiveResource], resolver: PropertyResolver) -> Plan:
    """Compare a template with what is live. `scope.resources` is replaced by the planned values."""
    definitions = active(template, Evaluator(scope))
    values = PlannedValues(live, definitions)
    evaluator = Evaluator(replace(scope, resources=values))
    desired: dict[str, Mapping[str, Any]] = {}
    changes = []
    for logical_id in creation_order(definitions):
        definition, schema = definitions[logical_id], resolver.schemas.get(definitions[logical_id].type)
        desired[logical_id] = resolver.resolve(definition, evaluator)
        change = _change(definition, live.get(logical_id), desired[logical_id], schema)
        if change is None:
            continue
        changes.append(change)
        if change.replacement != "False" or change.action == "Add" or definition.type.startswith("Custom::"):
            values.renew(logical_id)
    changes += [
        ResourceChange("Remove", resource.definition, resource, None)
        for logical_id, resource in live.items()
        if logical_id not in definitions
    ]
    return Plan(tuple(changes), tuple(resolve_outputs(template, evaluator)), desired)


def _change(
    definition: ResourceDefinition,
    live: LiveResource | None,
    properties: Mapping[str, Any],
    schema: ResourceSchema | None,
) -> ResourceChange | None:
    if live is None:
        return ResourceChange("Add", definition, None, properties)
    details = changed_properties(live.properties, properties, schema)
    scope = ["Properties"] if details else []
    old = live.definition
    scope += ["Metadata"] if (old.metadata or {}) != (definition.metadata or {}) else []
    scope += ["DeletionPolicy"] if old.deletion_policy != definition.deletion_policy else []
    scope += ["UpdateReplacePolicy"] if old.update_replace_policy != definition.update_replace_policy else []
    if not scope:
        return None
    return ResourceChange("Modify", definition, live, properties, needs_replacement(details), tuple(scope), details)
