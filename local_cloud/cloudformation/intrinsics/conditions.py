"""The functions that decide: those of the Conditions and Rules sections, and the branch that Fn::If takes."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from local_cloud.cloudformation.errors import TemplateError
from local_cloud.cloudformation.intrinsics.references import as_text

if TYPE_CHECKING:
    from local_cloud.cloudformation.intrinsics.evaluator import Evaluator


def test(expression: Any, evaluator: "Evaluator") -> bool:
    """Decide one condition expression; raises TemplateError for a function that does not decide."""
    if isinstance(expression, bool):
        return expression
    if not isinstance(expression, Mapping) or len(expression) != 1:
        raise TemplateError(f"Template format error: a condition must be one function, not {expression!r}")
    ((name, argument),) = expression.items()
    if name not in RESOLVERS:
        raise TemplateError(f"The function {name} is not emulated by the local cloud in conditions and rules")
    return RESOLVERS[name](argument, evaluator)


def branch(argument: Any, evaluator: "Evaluator") -> Any:
    """The unresolved branch that `Fn::If: [condition, yes, no]` takes."""
    if not isinstance(argument, list) or len(argument) != 3:
        raise TemplateError("Template error: Fn::If requires a condition name and two values")
    return argument[1] if evaluator.condition(argument[0]) else argument[2]


def _named(argument: Any, evaluator: "Evaluator") -> bool:
    return evaluator.condition(argument)


def _equals(argument: Any, evaluator: "Evaluator") -> bool:
    left, right = (evaluator.resolve(side) for side in _pair("Fn::Equals", argument))
    if isinstance(left, list | Mapping) or isinstance(right, list | Mapping):
        return bool(left == right)
    return as_text(left) == as_text(right)


def _not(argument: Any, evaluator: "Evaluator") -> bool:
    if not isinstance(argument, list) or len(argument) != 1:
        raise TemplateError("Template error: Fn::Not requires a list of one condition")
    return not evaluator.test(argument[0])


def _and(argument: Any, evaluator: "Evaluator") -> bool:
    return all(evaluator.test(part) for part in argument)


def _or(argument: Any, evaluator: "Evaluator") -> bool:
    return any(evaluator.test(part) for part in argument)


def _contains(argument: Any, evaluator: "Evaluator") -> bool:
    allowed, value = (evaluator.resolve(side) for side in _pair("Fn::Contains", argument))
    return value in allowed


def _each_member_in(argument: Any, evaluator: "Evaluator") -> bool:
    values, allowed = (evaluator.resolve(side) for side in _pair("Fn::EachMemberIn", argument))
    return all(value in allowed for value in values)


def _each_member_equals(argument: Any, evaluator: "Evaluator") -> bool:
    values, expected = (evaluator.resolve(side) for side in _pair("Fn::EachMemberEquals", argument))
    return all(value == expected for value in values)


def _pair(name: str, argument: Any) -> list[Any]:
    if not isinstance(argument, list) or len(argument) != 2:
        raise TemplateError(f"Template error: {name} requires a list of two values")
    return argument


RESOLVERS: Mapping[str, Callable[[Any, "Evaluator"], bool]] = {
    "Condition": _named,
    "Fn::Equals": _equals,
    "Fn::Not": _not,
    "Fn::And": _and,
    "Fn::Or": _or,
    "Fn::Contains": _contains,
    "Fn::EachMemberIn": _each_member_in,
    "Fn::EachMemberEquals": _each_member_equals,
}
