"""What an emulated AWS service is: a table of operations, each a plain function of a request.

Nothing here knows about HTTP or moto. The wire (parsing, authorization, serialization in the service's own
protocol) is done once, in `moto/requests.py`; the engines below it only see validated parameters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local_cloud.errors import LocalCloudError


class Fidelity(StrEnum):
    """How much of an AWS operation or resource type really happens here."""

    EMULATED = "emulated"
    DELEGATED = "delegated to moto"
    RECORDED = "recorded only"


@dataclass(frozen=True)
class RequestContext:
    """Who calls, and where. `role_arn` is None for a caller that did not assume a role (an administrator)."""

    account: str
    region: str
    role_arn: str | None = None
    session_arn: str | None = None


Handler = Callable[[RequestContext, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Operation:
    """One API operation. `note` says what differs from AWS and is required for RECORDED."""

    handler: Handler | None
    fidelity: Fidelity = Fidelity.EMULATED
    note: str = ""


@dataclass(frozen=True)
class Service:
    """A service the local cloud owns: every operation that is not in the table is refused by name."""

    name: str
    operations: Mapping[str, Operation]


class ServiceError(LocalCloudError):
    """An error that AWS would answer: its code reaches the client in the protocol of the service.

    `members` are further members of the error's shape, by name.
    """

    def __init__(self, code: str, message: str, *, status: int = 400, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.members = members or {}


def not_found(message: str) -> ServiceError:
    """The error most JSON services of AWS give for a missing resource."""
    return ServiceError("ResourceNotFound", message)


def invalid(message: str) -> ServiceError:
    """A request that is well-formed but cannot be carried out."""
    return ServiceError("ValidationException", message)
