"""Policy documents of a template as uniform statements."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.templates.conftest import Resource, Templates

_IDENTITY_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")


def as_list(value: Any) -> list[Any]:
    """IAM writes one element without a list."""
    return value if isinstance(value, list) else [value]


def statements(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The statements of a policy document, each with Action and Resource as lists."""
    return [
        {
            **statement,
            "Action": as_list(statement.get("Action", [])),
            "Resource": as_list(statement.get("Resource", [])),
        }
        for statement in as_list(document["Statement"])
    ]


def identity_statements(templates: Templates) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Every statement that gives a role a right."""
    for resource in templates.resources(*_IDENTITY_POLICIES):
        for statement in statements(resource.properties["PolicyDocument"]):
            yield resource, statement
    for resource in templates.resources("AWS::IAM::Role"):
        for policy in resource.properties.get("Policies", []):
            for statement in statements(policy["PolicyDocument"]):
                yield resource, statement
