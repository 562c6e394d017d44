"""Who may assume a role, and which service may deliver to which target."""

import pytest

from local_cloud.iam.context import EMPTY_CONTEXT
from local_cloud.iam.errors import IamError
from local_cloud.iam.evaluation import PolicyType
from local_cloud.iam.invocation import may_deliver
from local_cloud.iam.policy import PolicyDocument
from local_cloud.iam.principals import Caller
from local_cloud.iam.request_keys import service_context
from local_cloud.iam.trust import may_assume_role, may_service_assume_role

from .policies import ACCOUNT, CALLER, OTHER_ACCOUNT, REGION, ROLE_ARN, identity, resource, statement, trust

TARGET_ROLE = f"arn:aws:iam::{ACCOUNT}:role/deployer"
RULE_ARN = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/new-data"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:start-training"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dlq"
LAMBDA_TRUST = trust(statement("sts:AssumeRole", None, Principal={"Service": "lambda.amazonaws.com"}))
ACCOUNT_TRUST = trust(statement("sts:AssumeRole", None, Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))
ROLE_TRUST = trust(statement("sts:AssumeRole", None, Principal={"AWS": ROLE_ARN}))
MAY_ASSUME = identity(statement("sts:AssumeRole", TARGET_ROLE))


def test_a_service_needs_to_be_trusted() -> None:
    """Only the service that the trust policy names may run under the role."""
    trusted = may_service_assume_role(
        "lambda.amazonaws.com", role_arn=TARGET_ROLE, trust_policy=LAMBDA_TRUST, context=EMPTY_CONTEXT
    )
    assert trusted.allowed
    other = may_service_assume_role(
        "sagemaker.amazonaws.com", role_arn=TARGET_ROLE, trust_policy=LAMBDA_TRUST, context=EMPTY_CONTEXT
    )
    assert not other.allowed
    assert other.reason == "because no role trust policy allows the sts:AssumeRole action"


def test_trust_for_one_source_only() -> None:
    """A trust policy with aws:SourceArn lets the service act for that resource only."""
    guarded = trust(
        statement(
            "sts:AssumeRole",
            None,
            Principal={"Service": "scheduler.amazonaws.com"},
            Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:scheduler:*:{ACCOUNT}:schedule-group/default"}},
        )
    )
    for account, expected in ((ACCOUNT, True), (OTHER_ACCOUNT, False)):
        group = f"arn:aws:scheduler:{REGION}:{account}:schedule-group/default"
        context = service_context("scheduler.amazonaws.com", source_arn=group)
        decision = may_service_assume_role(
            "scheduler.amazonaws.com", role_arn=TARGET_ROLE, trust_policy=guarded, context=context
        )
        assert decision.allowed is expected


def test_a_role_assumes_a_role() -> None:
    """Trust in the role is enough in one account; trust in the account needs the caller's own permission too."""

    def decide(policy: PolicyDocument, *identity_policies: PolicyDocument, caller: Caller = CALLER) -> bool:
        return may_assume_role(
            role_arn=TARGET_ROLE,
            trust_policy=policy,
            caller=caller,
            context=EMPTY_CONTEXT,
            identity_policies=identity_policies,
        ).allowed

    assert decide(ROLE_TRUST)
    assert not decide(ACCOUNT_TRUST)
    assert decide(ACCOUNT_TRUST, MAY_ASSUME)
    assert not decide(LAMBDA_TRUST, MAY_ASSUME)
    guest = Caller.role_session(f"arn:aws:iam::{OTHER_ACCOUNT}:role/guest", session_name="s")
    guest_trust = trust(statement("sts:AssumeRole", None, Principal={"AWS": OTHER_ACCOUNT}))
    names_guest = trust(statement("sts:AssumeRole", None, Principal={"AWS": guest.role_arn}))
    assert not decide(guest_trust, caller=guest)
    assert not decide(names_guest, caller=guest)
    assert decide(guest_trust, MAY_ASSUME, caller=guest)


def test_events_deliver_only_for_the_rule_that_was_permitted() -> None:
    """A Lambda permission with SourceArn admits that rule and no other, and no policy admits nothing."""
    permission = resource(
        statement(
            "lambda:InvokeFunction",
            FUNCTION_ARN,
            Principal={"Service": "events.amazonaws.com"},
            Condition={"ArnLike": {"AWS:SourceArn": RULE_ARN}},
        )
    )

    def deliver(source_arn: str, *policies: PolicyDocument, service: str = "events.amazonaws.com") -> bool:
        return may_deliver(
            service,
            source_arn=source_arn,
            target_arn=FUNCTION_ARN,
            target_policies=policies,
        ).allowed

    assert deliver(RULE_ARN, permission)
    assert not deliver(f"{RULE_ARN}-2", permission)
    assert not deliver(RULE_ARN, permission, service="s3.amazonaws.com")
    assert not deliver(RULE_ARN)


def test_queue_policy_with_source_account() -> None:
    """A bucket ARN has no account, so aws:SourceAccount comes from the caller of the check."""
    policy = resource(
        statement(
            "sqs:SendMessage",
            QUEUE_ARN,
            Principal={"Service": "s3.amazonaws.com"},
            Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        )
    )

    def deliver(source_account: str | None) -> bool:
        return may_deliver(
            "s3.amazonaws.com",
            source_arn="arn:aws:s3:::lake",
            target_arn=QUEUE_ARN,
            target_policies=[policy],
            source_account=source_account,
        ).allowed

    assert deliver(ACCOUNT)
    assert not deliver(OTHER_ACCOUNT)
    assert not deliver(None)


def test_targets_that_need_a_role_are_refused_loudly() -> None:
    """A state machine is never called by a service principal, and asking is an error that says what to do."""
    with pytest.raises(IamError, match=r"evaluation\.decide"):
        may_deliver(
            "events.amazonaws.com",
            source_arn=RULE_ARN,
            target_arn=f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:m",
            target_policies=[],
        )


def test_refusals_of_trust_policies_are_reported_as_such() -> None:
    """An explicit deny in a trust policy is worded as AWS words it."""
    denying = trust(statement("sts:AssumeRole", None, effect="Deny", Principal="*"))
    decision = may_assume_role(role_arn=TARGET_ROLE, trust_policy=denying, caller=CALLER, context=EMPTY_CONTEXT)
    assert decision.policy_type is PolicyType.TRUST
    assert decision.reason == "with an explicit deny in the role trust policy"
