"""Errors of the CloudFormation engine: refusals of a request, and failures while resources are being changed."""

from local_cloud.errors import LocalCloudError
from local_cloud.service import ServiceError


class ValidationError(ServiceError):
    """What CloudFormation answers to a request or a template that it will not carry out."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationError", message)


class TemplateError(ValidationError):
    """A template that cannot be understood: its section, function or reference is named in the message."""


class ResourceFailure(LocalCloudError):
    """One resource could not be created, updated or deleted (`verb`); `reason` is what its event shows."""

    def __init__(self, logical_id: str, verb: str, reason: str) -> None:
        super().__init__(f"The following resource(s) failed to {verb}: [{logical_id}]. {reason}")
        self.logical_id = logical_id
        self.verb = verb
        self.reason = reason


class ReplacementFailure(ResourceFailure):
    """A resource whose replacement could not be made: the physical resource it has is as it was."""


class HandlerFailure(LocalCloudError):
    """A provider's own refusal, with the error code of CloudFormation's resource handler contract."""

    def __init__(self, message: str, *, code: str = "InvalidRequest") -> None:
        super().__init__(message)
        self.code = code


class ReplacementNeeded(LocalCloudError):
    """A provider cannot make this change in place: the engine creates a new physical resource instead."""


class OperationFailed(LocalCloudError):
    """A stack operation stopped: its text becomes the stack's status reason."""
