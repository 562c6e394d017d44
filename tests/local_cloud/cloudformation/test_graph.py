"""Order of resources."""

from typing import Any

import pytest

from local_cloud.cloudformation.errors import ValidationError
from local_cloud.cloudformation.graph import creation_order, deletion_order, dependencies
from local_cloud.cloudformation.template import ResourceDefinition


def _definitions(**resources: Any) -> dict[str, ResourceDefinition]:
    return {
        name: ResourceDefinition(name, "T", {"Value": value}, depends_on=("Last",) if name == "First" else ())
        for name, value in resources.items()
    }


def test_every_way_of_naming_a_resource_is_a_dependency() -> None:
    """Ref, GetAtt in both forms, Sub with and without a map, and DependsOn count; parameters do not."""
    definitions = _definitions(
        A=None,
        B={"Ref": "A"},
        C={"Fn::GetAtt": ["A", "Arn"]},
        D={"Fn::GetAtt": "B.Arn"},
        E={"Fn::Sub": "${C}-${D.Arn}-${Parameter}-${!A}"},
        F={"Fn::Sub": ["${Own}${AWS::Region}", {"Own": {"Ref": "E"}}]},
        First="text",
        Last=None,
    )

    assert dependencies(definitions) == {
        "A": set(),
        "B": {"A"},
        "C": {"A"},
        "D": {"B"},
        "E": {"C", "D"},
        "F": {"E"},
        "First": {"Last"},
        "Last": set(),
    }


def test_creation_and_deletion_run_in_opposite_directions() -> None:
    """What is needed is created first and deleted last."""
    definitions = _definitions(Table={"Ref": "Database"}, Database=None, Query={"Ref": "Table"})

    assert creation_order(definitions) == ["Database", "Table", "Query"]
    assert deletion_order(definitions.values()) == ["Query", "Table", "Database"]


def test_a_cycle_is_refused_with_its_members() -> None:
    """Only the resources of the cycle are named."""
    definitions = _definitions(Queue={"Ref": "Rule"}, Rule={"Fn::GetAtt": ["Queue", "Arn"]}, Alone={"Ref": "Rule"})

    with pytest.raises(ValidationError, match=r"Circular dependency between resources: \[Queue, Rule\]"):
        creation_order(definitions)
