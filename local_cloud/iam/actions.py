"""Which permissions an API call needs: IAM actions with the resources that they are checked against.

Covered services (SigV4 signing names): application-autoscaling, athena, cloudformation, codebuild, codeconnections,
codepipeline, dynamodb, ecr, events, glue, iam, kms, lambda, logs, monitoring, s3, sagemaker, scheduler, sns, sqs,
ssm, states, sts. Any other operation (of an uncovered service, or one that the tables do not list) is checked as
`<service>:<Operation>` against "*", so a policy with a narrower Resource refuses it: the error is on the safe side.

Permissions that depend on stored state are not listed, because the caller knows that state and this module does not:
kms:GenerateDataKey and kms:Decrypt for encrypted objects and queues, and the tag permissions of CopyObject
(`service_actions.s3.copy_tag_permissions`).

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from local_cloud.iam.api_call import ApiCall, Permission
from local_cloud.iam.passed_roles import passed_roles
from local_cloud.iam.service_actions import compute, messaging, named, s3, sagemaker, storage
from local_cloud.iam.service_actions.named_services import NAMED_SERVICES

# IAM prefixes that differ from the signing name.
_PREFIXES: Mapping[str, str] = MappingProxyType(
    {"cloudcontrolapi": "cloudformation", "monitoring": "cloudwatch", "tagging": "tag"}
)

_SERVICES: Mapping[str, Callable[[ApiCall], tuple[Permission, ...]]] = MappingProxyType(
    {
        "dynamodb": storage.dynamodb_required,
        "events": messaging.events_required,
        "glue": storage.glue_required,
        "kms": storage.kms_required,
        "lambda": compute.lambda_required,
        "logs": compute.logs_required,
        "monitoring": compute.cloudwatch_required,
        "s3": s3.required,
        "sagemaker": sagemaker.required,
        "sns": messaging.sns_required,
        "sqs": messaging.sqs_required,
        "ssm": messaging.ssm_required,
    }
)

COVERED_SERVICES = frozenset(_SERVICES) | frozenset(NAMED_SERVICES)

# Any caller with valid credentials may call these, whatever the policies say.
_ALWAYS_ALLOWED = frozenset({("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")})


def required_permissions(call: ApiCall) -> tuple[Permission, ...]:
    """Every permission that a call needs: the action itself first, then iam:PassRole for roles it hands over.

    All of them must be allowed. An empty tuple means that no policy can refuse the call.
    """
    if (call.service, call.operation) in _ALWAYS_ALLOWED:
        return ()
    return (*_own_permissions(call), *passed_roles(call))


def _own_permissions(call: ApiCall) -> tuple[Permission, ...]:
    if call.service in _SERVICES:
        return _SERVICES[call.service](call)
    if call.service in NAMED_SERVICES:
        return named.required(call, NAMED_SERVICES[call.service])
    prefix = _PREFIXES.get(call.service, call.service)
    return (Permission(f"{prefix}:{call.operation}", "*"),)
