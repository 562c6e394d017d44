"""What a template's functions can look at. The evaluator resolves against a scope and never reads anything else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class ResourceValues(Protocol):
    """The values that resources hand to each other."""

    def __contains__(self, logical_id: object) -> bool:
        """Whether the resource is part of the stack (its condition holds)."""

    def reference(self, logical_id: str) -> Any:
        """What `Ref` gives: normally the physical id."""

    def attribute(self, logical_id: str, name: str) -> Any:
        """What `Fn::GetAtt` gives; raises TemplateError if the resource has no such attribute."""


class CrossStack(Protocol):
    """The values that stacks hand to each other."""

    def export(self, name: str) -> str:
        """What `Fn::ImportValue` gives; raises TemplateError if nothing exports the name."""

    def output(self, stack_name: str, output_name: str) -> str:
        """What `Fn::GetStackOutput` gives; raises TemplateError if there is no such output."""


@dataclass(frozen=True)
class Scope:
    """One stack's names: pseudo parameters, parameters (typed), mappings, conditions (unevaluated), resources."""

    pseudo: Mapping[str, Any]
    parameters: Mapping[str, Any]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    resources: ResourceValues
    cross_stack: CrossStack
