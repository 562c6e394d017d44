"""What the function is to record: the end of an execution, told by its last action or by an event.

Must not call AWS.
https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.shared.errors import MalformedEventError

# The states of executions that end without the Record action, as the record says them.
RESULTS = {"FAILED": "Failed", "STOPPED": "Stopped", "SUPERSEDED": "Superseded"}


@dataclass(frozen=True, slots=True)
class UnfinishedRelease:
    """An execution that ended before its last action; `time` is when the event was sent."""

    execution_id: str
    result: str
    time: datetime


def parse_unfinished(event: Mapping[str, Any]) -> UnfinishedRelease | None:
    """What an event of CodePipeline says; None for a state that the Record action reports itself.

    MalformedEventError if it is no such event.
    """
    kind = (event.get("source"), event.get("detail-type"))
    if kind != ("aws.codepipeline", "CodePipeline Pipeline Execution State Change"):
        raise MalformedEventError(
            f"expected a CodePipeline Pipeline Execution State Change, got {kind[0]!r} {kind[1]!r}; "
            "correct the pattern of the EventBridge rule"
        )
    try:
        execution_id, state = event["detail"]["execution-id"], event["detail"]["state"]
        time = datetime.fromisoformat(event["time"])
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedEventError(f"the event of CodePipeline lacks a field: {error!r}") from error
    return UnfinishedRelease(str(execution_id), RESULTS[state], time) if state in RESULTS else None
