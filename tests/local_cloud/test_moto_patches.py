"""One test per patch of moto: what breaks here after an upgrade is in local_cloud/moto_patches.py."""

import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from tests.running_cloud import ACCOUNT, REGION, RunningCloud, wait_for

KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    ],
}


def _trust(principal: dict[str, str]) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _role(
    cloud: RunningCloud, name: str, *statements: dict[str, object], principal: dict[str, str] | None = None
) -> str:
    """The ARN of a role with an inline policy; any role of this account may assume it."""
    iam = cloud.client("iam")
    trusted = principal or {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_trust(trusted))["Role"]["Arn"]
    if statements:
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **given} for given in statements]}
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(document))
    return str(arn)


def _refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_a_role_without_the_action_is_refused_in_the_words_of_aws(cloud: RunningCloud) -> None:
    """A call that no policy allows answers AccessDenied and names caller, action and resource."""
    s3 = cloud.role_client(
        "s3", _role(cloud, "reader", {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket-a/*"})
    )
    cloud.client("s3").create_bucket(Bucket="bucket-a")

    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="bucket-a", Key="x", Body=b"1")

    code, message = _refusal(refused)
    assert code == "AccessDenied"
    assert (
        "assumed-role/reader/test is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::bucket-a/x"
        in message
    )


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("ssm", "describe_parameters", "AccessDeniedException"),
        ("sagemaker", "list_pipelines", "AccessDeniedException"),
        ("lambda", "list_functions", "AccessDeniedException"),
        ("sqs", "list_queues", "AccessDenied"),
        ("iam", "list_roles", "AccessDenied"),
        ("sns", "list_topics", "AuthorizationError"),
        ("cloudformation", "list_stacks", "AccessDenied"),
    ],
)
def test_a_refusal_comes_in_the_protocol_of_the_service(
    cloud: RunningCloud, service: str, operation: str, code: str
) -> None:
    """JSON, query and REST services each answer a refusal with their own error code."""
    client = cloud.role_client(service, _role(cloud, "nobody"))

    with pytest.raises(ClientError) as refused:
        getattr(client, operation)()

    assert _refusal(refused)[0] == code


def test_a_deny_for_plain_http_does_not_lock_the_bucket(cloud: RunningCloud) -> None:
    """moto takes every policy condition as met; a bucket that refuses plain HTTP must still take objects."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="tls-only")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::tls-only", "arn:aws:s3:::tls-only/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket="tls-only", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))

    s3.put_object(Bucket="tls-only", Key="k", Body=b"1")

    assert s3.get_object(Bucket="tls-only", Key="k")["Body"].read() == b"1"


def test_access_logs_can_be_turned_on_before_the_log_bucket_has_its_policy(cloud: RunningCloud) -> None:
    """S3 takes the log bucket as it is; CloudFormation creates bucket and policy in any order."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="access-logs")
    s3.create_bucket(Bucket="logged")

    target = {"TargetBucket": "access-logs", "TargetPrefix": "logged/"}
    s3.put_bucket_logging(Bucket="logged", BucketLoggingStatus={"LoggingEnabled": target})

    assert s3.get_bucket_logging(Bucket="logged")["LoggingEnabled"]["TargetBucket"] == "access-logs"


def test_an_encrypted_bucket_needs_the_key_as_well(cloud: RunningCloud) -> None:
    """A role that may put objects but not use the bucket's key is refused for kms:GenerateDataKey."""
    s3 = cloud.client("s3")
    key = cloud.client("kms").create_key(Policy=json.dumps(KEY_POLICY))["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket="sealed")
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    s3.put_bucket_encryption(
        Bucket="sealed",
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
    )
    objects = {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::sealed/*"}
    without = cloud.role_client("s3", _role(cloud, "without-key", objects))
    with_key = cloud.role_client(
        "s3", _role(cloud, "with-key", objects, {"Action": "kms:GenerateDataKey", "Resource": key})
    )

    with pytest.raises(ClientError) as refused:
        without.put_object(Bucket="sealed", Key="k", Body=b"1")
    with_key.put_object(Bucket="sealed", Key="k", Body=b"1")

    assert "kms:GenerateDataKey" in _refusal(refused)[1]


def test_a_missing_object_is_only_admitted_to_who_may_list(cloud: RunningCloud) -> None:
    """Without s3:ListBucket a missing key answers 403, as S3 does, so that a forgotten grant shows offline."""
    cloud.client("s3").create_bucket(Bucket="bucket-b")
    reading = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket-b/*"}
    blind = cloud.role_client("s3", _role(cloud, "blind", reading))
    seeing = cloud.role_client(
        "s3", _role(cloud, "seeing", reading, {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket-b"})
    )

    with pytest.raises(ClientError) as hidden:
        blind.get_object(Bucket="bucket-b", Key="missing")
    with pytest.raises(ClientError) as missing:
        seeing.get_object(Bucket="bucket-b", Key="missing")

    assert (_refusal(hidden)[0], _refusal(missing)[0]) == ("AccessDenied", "NoSuchKey")


def test_a_role_that_does_not_trust_the_caller_cannot_be_assumed(cloud: RunningCloud) -> None:
    """sts:AssumeRole checks the trust policy, and that the role exists."""
    arn = _role(cloud, "for-lambda", principal={"Service": "lambda.amazonaws.com"})

    for role_arn in (arn, f"arn:aws:iam::{ACCOUNT}:role/missing"):
        with pytest.raises(ClientError) as refused:
            cloud.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")

        assert _refusal(refused)[0] == "AccessDenied"


def test_an_operation_that_is_not_emulated_is_refused_by_name(cloud: RunningCloud) -> None:
    """An operation of an owned service outside its table answers an error that names it, not a made-up success."""
    with pytest.raises(ClientError) as refused:
        cloud.client("sagemaker").list_domains()

    assert "sagemaker:ListDomains is not emulated by the local cloud" in _refusal(refused)[1]


def test_an_operation_that_moto_lacks_is_refused_by_name(cloud: RunningCloud) -> None:
    """moto's NotImplementedError reaches the client as an error, not as an HTML page."""
    with pytest.raises(ClientError) as refused:
        cloud.client("athena").list_engine_versions()

    assert "athena:ListEngineVersions is not emulated by the local cloud" in _refusal(refused)[1]


def test_a_malformed_request_of_a_foreign_client_is_refused(cloud: RunningCloud) -> None:
    """Owned services validate requests by botocore's model, whatever client sent them."""
    request = urllib.request.Request(
        cloud.endpoint,
        data=json.dumps({"PipelineName": 5}).encode(),
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "SageMaker.DescribePipeline",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=testing/20260101/{REGION}/sagemaker/aws4_request",
        },
    )

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)

    assert refused.value.code == 400
    assert "Invalid type for parameter PipelineName" in json.loads(refused.value.read())["Message"]


def test_an_s3_event_carries_the_version_of_the_object(cloud: RunningCloud) -> None:
    """ "Object Created" reaches a queue behind a rule with key, size, version and reason, as AWS documents them."""
    s3, events, sqs = cloud.client("s3"), cloud.client("events"), cloud.client("sqs")
    s3.create_bucket(Bucket="lake")
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(Bucket="lake", NotificationConfiguration={"EventBridgeConfiguration": {}})
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "raw/"}]}}}
    rule = events.put_rule(Name="uploads", EventPattern=json.dumps(pattern))["RuleArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    events.put_targets(Rule="uploads", Targets=[{"Id": "1", "Arn": arn}])

    s3.put_object(Bucket="lake", Key="other/a.csv", Body=b"1")
    version = s3.put_object(Bucket="lake", Key="raw/a b.csv", Body=b"12")["VersionId"]

    received = wait_for(
        lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), seconds=10, what="the event of the upload"
    )
    detail = json.loads(received[0]["Body"])["detail"]
    assert detail["object"] == detail["object"] | {"key": "raw/a b.csv", "size": 2, "version-id": version}
    assert detail["reason"] == "PutObject"


def test_a_function_keeps_the_settings_that_moto_drops(cloud: RunningCloud) -> None:
    """DeadLetterConfig and LoggingConfig survive creation and update, because failures and logs go there."""
    role = _role(cloud, "fn", principal={"Service": "lambda.amazonaws.com"})
    functions = cloud.client("lambda")
    queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
    functions.create_function(
        FunctionName="f",
        Runtime="python3.12",
        Role=role,
        Handler="a.b",
        Code={"ZipFile": _empty_zip()},
        DeadLetterConfig={"TargetArn": queue_arn},
    )
    functions.update_function_configuration(FunctionName="f", LoggingConfig={"LogGroup": "/own/group"})

    configuration = functions.get_function_configuration(FunctionName="f")

    assert configuration["DeadLetterConfig"] == {"TargetArn": queue_arn}
    assert configuration["LoggingConfig"] == {"LogGroup": "/own/group"}


def test_a_reset_forgets_everything(cloud: RunningCloud) -> None:
    """After a reset the account is as new, and credentials of forgotten roles are worth nothing."""
    cloud.client("s3").create_bucket(Bucket="gone")
    _role(cloud, "gone")

    cloud.reset()

    assert cloud.client("s3").list_buckets()["Buckets"] == []
    assert cloud.client("iam").list_roles()["Roles"] == []


def _empty_zip() -> bytes:
    return b"PK\x05\x06" + b"\x00" * 18
