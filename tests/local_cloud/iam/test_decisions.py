"""The decision log, unused grants and the wording of refusals."""

from concurrent.futures import ThreadPoolExecutor

from local_cloud.iam.decisions import DecisionLog, UnusedGrant, unused_grants
from local_cloud.iam.errors import AccessDeniedError, IamError, access_denied_message, error_code
from local_cloud.iam.evaluation import decide

from .policies import CALLER, OBJECT_ARN, ROLE_ARN, SESSION_ARN, identity, request, statement

POLICY = identity(
    statement(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::lake/*", Sid="Lake"),
    statement("sqs:*", "*", Sid="Queues"),
    statement("s3:DeleteObject", effect="Deny"),
)


def logged(log: DecisionLog, action: str, on: str = OBJECT_ARN) -> None:
    question = request(action, on)
    log.record(question, decide(question, identity_policies=[POLICY]))


def test_log_keeps_role_action_resource_and_reason() -> None:
    """Every decision is kept with what is needed to explain it, and can be filtered."""
    log = DecisionLog()
    logged(log, "s3:GetObject")
    logged(log, "s3:ListBucket")
    first, second = log.entries(role=ROLE_ARN)
    assert (first.role, first.action, first.resource, first.allowed) == (ROLE_ARN, "s3:GetObject", OBJECT_ARN, True)
    assert log.entries(allowed=False) == (second,)
    assert second.reason == "because no identity-based policy allows the s3:ListBucket action"
    assert log.entries(role="arn:aws:iam::123456789012:role/other") == ()
    log.clear()
    assert log.entries() == ()


def test_log_is_bounded_and_counts_what_it_forgets() -> None:
    """A full log drops the oldest decision and says that it did."""
    log = DecisionLog(capacity=2)
    for action in ("s3:GetObject", "s3:PutObject", "s3:ListBucket"):
        logged(log, action)
    assert [entry.action for entry in log.entries()] == ["s3:PutObject", "s3:ListBucket"]
    assert log.dropped == 1


def test_log_loses_nothing_between_threads() -> None:
    """Decisions recorded at the same time are all kept."""
    log = DecisionLog()
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda number: logged(log, "s3:GetObject", f"{OBJECT_ARN}{number}"), range(200)))
    assert len({entry.resource for entry in log.entries()}) == 200


def test_unused_grants() -> None:
    """A grant is unused until an allowed request of its role needs it on one of its resources."""
    log = DecisionLog()
    logged(log, "s3:GetObject")
    refused = request("s3:PutObject", OBJECT_ARN)
    log.record(refused, decide(refused))
    elsewhere = request("s3:PutObject", "arn:aws:s3:::elsewhere/x")
    log.record(elsewhere, decide(elsewhere, identity_policies=[identity(statement("s3:*"))]))
    grants = unused_grants({ROLE_ARN: [POLICY]}, log.entries())
    assert grants == (
        UnusedGrant(ROLE_ARN, "identity", "Lake", "s3:PutObject", ("arn:aws:s3:::lake/*",)),
        UnusedGrant(ROLE_ARN, "identity", "Queues", "sqs:*", ("*",)),
    )


def test_grants_of_other_roles_are_not_used_by_this_one() -> None:
    """A request of one role uses no grant of another role."""
    log = DecisionLog()
    logged(log, "s3:GetObject")
    other = f"{ROLE_ARN}-2"
    assert len(unused_grants({other: [POLICY]}, log.entries())) == 3


def test_not_action_grant_is_used_by_anything_it_covers() -> None:
    """A NotAction grant is unused until an action outside its list is allowed."""
    everything_but = identity({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"})
    log = DecisionLog()
    (unused,) = unused_grants({ROLE_ARN: [everything_but]}, log.entries())
    assert unused.action == "NotAction: iam:*"
    logged(log, "s3:GetObject")
    assert unused_grants({ROLE_ARN: [everything_but]}, log.entries()) == ()


def test_refusal_is_worded_as_aws_words_it() -> None:
    """The message names the session, the action, the resource and the policy type that refused."""
    decision = decide(request("s3:PutObject"))
    message = access_denied_message(
        caller_arn=CALLER.arn, action="s3:PutObject", resource=OBJECT_ARN, reason=decision.reason
    )
    assert message == (
        f"User: {SESSION_ARN} is not authorized to perform: s3:PutObject on resource: {OBJECT_ARN} "
        "because no identity-based policy allows the s3:PutObject action"
    )


def test_error_codes_are_those_of_the_protocols() -> None:
    """JSON services answer AccessDeniedException, S3 AccessDenied, EC2 UnauthorizedOperation."""
    assert error_code("sagemaker") == "AccessDeniedException"
    assert error_code("s3") == "AccessDenied"
    assert error_code("ec2") == "UnauthorizedOperation"
    error = AccessDeniedError("no", code=error_code("s3"))
    assert isinstance(error, IamError)
    assert error.code == "AccessDenied"
