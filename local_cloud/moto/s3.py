"""S3: its requests are authorized by our gate, and its events carry AWS's fields.

Patches: S3's own hook for authorization, since S3 does not go through `BaseResponse.call_action`; moto's evaluation of
bucket policies, which takes every condition as met; and the events that S3 sends to EventBridge.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import moto.core.responses as core_responses
from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.access_control import PermissionResult
from moto.s3 import notifications
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket
from werkzeug.exceptions import NotFound

from local_cloud.authorization import ApiRequest
from local_cloud.clients import SYSTEM_ACCESS_KEY
from local_cloud.moto import sessions
from local_cloud.moto.hooks import Hooks
from local_cloud.service import ServiceError


def install(hooks: Hooks) -> None:
    """Authorize requests, and send events through the engine's bus."""

    def authorize(self: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
        if self.get_access_key() == SYSTEM_ACCESS_KEY:
            return
        operation, params = _request(self, bucket_name, key_name)
        try:
            hooks.gate.authorize(ApiRequest("s3", operation, params, sessions.context(self)))
        except ServiceError as error:
            raise _AnsweredByS3(error.code, error.message) from None

    def send_event(account_id: str, bucket: Any, event_name: str, key: Any) -> None:
        hooks.emit(
            account=account_id,
            region=bucket.region_name,
            source="aws.s3",
            detail_type=notifications._detail_type(event_name),
            detail=_event_detail(account_id, bucket, event_name, key),
            resources=[bucket.arn],
        )

    ActionAuthenticatorMixin._authenticate_and_authorize_s3_action = authorize
    notifications._send_event_bridge_message = send_event
    # moto evaluates bucket policies by itself, and takes every condition as met; the gate has decided already.
    FakeBucket.get_permission = lambda _bucket, _action, _resource: PermissionResult.PERMITTED
    # S3 takes a log bucket whose policy for log delivery is not there yet; CloudFormation creates both in any order.
    FakeBucket._log_permissions_enabled_policy = staticmethod(lambda **_: True)


class _AnsweredByS3(S3ClientError):  # type: ignore[misc]
    """A refusal in moto's terms; S3's responses catch their own class only."""


def _request(response: Any, bucket: str | None, key: str | None) -> tuple[str, dict[str, Any]]:
    """S3's operation and the few parameters that authorization reads; the body is not parsed for it."""
    try:
        operation = core_responses.get_service_router("s3").match(response.normalized_request)[0].name
    except (NotFound, NotImplementedError):
        operation = str(response.data.get("Action", "Unknown"))
    query = response.normalized_request.args
    headers = response.headers
    given = {
        "Bucket": bucket,
        "Key": key,
        "VersionId": query.get("versionId"),
        "Prefix": query.get("prefix"),
        "CopySource": unquote(headers.get("x-amz-copy-source", "")).lstrip("/") or None,
        "ServerSideEncryption": headers.get("x-amz-server-side-encryption"),
        "SSEKMSKeyId": headers.get("x-amz-server-side-encryption-aws-kms-key-id"),
    }
    return operation, {name: value for name, value in given.items() if value is not None}


def _event_detail(account: str, bucket: Any, event_name: str, key: Any) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""
    reasons = {"Put": "PutObject", "Copy": "CopyObject", "Post": "POST Object"}
    reason = str(getattr(event_name, "value", event_name)).rsplit(":", 1)[-1]
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": {
            "key": key.name,
            "size": key.size,
            "etag": key.etag.strip('"'),
            "sequencer": f"{int(datetime.now(UTC).timestamp() * 1e6):016X}",
        },
        "request-id": "LOCALCLOUD0000000",
        "requester": account,
        "source-ip-address": "127.0.0.1",
        "reason": reasons.get(reason, reason),
    }
    if key.version_id and key.version_id != "null":
        detail["object"]["version-id"] = key.version_id
    return detail
