"""SageMaker's events on the default bus, in the shapes that AWS documents.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
Jobs write moments as milliseconds since the epoch, packages and pipelines as ISO 8601 text.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

SOURCE = "aws.sagemaker"


def milliseconds(moment: datetime) -> int:
    """A moment as the job events write it."""
    return int(moment.timestamp() * 1000)


def iso8601(moment: datetime) -> str:
    """A moment as the package and pipeline events write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def detail_of(answer: Mapping[str, Any], *, moment: Callable[[datetime], Any]) -> dict[str, Any]:
    """A Describe answer as an event's detail: every moment in it is converted by `moment`."""
    converted: dict[str, Any] = _convert(answer, moment)
    return converted


def _convert(value: Any, moment: Callable[[datetime], Any]) -> Any:
    if isinstance(value, Mapping):
        return {name: _convert(item, moment) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_convert(item, moment) for item in value]
    return moment(value) if isinstance(value, datetime) else value
