"""Which resource needs which: the order of creation, and the reverse order of deletion."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from local_cloud.cloudformation.errors import ValidationError
from local_cloud.cloudformation.intrinsics.references import SUBSTITUTION
from local_cloud.cloudformation.template import ResourceDefinition


def references(value: Any) -> set[str]:
    """Every name that a template value reads: resources, parameters and pseudo parameters alike."""
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, Mapping):
        return set()
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Ref" and isinstance(argument, str):
            return {argument}
        if name == "Fn::GetAtt":
            parts = argument.split(".", 1) if isinstance(argument, str) else argument
            return {parts[0]} | references(parts[1])
        if name == "Fn::Sub":
            return _substituted(argument)
    return set().union(*map(references, value.values()))


def _substituted(argument: Any) -> set[str]:
    text, own = (argument, {}) if isinstance(argument, str) else tuple(argument)
    names = {name.strip() for name in SUBSTITUTION.findall(text)} - own.keys()
    return {name.split(".")[0] for name in names} | references(own)


def dependencies(definitions: Mapping[str, ResourceDefinition]) -> dict[str, set[str]]:
    """For each resource, the other resources of the same set that must exist before it."""
    return {
        logical_id: (references(definition.properties) | set(definition.depends_on)) & definitions.keys() - {logical_id}
        for logical_id, definition in definitions.items()
    }


def creation_order(definitions: Mapping[str, ResourceDefinition]) -> list[str]:
    """A valid order; raises ValidationError naming the members of a cycle."""
    try:
        return list(sorter(definitions).static_order())
    except CycleError as error:
        members = sorted(set(error.args[1]))
        raise ValidationError(f"Circular dependency between resources: [{', '.join(members)}]") from error


def deletion_order(definitions: Iterable[ResourceDefinition]) -> list[str]:
    """Dependants first.

    Resources left by a failed update stem from two templates, whose dependencies may contradict each other; then
    the order in which they were made is the best guess.
    """
    chosen = {definition.logical_id: definition for definition in definitions}
    try:
        return creation_order(chosen)[::-1]
    except ValidationError:
        return list(chosen)[::-1]


def sorter(definitions: Mapping[str, ResourceDefinition]) -> TopologicalSorter[str]:
    """A sorter that hands out resources whose dependencies are done."""
    return TopologicalSorter(dependencies(definitions))
