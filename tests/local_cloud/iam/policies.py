"""Builders of policies, callers and requests for the tests of the IAM evaluator."""

from collections.abc import Mapping

from local_cloud.iam.context import ContextValue, RequestContext
from local_cloud.iam.evaluation import AuthorizationRequest
from local_cloud.iam.policy import PolicyDocument, PolicyKind, parse_policy
from local_cloud.iam.principals import Caller

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"
REGION = "us-east-1"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/service/trainer"
SESSION_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/trainer/job"
CALLER = Caller.role_session(ROLE_ARN, session_name="job", unique_id="AROATRAINER:job")
BUCKET_ARN = "arn:aws:s3:::lake"
OBJECT_ARN = f"{BUCKET_ARN}/raw/a.csv"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/lake"


def statement(
    action: str | list[str] = "*", resource: str | list[str] | None = "*", *, effect: str = "Allow", **elements: object
) -> dict[str, object]:
    """A statement; `elements` are further elements, and an element given as None is left out."""
    members: dict[str, object] = {"Effect": effect, "Action": action, "Resource": resource, **elements}
    return {name: value for name, value in members.items() if value is not None}


def document(*statements: Mapping[str, object], version: str = "2012-10-17") -> dict[str, object]:
    """A policy document."""
    return {"Version": version, "Statement": list(statements)}


def identity(*statements: Mapping[str, object], version: str = "2012-10-17") -> PolicyDocument:
    """An identity-based policy, boundary or session policy."""
    return parse_policy(document(*statements, version=version), kind=PolicyKind.IDENTITY, name="identity")


def resource(*statements: Mapping[str, object], version: str = "2012-10-17") -> PolicyDocument:
    """A resource-based policy."""
    return parse_policy(document(*statements, version=version), kind=PolicyKind.RESOURCE, name="resource")


def trust(*statements: Mapping[str, object]) -> PolicyDocument:
    """A role trust policy."""
    return parse_policy(document(*statements), kind=PolicyKind.TRUST, name="trust")


def request(
    action: str = "s3:GetObject",
    on: str = OBJECT_ARN,
    *,
    caller: Caller = CALLER,
    context: Mapping[str, ContextValue | None] | None = None,
    resource_account: str | None = None,
) -> AuthorizationRequest:
    """A request of the trainer role, unless another caller is given."""
    return AuthorizationRequest(
        caller=caller,
        action=action,
        resource=on,
        context=RequestContext.of(context or {}),
        resource_account=resource_account,
    )
