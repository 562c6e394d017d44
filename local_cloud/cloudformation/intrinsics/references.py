"""The functions that read other things by name: Ref, Fn::GetAtt, Fn::Sub, and Fn::If (its choice of branch)."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from local_cloud.cloudformation.errors import TemplateError

if TYPE_CHECKING:
    from local_cloud.cloudformation.intrinsics.evaluator import Evaluator

SUBSTITUTION = re.compile(r"\$\{([^!{}][^{}]*)\}")


def ref(name: Any, evaluator: "Evaluator") -> Any:
    """A pseudo parameter, a parameter's value, or a resource's physical id."""
    scope = evaluator.scope
    if name in scope.pseudo:
        return scope.pseudo[name]
    if name in scope.parameters:
        return scope.parameters[name]
    if name in scope.resources:
        return scope.resources.reference(name)
    raise TemplateError(f"Template format error: Unresolved resource dependencies [{name}] in the template")


def get_att(argument: Any, evaluator: "Evaluator") -> Any:
    """An attribute of a resource: `[logical id, name]` or `"logical id.name"`."""
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) != 2:
        raise TemplateError("Template error: Fn::GetAtt needs a logical id and an attribute name")
    logical_id, name = parts[0], evaluator.resolve(parts[1])
    if logical_id not in evaluator.scope.resources:
        raise TemplateError(f"Template error: instance of Fn::GetAtt references undefined resource {logical_id}")
    return evaluator.scope.resources.attribute(logical_id, name)


def sub(argument: Any, evaluator: "Evaluator") -> str:
    """Text with `${Name}` and `${Resource.Attribute}` filled in; `${!Name}` stays as `${Name}`."""
    text, own = (argument, {}) if isinstance(argument, str) else tuple(argument)
    if not isinstance(text, str) or not isinstance(own, Mapping):
        raise TemplateError("Template error: Fn::Sub needs a string, or a string and a map")
    values = {name: evaluator.resolve(value) for name, value in own.items()}

    def fill(match: re.Match[str]) -> str:
        name = match.group(1).strip()
        if name in values:
            return as_text(values[name])
        return as_text(get_att(name, evaluator) if "." in name else ref(name, evaluator))

    return SUBSTITUTION.sub(fill, text).replace("${!", "${")


def as_text(value: Any) -> str:
    """A scalar as CloudFormation writes it into a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | Mapping):
        raise TemplateError(f"Template error: a string is needed, but the value is {type(value).__name__}")
    return str(value)


RESOLVERS: Mapping[str, Callable[[Any, "Evaluator"], Any]] = {
    "Ref": ref,
    "Fn::GetAtt": get_att,
    "Fn::Sub": sub,
}
