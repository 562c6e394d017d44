"""Scalars in the type that a schema asks for: templates may say "true" for true and 30 for "30".

Source: AWS CloudFormation User Guide: every scalar property accepts a string.
"""

from collections.abc import Mapping
from typing import Any


def coerce(value: Any, node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    """The value with scalars converted where the schema names one scalar type; all else is left as it is."""
    node = _followed(node, definitions)
    if isinstance(value, Mapping):
        properties = node.get("properties", {})
        return {key: coerce(item, properties.get(key, {}), definitions) for key, item in value.items()}
    if isinstance(value, list):
        items = node.get("items", {})
        return [coerce(item, items if isinstance(items, Mapping) else {}, definitions) for item in value]
    return _scalar(value, node.get("type"))


def _followed(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        node = definitions.get(node["$ref"].rsplit("/", 1)[-1], {})
    return node


def _scalar(value: Any, type_: Any) -> Any:
    if type_ == "string" and isinstance(value, bool):
        return "true" if value else "false"
    if type_ == "string" and isinstance(value, int | float):
        return str(value)
    if type_ == "boolean" and value in ("true", "false"):
        return value == "true"
    if type_ in ("integer", "number") and isinstance(value, str):
        return _number(value)
    return value


def _number(text: str) -> Any:
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text
