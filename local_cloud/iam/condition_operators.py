"""The condition operators of IAM: one comparison of one policy value with one request value each.

Keys, set operators, IfExists and negation over several values are the business of `conditions`.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import base64
import binascii
import ipaddress
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

from local_cloud.iam.matching import Token, literal_text, matches, matches_arn

Comparison = Callable[[tuple[Token, ...], str], bool]


@dataclass(frozen=True)
class Operator:
    """How one operator compares.

    `compare(policy value, request value)` is always the positive form, which `negated` operators invert.
    `variables` tells whether policy variables are replaced in the policy value.
    """

    compare: Comparison
    negated: bool = False
    variables: bool = False


def _number(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError(text)
    return value


def _instant(text: str) -> Decimal:
    """Seconds since the epoch of an ISO 8601 date or a number of epoch seconds."""
    try:
        return _number(text)
    except (InvalidOperation, ValueError):
        moment = datetime.fromisoformat(text)
        return Decimal(repr((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))


def _ordered(parse: Callable[[str], Decimal], holds: Callable[[Decimal, Decimal], bool]) -> Comparison:
    """Comparison `request value <operator> policy value`; a value that does not parse never compares."""

    def compare(pattern: tuple[Token, ...], value: str) -> bool:
        try:
            return holds(parse(value), parse(literal_text(pattern)))
        except (InvalidOperation, ValueError, OverflowError):
            return False

    return compare


def _equals(pattern: tuple[Token, ...], value: str) -> bool:
    return literal_text(pattern) == value


def _equals_ignoring_case(pattern: tuple[Token, ...], value: str) -> bool:
    return literal_text(pattern).casefold() == value.casefold()


def _binary_equals(pattern: tuple[Token, ...], value: str) -> bool:
    try:
        expected, actual = (base64.b64decode(text, validate=True) for text in (literal_text(pattern), value))
    except binascii.Error:
        return False
    return expected == actual


def _in_network(pattern: tuple[Token, ...], value: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(literal_text(pattern), strict=False)
    except ValueError:
        return False


def _number_test(holds: Callable[[Decimal, Decimal], bool], *, negated: bool = False) -> Operator:
    return Operator(_ordered(_number, holds), negated=negated)


def _date_test(holds: Callable[[Decimal, Decimal], bool], *, negated: bool = False) -> Operator:
    return Operator(_ordered(_instant, holds), negated=negated)


OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "StringEquals": Operator(_equals, variables=True),
        "StringNotEquals": Operator(_equals, negated=True, variables=True),
        "StringEqualsIgnoreCase": Operator(_equals_ignoring_case, variables=True),
        "StringNotEqualsIgnoreCase": Operator(_equals_ignoring_case, negated=True, variables=True),
        "StringLike": Operator(matches, variables=True),
        "StringNotLike": Operator(matches, negated=True, variables=True),
        "NumericEquals": _number_test(operator.eq),
        "NumericNotEquals": _number_test(operator.eq, negated=True),
        "NumericLessThan": _number_test(operator.lt),
        "NumericLessThanEquals": _number_test(operator.le),
        "NumericGreaterThan": _number_test(operator.gt),
        "NumericGreaterThanEquals": _number_test(operator.ge),
        "DateEquals": _date_test(operator.eq),
        "DateNotEquals": _date_test(operator.eq, negated=True),
        "DateLessThan": _date_test(operator.lt),
        "DateLessThanEquals": _date_test(operator.le),
        "DateGreaterThan": _date_test(operator.gt),
        "DateGreaterThanEquals": _date_test(operator.ge),
        "Bool": Operator(_equals_ignoring_case, variables=True),
        "BinaryEquals": Operator(_binary_equals),
        "IpAddress": Operator(_in_network),
        "NotIpAddress": Operator(_in_network, negated=True),
        "ArnEquals": Operator(matches_arn, variables=True),
        "ArnNotEquals": Operator(matches_arn, negated=True, variables=True),
        "ArnLike": Operator(matches_arn, variables=True),
        "ArnNotLike": Operator(matches_arn, negated=True, variables=True),
    }
)
