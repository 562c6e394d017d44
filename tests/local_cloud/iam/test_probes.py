"""Permissions of whole API calls: roles with policies like those of real applications, and what they may do.

Each probe asks what the front of the server asks: the permissions that the call needs, each decided with the
role's policies and with the resource's policy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from local_cloud.iam.actions import required_permissions
from local_cloud.iam.api_call import ApiCall
from local_cloud.iam.evaluation import AuthorizationRequest, decide
from local_cloud.iam.policy import PolicyDocument
from local_cloud.iam.request_keys import request_context, via_service_context

from .policies import ACCOUNT, CALLER, KEY_ARN, REGION, identity, resource, statement

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BUCKET = "data-bucket"
BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"
TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Ledger"
DLQ_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dlq"
EXECUTION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagemaker-exec"
KEY_POLICY = resource(statement("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))


@dataclass(frozen=True)
class Role:
    """The policies of a role."""

    policies: Sequence[PolicyDocument]
    boundary: PolicyDocument | None = None


def model(name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/{name}"


LAMBDA_POLICY = identity(
    statement(["s3:GetObject", "s3:PutObject"], f"{BUCKET_ARN}/promotions/*"),
    statement("s3:ListBucket", BUCKET_ARN),
    statement(["kms:Decrypt", "kms:GenerateDataKey"], KEY_ARN),
    statement("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/churn/config"),
    statement("dynamodb:PutItem", TABLE_ARN),
    statement("sagemaker:ListModelPackageGroups"),
    statement("sqs:SendMessage", DLQ_ARN),
)
ROLES = {
    "lambda": Role([LAMBDA_POLICY]),
    "right region": Role(
        [identity(statement("sagemaker:ListModels", Condition={"StringEquals": {"aws:RequestedRegion": REGION}}))]
    ),
    "wrong region": Role(
        [identity(statement("sagemaker:ListModels", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}))]
    ),
    "TLS only": Role(
        [
            identity(statement(["s3:*", "kms:*"])),
            identity(statement("s3:*", effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})),
        ]
    ),
    "churn models": Role([identity(statement("sagemaker:DescribeModel", model("churn-*")))]),
    "bounded": Role([identity(statement("*"))], boundary=identity(statement(["s3:*", "kms:*"]))),
    "administrator": Role([identity(statement("*"))]),
    "all but other/": Role(
        [identity(statement(["s3:*", "kms:*"], None, NotResource=f"{BUCKET_ARN}/other/*"))],
    ),
    "all S3, no KMS": Role([identity(statement("s3:*"))]),
    "all but IAM": Role([identity({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})]),
    "no PassRole": Role([identity(statement("sagemaker:CreateModel"))]),
}


def queue(name: str) -> dict[str, object]:
    return {"QueueUrl": f"http://127.0.0.1:5055/{ACCOUNT}/{name}", "MessageBody": "x"}


def stored(key: str) -> dict[str, object]:
    return {"Bucket": BUCKET, "Key": key}


CREATE_MODEL = {"ModelName": "m", "ExecutionRoleArn": EXECUTION_ROLE, "PrimaryContainer": {"Image": "i"}}
TOPIC = {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts", "Message": "x"}

PROBES: list[tuple[str, str, str, Mapping[str, object], bool]] = [
    ("lambda", "s3", "PutObject", stored("promotions/last.json"), True),
    ("lambda", "s3", "PutObject", stored("other/x"), False),
    ("lambda", "s3", "ListBuckets", {}, False),
    ("lambda", "ssm", "GetParameter", {"Name": "/churn/config"}, True),
    ("lambda", "ssm", "GetParameter", {"Name": "/secret"}, False),
    ("lambda", "dynamodb", "PutItem", {"TableName": "Ledger", "Item": {}}, True),
    ("lambda", "dynamodb", "PutItem", {"TableName": "other", "Item": {}}, False),
    ("lambda", "sagemaker", "ListModelPackageGroups", {}, True),
    ("lambda", "sagemaker", "ListModels", {}, False),
    ("lambda", "lambda", "ListFunctions", {}, False),
    ("lambda", "sts", "GetCallerIdentity", {}, True),
    ("lambda", "sqs", "SendMessage", queue("inbox"), False),
    ("lambda", "sqs", "SendMessage", queue("dlq"), True),
    ("lambda", "sns", "Publish", TOPIC, False),
    ("lambda", "iam", "ListRoles", {}, False),
    ("lambda", "monitoring", "DescribeAlarms", {}, False),
    ("lambda", "states", "ListStateMachines", {}, False),
    ("lambda", "ec2", "DescribeVpcs", {}, False),
    ("right region", "sagemaker", "ListModels", {}, True),
    ("wrong region", "sagemaker", "ListModels", {}, False),
    ("TLS only", "s3", "GetObject", stored("other/a"), True),
    ("churn models", "sagemaker", "DescribeModel", {"ModelName": "other"}, False),
    ("churn models", "sagemaker", "DescribeModel", {"ModelName": "Churn-Champ-V1"}, True),
    ("bounded", "sagemaker", "ListModels", {}, False),
    ("bounded", "s3", "ListBuckets", {}, True),
    ("administrator", "sagemaker", "ListModels", {}, True),
    ("all but other/", "s3", "GetObject", stored("promotions/a"), True),
    ("all but other/", "s3", "GetObject", stored("other/a"), False),
    ("all but IAM", "s3", "ListBuckets", {}, True),
    ("all but IAM", "iam", "ListRoles", {}, False),
    ("all S3, no KMS", "kms", "Encrypt", {"KeyId": KEY_ARN, "Plaintext": b"1"}, False),
    ("all S3, no KMS", "s3", "PutObject", stored("x"), False),
    ("no PassRole", "sagemaker", "CreateModel", CREATE_MODEL, False),
]


def is_allowed(role: Role, call: ApiCall) -> bool:
    """Every permission of the call, and the key's permission for objects of the encrypted bucket."""
    context = request_context(call, CALLER, now=NOW)
    questions = [(need.action, need.resource, context.merged(need.context)) for need in required_permissions(call)]
    if call.service == "s3" and call.operation in ("GetObject", "PutObject"):
        via_s3 = context.merged(via_service_context("s3", region=REGION, account=ACCOUNT))
        action = "kms:Decrypt" if call.operation == "GetObject" else "kms:GenerateDataKey"
        questions.append((action, KEY_ARN, via_s3))
    return all(
        decide(
            AuthorizationRequest(caller=CALLER, action=action, resource=on, context=keys),
            identity_policies=role.policies,
            boundary=role.boundary,
            resource_policies=[KEY_POLICY] if on == KEY_ARN else [],
        ).allowed
        for action, on, keys in questions
    )


@pytest.mark.parametrize(("role", "service", "operation", "parameters", "allowed"), PROBES)
def test_probe(role: str, service: str, operation: str, parameters: Mapping[str, object], allowed: bool) -> None:
    """A role may make exactly the calls that AWS would let it make."""
    call = ApiCall(service, operation, parameters, REGION, ACCOUNT)
    assert is_allowed(ROLES[role], call) is allowed


def test_pass_role_is_decided_for_the_service_that_receives_the_role() -> None:
    """A role that may be passed to SageMaker only is enough for CreateModel and not for CreateFunction."""
    policy = identity(
        statement(["sagemaker:CreateModel", "lambda:CreateFunction"]),
        statement(
            "iam:PassRole",
            EXECUTION_ROLE,
            Condition={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
    )
    function = {"FunctionName": "f", "Role": EXECUTION_ROLE}
    assert is_allowed(Role([policy]), ApiCall("sagemaker", "CreateModel", CREATE_MODEL, REGION, ACCOUNT))
    assert not is_allowed(Role([policy]), ApiCall("lambda", "CreateFunction", function, REGION, ACCOUNT))
