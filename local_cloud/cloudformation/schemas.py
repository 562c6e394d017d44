"""CloudFormation's own registry schemas, offline, from the files that cfn-lint carries; one type is read at a time.

They say which properties exist, which cannot be changed without replacement, and what identifies a resource.
"""

import importlib.util
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError as SchemaProblem

from local_cloud.cloudformation.coercion import coerce
from local_cloud.cloudformation.intrinsics.unknown import has_unknown
from local_cloud.errors import LocalCloudError

_REGION_INDEX = "us-east-1.json"
_TYPE_NAMES = {
    "string": "String",
    "object": "JSONObject",
    "array": "JSONArray",
    "integer": "Integer",
    "number": "Number",
    "boolean": "Boolean",
}
_NOT_CHECKED = {"format", "cfnLint", "relationshipRef"}


@dataclass(frozen=True)
class ResourceSchema:
    """The registry schema of one resource type."""

    type: str
    document: Mapping[str, Any]

    @cached_property
    def create_only(self) -> tuple[tuple[str, ...], ...]:
        """Paths of properties whose change needs a new physical resource."""
        return self._paths("createOnlyProperties")

    @cached_property
    def read_only(self) -> frozenset[str]:
        """Top-level properties that only the service sets."""
        return frozenset(path[0] for path in self._paths("readOnlyProperties") if len(path) == 1)

    @cached_property
    def primary_identifier(self) -> tuple[tuple[str, ...], ...]:
        """Paths of the properties that identify one resource."""
        return self._paths("primaryIdentifier")

    def coerced(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The properties with scalars in the types of the schema."""
        coerced: dict[str, Any] = coerce(properties, self.document, self.document.get("definitions", {}))
        return coerced

    def problems(self, properties: Mapping[str, Any]) -> list[tuple[str, str]]:
        """(path, message) of everything that CloudFormation would refuse, worded as CloudFormation words it.

        Values that are not known yet are not judged.
        """
        found = [
            (_pointer(problem), _worded(problem))
            for problem in self._validator.iter_errors(properties)
            if not has_unknown(problem.instance) or problem.validator in ("required", "additionalProperties")
        ]
        read_only = sorted(self.read_only & properties.keys())
        return found + [("#", f"extraneous key [{name}] is not permitted") for name in read_only]

    @cached_property
    def _validator(self) -> Draft7Validator:
        cleaned = _checkable(self.document)
        return Draft7Validator({key: cleaned[key] for key in cleaned if key not in ("$id", "$schema")})

    def _paths(self, section: str) -> tuple[tuple[str, ...], ...]:
        return tuple(
            tuple(part for part in pointer.removeprefix("/properties/").split("/") if part != "properties")
            for pointer in self.document.get(section, [])
        )


class SchemaStore:
    """Schemas by type name, read once each. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, ResourceSchema | None] = {}

    def get(self, type_name: str) -> ResourceSchema | None:
        """The schema, or None for types without one (custom resources, `AWS::CDK::Metadata`)."""
        with self._lock:
            if type_name not in self._known:
                self._known[type_name] = self._read(type_name)
            return self._known[type_name]

    @cached_property
    def _directory(self) -> Path:
        # The package is located but not imported: importing cfn-lint costs seconds, its files cost nothing.
        spec = importlib.util.find_spec("cfnlint")
        if spec is None or not spec.submodule_search_locations:
            raise LocalCloudError(
                "cfn-lint is not installed, so the CloudFormation schemas are missing: run make setup"
            )
        return Path(spec.submodule_search_locations[0]) / "data" / "schemas"

    @cached_property
    def _index(self) -> Mapping[str, str]:
        index: Mapping[str, str] = json.loads((self._directory / "providers" / _REGION_INDEX).read_text())
        return index

    def _read(self, type_name: str) -> ResourceSchema | None:
        name = self._index.get(type_name)
        if name is None:
            return None
        return ResourceSchema(type_name, json.loads((self._directory / "resources" / f"{name}.json").read_text()))


def _checkable(node: Any) -> Any:
    """The schema without what a validator cannot judge: formats, and patterns that only Java understands."""
    if isinstance(node, list):
        return [_checkable(item) for item in node]
    if not isinstance(node, dict):
        return node
    cleaned = {key: _checkable(item) for key, item in node.items() if key not in _NOT_CHECKED}
    if isinstance(node.get("pattern"), str) and not _compiles(node["pattern"]):
        del cleaned["pattern"]
    keyed = node.get("patternProperties")
    if isinstance(keyed, dict) and not all(map(_compiles, keyed)):
        del cleaned["patternProperties"]
        cleaned["additionalProperties"] = True
    return cleaned


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _pointer(problem: SchemaProblem) -> str:
    return "#" + "".join(f"/{part}" for part in problem.absolute_path)


def _worded(problem: SchemaProblem) -> str:
    keyword = str(problem.validator)
    if keyword == "required":
        missing = re.match(r"'(.+?)' is a required property", problem.message)
        return f"required key [{missing.group(1) if missing else '?'}] not found"
    if keyword == "additionalProperties":
        extra = re.findall(r"'([^']+)'", problem.message)
        return f"extraneous key [{', '.join(extra)}] is not permitted"
    if keyword == "type":
        wanted = problem.validator_value
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        return f"expected type: {' or '.join(_TYPE_NAMES.get(name, name) for name in names)}, found: " + _found(
            problem.instance
        )
    if keyword == "enum":
        return f"{problem.instance} is not a valid enum value, use one of {problem.validator_value}"
    return f"failed validation constraint for keyword [{keyword}]: {problem.message[:200]}"


def _found(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    kinds = {str: "String", int: "Integer", float: "Number", list: "JSONArray", dict: "JSONObject"}
    return kinds.get(type(value), type(value).__name__)
