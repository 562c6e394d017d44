"""Services whose resource one parameter tells: the table's grammar and how it is read.

The tables themselves are in `named_services`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from local_cloud.iam.api_call import ApiCall, Permission, permissions

_PLACEHOLDER = re.compile(r"\{(\w*)\}")

# (parameter, template of the ARN's resource). "{}" stands for the parameter, "{head}" for its text before the first
# colon, "{Other}" for another parameter. A dot leads into a structure. A value that is an ARN is taken as it is.
# The first parameter that is present decides; an empty parameter name marks the resource of a call without any.
Templates = tuple[tuple[str, str], ...]

NO_RESOURCE: Templates = ()


@dataclass(frozen=True)
class NamedService:
    """How the resources of a service are found.

    `operations` overrides `parameters` for single operations (NO_RESOURCE: the action is checked against "*"),
    `defaults` fills in parameters that AWS assumes, `region` is "" for global services.
    """

    prefix: str
    parameters: Templates
    operations: Mapping[str, Templates] = field(default_factory=lambda: MappingProxyType({}))
    defaults: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    region: str | None = None


def required(call: ApiCall, service: NamedService) -> tuple[Permission, ...]:
    """Permissions of a call to a service of the table; checked against "*" when no parameter names a resource."""
    action = f"{service.prefix}:{call.operation}"
    for parameter, template in service.operations.get(call.operation, service.parameters):
        values = ("",) if not parameter else _values(call, parameter, service)
        if values:
            return permissions(action, (_arn(call, value, template=template, service=service) for value in values))
    return permissions(action, ())


def _values(call: ApiCall, parameter: str, service: NamedService) -> tuple[str, ...]:
    structure, separator, member = parameter.partition(".")
    if separator:
        value = call.structure(structure).get(member)
        return (value,) if isinstance(value, str) else ()
    single = call.text(parameter) or service.defaults.get(parameter)
    return call.texts(parameter) or ((single,) if single else ())


def _arn(call: ApiCall, value: str, *, template: str, service: NamedService) -> str:
    if value.startswith("arn:"):
        return value

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in ("", "head"):
            return value.partition(":")[0] if name else value
        return call.text(name) or service.defaults.get(name, "*")

    return call.arn(service.prefix, _PLACEHOLDER.sub(fill, template), region=service.region)
