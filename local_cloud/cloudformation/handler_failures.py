"""What an error of a resource handler means to CloudFormation: its text, its HandlerErrorCode, and whether it counts.

https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
"""

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.cloudformation.errors import HandlerFailure
from local_cloud.service import ServiceError

_GONE = ("NotFound", "NoSuch", "NonExistent", "does not exist", "not exist", "cannot be found", "could not be found")
_CODES = {
    "AlreadyExists": ("AlreadyExists", "AlreadyOwnedByYou", "ResourceConflict", "ResourceInUse", "NameExists"),
    "NotFound": ("NotFound", "NoSuch", "NonExistent", "DoesNotExist"),
    "AccessDenied": ("AccessDenied", "Unauthorized", "NotAuthorized"),
    "InvalidRequest": ("Validation", "Invalid", "Malformed"),
}


def explained(error: Exception) -> tuple[str, str]:
    """The message and the HandlerErrorCode of whatever a provider raised."""
    if isinstance(error, HandlerFailure):
        return str(error), error.code
    if isinstance(error, ClientError):
        service_code = error.response["Error"]["Code"]
        code = next((name for name, parts in _CODES.items() if any(p in service_code for p in parts)), None)
        return str(error), code or "GeneralServiceException"
    if isinstance(error, ServiceError):
        return error.message, "InvalidRequest"
    kind = "InvalidRequest" if isinstance(error, BotoCoreError) else "InternalFailure"
    return f"{type(error).__name__}: {error}", kind


def is_gone(error: Exception) -> bool:
    """Whether a deletion failed because there is nothing to delete any more."""
    if isinstance(error, HandlerFailure):
        return error.code == "NotFound"
    if not isinstance(error, ClientError):
        return False
    described = error.response["Error"]
    return any(part in described.get("Code", "") + " " + described.get("Message", "") for part in _GONE)
