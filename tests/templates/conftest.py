"""The synthesized templates as plain JSON: what these tests check is what would be deployed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.synthesized import stack_files, synthesized_assembly


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    stack: str
    logical_id: str
    type: str
    properties: dict[str, Any]
    body: dict[str, Any]


@dataclass(frozen=True)
class Templates:
    """All templates of a stage, by stack name; `files` are where they lie."""

    assembly: Path
    files: dict[str, Path]
    by_stack: dict[str, dict[str, Any]]

    def resources(self, *types: str) -> Iterator[Resource]:
        """Resources of the given types, or all."""
        for stack, template in self.by_stack.items():
            for logical_id, body in template["Resources"].items():
                if not types or body["Type"] in types:
                    yield Resource(stack, logical_id, body["Type"], body.get("Properties", {}), body)


@pytest.fixture(scope="session")
def templates() -> Templates:
    """The templates of the development stage, those that a release deploys included."""
    assembly = synthesized_assembly("dev")
    files = dict(stack_files(assembly))
    return Templates(assembly, files, {stack: json.loads(file.read_text()) for stack, file in files.items()})


@pytest.fixture(scope="session")
def endpoint(templates: Templates) -> dict[str, Any]:
    """The template of the project's endpoint."""
    return templates.by_stack["Cd4ml-dev-CarPricesEndpoint"]
