"""Resource types on the running local cloud: what a template says is what the service then has, before and after an
update, and nothing stays after deletion.
"""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.cloudformation.live import deploy, destroy, outputs, resource
from tests.running_cloud import RunningCloud

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_ACCOUNT_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": {"Ref": "AWS::AccountId"}}, "Action": "kms:*", "Resource": "*"}
    ],
}


def _policy(*actions: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


def _tags(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def test_a_bucket_has_every_configuration_and_loses_what_is_taken_away(cloud: RunningCloud) -> None:
    """Encryption, versions, lifecycle, logging, access, ownership, events and tags, then most of them removed."""
    key = resource("AWS::KMS::Key", KeyPolicy=_ACCOUNT_POLICY)
    logs = resource("AWS::S3::Bucket", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    full = resource(
        "AWS::S3::Bucket",
        BucketEncryption={
            "ServerSideEncryptionConfiguration": [
                {
                    "BucketKeyEnabled": True,
                    "ServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
                    },
                }
            ]
        },
        VersioningConfiguration={"Status": "Enabled"},
        LifecycleConfiguration={"Rules": [{"Id": "old", "Prefix": "raw/", "Status": "Enabled", "ExpirationInDays": 9}]},
        LoggingConfiguration={"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "lake/"},
        PublicAccessBlockConfiguration={"BlockPublicAcls": True, "RestrictPublicBuckets": True},
        NotificationConfiguration={"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
        Tags=_tags(owner="data"),
    )
    s3 = cloud.client("s3")

    ids = deploy(cloud, {"Key": key, "Logs": logs, "Lake": full})
    lake = ids["Lake"]
    encryption = s3.get_bucket_encryption(Bucket=lake)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"].endswith(ids["Key"])
    assert s3.get_bucket_versioning(Bucket=lake)["Status"] == "Enabled"
    assert s3.get_bucket_lifecycle_configuration(Bucket=lake)["Rules"][0]["Expiration"]["Days"] == 9
    assert s3.get_bucket_logging(Bucket=lake)["LoggingEnabled"]["TargetBucket"] == ids["Logs"]
    assert s3.get_public_access_block(Bucket=lake)["PublicAccessBlockConfiguration"]["RestrictPublicBuckets"]
    assert s3.get_bucket_tagging(Bucket=lake)["TagSet"] == _tags(owner="data")

    assert deploy(cloud, {"Key": key, "Logs": logs, "Lake": resource("AWS::S3::Bucket")})["Lake"] == lake
    assert s3.get_bucket_versioning(Bucket=lake)["Status"] == "Suspended"
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=lake)
    for gone in (s3.get_bucket_lifecycle_configuration, s3.get_public_access_block, s3.get_bucket_tagging):
        with pytest.raises(ClientError, match="NoSuch"):
            gone(Bucket=lake)


def test_a_bucket_with_objects_is_not_deleted(cloud: RunningCloud) -> None:
    """As on AWS the stack stays in DELETE_FAILED, with the reason."""
    lake = deploy(cloud, {"Lake": resource("AWS::S3::Bucket")})["Lake"]
    cloud.client("s3").put_object(Bucket=lake, Key="k", Body=b"x")

    with pytest.raises(AssertionError, match="BucketNotEmpty"):
        destroy(cloud)


def test_a_retained_name_that_exists_is_refused_with_a_way_out(cloud: RunningCloud) -> None:
    """The second creation of a bucket with a fixed name says what can be done."""
    kept = {"B": resource("AWS::S3::Bucket", BucketName="kept-by-name", attributes={"DeletionPolicy": "Retain"})}
    deploy(cloud, kept)
    destroy(cloud)

    with pytest.raises(AssertionError, match=r"already exists.*--import-existing-resources"):
        deploy(cloud, kept, name="second")


def test_a_bucket_policy_is_put_changed_and_taken_away(cloud: RunningCloud) -> None:
    """The policy of the bucket is always the one of the template."""
    bucket = resource("AWS::S3::Bucket")

    def policy(action: str) -> dict[str, Any]:
        statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": {"Fn::GetAtt": ["B", "Arn"]}}
        return resource("AWS::S3::BucketPolicy", Bucket={"Ref": "B"}, PolicyDocument={"Statement": [statement]})

    name = deploy(cloud, {"B": bucket, "P": policy("s3:DeleteBucket")})["B"]
    deploy(cloud, {"B": bucket, "P": policy("s3:PutBucketAcl")})
    assert "s3:PutBucketAcl" in cloud.client("s3").get_bucket_policy(Bucket=name)["Policy"]
    deploy(cloud, {"B": bucket})
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        cloud.client("s3").get_bucket_policy(Bucket=name)


def test_keys_and_aliases(cloud: RunningCloud) -> None:
    """Rotation, description and tags change in place; deletion is scheduled."""
    kms = cloud.client("kms")
    alias = resource("AWS::KMS::Alias", AliasName="alias/lake", TargetKeyId={"Ref": "K"})
    first = resource("AWS::KMS::Key", KeyPolicy=_ACCOUNT_POLICY, EnableKeyRotation=True, Tags=_tags(a="1", b="2"))
    second = resource(
        "AWS::KMS::Key", KeyPolicy=_ACCOUNT_POLICY, Description="lake", Tags=_tags(a="3"), PendingWindowInDays=7
    )

    key = deploy(cloud, {"K": first, "A": alias})["K"]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert deploy(cloud, {"K": second, "A": alias})["K"] == key
    assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert kms.describe_key(KeyId="alias/lake")["KeyMetadata"]["Description"] == "lake"
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "a", "TagValue": "3"}]
    destroy(cloud)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_roles_and_policies(cloud: RunningCloud) -> None:
    """Trust, inline, attached and managed policies follow the template; a deleted stack leaves no role."""
    iam = cloud.client("iam")

    def template(action: str, *, attached: list[Any]) -> dict[str, Any]:
        role = resource(
            "AWS::IAM::Role",
            AssumeRolePolicyDocument=_TRUST,
            ManagedPolicyArns=attached,
            Policies=[{"PolicyName": "own", "PolicyDocument": _policy(action)}],
        )
        return {
            "R": role,
            "P": resource("AWS::IAM::Policy", PolicyName="more", PolicyDocument=_policy(action), Roles=[{"Ref": "R"}]),
            "M": resource("AWS::IAM::ManagedPolicy", PolicyDocument=_policy(action)),
        }

    ids = deploy(cloud, template("s3:GetObject", attached=["arn:aws:iam::aws:policy/ReadOnlyAccess"]))
    deploy(cloud, template("s3:PutObject", attached=[{"Ref": "M"}]))

    role = ids["R"]
    for name in ("own", "more"):
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        assert document["Statement"][0]["Action"] == ["s3:PutObject"]
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [entry["PolicyArn"] for entry in attached] == [ids["M"]]
    version = iam.get_policy(PolicyArn=ids["M"])["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=ids["M"], VersionId=version)["PolicyVersion"]["Document"]
    assert document["Statement"][0]["Action"] == ["s3:PutObject"]
    destroy(cloud)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName=role)


def _function(code: str, **properties: Any) -> dict[str, Any]:
    return resource(
        "AWS::Lambda::Function",
        Code={"ZipFile": code},
        Handler="index.handler",
        Runtime="python3.12",
        Role={"Fn::GetAtt": ["R", "Arn"]},
        **properties,
    )


def _role() -> dict[str, Any]:
    return resource("AWS::IAM::Role", AssumeRolePolicyDocument=_TRUST)


def test_a_function_runs_the_code_and_configuration_of_the_template(cloud: RunningCloud) -> None:
    """New code and environment are in effect after an update of the same function."""
    code = "import os\ndef handler(event, context):\n    return {version} + int(os.environ['PLUS'])\n"
    client = cloud.client("lambda")

    def run(version: int, plus: int, **properties: Any) -> tuple[str, Any]:
        function = _function(code.format(version=version), Environment={"Variables": {"PLUS": str(plus)}}, **properties)
        name = deploy(cloud, {"R": _role(), "F": function})["F"]
        return name, json.load(client.invoke(FunctionName=name)["Payload"])

    first, one = run(1, 10, Description="gone", Timeout=9)
    second, two = run(2, 20, Tags=_tags(a="1"))

    assert (one, two, first) == (11, 22, second)
    configuration = client.get_function(FunctionName=first)
    assert (configuration["Configuration"]["Timeout"], configuration["Tags"]) == (3, {"a": "1"})


def test_what_belongs_to_a_function(cloud: RunningCloud) -> None:
    """Permission, retries, version and alias are made, changed and removed with their template."""
    client = cloud.client("lambda")
    fixed = {
        "R": _role(),
        "F": _function("def handler(e, c): pass\n"),
        "V": resource("AWS::Lambda::Version", FunctionName={"Ref": "F"}),
    }

    def more(principal: str, attempts: int) -> dict[str, Any]:
        name = {"FunctionName": {"Ref": "F"}}
        return fixed | {
            "P": resource("AWS::Lambda::Permission", Action="lambda:InvokeFunction", Principal=principal, **name),
            "I": resource("AWS::Lambda::EventInvokeConfig", Qualifier="$LATEST", MaximumRetryAttempts=attempts, **name),
            "A": resource("AWS::Lambda::Alias", Name="live", FunctionVersion={"Fn::GetAtt": ["V", "Version"]}, **name),
        }

    name = deploy(cloud, more("events.amazonaws.com", 2))["F"]
    deploy(cloud, more("s3.amazonaws.com", 0))

    statements = json.loads(client.get_policy(FunctionName=name)["Policy"])["Statement"]
    assert [statement["Principal"]["Service"] for statement in statements] == ["s3.amazonaws.com"]
    assert client.get_function_event_invoke_config(FunctionName=name)["MaximumRetryAttempts"] == 0
    assert client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "1"
    destroy(cloud)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        client.get_function(FunctionName=name)


def test_queues_topics_and_their_policies(cloud: RunningCloud) -> None:
    """Attributes and policies change in place, removed attributes get their defaults."""
    sqs, sns = cloud.client("sqs"), cloud.client("sns")

    def template(identifier: str, **queue: Any) -> dict[str, Any]:
        statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
        document = {"Version": "2012-10-17", "Id": identifier, "Statement": [statement]}
        return {
            "D": resource("AWS::SQS::Queue"),
            "Q": resource("AWS::SQS::Queue", **queue),
            "QP": resource("AWS::SQS::QueuePolicy", Queues=[{"Ref": "Q"}], PolicyDocument=document),
            "T": resource("AWS::SNS::Topic", DisplayName=identifier),
            "TP": resource("AWS::SNS::TopicPolicy", Topics=[{"Ref": "T"}], PolicyDocument=document),
            "S": resource(
                "AWS::SNS::Subscription",
                TopicArn={"Ref": "T"},
                Protocol="sqs",
                Endpoint={"Fn::GetAtt": ["Q", "Arn"]},
                RawMessageDelivery=identifier == "two",
            ),
        }

    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": ["D", "Arn"]}, "maxReceiveCount": 3}
    ids = deploy(cloud, template("one", VisibilityTimeout=77, RedrivePolicy=redrive, SqsManagedSseEnabled=True))
    before = sqs.get_queue_attributes(QueueUrl=ids["Q"], AttributeNames=["All"])["Attributes"]
    assert (before["VisibilityTimeout"], json.loads(before["RedrivePolicy"])["maxReceiveCount"]) == ("77", 3)

    assert deploy(cloud, template("two", MessageRetentionPeriod=1209600)) == ids
    after = sqs.get_queue_attributes(QueueUrl=ids["Q"], AttributeNames=["All"])["Attributes"]
    assert (after["VisibilityTimeout"], after["MessageRetentionPeriod"]) == ("30", "1209600")
    assert "RedrivePolicy" not in after or not after["RedrivePolicy"]
    assert json.loads(after["Policy"])["Id"] == "two"
    topic = sns.get_topic_attributes(TopicArn=ids["T"])["Attributes"]
    assert (topic["DisplayName"], json.loads(topic["Policy"])["Id"]) == ("two", "two")
    assert sns.get_subscription_attributes(SubscriptionArn=ids["S"])["Attributes"]["RawMessageDelivery"] == "true"
    destroy(cloud)
    assert not sqs.list_queues().get("QueueUrls")
    assert not sns.list_topics()["Topics"]


def test_rules_with_targets(cloud: RunningCloud) -> None:
    """Pattern and targets, dead letters and retries included, are those of the template."""
    events = cloud.client("events")

    def template(source: str, identifier: str) -> dict[str, Any]:
        target = {
            "Id": identifier,
            "Arn": {"Fn::GetAtt": ["Q", "Arn"]},
            "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Q", "Arn"]}},
            "RetryPolicy": {"MaximumRetryAttempts": 2},
        }
        rule = resource("AWS::Events::Rule", EventPattern={"source": [source]}, State="ENABLED", Targets=[target])
        return {"Q": resource("AWS::SQS::Queue"), "R": rule}

    name = deploy(cloud, template("first", "a"))["R"]
    assert deploy(cloud, template("second", "b"))["R"] == name

    assert json.loads(events.describe_rule(Name=name)["EventPattern"]) == {"source": ["second"]}
    (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
    assert (target["Id"], target["RetryPolicy"]) == ("b", {"MaximumRetryAttempts": 2})
    assert target["DeadLetterConfig"]["Arn"].startswith("arn:aws:sqs:")
    destroy(cloud)
    assert events.list_rules()["Rules"] == []


def test_the_catalog_and_its_workgroup(cloud: RunningCloud) -> None:
    """Database, table and workgroup follow the template."""

    def template(text: str, cutoff: int) -> dict[str, Any]:
        account = {"CatalogId": {"Ref": "AWS::AccountId"}}
        columns = {"Columns": [{"Name": text, "Type": "string"}]}
        return {
            "D": resource("AWS::Glue::Database", DatabaseInput={"Name": "lake", "Description": text}, **account),
            "T": resource(
                "AWS::Glue::Table",
                DatabaseName={"Ref": "D"},
                TableInput={"Name": "cars", "StorageDescriptor": columns},
                **account,
            ),
            "W": resource(
                "AWS::Athena::WorkGroup",
                Name="people",
                RecursiveDeleteOption=True,
                WorkGroupConfiguration={"BytesScannedCutoffPerQuery": cutoff},
            ),
        }

    ids = deploy(cloud, template("one", 10_000_000))
    assert deploy(cloud, template("two", 20_000_000)) == ids

    glue, athena = cloud.client("glue"), cloud.client("athena")
    assert glue.get_database(Name="lake")["Database"]["Description"] == "two"
    table = glue.get_table(DatabaseName="lake", Name="cars")["Table"]
    assert table["StorageDescriptor"]["Columns"][0]["Name"] == "two"
    configuration = athena.get_work_group(WorkGroup="people")["WorkGroup"]["Configuration"]
    assert configuration["BytesScannedCutoffPerQuery"] == 20_000_000
    destroy(cloud)
    assert glue.get_databases()["DatabaseList"] == []


def test_pipelines_and_model_package_groups(cloud: RunningCloud) -> None:
    """A new definition, inline or from S3, is what the next execution runs; tags are those of the template."""
    sagemaker, s3 = cloud.client("sagemaker"), cloud.client("s3")

    def body(name: str) -> str:
        step = {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
        return json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [step]})

    def template(definition: dict[str, Any], tag: str) -> dict[str, Any]:
        trust = json.loads(json.dumps(_TRUST).replace("lambda.", "sagemaker."))
        return {
            "R": resource("AWS::IAM::Role", AssumeRolePolicyDocument=trust),
            "P": resource(
                "AWS::SageMaker::Pipeline",
                PipelineName="cars",
                PipelineDefinition=definition,
                RoleArn={"Fn::GetAtt": ["R", "Arn"]},
                Tags=_tags(a=tag),
            ),
            "G": resource("AWS::SageMaker::ModelPackageGroup", ModelPackageGroupName="cars", Tags=_tags(a=tag)),
        }

    ids = deploy(cloud, template({"PipelineDefinitionBody": body("One")}, "1"))
    assert "One" in sagemaker.describe_pipeline(PipelineName="cars")["PipelineDefinition"]
    s3.create_bucket(Bucket="definitions")
    s3.put_object(Bucket="definitions", Key="p.json", Body=body("Two"))
    deploy(cloud, template({"PipelineDefinitionS3Location": {"Bucket": "definitions", "Key": "p.json"}}, "2"))

    assert "Two" in sagemaker.describe_pipeline(PipelineName="cars")["PipelineDefinition"]
    assert sagemaker.list_tags(ResourceArn=ids["G"])["Tags"] == _tags(a="2")
    destroy(cloud)
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []


def test_logs_alarms_parameters_repositories_and_tables(cloud: RunningCloud) -> None:
    """The remaining types, each with one changed property."""

    def template(days: int, text: str, *, scan: bool) -> dict[str, Any]:
        return {
            "L": resource("AWS::Logs::LogGroup", RetentionInDays=days, Tags=_tags(a=text)),
            "F": resource(
                "AWS::Logs::MetricFilter",
                LogGroupName={"Ref": "L"},
                FilterPattern=text,
                MetricTransformations=[{"MetricName": "n", "MetricNamespace": "ns", "MetricValue": "1"}],
            ),
            "A": resource(
                "AWS::CloudWatch::Alarm",
                MetricName="m",
                Namespace="n",
                Statistic="Sum",
                Period=60,
                EvaluationPeriods=1,
                Threshold=days,
                ComparisonOperator="GreaterThanThreshold",
                Tags=_tags(a=text),
            ),
            "B": resource(
                "AWS::CloudWatch::Dashboard", DashboardBody=json.dumps({"widgets": [], "periodOverride": text})
            ),
            "P": resource("AWS::SSM::Parameter", Name="/p", Type="String", Value=text, Tags={"a": text}),
            "E": resource("AWS::ECR::Repository", ImageScanningConfiguration={"ScanOnPush": scan}, EmptyOnDelete=True),
            "T": resource(
                "AWS::DynamoDB::Table",
                KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
                DeletionProtectionEnabled=False,
                Tags=_tags(a=text),
            ),
        }

    ids = deploy(cloud, template(3, "auto", scan=False), Outputs={"V": {"Value": {"Fn::GetAtt": ["P", "Value"]}}})
    assert outputs(cloud) == {"V": "auto"}
    assert deploy(cloud, template(7, "inherit", scan=True)) == ids

    groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix=ids["L"])["logGroups"]
    assert groups[0]["retentionInDays"] == 7
    filters = cloud.client("logs").describe_metric_filters(logGroupName=ids["L"])["metricFilters"]
    assert filters[0]["filterPattern"] == "inherit"
    cloudwatch = cloud.client("cloudwatch")
    assert cloudwatch.describe_alarms(AlarmNames=[ids["A"]])["MetricAlarms"][0]["Threshold"] == 7
    assert "inherit" in cloudwatch.get_dashboard(DashboardName=ids["B"])["DashboardBody"]
    assert cloud.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "inherit"
    repository = cloud.client("ecr").describe_repositories()["repositories"][0]
    assert repository["imageScanningConfiguration"]["scanOnPush"]
    arn = cloud.client("dynamodb").describe_table(TableName=ids["T"])["Table"]["TableArn"]
    assert cloud.client("dynamodb").list_tags_of_resource(ResourceArn=arn)["Tags"] == _tags(a="inherit")
    destroy(cloud)
    assert cloud.client("dynamodb").list_tables()["TableNames"] == []
