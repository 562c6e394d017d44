"""Condition operators, set operators and what a missing key means."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.iam.condition_operators import OPERATORS
from local_cloud.iam.conditions import Condition, conditions_hold, parse_operator
from local_cloud.iam.context import ContextValue, RequestContext
from local_cloud.iam.errors import PolicySyntaxError


def holds(operator: str, expected: str | list[str], actual: ContextValue | None) -> bool:
    """Whether {operator: {"key": expected}} holds when the request has key = actual (None: no such key)."""
    set_operator, name, if_exists = parse_operator(operator)
    values = (expected,) if isinstance(expected, str) else tuple(expected)
    condition = Condition(name, "aws:Key", values, set_operator, if_exists)
    return conditions_hold([condition], RequestContext.of({"AWS:KEY": actual}), variables=True)


SAME, OTHER = "arn:aws:s3:::lake", "arn:aws:s3:::pond"

CASES: list[tuple[str, str, str, bool]] = [
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "a*", "ab", False),
    ("StringNotEquals", "a", "a", False),
    ("StringNotEquals", "a", "b", True),
    ("StringEqualsIgnoreCase", "a", "A", True),
    ("StringEqualsIgnoreCase", "a", "b", False),
    ("StringNotEqualsIgnoreCase", "a", "A", False),
    ("StringNotEqualsIgnoreCase", "a", "b", True),
    ("StringLike", "raw/*", "raw/x/y", True),
    ("StringLike", "raw/?", "raw/xy", False),
    ("StringNotLike", "raw/*", "raw/x", False),
    ("StringNotLike", "raw/*", "curated/x", True),
    ("NumericEquals", "10", "10.0", True),
    ("NumericEquals", "10", "11", False),
    ("NumericNotEquals", "10", "10", False),
    ("NumericNotEquals", "10", "11", True),
    ("NumericLessThan", "10", "9.5", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericLessThanEquals", "10", "11", False),
    ("NumericGreaterThan", "10", "11", True),
    ("NumericGreaterThan", "10", "10", False),
    ("NumericGreaterThanEquals", "10", "10", True),
    ("NumericGreaterThanEquals", "10", "9", False),
    ("NumericLessThan", "10", "many", False),
    ("NumericGreaterThan", "10", "Infinity", False),
    ("DateEquals", "2026-01-01T00:00:00Z", "2026-01-01", True),
    ("DateEquals", "2026-01-01T00:00:00Z", "1767225600", True),
    ("DateEquals", "2026-01-01", "2026-01-01T00:00:01Z", False),
    ("DateNotEquals", "2026-01-01", "2026-01-01", False),
    ("DateNotEquals", "2026-01-01", "2026-01-02", True),
    ("DateLessThan", "2026-01-01T01:00:00+01:00", "2025-12-31T23:59:59Z", True),
    ("DateLessThan", "2026-01-01", "2026-01-01", False),
    ("DateLessThanEquals", "2026-01-01", "2026-01-01", True),
    ("DateLessThanEquals", "2026-01-01", "2026-01-02", False),
    ("DateGreaterThan", "2026-01-01", "2026-01-02", True),
    ("DateGreaterThan", "2026-01-01", "2026-01-01", False),
    ("DateGreaterThanEquals", "2026-01-01", "2026-01-01", True),
    ("DateGreaterThanEquals", "2026-01-01", "soon", False),
    ("Bool", "true", "True", True),
    ("Bool", "true", "false", False),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
    ("BinaryEquals", "QmluYXJ5", "T3RoZXI=", False),
    ("BinaryEquals", "QmluYXJ5", "not base64", False),
    ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
    ("IpAddress", "10.0.0.7", "10.0.0.8", False),
    ("IpAddress", "10.0.0.0/8", "2001:db8::1", False),
    ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
    ("NotIpAddress", "10.0.0.0/8", "10.1.2.3", False),
    ("NotIpAddress", "10.0.0.0/8", "192.168.0.1", True),
    ("ArnEquals", "arn:aws:s3:::l*", SAME, True),
    ("ArnEquals", OTHER, SAME, False),
    ("ArnNotEquals", SAME, SAME, False),
    ("ArnNotEquals", OTHER, SAME, True),
    ("ArnLike", "arn:aws:s3:::l?ke", SAME, True),
    ("ArnLike", "arn:aws:s3*lake", SAME, False),
    ("ArnNotLike", "arn:aws:s3:::l*", SAME, False),
    ("ArnNotLike", "arn:aws:s3:::p*", SAME, True),
]


@pytest.mark.parametrize(("operator", "expected", "actual", "result"), CASES)
def test_operator(operator: str, expected: str, actual: str, result: bool) -> None:
    """Each operator compares as AWS documents it."""
    assert holds(operator, expected, actual) is result


def test_every_operator_has_cases_of_both_outcomes() -> None:
    """The table above shows each operator holding and failing."""
    for operator in OPERATORS:
        assert {result for name, _, _, result in CASES if name == operator} == {True, False}, operator


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_missing_key(operator: str) -> None:
    """A missing key fails positive operators, satisfies negated ones, IfExists and ForAllValues, fails ForAnyValue."""
    negated = OPERATORS[operator].negated
    assert holds(operator, "1", None) is negated
    assert holds(f"{operator}IfExists", "1", None)
    assert holds(f"ForAllValues:{operator}", "1", None)
    assert not holds(f"ForAnyValue:{operator}", "1", None)
    assert holds(f"ForAnyValue:{operator}IfExists", "1", None)


def test_if_exists_still_compares_a_present_key() -> None:
    """IfExists excuses only a missing key."""
    assert not holds("StringEqualsIfExists", "a", "b")
    assert not holds("BoolIfExists", "true", "false")


@pytest.mark.parametrize(
    ("expected", "actual", "result"),
    [("true", None, True), ("true", "x", False), ("false", None, False), ("false", "x", True), ("false", (), False)],
)
def test_null(expected: str, actual: ContextValue | None, result: bool) -> None:
    """Null true demands a missing key, Null false a present one; an empty list counts as missing."""
    assert holds("Null", expected, actual) is result


@pytest.mark.parametrize(
    ("operator", "actual", "result"),
    [
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "c"), False),
        ("ForAllValues:StringEquals", (), True),
        ("ForAnyValue:StringEquals", ("a", "c"), True),
        ("ForAnyValue:StringEquals", ("c", "d"), False),
        ("ForAnyValue:StringEquals", (), False),
        ("ForAllValues:StringNotEquals", ("c", "d"), True),
        ("ForAllValues:StringNotEquals", ("a", "c"), False),
        ("ForAnyValue:StringNotEquals", ("a", "c"), True),
        ("ForAnyValue:StringNotEquals", ("a", "b"), False),
    ],
)
def test_set_operators(operator: str, actual: tuple[str, ...], result: bool) -> None:
    """ForAllValues and ForAnyValue quantify over the request's values, each against all of the policy's values."""
    assert holds(operator, ["a", "b"], actual) is result


def test_several_policy_values() -> None:
    """Values are alternatives for a positive operator; a negated one needs all of them to differ."""
    assert holds("StringEquals", ["a", "b"], "b")
    assert not holds("StringNotEquals", ["a", "b"], "b")
    assert holds("StringNotEquals", ["a", "b"], "c")


def test_several_request_values_without_a_set_operator() -> None:
    """One matching value satisfies a positive operator and fails its negation."""
    assert holds("StringEquals", "a", ("a", "c"))
    assert not holds("StringNotEquals", "a", ("a", "c"))


def test_operators_and_keys_are_joined_by_and() -> None:
    """Every key of every operator must hold."""
    both = [Condition("StringEquals", "a", ("1",)), Condition("StringLike", "b", ("2*",))]
    assert conditions_hold(both, RequestContext.of({"a": "1", "b": "22"}), variables=True)
    assert not conditions_hold(both, RequestContext.of({"a": "1", "b": "3"}), variables=True)
    assert conditions_hold([], RequestContext.of({}), variables=True)


def test_unknown_variable_in_a_condition_matches_nothing() -> None:
    """A value whose policy variable is missing neither grants nor excepts."""
    assert not holds("StringEquals", "${aws:username}", "x")
    assert holds("StringNotEquals", "${aws:username}", "x")


@pytest.mark.parametrize("operator", ["StringEqual", "ForSomeValues:StringEquals", "NullIfExists", "", "stringequals"])
def test_unknown_operator_is_refused(operator: str) -> None:
    """An operator that IAM does not have is an error, not a condition that is skipped."""
    with pytest.raises(PolicySyntaxError, match="Invalid Condition type"):
        parse_operator(operator)


@given(
    operator=st.sampled_from(sorted(OPERATORS)),
    expected=st.lists(st.sampled_from(["a", "b", "1", "2", "true", "10.0.0.0/8", SAME]), min_size=1, max_size=3),
    actual=st.sampled_from(["a", "b", "1", "2", "true", "10.0.0.1", SAME]),
)
def test_negated_operators_are_exact_opposites(operator: str, expected: list[str], actual: str) -> None:
    """On a present key, an operator and its negation never agree."""
    opposites: Mapping[str, str] = {"IpAddress": "NotIpAddress"} | {
        f"{family}{rest}": f"{family}Not{rest}"
        for family in ("String", "Numeric", "Date", "Arn")
        for rest in ("Equals", "EqualsIgnoreCase", "Like")
    }
    opposite = opposites.get(operator)
    if opposite is not None and opposite in OPERATORS:
        assert holds(operator, expected, actual) is not holds(opposite, expected, actual)
