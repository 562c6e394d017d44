"""CloudFormation's spelling of bucket configurations to S3's own. Pure functions."""

from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.errors import HandlerFailure

_RULE_COPIED = ("Status", "AbortIncompleteMultipartUpload")
_RULE_KNOWN = {
    "Id",
    "Status",
    "Prefix",
    "TagFilters",
    "ObjectSizeGreaterThan",
    "ObjectSizeLessThan",
    "AbortIncompleteMultipartUpload",
    "ExpirationInDays",
    "ExpirationDate",
    "ExpiredObjectDeleteMarker",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionExpirationInDays",
    "Transition",
    "Transitions",
    "NoncurrentVersionTransition",
    "NoncurrentVersionTransitions",
}


def encryption_rules(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`BucketEncryption` to the rules of PutBucketEncryption."""
    rules = []
    for entry in value["ServerSideEncryptionConfiguration"]:
        rule = {"ApplyServerSideEncryptionByDefault": dict(entry.get("ServerSideEncryptionByDefault", {}))}
        if "BucketKeyEnabled" in entry:
            rule["BucketKeyEnabled"] = entry["BucketKeyEnabled"]
        rules.append(rule)
    return rules


def lifecycle_rules(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`LifecycleConfiguration` to the rules of PutBucketLifecycleConfiguration; raises HandlerFailure."""
    return [_lifecycle_rule(rule, position) for position, rule in enumerate(value.get("Rules", []))]


def _lifecycle_rule(rule: Mapping[str, Any], position: int) -> dict[str, Any]:
    unknown = sorted(rule.keys() - _RULE_KNOWN)
    if unknown:
        raise HandlerFailure(f"Lifecycle rule {rule.get('Id', position)}: {unknown} is not emulated")
    converted: dict[str, Any] = {key: rule[key] for key in _RULE_COPIED if key in rule}
    converted["ID"] = rule.get("Id", f"rule-{position}")
    converted["Filter"] = _filter(rule)
    expiration = {
        "Days": rule.get("ExpirationInDays"),
        "Date": rule.get("ExpirationDate"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    noncurrent = rule.get("NoncurrentVersionExpiration", {})
    if "NoncurrentVersionExpirationInDays" in rule:
        noncurrent = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    parts = {
        "Expiration": {key: item for key, item in expiration.items() if item is not None},
        "NoncurrentVersionExpiration": dict(noncurrent),
        "Transitions": _transitions(rule, "Transition", {"TransitionInDays": "Days", "TransitionDate": "Date"}),
        "NoncurrentVersionTransitions": _transitions(
            rule, "NoncurrentVersionTransition", {"TransitionInDays": "NoncurrentDays"}
        ),
    }
    return converted | {key: part for key, part in parts.items() if part}


def _transitions(rule: Mapping[str, Any], name: str, names: Mapping[str, str]) -> list[dict[str, Any]]:
    listed = [*rule.get(f"{name}s", []), *([rule[name]] if name in rule else [])]
    return [{names.get(key, key): item for key, item in entry.items()} for entry in listed]


def _filter(rule: Mapping[str, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {
        key: rule[key] for key in ("Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan") if key in rule
    }
    tags = list(rule.get("TagFilters", []))
    if not parts and not tags:
        return {"Prefix": ""}
    if len(parts) + len(tags) == 1:
        return parts or {"Tag": tags[0]}
    return {"And": parts | ({"Tags": tags} if tags else {})}


def notifications(value: Mapping[str, Any]) -> dict[str, Any]:
    """`NotificationConfiguration` to PutBucketNotificationConfiguration's."""
    converted: dict[str, Any] = {}
    for source, target, arn, api_arn in (
        ("LambdaConfigurations", "LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
        ("QueueConfigurations", "QueueConfigurations", "Queue", "QueueArn"),
        ("TopicConfigurations", "TopicConfigurations", "Topic", "TopicArn"),
    ):
        entries = [_destination(entry, arn, api_arn) for entry in value.get(source, [])]
        if entries:
            converted[target] = entries
    if (value.get("EventBridgeConfiguration") or {}).get("EventBridgeEnabled", "EventBridgeConfiguration" in value):
        converted["EventBridgeConfiguration"] = {}
    return converted


def _destination(entry: Mapping[str, Any], arn: str, api_arn: str) -> dict[str, Any]:
    converted: dict[str, Any] = {api_arn: entry[arn], "Events": [entry["Event"]]}
    rules = entry.get("Filter", {}).get("S3Key", {}).get("Rules")
    return converted | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})
