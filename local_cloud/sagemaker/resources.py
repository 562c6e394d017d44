"""What all SageMaker resources share: ARNs, the identity of their creator, and answers without absent members."""

from collections.abc import Mapping
from typing import Any

from local_cloud.service import RequestContext


def arn(context: RequestContext, kind: str, name: str) -> str:
    """The ARN of a resource. SageMaker writes names in lower case in ARNs and compares them without case."""
    return f"arn:aws:sagemaker:{context.region}:{context.account}:{kind}/{name.lower()}"


def name_key(context: RequestContext, kind: str, name_or_arn: str) -> str:
    """The key under which a resource is stored, from its name or ARN.

    An ARN of another account, region or kind stays as it is, so that looking it up finds nothing.
    """
    return name_or_arn.lower().removeprefix(arn(context, kind, ""))


def user_context(context: RequestContext) -> dict[str, Any]:
    """CreatedBy / LastModifiedBy: the caller's session, or the account's root for an administrator."""
    return {"IamIdentity": {"Arn": context.session_arn or f"arn:aws:iam::{context.account}:root"}}


def present(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members that have a value: AWS leaves absent structures out, and SDK v3 rejects empty ones."""
    return {name: value for name, value in members.items() if value is not None and value != {}}
