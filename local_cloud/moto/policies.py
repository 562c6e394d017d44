"""The policies that are stored in moto, for who decides by them. Nothing is patched."""

import json
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from local_cloud.authorization import RolePolicies


class MotoPolicies:
    """The policies that are stored in moto's backends (a PolicySource)."""

    def role_policies(self, role_arn: str) -> RolePolicies | None:
        """Policies of a role, or None if there is no such role."""
        backend = iam_backends[role_arn.split(":")[4]]["aws"]
        role = next((candidate for candidate in backend.roles.values() if candidate.arn == role_arn), None)
        if role is None:
            return None
        managed = {policy.arn: _default_version(policy) for policy in role.managed_policies.values()}
        boundary = backend.managed_policies.get(role.permissions_boundary_arn or "")
        return RolePolicies(
            identity={name: _text(document) for name, document in role.policies.items()} | managed,
            boundary=_default_version(boundary) if boundary else None,
            trust=_text(role.assume_role_policy_document),
        )

    def resource_policy(self, arn: str, *, account: str, region: str) -> str | None:
        """The resource-based policy of a bucket, key, queue, topic or function, if it has one."""
        service, name = arn.split(":")[2], arn.split(":", 5)[5]
        holder: Any = None
        if service == "s3":
            holder = s3_backends[account]["aws"].buckets.get(name.split("/")[0])
        elif service == "kms":
            holder = kms_backends[account][region].keys.get(name.split("/")[-1])
        elif service == "sqs":
            holder = sqs_backends[account][region].queues.get(name)
        elif service == "sns":
            holder = sns_backends[account][region].topics.get(arn)
        elif service == "lambda":
            return _function_policy(arn, account=account, region=region)
        return _text(holder.policy) if holder is not None and holder.policy else None

    def bucket_encryption_key(self, bucket: str, *, account: str) -> str | None:
        """The KMS key ARN with which the bucket encrypts by default, or None (S3-managed keys)."""
        known = s3_backends[account]["aws"].buckets.get(bucket)
        rule = (known.encryption or {}).get("Rule", {}) if known is not None else {}
        rule = rule[0] if isinstance(rule, list) else rule
        key = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
        return str(key) if key else None

    def object_exists(self, bucket: str, key: str, *, account: str) -> bool:
        """Whether the key has a current version in the bucket."""
        known = s3_backends[account]["aws"].buckets.get(bucket)
        return known is not None and key in known.keys


def _function_policy(arn: str, *, account: str, region: str) -> str | None:
    functions = lambda_backends[account][region].list_functions()
    function = next((known for known in functions if known.function_arn == arn), None)
    if function is None or not function.policy.statements:
        return None
    # moto qualifies the resource of an unqualified permission with :$LATEST, AWS does not.
    statements = [
        statement | {"Resource": statement["Resource"].removesuffix(":$LATEST")}
        for statement in function.policy.statements
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _default_version(policy: Any) -> str:
    return _text(next(version.document for version in policy.versions if version.is_default))


def _text(document: Any) -> str:
    if isinstance(document, bytes):
        return document.decode()
    return document if isinstance(document, str) else json.dumps(document)
