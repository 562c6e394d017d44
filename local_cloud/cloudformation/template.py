"""The template document: JSON or YAML text to frozen definitions. It checks structure only and resolves nothing.

Source: AWS CloudFormation User Guide, "Template anatomy" and "Resource attribute reference".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from local_cloud.cloudformation.errors import TemplateError

_SECTIONS = {
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Resources",
    "Outputs",
}
_REFUSED_SECTIONS = {"Transform", "Hooks"}
_ATTRIBUTES = {
    "Type",
    "Properties",
    "DependsOn",
    "Condition",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "Metadata",
    "Description",
}
_REFUSED_ATTRIBUTES = {"CreationPolicy", "UpdatePolicy"}
_DELETION_POLICIES = {"Delete", "Retain", "RetainExceptOnCreate"}


@dataclass(frozen=True)
class ResourceDefinition:
    """One entry of `Resources`, unresolved."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    metadata: Mapping[str, Any] | None = None

    @property
    def construct_path(self) -> str | None:
        """Where the CDK app made this resource, if it says so."""
        path = (self.metadata or {}).get("aws:cdk:path")
        return path if isinstance(path, str) else None


@dataclass(frozen=True)
class OutputDefinition:
    """One entry of `Outputs`, unresolved."""

    key: str
    value: Any
    description: str | None = None
    export_name: Any = None
    condition: str | None = None


@dataclass(frozen=True)
class Template:
    """A parsed template; `body` is the text as it was submitted."""

    body: str
    description: str | None
    metadata: Mapping[str, Any]
    parameters: Mapping[str, Mapping[str, Any]]
    rules: Mapping[str, Mapping[str, Any]]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    resources: Mapping[str, ResourceDefinition]
    outputs: Mapping[str, OutputDefinition]


def parse_template(body: str) -> Template:
    """Read a template; raises TemplateError naming the section or the resource that is wrong."""
    document = _load(body)
    refused = sorted(_REFUSED_SECTIONS & document.keys())
    if refused:
        raise TemplateError(f"Template sections {refused} are not emulated by the local cloud")
    unknown = sorted(document.keys() - _SECTIONS)
    if unknown:
        raise TemplateError(f"Invalid template property or properties [{', '.join(unknown)}]")
    resources = _section(document, "Resources")
    if not resources:
        raise TemplateError("Template format error: At least one Resources member must be defined.")
    return Template(
        body=body,
        description=document.get("Description"),
        metadata=_section(document, "Metadata"),
        parameters=_section(document, "Parameters"),
        rules=_section(document, "Rules"),
        mappings=_section(document, "Mappings"),
        conditions=_section(document, "Conditions"),
        resources={name: _resource(name, entry) for name, entry in resources.items()},
        outputs={name: _output(name, entry) for name, entry in _section(document, "Outputs").items()},
    )


def _load(body: str) -> dict[str, Any]:
    try:
        is_json = body.lstrip().startswith("{")
        # The loader is a SafeLoader that also knows the short forms.
        document = json.loads(body) if is_json else yaml.load(body, _TemplateLoader)  # noqa: S506
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        raise TemplateError(f"Template format error: {error}") from error
    if not isinstance(document, dict):
        raise TemplateError("Template format error: unsupported structure.")
    return document


def _section(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = document.get(name) or {}
    if not isinstance(section, dict):
        raise TemplateError(f"Template format error: [/{name}] must be an object")
    return section


def _resource(logical_id: str, entry: Any) -> ResourceDefinition:
    where = f"[/Resources/{logical_id}]"
    if not isinstance(entry, dict) or not isinstance(entry.get("Type"), str):
        raise TemplateError(f"Template format error: {where} Every Resources object must contain a Type member.")
    refused = sorted(_REFUSED_ATTRIBUTES & entry.keys())
    if refused:
        raise TemplateError(f"{where} resource attributes {refused} are not emulated by the local cloud")
    unknown = sorted(entry.keys() - _ATTRIBUTES)
    if unknown:
        raise TemplateError(f"Invalid template resource property '{unknown[0]}' in {where}")
    depends_on = entry.get("DependsOn", [])
    return ResourceDefinition(
        logical_id=logical_id,
        type=entry["Type"],
        properties=entry.get("Properties") or {},
        depends_on=(depends_on,) if isinstance(depends_on, str) else tuple(depends_on),
        condition=entry.get("Condition"),
        deletion_policy=_policy(entry.get("DeletionPolicy", "Delete"), where=where),
        update_replace_policy=_policy(entry.get("UpdateReplacePolicy", "Delete"), where=where),
        metadata=entry.get("Metadata"),
    )


def _policy(value: Any, *, where: str) -> str:
    if value == "Snapshot":
        raise TemplateError(f"{where} the policy Snapshot is not emulated by the local cloud")
    if value not in _DELETION_POLICIES:
        raise TemplateError(f"Template format error: {where} Unrecognized deletion policy {value}")
    return str(value)


def _output(key: str, entry: Any) -> OutputDefinition:
    if not isinstance(entry, dict) or "Value" not in entry:
        raise TemplateError(f"Template format error: [/Outputs/{key}] Every Outputs member must contain a Value object")
    return OutputDefinition(
        key=key,
        value=entry["Value"],
        description=entry.get("Description"),
        export_name=(entry.get("Export") or {}).get("Name"),
        condition=entry.get("Condition"),
    )


class _TemplateLoader(yaml.CSafeLoader):  # type: ignore[misc]  # PyYAML has no types here
    """YAML as CloudFormation reads it: short-form functions are known, and dates stay text."""


def _short_form(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        argument: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        argument = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(argument, str):
        argument = argument.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": argument}


_TemplateLoader.add_multi_constructor("!", _short_form)
_TemplateLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
