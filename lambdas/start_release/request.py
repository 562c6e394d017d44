"""What the function is asked: by an approval, by a rejection, or by a person through `python -m releases`.

Must not call AWS. Our own request has the form
{"source": "cd4ml.releases", "detail-type": "Release Requested", "detail": {"modelPackageArn", "reason",
"requestedBy", "moment"}} and never lets out a check.
https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lambdas.shared.errors import MalformedEventError
from lambdas.shared.packages import APPROVED, REJECTED

# Members whose change is a decision; other changes of an approved version, as of its metadata, release nothing.
_DECISIONS = frozenset({"ModelApprovalStatus", "ApprovalDescription"})


class Kind(StrEnum):
    """What is to happen with the version."""

    APPROVAL = "approval"
    REJECTION = "rejection"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Request:
    """One decision about one version. `moment` tells two decisions about one version apart.

    `reason` and `requested_by` are empty where the registry, and not the request, knows them.
    """

    kind: Kind
    package_arn: str
    moment: str
    reason: str = ""
    requested_by: str = ""

    @property
    def token(self) -> str:
        """The same for the same decision, however often it is delivered; 64 hexadecimal digits."""
        parts = (self.kind, self.package_arn, self.moment)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def parse_request(event: Mapping[str, Any]) -> Request | None:
    """The decision in an event, None if it holds none; MalformedEventError if it is not what is subscribed to."""
    kind = (event.get("source"), event.get("detail-type"))
    detail = event.get("detail")
    values: Mapping[str, Any] = detail if isinstance(detail, Mapping) else {}
    if kind == ("cd4ml.releases", "Release Requested"):
        arn, reason, who, moment = _texts(values, "modelPackageArn", "reason", "requestedBy", "moment")
        return Request(Kind.REQUEST, arn, moment, reason, who)
    if kind != ("aws.sagemaker", "SageMaker Model Package State Change"):
        raise MalformedEventError(
            f"expected a SageMaker Model Package State Change, got {kind[0]!r} {kind[1]!r}; "
            "correct the pattern of the EventBridge rule"
        )
    arn, status, moment = _texts(values, "ModelPackageArn", "ModelApprovalStatus", "LastModifiedTime")
    fields = values.get("UpdatedModelPackageFields")
    if isinstance(fields, list) and _DECISIONS.isdisjoint(fields):
        return None
    kinds = {APPROVED: Kind.APPROVAL, REJECTED: Kind.REJECTION}
    return Request(kinds[status], arn, moment) if status in kinds else None


def _texts(values: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    missing = [name for name in names if not isinstance(values.get(name), str) or not values[name]]
    if missing:
        raise MalformedEventError(f"the event's detail lacks {', '.join(missing)}")
    return tuple(values[name] for name in names)
