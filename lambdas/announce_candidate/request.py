"""Which version an event of the registry is about. Must not call AWS.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from collections.abc import Mapping
from typing import Any

from lambdas.shared.errors import MalformedEventError

_EVENT = ("aws.sagemaker", "SageMaker Model Package State Change")


def parse_version(event: Mapping[str, Any]) -> str:
    """ARN of the model package; MalformedEventError if the event is not what is subscribed to."""
    kind = (event.get("source"), event.get("detail-type"))
    detail = event.get("detail")
    arn = detail.get("ModelPackageArn") if isinstance(detail, Mapping) else None
    if kind != _EVENT or not isinstance(arn, str) or not arn:
        raise MalformedEventError(
            f"expected a {_EVENT[1]} with a ModelPackageArn, got {kind[0]!r} {kind[1]!r}; "
            "correct the pattern of the EventBridge rule"
        )
    return arn
