"""Why a delivery failed, in EventBridge's own codes, and whether another attempt can help. Pure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

import re

from botocore.exceptions import ClientError, ConnectTimeoutError, HTTPClientError, ReadTimeoutError
from botocore.exceptions import ConnectionError as NoConnectionError

from local_cloud.errors import LocalCloudError

_DENIED = re.compile(r"AccessDenied|Authorization|NotAuthorized|Forbidden|UnauthorizedOperation", re.IGNORECASE)
_GONE = re.compile(r"NotFound|NonExistentQueue|DoesNotExist|NoSuch|ResourceDoesNotExist", re.IGNORECASE)
_THROTTLED = re.compile(r"Throttl|TooManyRequests|SlowDown|RequestLimitExceeded", re.IGNORECASE)
_FULL = re.compile(r"LimitExceeded|Quota", re.IGNORECASE)


class DeliveryError(LocalCloudError):
    """One attempt that failed: `code` is what a dead-letter queue sees as ERROR_CODE."""

    def __init__(self, code: str, message: str, *, retriable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retriable = retriable


def delivery_error(error: Exception) -> DeliveryError:
    """The failure that an exception of a client means.

    Only what the target's side may overcome is tried again: throttling, 5xx, no connection.
    """
    if isinstance(error, ClientError):
        return _answered(error)
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return DeliveryError("TIMEOUT", str(error), retriable=True)
    if isinstance(error, NoConnectionError | HTTPClientError):
        return DeliveryError("CONNECTION_FAILURE", str(error), retriable=True)
    return DeliveryError("INVALID_PARAMETER", str(error))


def _answered(error: ClientError) -> DeliveryError:
    answer = error.response.get("Error", {})
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    code = str(answer.get("Code", "Unknown"))
    message = f"{code}: {answer.get('Message', '')} ({error.operation_name})"
    if error.operation_name == "AssumeRole":
        return DeliveryError("FAILED_TO_ASSUME_ROLE", message)
    if _THROTTLED.search(code) or status == 429:
        return DeliveryError("THROTTLING", message, retriable=True)
    if status >= 500:
        return DeliveryError("INTERNAL_ERROR", message, retriable=True)
    if _DENIED.search(code) or status == 403:
        return DeliveryError("NO_PERMISSIONS", message)
    if _GONE.search(code) or status == 404:
        return DeliveryError("NO_RESOURCE", message)
    if _FULL.search(code):
        return DeliveryError("RESOURCE_LIMIT_EXCEEDED", message)
    return DeliveryError("SDK_CLIENT_ERROR", message)
