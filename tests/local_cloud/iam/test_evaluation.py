"""The order in which policies decide: deny, resource policy, identity policy, boundary, session policy."""

import pytest

from local_cloud.iam.evaluation import MatchedStatement, PolicyType, decide
from local_cloud.iam.policy import PolicyDocument
from local_cloud.iam.principals import Caller

from .policies import (
    ACCOUNT,
    KEY_ARN,
    OBJECT_ARN,
    OTHER_ACCOUNT,
    ROLE_ARN,
    SESSION_ARN,
    identity,
    request,
    resource,
    statement,
)

ALLOW = identity(statement("s3:GetObject", Sid="Read"))
DENY = identity(statement("s3:*", effect="Deny", Sid="NoS3"))
UNRELATED = identity(statement("sqs:*"))
ROOT_ARN = f"arn:aws:iam::{ACCOUNT}:root"
NAMES_ROLE = resource(statement("s3:GetObject", Principal={"AWS": ROLE_ARN}))
NAMES_SESSION = resource(statement("s3:GetObject", Principal={"AWS": SESSION_ARN}))
NAMES_ACCOUNT = resource(statement("s3:GetObject", Principal={"AWS": ROOT_ARN}))
NAMES_ANYONE = resource(statement("s3:GetObject", Principal="*"))


def test_nothing_is_allowed_by_default() -> None:
    """Without an Allow the request is refused, in AWS's words."""
    decision = decide(request())
    assert not decision.allowed
    assert decision.reason == "because no identity-based policy allows the s3:GetObject action"


def test_identity_policy_allows() -> None:
    """An Allow that covers action and resource grants, and is reported with its Sid."""
    decision = decide(request(), identity_policies=[UNRELATED, ALLOW])
    assert decision.allowed
    assert decision.statements == (MatchedStatement("identity", "Read"),)
    assert not decide(request("s3:PutObject"), identity_policies=[ALLOW]).allowed


def test_deny_wins_over_every_allow() -> None:
    """An explicit deny in any policy type refuses, whatever the others allow."""
    denying_resource = resource(statement("s3:*", effect="Deny", Principal="*"))
    by_identity = decide(request(), identity_policies=[ALLOW, DENY], resource_policies=[NAMES_SESSION])
    assert by_identity.reason == "with an explicit deny in an identity-based policy"
    assert by_identity.statements == (MatchedStatement("identity", "NoS3"),)
    by_resource = decide(request(), identity_policies=[ALLOW], resource_policies=[NAMES_SESSION, denying_resource])
    assert by_resource.reason == "with an explicit deny in a resource-based policy"
    by_boundary = decide(request(), identity_policies=[ALLOW], resource_policies=[NAMES_SESSION], boundary=DENY)
    assert by_boundary.reason == "with an explicit deny in a permissions boundary"
    by_session = decide(
        request(), identity_policies=[ALLOW], resource_policies=[NAMES_SESSION], session_policies=[DENY]
    )
    assert by_session.reason == "with an explicit deny in a session policy"


def test_boundary_limits_and_does_not_grant() -> None:
    """A boundary must allow too, and allows nothing by itself."""
    refused = decide(request(), identity_policies=[ALLOW], boundary=UNRELATED)
    assert refused.reason == "because no permissions boundary allows the s3:GetObject action"
    assert not decide(request(), boundary=ALLOW).allowed
    assert decide(request(), identity_policies=[ALLOW], boundary=ALLOW).allowed


def test_session_policies_limit() -> None:
    """A session gets no more than its session policies, and an empty list of them allows nothing."""
    refused = decide(request(), identity_policies=[ALLOW], session_policies=[UNRELATED])
    assert refused.reason == "because no session policy allows the s3:GetObject action"
    assert not decide(request(), identity_policies=[ALLOW], session_policies=[]).allowed
    assert decide(request(), identity_policies=[ALLOW], session_policies=[ALLOW]).allowed


@pytest.mark.parametrize("policy", [NAMES_ROLE, NAMES_SESSION, NAMES_ANYONE])
def test_resource_policy_grants_in_the_same_account(policy: PolicyDocument) -> None:
    """In one account a resource policy that names the caller needs no identity policy."""
    decision = decide(request(), resource_policies=[policy])
    assert decision.allowed
    assert decision.policy_type is PolicyType.RESOURCE


def test_resource_policy_that_names_the_account_only_delegates() -> None:
    """The account's root in a bucket policy grants nothing without an identity policy."""
    assert not decide(request(), resource_policies=[NAMES_ACCOUNT]).allowed
    assert decide(request(), resource_policies=[NAMES_ACCOUNT], identity_policies=[ALLOW]).allowed


def test_only_a_grant_to_the_session_escapes_the_boundary() -> None:
    """A grant to the role or to everyone is limited by boundary and session policy; one to the session is not."""
    for limited in (NAMES_ROLE, NAMES_ANYONE):
        assert not decide(request(), resource_policies=[limited], boundary=UNRELATED).allowed
        assert not decide(request(), resource_policies=[limited], session_policies=[UNRELATED]).allowed
    assert decide(request(), resource_policies=[NAMES_SESSION], boundary=UNRELATED).allowed
    assert decide(request(), resource_policies=[NAMES_SESSION], session_policies=[UNRELATED]).allowed


def test_cross_account_needs_both_sides() -> None:
    """A resource of another account needs the caller's identity policy and the owner's resource policy."""
    abroad = request(resource_account=OTHER_ACCOUNT)
    assert not decide(abroad, identity_policies=[ALLOW]).allowed
    assert not decide(abroad, resource_policies=[NAMES_SESSION]).allowed
    for policy in (NAMES_SESSION, NAMES_ROLE, NAMES_ACCOUNT, NAMES_ANYONE):
        assert decide(abroad, identity_policies=[ALLOW], resource_policies=[policy]).allowed
        limited = decide(abroad, identity_policies=[ALLOW], resource_policies=[policy], boundary=UNRELATED)
        assert limited.policy_type is PolicyType.BOUNDARY


def test_key_policy_must_allow() -> None:
    """A KMS key is closed to identity policies until its key policy delegates to the account or names the caller."""
    decrypt = request("kms:Decrypt", KEY_ARN)
    may_decrypt = identity(statement("kms:Decrypt", KEY_ARN))
    delegates = resource(statement("kms:*", Principal={"AWS": ROOT_ARN}))
    names_role = resource(statement("kms:Decrypt", Principal={"AWS": ROLE_ARN}))
    refused = decide(decrypt, identity_policies=[may_decrypt])
    assert refused.reason == "because no resource-based policy allows the kms:Decrypt action"
    unlisted = decide(decrypt, resource_policies=[delegates])
    assert unlisted.reason == "because no identity-based policy allows the kms:Decrypt action"
    assert decide(decrypt, identity_policies=[may_decrypt], resource_policies=[delegates]).allowed
    assert decide(decrypt, resource_policies=[names_role]).allowed
    create_key = identity(statement("kms:CreateKey"))
    assert decide(request("kms:CreateKey", "*"), identity_policies=[create_key]).allowed


def test_root_user_is_limited_only_by_resource_policies() -> None:
    """The account's root user needs no identity policy, but a bucket policy can deny it."""
    root = request(caller=Caller.root(ACCOUNT))
    assert decide(root).allowed
    assert not decide(root, resource_policies=[resource(statement("s3:*", effect="Deny", Principal="*"))]).allowed
    assert not decide(request("kms:Decrypt", KEY_ARN, caller=Caller.root(ACCOUNT))).allowed


def test_services_and_anonymous_callers_have_only_resource_policies() -> None:
    """A service needs a policy that names it; an anonymous caller one that names everyone."""
    service = request(caller=Caller.service("events.amazonaws.com"))
    names_service = resource(statement("s3:GetObject", Principal={"Service": "events.amazonaws.com"}))
    assert decide(service, resource_policies=[names_service]).allowed
    assert not decide(service, resource_policies=[NAMES_ACCOUNT]).allowed
    assert not decide(service, identity_policies=[ALLOW]).allowed
    anonymous = request(caller=Caller.anonymous())
    assert decide(anonymous, resource_policies=[NAMES_ANYONE]).allowed
    assert not decide(anonymous, resource_policies=[names_service]).allowed


def test_not_action_and_not_resource() -> None:
    """The Not forms cover everything except what they list."""
    not_iam = identity({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})
    assert decide(request(), identity_policies=[not_iam]).allowed
    assert not decide(request("iam:GetRole"), identity_policies=[not_iam]).allowed
    not_object = identity(statement("s3:*", None, NotResource=OBJECT_ARN))
    assert not decide(request(), identity_policies=[not_object]).allowed
    assert decide(request(on=f"{OBJECT_ARN}.bak"), identity_policies=[not_object]).allowed


def test_not_principal_spares_only_a_fully_listed_caller() -> None:
    """NotPrincipal spares a role session only when account, role and session are all listed, as AWS advises."""

    def denies_all_but(*spared: str) -> PolicyDocument:
        return resource(statement("s3:*", effect="Deny", NotPrincipal={"AWS": list(spared)}))

    incomplete = (denies_all_but(ROLE_ARN), denies_all_but(ROLE_ARN, SESSION_ARN), denies_all_but(ROOT_ARN))
    for policy in incomplete:
        assert not decide(request(), identity_policies=[ALLOW], resource_policies=[policy]).allowed
    complete = denies_all_but(ROLE_ARN, SESSION_ARN, ROOT_ARN)
    assert decide(request(), identity_policies=[ALLOW], resource_policies=[complete]).allowed


def test_enforced_tls_does_not_refuse_secure_requests() -> None:
    """The Deny that CDK's enforce_ssl writes refuses only requests whose aws:SecureTransport is false."""
    enforce = resource(
        statement("s3:*", effect="Deny", Principal={"AWS": "*"}, Condition={"Bool": {"aws:SecureTransport": "false"}})
    )
    secure = request(context={"aws:SecureTransport": True})
    assert decide(secure, identity_policies=[ALLOW], resource_policies=[enforce]).allowed
    plain = request(context={"aws:SecureTransport": False})
    assert not decide(plain, identity_policies=[ALLOW], resource_policies=[enforce]).allowed


def test_variables_in_resources() -> None:
    """A variable in a Resource takes the request's value, and grants nothing when the request has none."""
    own_folder = identity(statement("s3:GetObject", "arn:aws:s3:::lake/${aws:PrincipalTag/team}/*"))
    mine = request(on="arn:aws:s3:::lake/ml/a", context={"aws:PrincipalTag/team": "ml"})
    assert decide(mine, identity_policies=[own_folder]).allowed
    wildcard = request(on="arn:aws:s3:::lake/ml/a", context={"aws:PrincipalTag/team": "*"})
    assert not decide(wildcard, identity_policies=[own_folder]).allowed
    assert not decide(request(on="arn:aws:s3:::lake/ml/a"), identity_policies=[own_folder]).allowed


def test_cross_account_callers_of_another_account_are_not_its_root() -> None:
    """A policy that names another account's root says nothing about this account's role."""
    stranger = resource(statement("s3:GetObject", Principal={"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:root"}))
    abroad = request(resource_account=OTHER_ACCOUNT)
    assert not decide(abroad, identity_policies=[ALLOW], resource_policies=[stranger]).allowed
    guest = Caller.role_session(f"arn:aws:iam::{OTHER_ACCOUNT}:role/guest", session_name="s")
    visit = request(caller=guest, resource_account=ACCOUNT)
    assert decide(visit, identity_policies=[ALLOW], resource_policies=[stranger]).allowed
