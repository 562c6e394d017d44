"""Condition keys of a request: which keys with which values IAM would see.

Global keys come from the caller and the call, service keys from the call's parameters.
aws:SecureTransport is always true: the local cloud stands in for AWS's TLS endpoints on the loopback interface, and
a plain connection there must not look like an unencrypted one. s3:TlsVersion is 1.3 for the same reason.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from local_cloud.iam.api_call import ApiCall
from local_cloud.iam.context import ContextValue, RequestContext
from local_cloud.iam.principals import Caller, CallerKind

# Request parameter -> condition key, for keys that repeat a single parameter.
_PARAMETER_KEYS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "athena": {"WorkGroup": "athena:workGroup"},
        "codepipeline": {"pipelineName": "codepipeline:pipelineName"},
        "events": {"EventPattern": "events:eventPattern"},
        "iam": {"PolicyArn": "iam:PolicyARN", "PermissionsBoundary": "iam:PermissionsBoundary"},
        "kms": {"KeySpec": "kms:KeySpec", "KeyUsage": "kms:KeyUsage", "GranteePrincipal": "kms:GranteePrincipal"},
        "lambda": {"Principal": "lambda:Principal", "FunctionUrlAuthType": "lambda:FunctionUrlAuthType"},
        "monitoring": {"Namespace": "cloudwatch:namespace"},
        "s3": {
            "ACL": "s3:x-amz-acl",
            "CopySource": "s3:x-amz-copy-source",
            "Delimiter": "s3:delimiter",
            "IfMatch": "s3:if-match",
            "IfNoneMatch": "s3:if-none-match",
            "MaxKeys": "s3:max-keys",
            "Prefix": "s3:prefix",
            "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
            "ServerSideEncryption": "s3:x-amz-server-side-encryption",
            "StorageClass": "s3:x-amz-storage-class",
            "VersionId": "s3:versionid",
        },
        "sagemaker": {
            "EnableNetworkIsolation": "sagemaker:NetworkIsolation",
            "ModelApprovalStatus": "sagemaker:ModelApprovalStatus",
            "TargetModel": "sagemaker:TargetModel",
        },
        "sns": {"Endpoint": "sns:Endpoint", "Protocol": "sns:Protocol"},
        "ssm": {"Overwrite": "ssm:Overwrite", "Recursive": "ssm:Recursive"},
        "sts": {"ExternalId": "sts:ExternalId", "RoleSessionName": "sts:RoleSessionName"},
    }
)


# Members of SageMaker requests, at any depth -> multivalued condition key.
_SAGEMAKER_NESTED: Mapping[str, str] = MappingProxyType(
    {
        "InstanceType": "sagemaker:InstanceTypes",
        "SecurityGroupIds": "sagemaker:VpcSecurityGroupIds",
        "Subnets": "sagemaker:VpcSubnets",
        "VolumeKmsKeyId": "sagemaker:VolumeKmsKey",
    }
)


def request_context(
    call: ApiCall,
    caller: Caller,
    *,
    now: datetime,
    source_ip: str = "127.0.0.1",
    resource_tags: Mapping[str, str] | None = None,
) -> RequestContext:
    """Condition keys of a call. `now` must be aware; `resource_tags` are the tags of the resource, if known."""
    values: dict[str, ContextValue | None] = {
        "aws:RequestedRegion": call.region,
        "aws:ResourceAccount": call.account,
        "aws:SourceIp": source_ip,
        "aws:CurrentTime": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": int(now.timestamp()),
        "aws:SecureTransport": True,
        "aws:ViaAWSService": False,
    }
    values |= _caller_keys(caller)
    values |= {key: _scalar(call.parameters.get(name)) for name, key in _PARAMETER_KEYS.get(call.service, {}).items()}
    values |= dict(_tag_keys(call, resource_tags or {}))
    values |= dict(_service_keys(call, caller))
    return RequestContext.of(values)


def service_context(service: str, *, source_arn: str, source_account: str | None = None) -> RequestContext:
    """Condition keys of a request that a service makes as itself, for the resource `source_arn`."""
    account = source_account or source_arn.split(":")[4]
    return RequestContext.of(
        {
            "aws:PrincipalIsAWSService": True,
            "aws:PrincipalServiceName": service,
            "aws:PrincipalType": CallerKind.SERVICE.value,
            "aws:SecureTransport": True,
            "aws:SourceAccount": account,
            "aws:SourceArn": source_arn,
        }
    )


def via_service_context(service: str, *, region: str, account: str) -> RequestContext:
    """Keys that a KMS request has besides the caller's when a service (`s3`, `sqs`) makes it for the caller."""
    return RequestContext.of(
        {
            "aws:ViaAWSService": True,
            "kms:CallerAccount": account,
            "kms:ViaService": f"{service}.{region}.amazonaws.com",
        }
    )


def _caller_keys(caller: Caller) -> dict[str, ContextValue | None]:
    is_service = caller.kind is CallerKind.SERVICE
    # A role session shows the ARN of its role, not of the session.
    principal_arn = None if is_service else caller.role_arn or caller.arn
    return {
        "aws:PrincipalAccount": caller.account,
        "aws:PrincipalArn": principal_arn,
        "aws:PrincipalIsAWSService": is_service,
        "aws:PrincipalServiceName": caller.arn if is_service else None,
        "aws:PrincipalType": caller.kind.value,
        "aws:userid": caller.unique_id,
        "aws:username": caller.arn.rpartition("/")[2] if caller.kind is CallerKind.USER else None,
    }


def _tag_keys(call: ApiCall, resource_tags: Mapping[str, str]) -> Iterator[tuple[str, ContextValue]]:
    requested = _request_tags(call)
    for key, value in requested.items():
        yield f"aws:RequestTag/{key}", value
    yield "aws:TagKeys", tuple(requested) or call.texts("TagKeys") or call.texts("tagKeys")
    for key, value in resource_tags.items():
        yield f"aws:ResourceTag/{key}", value
        yield f"{call.service}:ResourceTag/{key}", value


def _request_tags(call: ApiCall) -> dict[str, str]:
    """Tags of a request in any of the shapes that services use: a map, or a list of Key and Value (or key, value)."""
    for name in ("Tags", "tags"):
        mapping = call.structure(name)
        if mapping:
            return {str(key): str(value) for key, value in mapping.items()}
        listed = call.structures(name)
        if listed:
            return {str(tag.get("Key", tag.get("key"))): str(tag.get("Value", tag.get("value", ""))) for tag in listed}
    return {}


def _service_keys(call: ApiCall, caller: Caller) -> Iterator[tuple[str, ContextValue]]:
    if call.service == "s3":
        yield "s3:TlsVersion", "1.3"
        yield from _object_tag_keys(call.text("Tagging") or "")
    elif call.service == "sagemaker":
        for member, key in _SAGEMAKER_NESTED.items():
            yield key, tuple(dict.fromkeys(_members(call.parameters, member)))
    elif call.service == "kms":
        yield "kms:CallerAccount", caller.account or ""
        encryption_context = call.structure("EncryptionContext")
        yield "kms:EncryptionContextKeys", tuple(encryption_context)
        for name, value in encryption_context.items():
            yield f"kms:EncryptionContext:{name}", str(value)
    elif call.service == "events":
        entries = call.structures("Entries")
        yield "events:source", tuple(str(entry["Source"]) for entry in entries if "Source" in entry)
        yield "events:detail-type", tuple(str(entry["DetailType"]) for entry in entries if "DetailType" in entry)


def _object_tag_keys(tagging: str) -> Iterator[tuple[str, ContextValue]]:
    tags = dict(urllib.parse.parse_qsl(tagging, keep_blank_values=True))
    yield "s3:RequestObjectTagKeys", tuple(tags)
    for name, value in tags.items():
        yield f"s3:RequestObjectTag/{name}", value


def _members(node: object, name: str) -> Iterator[str]:
    """Every string (or member of a list of strings) under `name`, at any depth of a request."""
    if isinstance(node, Mapping):
        for key, child in node.items():
            if key == name:
                found = (child,) if isinstance(child, str) else _list(child)
                yield from (item for item in found if isinstance(item, str))
            else:
                yield from _members(child, name)
    else:
        for child in _list(node):
            yield from _members(child, name)


def _list(node: object) -> Sequence[object]:
    return node if isinstance(node, list | tuple) else ()


def _scalar(value: object) -> ContextValue | None:
    """A parameter as a single-valued key; structures and lists give no key."""
    return value if isinstance(value, str | bool | int) else None
