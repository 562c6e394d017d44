"""May a service deliver to a target as itself: the target's resource-based policy, evaluated.

EventBridge, S3, SNS and CloudWatch call Lambda functions, queues and topics under their own service principal, so
only the target's policy decides. Targets that are called under a role (Step Functions, CodePipeline, SageMaker
pipelines, event buses of other accounts) are decided with the role's identity-based policies instead.
The module delivers nothing.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
"""

from collections.abc import Sequence

from local_cloud.iam.errors import IamError
from local_cloud.iam.evaluation import AuthorizationRequest, Decision, decide
from local_cloud.iam.policy import PolicyDocument
from local_cloud.iam.principals import Caller
from local_cloud.iam.request_keys import service_context

DELIVERY_ACTIONS = {
    "lambda": "lambda:InvokeFunction",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "events": "events:PutEvents",
    "logs": "logs:PutLogEvents",
}


def may_deliver(
    service: str,
    *,
    source_arn: str,
    target_arn: str,
    target_policies: Sequence[PolicyDocument],
    source_account: str | None = None,
) -> Decision:
    """Decide whether `service` may deliver from `source_arn` (a rule, a bucket, a topic, an alarm) to `target_arn`.

    `source_account` defaults to the account in `source_arn`; give it for bucket ARNs, which have none.
    Raises IamError for a target that no service calls under its own principal.
    """
    request = AuthorizationRequest(
        caller=Caller.service(service),
        action=_delivery_action(target_arn),
        resource=target_arn,
        context=service_context(service, source_arn=source_arn, source_account=source_account),
    )
    return decide(request, resource_policies=target_policies)


def _delivery_action(target_arn: str) -> str:
    target_service = target_arn.split(":")[2] if target_arn.count(":") >= 5 else ""
    if target_service not in DELIVERY_ACTIONS:
        supported = ", ".join(sorted(DELIVERY_ACTIONS))
        raise IamError(
            f"No service delivers to {target_arn!r} under its own principal (only to {supported}). "
            "Decide the target's role with evaluation.decide instead."
        )
    return DELIVERY_ACTIONS[target_service]
