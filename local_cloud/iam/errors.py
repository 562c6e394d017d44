"""Exceptions of the IAM evaluator and the texts in which AWS words a refusal.

The module words decisions; it must not take any.

Source: "Troubleshoot access denied error messages",
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

_ERROR_CODES = {
    "cloudformation": "AccessDenied",
    "ec2": "UnauthorizedOperation",
    "iam": "AccessDenied",
    "monitoring": "AccessDenied",
    "s3": "AccessDenied",
    "sns": "AuthorizationError",
    "sqs": "AccessDenied",
    "sts": "AccessDenied",
}


class IamError(Exception):
    """Base of every exception raised by `local_cloud.iam`."""


class PolicySyntaxError(IamError):
    """A policy document that AWS would refuse to store (MalformedPolicyDocument)."""

    code = "MalformedPolicyDocument"


class AccessDeniedError(IamError):
    """A refused request, worded as AWS words it.

    `code` is the error code of the service's protocol, for the caller that writes the HTTP response.
    """

    def __init__(self, message: str, *, code: str = "AccessDeniedException") -> None:
        super().__init__(message)
        self.code = code


def error_code(service: str) -> str:
    """The code with which a service (SigV4 signing name) reports a refusal.

    Services that speak JSON answer AccessDeniedException; those that came from the query and REST-XML
    protocols kept their own codes.
    """
    return _ERROR_CODES.get(service, "AccessDeniedException")


def access_denied_message(*, caller_arn: str, action: str, resource: str, reason: str) -> str:
    """AWS's sentence for a refusal; `reason` is `Decision.reason`, which begins with "because" or "with"."""
    return f"User: {caller_arn} is not authorized to perform: {action} on resource: {resource} {reason}"
