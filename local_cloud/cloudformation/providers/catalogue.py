"""Every provider, by resource type: one line for each service."""

from local_cloud.cloudformation.custom_resources import CallbackDesk
from local_cloud.cloudformation.providers import (
    applicationautoscaling,
    athena,
    cloudformation,
    cloudwatch,
    codepipeline,
    dynamodb,
    ecr,
    endpoints,
    events,
    functions,
    glue,
    iam,
    kms,
    logs,
    monitoring,
    s3,
    sagemaker,
    scheduler,
    sns,
    sqs,
    ssm,
    stepfunctions,
)
from local_cloud.cloudformation.providers.registry import ProviderRegistry

_SERVICES = (
    applicationautoscaling,
    athena,
    cloudwatch,
    codepipeline,
    dynamodb,
    ecr,
    endpoints,
    events,
    functions,
    glue,
    iam,
    kms,
    logs,
    monitoring,
    s3,
    sagemaker,
    scheduler,
    sns,
    sqs,
    ssm,
    stepfunctions,
)


def default_providers(desk: CallbackDesk | None = None) -> ProviderRegistry:
    """All supported resource types; `desk` is where custom resources answer (none is needed to list the types)."""
    providers = dict(cloudformation.providers(desk or CallbackDesk("")))
    for service in _SERVICES:
        providers.update(service.PROVIDERS)
    return ProviderRegistry(providers)
