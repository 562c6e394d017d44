"""Reading policy documents: what is understood and what is refused."""

import json

import pytest

from local_cloud.iam.errors import IamError, PolicySyntaxError
from local_cloud.iam.policy import Effect, PolicyKind, parse_policy
from local_cloud.iam.principals import Caller

from .policies import document, statement

PRINCIPAL = {"Service": "lambda.amazonaws.com"}


def test_text_bytes_and_mapping_parse_alike() -> None:
    """A document is read from JSON text, bytes or a decoded object."""
    decoded = document(statement("s3:GetObject", Sid="Read", Condition={"Bool": {"aws:SecureTransport": True}}))
    parsed = parse_policy(decoded, kind=PolicyKind.IDENTITY)
    assert parse_policy(json.dumps(decoded), kind=PolicyKind.IDENTITY) == parsed
    assert parse_policy(json.dumps(decoded).encode(), kind=PolicyKind.IDENTITY) == parsed
    (only,) = parsed.statements
    assert (only.effect, only.sid, only.actions.values) == (Effect.ALLOW, "Read", ("s3:GetObject",))
    assert only.conditions[0].values == ("true",)


def test_a_single_statement_needs_no_list() -> None:
    """Statement may be one object."""
    parsed = parse_policy({"Version": "2012-10-17", "Statement": statement()}, kind=PolicyKind.IDENTITY)
    assert len(parsed.statements) == 1


def test_missing_version_is_the_old_one() -> None:
    """Without Version the document is of 2008-10-17, which has no policy variables."""
    assert not parse_policy({"Statement": statement()}, kind=PolicyKind.IDENTITY).variables


@pytest.mark.parametrize(
    ("broken", "kind", "message"),
    [
        ({"Effect": "allow"}, PolicyKind.IDENTITY, "Effect must be Allow or Deny"),
        ({"Action": None}, PolicyKind.IDENTITY, "must contain actions"),
        ({"Resource": None}, PolicyKind.IDENTITY, "must contain resources"),
        ({"NotAction": "iam:*"}, PolicyKind.IDENTITY, "exclude each other"),
        ({"NotResource": "*"}, PolicyKind.IDENTITY, "exclude each other"),
        ({"Resources": "*"}, PolicyKind.IDENTITY, "unknown element Resources"),
        ({"Principal": "*"}, PolicyKind.IDENTITY, "should not specify a principal"),
        ({}, PolicyKind.RESOURCE, "Missing required field Principal"),
        ({"Principal": PRINCIPAL}, PolicyKind.TRUST, "prohibited field Resource"),
        ({"Principal": {"Aws": "*"}}, PolicyKind.RESOURCE, "unknown element Aws"),
        ({"Principal": {"AWS": "arn:aws:iam::1:role/*"}}, PolicyKind.RESOURCE, "Invalid principal"),
        ({"Principal": "arn:aws:iam::1:root"}, PolicyKind.RESOURCE, "expected"),
        ({"NotPrincipal": {"AWS": "1"}}, PolicyKind.RESOURCE, "only supported with Deny"),
        ({"Condition": {"StringEqual": {"a": "b"}}}, PolicyKind.IDENTITY, "Invalid Condition type"),
        ({"Condition": {"StringEquals": "a"}}, PolicyKind.IDENTITY, "object of condition keys"),
        ({"Condition": {"StringEquals": {"a": None}}}, PolicyKind.IDENTITY, "strings, numbers or booleans"),
        ({"Action": []}, PolicyKind.IDENTITY, "expected a string"),
    ],
)
def test_malformed_statements_are_refused(broken: dict[str, object], kind: PolicyKind, message: str) -> None:
    """A statement that AWS would refuse to store is an error that names the policy and the statement."""
    good = statement("s3:GetObject")
    members = {name: value for name, value in (good | broken).items() if value is not None}
    with pytest.raises(PolicySyntaxError, match=message) as raised:
        parse_policy(document(members), kind=kind, name="lake-access")
    assert "lake-access" in str(raised.value)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"Version": "2020-01-01", "Statement": []}'])
def test_malformed_documents_are_refused(text: str) -> None:
    """Text that is no policy document is an error."""
    with pytest.raises(PolicySyntaxError):
        parse_policy(text, kind=PolicyKind.IDENTITY)


def test_session_arn_leaves_out_the_path_of_the_role() -> None:
    """STS names sessions after the role without its path, and an ARN that is no role is refused."""
    caller = Caller.role_session("arn:aws:iam::123456789012:role/a/b/trainer", session_name="job")
    assert caller.arn == "arn:aws:sts::123456789012:assumed-role/trainer/job"
    with pytest.raises(IamError, match="is not the ARN of an IAM role"):
        Caller.role_session("trainer", session_name="job")
