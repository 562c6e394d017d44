"""What is checked before anything is created: every type and function of a template, and every name it uses."""

from collections.abc import Iterator, Mapping
from typing import Any

from local_cloud.cloudformation.errors import TemplateError, ValidationError
from local_cloud.cloudformation.graph import creation_order, references
from local_cloud.cloudformation.intrinsics.conditions import RESOLVERS as CONDITION_FUNCTIONS
from local_cloud.cloudformation.intrinsics.evaluator import SUPPORTED
from local_cloud.cloudformation.providers.registry import ProviderRegistry
from local_cloud.cloudformation.schemas import SchemaStore
from local_cloud.cloudformation.template import ResourceDefinition, Template
from local_cloud.service import ServiceError

_ALLOWED = SUPPORTED | CONDITION_FUNCTIONS.keys() | {"Fn::If"}
_IAM_TYPES = {
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": None,
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::Group": "GroupName",
}


def check_template(template: Template) -> None:
    """Raises TemplateError for a function, a reference or a dependency that cannot work, or for a cycle."""
    unknown = sorted(set(_functions(template)) - _ALLOWED)
    if unknown:
        raise TemplateError(
            f"The functions {', '.join(unknown)} are not emulated by the local cloud; docs/local-cloud.md lists "
            "what is. Nothing was changed."
        )
    names = template.resources.keys() | template.parameters.keys()
    for section, used in (
        ("Resources", [definition.properties for definition in template.resources.values()]),
        ("Outputs", [[output.value, output.export_name] for output in template.outputs.values()]),
    ):
        missing = sorted(name for name in references(used) - names if not name.startswith("AWS::"))
        if missing:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] "
                f"in the {section} block of the template"
            )
    for definition in template.resources.values():
        absent = sorted(set(definition.depends_on) - template.resources.keys())
        if absent:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{', '.join(absent)}] "
                "in the Resources block of the template"
            )
    creation_order(template.resources)


def check_types(definitions: Mapping[str, ResourceDefinition], providers: ProviderRegistry) -> None:
    """Raises one ValidationError that lists every resource whose type is not emulated."""
    unsupported = [
        f"{logical_id} ({definition.type})"
        for logical_id, definition in definitions.items()
        if not providers.knows(definition.type)
    ]
    if unsupported:
        raise ValidationError(
            f"The local cloud does not emulate the types of these resources: {', '.join(sorted(unsupported))}. "
            f"Nothing was changed. Supported: {', '.join(providers.types())} (see docs/local-cloud.md)."
        )


def check_properties(
    definitions: Mapping[str, ResourceDefinition], providers: ProviderRegistry, schemas: SchemaStore
) -> None:
    """Raises one ValidationError that lists every property that exists on AWS but would have no effect here."""
    ignored = [
        f"{logical_id}.{name} ({definition.type})"
        for logical_id, definition in definitions.items()
        if (known := providers.get(definition.type).properties) is not None
        for name in sorted(definition.properties.keys() - known)
        if (schema := schemas.get(definition.type)) is not None and name in schema.document["properties"]
    ]
    if ignored:
        raise ValidationError(
            f"The local cloud does not emulate these properties: {', '.join(sorted(ignored))}. "
            "Nothing was changed. docs/local-cloud.md says how to extend it."
        )


def required_capabilities(template: Template) -> list[str]:
    """What the caller has to acknowledge: IAM resources, and IAM resources with a name of their own."""
    found = [definition for definition in template.resources.values() if definition.type in _IAM_TYPES]
    if any(_IAM_TYPES[definition.type] in definition.properties for definition in found):
        return ["CAPABILITY_NAMED_IAM"]
    return ["CAPABILITY_IAM"] if found else []


def check_capabilities(template: Template, given: list[str]) -> None:
    """Raises InsufficientCapabilitiesException as CloudFormation does."""
    required = required_capabilities(template)
    granted = {*given, *(["CAPABILITY_IAM"] if "CAPABILITY_NAMED_IAM" in given else [])}
    if not set(required) <= granted:
        raise ServiceError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(required)}]")


def _functions(template: Template) -> Iterator[str]:
    for definition in template.resources.values():
        yield from _names(definition.properties)
    for output in template.outputs.values():
        yield from _names([output.value, output.export_name])
    yield from _names([template.conditions, template.rules])


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key.startswith("Fn::"):
                yield key
            yield from _names(item)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)
