"""The Condition block: keys, several values, set operators, IfExists, Null and missing keys.

What a missing key means (the part that is easy to get wrong):

| operator | missing key |
|---|---|
| positive | false |
| negated (`Not`) | true |
| ...IfExists | true |
| ForAllValues: | true |
| ForAnyValue: (also negated) | false |
| Null | compares existence |

Several values of one key are alternatives for positive operators; a negated operator needs all of them to differ.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from local_cloud.iam.condition_operators import OPERATORS, Operator
from local_cloud.iam.context import RequestContext
from local_cloud.iam.errors import PolicySyntaxError
from local_cloud.iam.matching import Token, expand

_NULL = "Null"
_IF_EXISTS = "IfExists"


class SetOperator(Enum):
    """How the values of a multivalued key are quantified."""

    NONE = ""
    FOR_ALL = "ForAllValues"
    FOR_ANY = "ForAnyValue"


@dataclass(frozen=True)
class Condition:
    """One key of one operator of a Condition block; `operator` is "Null" or a key of `OPERATORS`."""

    operator: str
    key: str
    values: tuple[str, ...]
    set_operator: SetOperator = SetOperator.NONE
    if_exists: bool = False


def parse_operator(text: str) -> tuple[SetOperator, str, bool]:
    """`ForAnyValue:StringLikeIfExists` -> (FOR_ANY, "StringLike", True).

    Raises PolicySyntaxError for an operator that IAM does not have: ignoring it would change the decision.
    """
    prefix, separator, rest = text.rpartition(":")
    name = rest.removesuffix(_IF_EXISTS)
    known_sets = {member.value: member for member in SetOperator if member is not SetOperator.NONE}
    if separator and prefix not in known_sets:
        raise PolicySyntaxError(f"Invalid Condition type : {text}.")
    if name not in OPERATORS and rest != _NULL:
        raise PolicySyntaxError(f"Invalid Condition type : {text}.")
    return known_sets.get(prefix, SetOperator.NONE), name, rest != name


def conditions_hold(conditions: Iterable[Condition], context: RequestContext, *, variables: bool) -> bool:
    """Whether every condition holds; an empty block always holds."""
    return all(_holds(condition, context, variables=variables) for condition in conditions)


def _holds(condition: Condition, context: RequestContext, *, variables: bool) -> bool:
    actual = context.values_of(condition.key)
    if condition.operator == _NULL:
        return any((actual is None) == (value.lower() == "true") for value in condition.values)
    operator = OPERATORS[condition.operator]
    if actual is None:
        return _holds_without_key(condition, operator)
    patterns = _patterns(condition, context, variables=variables and operator.variables)
    tests = (_value_holds(operator, patterns, value) for value in actual)
    if condition.set_operator is SetOperator.FOR_ALL:
        return all(tests)
    if condition.set_operator is SetOperator.FOR_ANY:
        return any(tests)
    # AWS leaves an operator without a set operator undefined on several values. Here a positive test needs one
    # matching value and a negated one is its exact opposite.
    return all(tests) if operator.negated else any(tests)


def _holds_without_key(condition: Condition, operator: Operator) -> bool:
    if condition.if_exists or condition.set_operator is SetOperator.FOR_ALL:
        return True
    return operator.negated and condition.set_operator is not SetOperator.FOR_ANY


def _patterns(condition: Condition, context: RequestContext, *, variables: bool) -> list[tuple[Token, ...]]:
    """The policy values with variables replaced; a value whose variable is unknown matches nothing and drops out."""
    expanded = (expand(value, context=context, variables=variables) for value in condition.values)
    return [tokens for tokens in expanded if tokens is not None]


def _value_holds(operator: Operator, patterns: list[tuple[Token, ...]], value: str) -> bool:
    return any(operator.compare(pattern, value) for pattern in patterns) != operator.negated
