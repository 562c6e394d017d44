"""Compares the properties of a resource, field by field, with the schema that CloudFormation's registry publishes.

An oracle of its own beside the linter: it names every field that it compared, so that a test can say what it covered.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

_INTRINSICS = ("Ref", "Fn::GetAtt", "Fn::Join", "Fn::Sub")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def compare(resource_type: str, properties: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """(field path, what is wrong with it or None) for every field that is given, and for every one that is missing."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    for path in schema.get("readOnlyProperties", []):
        if path.removeprefix("/properties/") in properties:
            yield path, "is read-only"
    yield from _object(properties, schema, schema, resource_type)


def create_only(resource_type: str) -> set[str]:
    """Top-level properties whose change replaces the resource."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    return {path.split("/")[2] for path in schema.get("createOnlyProperties", [])}


def _object(value: Mapping[str, Any], node: Any, root: Any, path: str) -> Iterator[tuple[str, str | None]]:
    known = node.get("properties")
    for name in node.get("required", []):
        if name not in value:
            yield f"{path}.{name}", "is missing"
    for name, item in value.items() if known else ():
        if name not in known:
            yield f"{path}.{name}", f"is not known; there are {', '.join(sorted(known))}"
        else:
            yield from _value(item, known[name], root, f"{path}.{name}")


def _value(value: Any, node: Any, root: Any, path: str) -> Iterator[tuple[str, str | None]]:
    if "$ref" in node:
        node = root["definitions"][node["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, dict) and "Fn::If" in value:
        for branch in value["Fn::If"][1:]:
            yield from _value(branch, node, root, path)
    elif isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _INTRINSICS:
        yield path, None
    elif isinstance(value, list):
        yield path, _wrong_size(value, node)
        for item in value:
            yield from _value(item, node.get("items", {}), root, f"{path}[]")
    elif isinstance(value, dict):
        yield path, _wrong_type(value, node)
        yield from _object(value, node, root, path)
    else:
        yield path, _wrong_type(value, node) or _out_of_range(value, node)


def _wrong_size(value: list[Any], node: Any) -> str | None:
    if node.get("type", "array") != "array":
        return f"is a list and should be {node['type']}"
    fits = node.get("minItems", 0) <= len(value) <= node.get("maxItems", len(value))
    return None if fits else f"has {len(value)} items"


def _wrong_type(value: Any, node: Any) -> str | None:
    names = node.get("type", [])
    allowed = [_TYPES[name] for name in ([names] if isinstance(names, str) else names)]
    is_flag = isinstance(value, bool)
    fits = any(isinstance(value, kind) and (is_flag == (kind is bool)) for kind in allowed)
    return None if fits or not allowed else f"is {value!r} and should be {names}"


def _out_of_range(value: Any, node: Any) -> str | None:
    if value not in node.get("enum", [value]):
        return f"is {value!r} and should be one of {node['enum']}"
    if isinstance(value, int | float) and not node.get("minimum", value) <= value <= node.get("maximum", value):
        return f"is {value}, outside {node.get('minimum')} to {node.get('maximum')}"
    if isinstance(value, str) and not re.search(_pattern(node), value):
        return f"is {value!r} and should match {node['pattern']}"
    return None


def _pattern(node: Any) -> str:
    """Python knows no Unicode classes; what they stand for in names and tags is near enough."""
    return re.sub(r"\\p\{\w+\}", r"\\w ", str(node.get("pattern", "")).replace(r"\p{Print}", "[ -~]"))
