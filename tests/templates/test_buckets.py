"""Every bucket that the app creates keeps the house rules."""

from typing import Any

from tests.templates.conftest import Templates
from tests.templates.policies import statements


def _refusals_of_plain_http(templates: Templates, policy_type: str, target: str) -> set[str]:
    """Logical ids of the resources whose policy denies everything without TLS to everybody."""
    protected = set()
    for resource in templates.resources(policy_type):
        for statement in statements(resource.properties["PolicyDocument"]):
            everybody = statement["Principal"] in ("*", {"AWS": "*"})
            if (
                statement["Effect"] == "Deny"
                and everybody
                and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
            ):
                named: Any = resource.properties[target]
                protected |= {reference["Ref"] for reference in (named if isinstance(named, list) else [named])}
    return protected


def test_every_bucket_is_encrypted(templates: Templates) -> None:
    """No object is stored in clear, and data lies under our own key: only access logs cannot."""
    algorithms = {}
    for bucket in templates.resources("AWS::S3::Bucket"):
        (rule,) = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        algorithms[bucket.logical_id.split("Bucket")[0]] = rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"]

    assert algorithms == {"AccessLogs": "AES256", "Lake": "aws:kms", "Artifacts": "aws:kms"}


def test_every_bucket_is_versioned(templates: Templates) -> None:
    """Overwriting or deleting an object loses nothing."""
    for bucket in templates.resources("AWS::S3::Bucket"):
        assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}, bucket.logical_id


def test_every_bucket_refuses_the_public(templates: Templates) -> None:
    """All four switches are on, and access control lists are off."""
    for bucket in templates.resources("AWS::S3::Bucket"):
        assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}, bucket.logical_id
        assert len(bucket.properties["PublicAccessBlockConfiguration"]) == 4, bucket.logical_id
        (ownership,) = bucket.properties["OwnershipControls"]["Rules"]
        assert ownership == {"ObjectOwnership": "BucketOwnerEnforced"}, bucket.logical_id


def test_every_bucket_takes_tls_only(templates: Templates) -> None:
    """A request over plain HTTP is denied, whoever sends it."""
    buckets = {bucket.logical_id for bucket in templates.resources("AWS::S3::Bucket")}

    assert _refusals_of_plain_http(templates, "AWS::S3::BucketPolicy", "Bucket") == buckets


def test_queues_and_topics_take_tls_only(templates: Templates) -> None:
    """What holds for buckets holds for messages."""
    queues = {queue.logical_id for queue in templates.resources("AWS::SQS::Queue")}
    topics = {topic.logical_id for topic in templates.resources("AWS::SNS::Topic")}

    assert _refusals_of_plain_http(templates, "AWS::SQS::QueuePolicy", "Queues") == queues
    assert _refusals_of_plain_http(templates, "AWS::SNS::TopicPolicy", "Topics") == topics


def test_messages_are_encrypted(templates: Templates) -> None:
    """Queues and topics store no message in clear."""
    for queue in templates.resources("AWS::SQS::Queue"):
        assert queue.properties["SqsManagedSseEnabled"] is True, queue.logical_id
    for topic in templates.resources("AWS::SNS::Topic"):
        assert "KmsMasterKeyId" in topic.properties, topic.logical_id


def test_data_buckets_log_access_and_emit_events(templates: Templates) -> None:
    """Who read what is on record, and an upload is an event."""
    for bucket in templates.resources("AWS::S3::Bucket"):
        if bucket.logical_id.startswith("AccessLogs"):
            continue
        assert bucket.properties["LoggingConfiguration"]["LogFilePrefix"], bucket.logical_id
        assert bucket.properties["NotificationConfiguration"] == {
            "EventBridgeConfiguration": {"EventBridgeEnabled": True}
        }, bucket.logical_id


def test_nothing_that_a_model_is_reproduced_from_expires(templates: Templates) -> None:
    """Curated files, snapshots, pipeline outputs and release records stay: no lifecycle rule removes them."""
    kept = ("curated/", "snapshots/", "pipelines/", "releases/")
    for bucket in templates.resources("AWS::S3::Bucket"):
        if bucket.logical_id.startswith("AccessLogs"):
            continue
        for rule in bucket.properties["LifecycleConfiguration"]["Rules"]:
            removes = "ExpirationInDays" in rule or "NoncurrentVersionExpiration" in rule
            assert not (removes and rule.get("Prefix", "").startswith(kept)), rule
            assert not (removes and "Prefix" not in rule), rule
