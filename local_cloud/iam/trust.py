"""May a service or a role assume a role: its trust policy, evaluated.

The module issues no credentials.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from collections.abc import Sequence

from local_cloud.iam.context import RequestContext
from local_cloud.iam.evaluation import AuthorizationRequest, Decision, decide
from local_cloud.iam.policy import PolicyDocument
from local_cloud.iam.principals import Caller

ASSUME_ROLE = "sts:AssumeRole"


def may_assume_role(
    *,
    role_arn: str,
    trust_policy: PolicyDocument,
    caller: Caller,
    context: RequestContext,
    identity_policies: Sequence[PolicyDocument] = (),
    boundary: PolicyDocument | None = None,
) -> Decision:
    """Decide sts:AssumeRole on `role_arn` for a service principal, a role session or a user.

    `identity_policies` and `boundary` are the caller's; services have none. A trust policy that names the account
    leaves the decision to the caller's identity-based policies; a role of another account needs both.
    """
    request = AuthorizationRequest(
        caller=caller,
        action=ASSUME_ROLE,
        resource=role_arn,
        context=context,
        resource_account=role_arn.split(":")[4],
    )
    return decide(request, identity_policies=identity_policies, boundary=boundary, resource_policies=(trust_policy,))


def may_service_assume_role(
    service: str, *, role_arn: str, trust_policy: PolicyDocument, context: RequestContext
) -> Decision:
    """Decide whether a service (`lambda.amazonaws.com`) may run under a role.

    `context` carries aws:SourceArn and aws:SourceAccount of the resource for which the service acts, for trust
    policies that guard against the confused deputy.
    """
    return may_assume_role(
        role_arn=role_arn, trust_policy=trust_policy, caller=Caller.service(service), context=context
    )
