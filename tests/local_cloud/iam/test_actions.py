"""Which permissions an API call needs."""

from collections.abc import Mapping

import pytest

from local_cloud.iam.actions import required_permissions
from local_cloud.iam.api_call import ApiCall
from local_cloud.iam.service_actions.s3 import copy_tag_permissions

from .policies import ACCOUNT, OTHER_ACCOUNT, REGION

ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
EXECUTION = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/cars/execution/abc"


def call(service: str, operation: str, **parameters: object) -> ApiCall:
    return ApiCall(service, operation, parameters, REGION, ACCOUNT)


def needed(service: str, operation: str, **parameters: object) -> list[str]:
    """Permissions as "action resource", with the common part of ARNs left out."""
    common = f":{REGION}:{ACCOUNT}:"
    return [
        f"{need.action} {need.resource.replace(common, ':::')}"
        for need in required_permissions(call(service, operation, **parameters))
    ]


OBJECT = {"Bucket": "b", "Key": "k"}
CASES: list[tuple[str, str, Mapping[str, object], list[str]]] = [
    ("s3", "ListObjectsV2", {"Bucket": "b"}, ["s3:ListBucket arn:aws:s3:::b"]),
    ("s3", "HeadBucket", {"Bucket": "b"}, ["s3:ListBucket arn:aws:s3:::b"]),
    ("s3", "ListObjectVersions", {"Bucket": "b"}, ["s3:ListBucketVersions arn:aws:s3:::b"]),
    ("s3", "HeadObject", OBJECT, ["s3:GetObject arn:aws:s3:::b/k"]),
    ("s3", "GetObject", OBJECT | {"VersionId": "v"}, ["s3:GetObjectVersion arn:aws:s3:::b/k"]),
    ("s3", "GetObjectTagging", OBJECT | {"VersionId": "v"}, ["s3:GetObjectVersionTagging arn:aws:s3:::b/k"]),
    ("s3", "DeleteObject", OBJECT | {"VersionId": "v"}, ["s3:DeleteObjectVersion arn:aws:s3:::b/k"]),
    ("s3", "HeadObject", OBJECT | {"VersionId": "v"}, ["s3:GetObjectVersion arn:aws:s3:::b/k"]),
    ("s3", "GetObjectRetention", OBJECT | {"VersionId": "v"}, ["s3:GetObjectRetention arn:aws:s3:::b/k"]),
    ("s3", "UploadPart", OBJECT, ["s3:PutObject arn:aws:s3:::b/k"]),
    ("s3", "ListParts", OBJECT, ["s3:ListMultipartUploadParts arn:aws:s3:::b/k"]),
    (
        "s3",
        "PutObject",
        OBJECT | {"Tagging": "a=b", "ACL": "private"},
        [
            "s3:PutObject arn:aws:s3:::b/k",
            "s3:PutObjectAcl arn:aws:s3:::b/k",
            "s3:PutObjectTagging arn:aws:s3:::b/k",
        ],
    ),
    (
        "s3",
        "CopyObject",
        OBJECT | {"CopySource": "src/a%20b?versionId=7"},
        ["s3:GetObjectVersion arn:aws:s3:::src/a b", "s3:PutObject arn:aws:s3:::b/k"],
    ),
    (
        "s3",
        "CopyObject",
        OBJECT | {"CopySource": {"Bucket": "src", "Key": "a"}},
        ["s3:GetObject arn:aws:s3:::src/a", "s3:PutObject arn:aws:s3:::b/k"],
    ),
    (
        "s3",
        "DeleteObjects",
        {"Bucket": "b", "Delete": {"Objects": [{"Key": "x"}, {"Key": "y", "VersionId": "1"}]}},
        ["s3:DeleteObject arn:aws:s3:::b/x", "s3:DeleteObjectVersion arn:aws:s3:::b/y"],
    ),
    ("sagemaker", "DescribeModel", {"ModelName": "Cars"}, ["sagemaker:DescribeModel arn:aws:sagemaker:::model/cars"]),
    (
        "sagemaker",
        "CreateModelPackage",
        {"ModelPackageGroupName": "cars"},
        ["sagemaker:CreateModelPackage arn:aws:sagemaker:::model-package/cars/*"],
    ),
    (
        "sagemaker",
        "DescribePipelineExecution",
        {"PipelineExecutionArn": EXECUTION},
        ["sagemaker:DescribePipelineExecution arn:aws:sagemaker:::pipeline/cars/execution/abc"],
    ),
    (
        "sagemaker",
        "UpdateEndpoint",
        {"EndpointName": "e", "EndpointConfigName": "c"},
        [
            "sagemaker:UpdateEndpoint arn:aws:sagemaker:::endpoint/e",
            "sagemaker:UpdateEndpoint arn:aws:sagemaker:::endpoint-config/c",
        ],
    ),
    (
        "sagemaker",
        "CreateProcessingJob",
        {"ProcessingJobName": "p", "RoleArn": ROLE, "Tags": [{"Key": "a", "Value": "b"}]},
        [
            "sagemaker:CreateProcessingJob arn:aws:sagemaker:::processing-job/p",
            "sagemaker:AddTags arn:aws:sagemaker:::processing-job/p",
            f"iam:PassRole {ROLE}",
        ],
    ),
    ("sagemaker", "ListModels", {}, ["sagemaker:ListModels *"]),
    ("lambda", "Invoke", {"FunctionName": "f"}, ["lambda:InvokeFunction arn:aws:lambda:::function:f"]),
    (
        "lambda",
        "Invoke",
        {"FunctionName": f"{ACCOUNT}:function:f", "Qualifier": "live"},
        ["lambda:InvokeFunction arn:aws:lambda:::function:f:live"],
    ),
    (
        "sqs",
        "SendMessageBatch",
        {"QueueUrl": f"https://sqs/{OTHER_ACCOUNT}/q"},
        [f"sqs:SendMessage arn:aws:sqs:{REGION}:{OTHER_ACCOUNT}:q"],
    ),
    ("ssm", "GetParameter", {"Name": "/a/b:3"}, ["ssm:GetParameter arn:aws:ssm:::parameter/a/b"]),
    (
        "ssm",
        "GetParameters",
        {"Names": ["x", "/aws/service/y"]},
        [
            "ssm:GetParameters arn:aws:ssm:::parameter/x",
            f"ssm:GetParameters arn:aws:ssm:{REGION}::parameter/aws/service/y",
        ],
    ),
    (
        "logs",
        "PutLogEvents",
        {"logGroupName": "/g", "logStreamName": "s"},
        ["logs:PutLogEvents arn:aws:logs:::log-group:/g:log-stream:s"],
    ),
    ("logs", "CreateLogGroup", {"logGroupName": "/g"}, ["logs:CreateLogGroup arn:aws:logs:::log-group:/g:log-stream:"]),
    ("events", "PutEvents", {"Entries": [{}, {}]}, ["events:PutEvents arn:aws:events:::event-bus/default"]),
    (
        "events",
        "PutTargets",
        {"Rule": "r", "EventBusName": "bus", "Targets": [{"Arn": "x", "RoleArn": ROLE}]},
        ["events:PutTargets arn:aws:events:::rule/bus/r", f"iam:PassRole {ROLE}"],
    ),
    (
        "dynamodb",
        "Query",
        {"TableName": "t", "IndexName": "i"},
        ["dynamodb:Query arn:aws:dynamodb:::table/t/index/i"],
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "t"}}, {"ConditionCheck": {"TableName": "u"}}]},
        ["dynamodb:PutItem arn:aws:dynamodb:::table/t", "dynamodb:ConditionCheckItem arn:aws:dynamodb:::table/u"],
    ),
    (
        "glue",
        "GetTable",
        {"DatabaseName": "d", "Name": "t"},
        [
            "glue:GetTable arn:aws:glue:::catalog",
            "glue:GetTable arn:aws:glue:::database/d",
            "glue:GetTable arn:aws:glue:::table/d/t",
        ],
    ),
    (
        "kms",
        "ReEncrypt",
        {"SourceKeyId": "1", "DestinationKeyId": "2"},
        ["kms:ReEncryptFrom arn:aws:kms:::key/1", "kms:ReEncryptTo arn:aws:kms:::key/2"],
    ),
    ("monitoring", "PutMetricData", {"Namespace": "n"}, ["cloudwatch:PutMetricData *"]),
    ("monitoring", "DescribeAlarms", {}, ["cloudwatch:DescribeAlarms arn:aws:cloudwatch:::alarm:*"]),
    (
        "codepipeline",
        "PutApprovalResult",
        {"pipelineName": "p", "stageName": "s", "actionName": "a"},
        ["codepipeline:PutApprovalResult arn:aws:codepipeline:::p/s/a"],
    ),
    (
        "codepipeline",
        "CreatePipeline",
        {"pipeline": {"name": "p", "roleArn": ROLE}},
        ["codepipeline:CreatePipeline arn:aws:codepipeline:::p", f"iam:PassRole {ROLE}"],
    ),
    (
        "codebuild",
        "BatchGetBuilds",
        {"ids": ["p:1", "p:2"]},
        ["codebuild:BatchGetBuilds arn:aws:codebuild:::project/p"],
    ),
    (
        "cloudformation",
        "DeleteStack",
        {"StackName": "s"},
        ["cloudformation:DeleteStack arn:aws:cloudformation:::stack/s/*"],
    ),
    ("iam", "CreateRole", {"RoleName": "r", "Path": "/a/"}, [f"iam:CreateRole arn:aws:iam::{ACCOUNT}:role/a/r"]),
    ("athena", "StartQueryExecution", {}, ["athena:StartQueryExecution arn:aws:athena:::workgroup/primary"]),
    (
        "scheduler",
        "CreateSchedule",
        {"Name": "n", "Target": {"RoleArn": ROLE}},
        ["scheduler:CreateSchedule arn:aws:scheduler:::schedule/default/n", f"iam:PassRole {ROLE}"],
    ),
    ("sts", "GetCallerIdentity", {}, []),
    ("ec2", "DescribeVpcs", {}, ["ec2:DescribeVpcs *"]),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "expected"), CASES)
def test_permissions_of(service: str, operation: str, parameters: Mapping[str, object], expected: list[str]) -> None:
    """A call needs these actions on these resources."""
    assert needed(service, operation, **parameters) == expected


def test_reading_a_definition_passes_no_role() -> None:
    """iam:PassRole is asked where a role is handed over, not where a request happens to show one."""
    assert needed("sagemaker", "DescribePipeline", PipelineName="p", RoleArn=ROLE) == [
        "sagemaker:DescribePipeline arn:aws:sagemaker:::pipeline/p"
    ]


def test_copied_tags_need_their_own_permissions() -> None:
    """A source with tags needs tag permissions on both sides, unless the copy replaces the tags."""
    copy = call("s3", "CopyObject", Bucket="b", Key="k", CopySource="src/a")
    assert [need.action for need in copy_tag_permissions(copy)] == ["s3:GetObjectTagging", "s3:PutObjectTagging"]
    replacing = call("s3", "CopyObject", Bucket="b", Key="k", CopySource="src/a", TaggingDirective="REPLACE")
    assert copy_tag_permissions(replacing) == ()
