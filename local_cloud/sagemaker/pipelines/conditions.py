"""The conditions of a condition step: which exist, and what they come to.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-condition
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local_cloud.sagemaker.pipelines.expressions import ExpressionError, Scope, resolve

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_MEMBERS: Mapping[str, frozenset[str]] = {
    **{name: frozenset({"LeftValue", "RightValue"}) for name in _COMPARISONS},
    "In": frozenset({"QueryValue", "Values"}),
    "Not": frozenset({"Expression"}),
    "And": frozenset({"Conditions"}),
    "Or": frozenset({"Conditions"}),
}


def problem(condition: Any) -> str | None:
    """What is wrong with a condition of a definition; None if nothing is."""
    if not isinstance(condition, Mapping):
        return f"a condition must be an object, not {condition!r}"
    kind = str(condition.get("Type"))
    if kind not in _MEMBERS:
        return f"unknown condition type {kind!r}; known are {', '.join(_MEMBERS)}"
    given = set(condition) - {"Type"}
    if given != _MEMBERS[kind]:
        wanted, found = ", ".join(sorted(_MEMBERS[kind])), ", ".join(sorted(given))
        return f"condition {kind} takes {wanted}, not {found or 'nothing'}"
    inner = [condition["Expression"]] if kind == "Not" else condition.get("Conditions", [])
    return next((wrong for item in inner if (wrong := problem(item))), None)


def all_hold(conditions: Sequence[Mapping[str, Any]], scope: Scope) -> bool:
    """The outcome of a condition step. Raises ExpressionError for values that cannot be compared."""
    return all(_holds(condition, scope) for condition in conditions)


def _holds(condition: Mapping[str, Any], scope: Scope) -> bool:
    kind = condition["Type"]
    if kind == "Not":
        return not _holds(condition["Expression"], scope)
    if kind == "And":
        return all_hold(condition["Conditions"], scope)
    if kind == "Or":
        return any(_holds(item, scope) for item in condition["Conditions"])
    if kind == "In":
        return resolve(condition["QueryValue"], scope) in [resolve(item, scope) for item in condition["Values"]]
    return _compare(kind, resolve(condition["LeftValue"], scope), resolve(condition["RightValue"], scope))


def _compare(kind: str, left: Any, right: Any) -> bool:
    comparable = _family(left) == _family(right) and (kind == "Equals" or _family(left) in ("number", "string"))
    if not comparable:
        raise ExpressionError(f"{kind} cannot compare {left!r} ({_family(left)}) with {right!r} ({_family(right)}).")
    return _COMPARISONS[kind](left, right)


def _family(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else type(value).__name__
