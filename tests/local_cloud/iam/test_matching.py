"""Wildcards, ARNs and policy variables."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.iam.context import EMPTY_CONTEXT, RequestContext
from local_cloud.iam.matching import Token, expand, matches, matches_action, matches_arn, matches_resource

ALPHABET = st.text(alphabet="ab:/*?.$[]\n", max_size=12)


def tokens(pattern: str, context: RequestContext = EMPTY_CONTEXT) -> tuple[Token, ...]:
    expanded = expand(pattern, context=context, variables=True)
    assert expanded is not None
    return expanded


def reference_match(pattern: str, value: str) -> bool:
    """Wildcard matching by its definition, one character at a time."""
    if not pattern:
        return not value
    if pattern[0] == "*":
        return any(reference_match(pattern[1:], value[start:]) for start in range(len(value) + 1))
    return bool(value) and pattern[0] in ("?", value[0]) and reference_match(pattern[1:], value[1:])


@given(pattern=st.text(alphabet="ab:*?.$[\n", max_size=7), value=st.text(alphabet="ab:*?.$[\n", max_size=8))
def test_matching_equals_its_definition(pattern: str, value: str) -> None:
    """The compiled pattern agrees with wildcard matching written out character by character."""
    assert matches(tokens(pattern), value) is reference_match(pattern, value)


@given(value=ALPHABET)
def test_a_value_substituted_for_a_variable_matches_only_itself(value: str) -> None:
    """Wildcards in a tag or session name have no power."""
    context = RequestContext.of({"aws:PrincipalTag/team": value or "x"})
    pattern = tokens("${aws:PrincipalTag/team}", context)
    assert matches(pattern, value or "x")
    assert not matches(pattern, (value or "x") + "x")


@given(action=st.text(alphabet=string.ascii_letters, min_size=1, max_size=10))
def test_actions_ignore_case(action: str) -> None:
    """IAM compares actions without regard to case."""
    assert matches_action(f"S3:{action.upper()}", f"s3:{action.lower()}")
    assert matches_action("s3:*", f"s3:{action}")
    assert not matches_action("s3:*", f"s4:{action}")


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("arn:aws:s3:::lake/*", "arn:aws:s3:::lake/raw/a.csv", True),
        ("arn:aws:s3:::lake", "arn:aws:s3:::lake/raw/a.csv", False),
        ("arn:aws:s3:::lake*", "arn:aws:s3:::lakehouse/a", True),
        ("arn:*:s3:::lake/*", "arn:aws-cn:s3:::lake/a", True),
        ("arn:aws:sqs", "arn:aws:sqs:us-east-1:123456789012:q", True),
        ("arn:aws:sqs:*", "arn:aws:sqs:us-east-1:123456789012:q", True),
        ("arn:aws:logs:*:*:*", "arn:aws:logs:us-east-1:1:log-group:g:log-stream:s", True),
        ("arn:aws:sns:us-*:t", "arn:aws:sns:us-east-1:1:t", False),
        ("arn:aws:sns:*:t", "arn:aws:sns:us-east-1:123456789012:t", False),
        ("arn:aws:sqs:us-*:1:q", "arn:aws:sqs:us-east-1:2:1:q", False),
        ("arn:aws:sqs:us-east-?:1:q", "arn:aws:sqs:us-east-1:1:q", True),
        ("arn:aws:SQS:us-east-1:1:q", "arn:aws:sqs:us-east-1:1:q", False),
        ("*", "arn:aws:sqs:us-east-1:1:q", True),
        ("*", "*", True),
        ("arn:aws:sagemaker:*:*:*", "*", False),
    ],
)
def test_resource_patterns(pattern: str, arn: str, expected: bool) -> None:
    """Resource patterns match by component, incomplete ARNs are completed, and "*" is needed where there is no ARN."""
    assert matches_resource(tokens(pattern), arn) is expected


def test_arn_operators_need_all_components() -> None:
    """ArnLike does not complete an ARN, and a wildcard does not cross a colon before the last component."""
    assert matches_arn(tokens("arn:aws:events:*:123456789012:rule/*"), "arn:aws:events:us-east-1:123456789012:rule/r")
    assert not matches_arn(tokens("arn:aws:events"), "arn:aws:events:us-east-1:1:rule/r")
    assert not matches_arn(tokens("arn:aws:ev*:rule/r"), "arn:aws:events:us-east-1:1:rule/r")
    assert matches_arn(tokens("arn:aws:lambda:*:*:function:f*"), "arn:aws:lambda:r:1:function:f:live")
    assert not matches_arn(tokens("*"), "arn:aws:events:us-east-1:1:rule/r")


def test_variables() -> None:
    """Variables take single-valued keys, fall back to their default, and without a value expand to nothing."""
    context = RequestContext.of({"aws:userid": "AROA:job", "aws:TagKeys": ("a", "b")})
    assert matches(tokens("home/${AWS:UserId}/*", context), "home/AROA:job/x")
    assert matches(tokens("${aws:PrincipalTag/team, 'none'}", context), "none")
    assert expand("${aws:username}", context=context, variables=True) is None
    assert expand("${aws:TagKeys}", context=context, variables=True) is None
    assert matches(tokens("a${*}b${?}${$}"), "a*b?$")
    assert not matches(tokens("a${*}b"), "axb")


def test_variables_are_text_in_old_policies() -> None:
    """Version 2008-10-17 has no policy variables."""
    old = expand("${aws:userid}", context=RequestContext.of({"aws:userid": "x"}), variables=False)
    assert old is not None
    assert matches(old, "${aws:userid}")
