"""The synthesized templates as plain JSON: what these tests check is what would be deployed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.synthesized import synthesized_assembly


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
    """All templates of a stage, by stack name."""

    assembly: Path
    by_stack: dict[str, dict[str, Any]]

    def resources(self, *types: str) -> Iterator[Resource]:
        """Resources of the given types, or all."""
        for stack, template in self.by_stack.items():
            for logical_id, body in template["Resources"].items():
                if not types or body["Type"] in types:
                    yield Resource(stack, logical_id, body["Type"], body.get("Properties", {}), body)


@pytest.fixture(scope="session")
def templates() -> Templates:
    """The templates of the development stage."""
    assembly = synthesized_assembly("dev")
    files = sorted(assembly.glob("*.template.json"))
    return Templates(
        assembly, {file.name.removesuffix(".template.json"): json.loads(file.read_text()) for file in files}
    )
