"""The hand-made tables against the Service Authorization Reference that cfn-lint bundles.

For every API operation of every covered service a request is made up from botocore's model, and the actions and
resources that the tables give for it are compared with the reference.
"""

import importlib.util
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from local_cloud.iam.actions import COVERED_SERVICES, required_permissions
from local_cloud.iam.api_call import ApiCall, Permission

REGION, ACCOUNT = "us-east-1", "123456789012"
SAMPLE_ARN = f"arn:aws:sample:{REGION}:{ACCOUNT}:sample"

# botocore's services by SigV4 signing name, where they are not the same.
CLIENTS = {
    "monitoring": ("cloudwatch",),
    "sagemaker": ("sagemaker", "sagemaker-runtime", "sagemaker-featurestore-runtime", "sagemaker-metrics"),
    "states": ("stepfunctions",),
}

SAMPLES = {
    "AliasName": "alias/sample",
    "ModelPackageArnList": SAMPLE_ARN,
    "Path": "/sample/",
    "QueueOwnerAWSAccountId": ACCOUNT,
    "ResourceType": "Parameter",
}

# The reference gives these no resource, but AWS's own error messages name one, and policies narrow them by it.
NARROWER_THAN_REFERENCE = {"logs:DescribeLogGroups"}

# Newer in botocore than in the reference, or authorized under another prefix (S3 Express, S3 Object Lambda).
NOT_IN_REFERENCE = {
    "athena:CreateSystemTableConfiguration",
    "athena:DeleteSystemTableConfiguration",
    "athena:GetSystemTableConfiguration",
    "athena:ListSystemTableStatuses",
    "athena:UpdateSystemTableConfiguration",
    "cloudformation:SetAlias",
    "cloudwatch:DescribeAlarmContributors",
    "dynamodb:StartBulkPutItems",
    "ecr:ListImageReferrers",
    "kms:Decapsulate",
    "kms:Encapsulate",
    "s3:CreateSession",
    "s3:RenameObject",
    "s3:WriteGetObjectResponse",
    "sagemaker:UpdateRecord",
}

# What the product calls: none of these may fall back to "*".
PRODUCT_OPERATIONS = {
    "application-autoscaling": "RegisterScalableTarget PutScalingPolicy DeregisterScalableTarget",
    "athena": "StartQueryExecution GetQueryResults GetWorkGroup",
    "cloudformation": "CreateChangeSet ExecuteChangeSet DescribeStacks DescribeStackEvents DeleteStack GetTemplate",
    "codebuild": "StartBuild BatchGetBuilds BatchGetProjects",
    "codepipeline": "StartPipelineExecution GetPipelineState GetPipelineExecution PutApprovalResult CreatePipeline",
    "dynamodb": "GetItem PutItem UpdateItem DeleteItem Query Scan BatchWriteItem TransactWriteItems DescribeTable",
    "ecr": "DescribeRepositories BatchGetImage PutImage DescribeImages",
    "events": "PutEvents PutRule PutTargets DescribeRule ListTargetsByRule",
    "glue": "GetTable GetDatabase GetTables CreateTable UpdateTable BatchCreatePartition GetPartitions StartCrawler",
    "iam": "CreateRole PutRolePolicy AttachRolePolicy GetRole DeleteRole CreatePolicy",
    "kms": "Encrypt Decrypt GenerateDataKey DescribeKey ReEncrypt CreateAlias",
    "lambda": "Invoke CreateFunction UpdateFunctionCode GetFunction AddPermission PublishVersion UpdateAlias",
    "logs": "CreateLogGroup CreateLogStream PutLogEvents GetLogEvents FilterLogEvents DescribeLogStreams",
    "monitoring": "PutMetricAlarm DescribeAlarms SetAlarmState DeleteAlarms PutDashboard GetDashboard",
    "s3": "GetObject PutObject DeleteObject HeadObject CopyObject ListObjectsV2 ListObjectVersions HeadBucket"
    " CreateMultipartUpload UploadPart CompleteMultipartUpload AbortMultipartUpload GetObjectTagging PutBucketPolicy"
    " GetBucketVersioning PutBucketLifecycleConfiguration PutBucketEncryption PutPublicAccessBlock DeleteObjects",
    "sagemaker": "StartPipelineExecution DescribePipelineExecution ListPipelineExecutionSteps CreatePipeline"
    " UpdatePipeline CreateModelPackageGroup CreateModelPackage UpdateModelPackage DescribeModelPackage"
    " ListModelPackages CreateModel CreateEndpointConfig CreateEndpoint UpdateEndpoint DescribeEndpoint"
    " InvokeEndpoint CreateTrainingJob CreateProcessingJob DescribeProcessingJob CreateTransformJob AddTags ListTags"
    " CreateMonitoringSchedule CreateDataQualityJobDefinition PutRecord GetRecord UpdateEndpointWeightsAndCapacities",
    "scheduler": "CreateSchedule UpdateSchedule DeleteSchedule GetSchedule CreateScheduleGroup",
    "sns": "Publish Subscribe CreateTopic SetTopicAttributes PublishBatch",
    "sqs": "SendMessage SendMessageBatch ReceiveMessage DeleteMessage GetQueueAttributes GetQueueUrl",
    "ssm": "GetParameter GetParameters GetParametersByPath PutParameter DeleteParameter AddTagsToResource",
    "states": "StartExecution DescribeExecution StopExecution CreateStateMachine",
    "sts": "AssumeRole",
}


@cache
def reference() -> dict[str, Any]:
    """The bundled reference, read as data: cfn-lint itself is not imported."""
    spec = importlib.util.find_spec("cfnlint")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    path = Path(spec.submodule_search_locations[0]) / "data" / "AdditionalSpecs" / "Policies.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def sample(shape: Any, name: str, depth: int = 0) -> Any:
    """A value for a parameter of botocore's model, three structures deep."""
    if shape.type_name == "structure":
        members = shape.members.items() if depth <= 3 else ()
        return {member: sample(child, member, depth + 1) for member, child in members}
    if shape.type_name == "list":
        return [sample(shape.member, name, depth + 1)]
    if shape.type_name == "map":
        return {"sample": sample(shape.value, name, depth + 1)}
    if shape.type_name == "string":
        is_arn = re.search(r"(?i)arns?$|^resource$", name)
        return SAMPLES.get(name, SAMPLE_ARN if is_arn else "sample")
    return {"boolean": False, "integer": 1, "long": 1}.get(shape.type_name)


@cache
def calls(service: str) -> tuple[ApiCall, ...]:
    """One made-up call of every operation of a service."""
    session = botocore.session.get_session()
    models = [session.get_service_model(client) for client in CLIENTS.get(service, (service,))]
    shapes = [(name, model.operation_model(name).input_shape) for model in models for name in model.operation_names]
    return tuple(ApiCall(service, name, sample(shape, "") if shape else {}, REGION, ACCOUNT) for name, shape in shapes)


def arn_patterns(permission: Permission) -> list[str] | None:
    """Regular expressions of the ARNs that an action accepts, or None when the reference lacks the action."""
    prefix, _, action = permission.action.partition(":")
    service = reference()[prefix]
    entry = service["Actions"].get(action.lower())
    if entry is None:
        return None
    resource_types = [service["Resources"].get(name.lower(), {}) for name in entry.get("Resources", [])]
    formats = [pattern for resource_type in resource_types for pattern in resource_type.get("ARNFormats", [])]
    return [
        pattern.replace("${Partition}", "aws").replace("${Region}", REGION).replace("${Account}", f"(?:{ACCOUNT})?")
        for pattern in formats
    ]


def mismatches(service: str) -> Iterator[str]:
    """Permissions with a resource that the reference does not know for their action."""
    for call in calls(service):
        for permission in required_permissions(call):
            if permission.resource == "*" or permission.resource.startswith("arn:aws:sample:"):
                continue
            patterns = arn_patterns(permission)
            if patterns is None:
                if permission.action not in NOT_IN_REFERENCE:
                    yield f"{permission.action}: no such action"
            elif permission.action not in NARROWER_THAN_REFERENCE and not any(
                re.fullmatch(pattern, permission.resource) for pattern in patterns
            ):
                yield f"{permission.action} on {permission.resource}: the action takes {patterns or 'no resource'}"


@pytest.mark.parametrize("service", sorted(COVERED_SERVICES))
def test_resources_are_of_a_type_that_the_action_accepts(service: str) -> None:
    """Every resource that the tables give is one that AWS documents for the action."""
    assert list(mismatches(service)) == []


@pytest.mark.parametrize("service", sorted(PRODUCT_OPERATIONS))
def test_operations_of_the_product_are_checked_against_their_resource(service: str) -> None:
    """What the product calls is decided on a resource and an action of the reference, never on "*"."""
    by_operation = {call.operation: required_permissions(call) for call in calls(service)}
    for operation in PRODUCT_OPERATIONS[service].split():
        assert by_operation[operation], operation
        for permission in by_operation[operation]:
            assert permission.resource != "*", permission
            assert arn_patterns(permission) is not None, permission


def test_every_covered_service_is_exercised() -> None:
    """The list of what the product calls names no service that the tables do not cover."""
    assert set(PRODUCT_OPERATIONS) <= COVERED_SERVICES
