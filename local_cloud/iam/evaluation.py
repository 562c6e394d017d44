"""The decision: may this caller do this action on this resource, given all policies that apply.

Order of AWS's enforcement code: an explicit deny anywhere; a resource-based policy that names the session or the
user itself; then identity-based or resource-based policy, within the permissions boundary and the session policy.
KMS key policies and role trust policies must allow (identity-based policies alone are not enough), and a
request to another account needs both sides.

Not evaluated: service and resource control policies, VPC endpoint policies, ACLs and KMS grants.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and
https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from local_cloud.iam.conditions import conditions_hold
from local_cloud.iam.context import RequestContext
from local_cloud.iam.matching import expand, matches_action, matches_resource
from local_cloud.iam.policy import Effect, Patterns, PolicyDocument, PolicyKind, Statement
from local_cloud.iam.principals import Caller, CallerKind, PrincipalMatch, match_principal


class PolicyType(Enum):
    """The policy type that settled a decision, in AWS's words."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    TRUST = "role trust policy"


@dataclass(frozen=True)
class AuthorizationRequest:
    """One question. `resource` is an ARN, or "*" for actions without a resource.

    `resource_account` is the account that owns the resource; None means the caller's own.
    """

    caller: Caller
    action: str
    resource: str
    context: RequestContext
    resource_account: str | None = None


@dataclass(frozen=True)
class MatchedStatement:
    """A statement that settled the decision, for reports."""

    policy: str
    sid: str | None


@dataclass(frozen=True)
class Decision:
    """The answer. `reason` is AWS's phrase, beginning with "because" or "with"."""

    allowed: bool
    reason: str
    policy_type: PolicyType
    statements: tuple[MatchedStatement, ...] = ()


@dataclass(frozen=True)
class _Findings:
    """What one group of policies says; `grade` is how closely the best Allow names the caller."""

    denied_by: tuple[MatchedStatement, ...] = ()
    allowed_by: tuple[MatchedStatement, ...] = ()
    grade: PrincipalMatch = PrincipalMatch.NONE


def decide(
    request: AuthorizationRequest,
    *,
    identity_policies: Sequence[PolicyDocument] = (),
    boundary: PolicyDocument | None = None,
    resource_policies: Sequence[PolicyDocument] = (),
    session_policies: Sequence[PolicyDocument] | None = None,
) -> Decision:
    """Decide one request.

    `boundary` and `session_policies` limit only when given: None means that there are none, while an empty
    sequence of session policies allows nothing.
    """
    identity = _find(identity_policies, request)
    resource = _find(resource_policies, request)
    limits = [(PolicyType.BOUNDARY, _find([boundary], request))] if boundary is not None else []
    if session_policies is not None:
        limits.append((PolicyType.SESSION, _find(session_policies, request)))
    resource_type = _resource_policy_type(resource_policies)
    for policy_type, findings in ((PolicyType.IDENTITY, identity), (resource_type, resource), *limits):
        if findings.denied_by:
            return _explicit_deny(policy_type, findings)
    if request.caller.kind is CallerKind.ACCOUNT and request.caller.account is not None:
        identity = _Findings(allowed_by=(MatchedStatement(policy="account root user", sid=None),))
    granted = _granted(request, identity=identity, resource=resource, resource_type=resource_type)
    if not granted.allowed or _unlimited(request, resource):
        return granted
    for policy_type, findings in limits:
        if not findings.allowed_by:
            return _implicit_deny(policy_type, request)
    return granted


def _granted(
    request: AuthorizationRequest, *, identity: _Findings, resource: _Findings, resource_type: PolicyType
) -> Decision:
    """The decision of identity-based and resource-based policies, before boundary and session policy."""
    by_resource = resource.grade > PrincipalMatch.ACCOUNT
    if request.caller.kind in (CallerKind.SERVICE, CallerKind.ANONYMOUS):
        return _allow(resource_type, resource) if by_resource else _implicit_deny(resource_type, request)
    if _is_cross_account(request):
        if not identity.allowed_by:
            return _implicit_deny(PolicyType.IDENTITY, request)
        return _allow(resource_type, resource) if resource.allowed_by else _implicit_deny(resource_type, request)
    if by_resource:
        return _allow(resource_type, resource)
    if _resource_policy_must_allow(request) and not resource.allowed_by:
        return _implicit_deny(resource_type, request)
    if not identity.allowed_by:
        return _implicit_deny(PolicyType.IDENTITY, request)
    return _allow(PolicyType.IDENTITY, identity)


def _unlimited(request: AuthorizationRequest, resource: _Findings) -> bool:
    """A resource-based policy of the same account that names the session, user or service itself is not limited."""
    return resource.grade is PrincipalMatch.EXACT and not _is_cross_account(request)


def _is_cross_account(request: AuthorizationRequest) -> bool:
    owner, account = request.resource_account, request.caller.account
    return owner is not None and account is not None and owner != account


def _resource_policy_must_allow(request: AuthorizationRequest) -> bool:
    """Key policies and role trust policies: without their Allow, identity-based policies have no effect."""
    service = request.action.partition(":")[0].lower()
    if service == "kms":
        return ":key/" in request.resource
    return service == "sts" and request.action.lower().startswith("sts:assumerole") and ":role/" in request.resource


def _find(policies: Iterable[PolicyDocument], request: AuthorizationRequest) -> _Findings:
    denied: list[MatchedStatement] = []
    allowed: list[MatchedStatement] = []
    grade = PrincipalMatch.NONE
    for policy in policies:
        for statement in policy.statements:
            match = _applies(statement, policy, request)
            if match is PrincipalMatch.NONE:
                continue
            matched = MatchedStatement(policy=policy.name, sid=statement.sid)
            if statement.effect is Effect.DENY:
                denied.append(matched)
                continue
            allowed.append(matched)
            grade = max(grade, match)
    return _Findings(tuple(denied), tuple(allowed), grade)


def _applies(statement: Statement, policy: PolicyDocument, request: AuthorizationRequest) -> PrincipalMatch:
    """How closely an applying statement names the caller; NONE when it does not apply."""
    if not _covers_action(statement.actions, request.action):
        return PrincipalMatch.NONE
    if statement.resources is not None and not covers_resource(
        statement.resources, request.resource, context=request.context, variables=policy.variables
    ):
        return PrincipalMatch.NONE
    if not conditions_hold(statement.conditions, request.context, variables=policy.variables):
        return PrincipalMatch.NONE
    if statement.principals is None:  # identity-based: whoever the policy is attached to is meant
        return PrincipalMatch.EXACT
    return match_principal(statement.principals, request.caller)


def _covers_action(actions: Patterns, action: str) -> bool:
    return any(matches_action(pattern, action) for pattern in actions.values) != actions.negated


def covers_resource(resources: Patterns, resource: str, *, context: RequestContext, variables: bool) -> bool:
    """Whether a Resource or NotResource element covers a resource; an unknown variable matches nothing."""
    expanded = (expand(pattern, context=context, variables=variables) for pattern in resources.values)
    return any(tokens is not None and matches_resource(tokens, resource) for tokens in expanded) != resources.negated


def _resource_policy_type(policies: Sequence[PolicyDocument]) -> PolicyType:
    is_trust = any(policy.kind is PolicyKind.TRUST for policy in policies)
    return PolicyType.TRUST if is_trust else PolicyType.RESOURCE


def _allow(policy_type: PolicyType, findings: _Findings) -> Decision:
    return Decision(True, f"because {_article(policy_type)} allows it", policy_type, findings.allowed_by)


def _explicit_deny(policy_type: PolicyType, findings: _Findings) -> Decision:
    article = "the role trust policy" if policy_type is PolicyType.TRUST else _article(policy_type)
    return Decision(False, f"with an explicit deny in {article}", policy_type, findings.denied_by)


def _implicit_deny(policy_type: PolicyType, request: AuthorizationRequest) -> Decision:
    return Decision(False, f"because no {policy_type.value} allows the {request.action} action", policy_type)


def _article(policy_type: PolicyType) -> str:
    return f"{'an' if policy_type is PolicyType.IDENTITY else 'a'} {policy_type.value}"
