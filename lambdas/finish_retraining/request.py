"""How the loop's execution ended: told by the state machine itself, or by an event when it was ended from outside.

Must not call AWS.
https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.shared.errors import MalformedEventError

_EVENT = ("aws.states", "Step Functions Execution Status Change")


@dataclass(frozen=True, slots=True)
class Ended:
    """`execution` is the loop's ARN. Without a `training` (a pipeline execution's ARN), none was started.

    `status` is the training's, `failure` what went wrong elsewhere; empty if nothing did. `attended`: the training was
    under way when the loop came. `from_outside`: the execution did not say so itself.
    """

    execution: str
    reason: str
    data_version: str | None = None
    training: str | None = None
    status: str = ""
    failure: str = ""
    attended: bool = False
    from_outside: bool = False


def parse_ended(event: Mapping[str, Any]) -> Ended:
    """The end in an event or in the state machine's input; MalformedEventError saying what was expected."""
    if (event.get("source"), event.get("detail-type")) == _EVENT:
        detail = event["detail"]
        return Ended(
            execution=str(detail["executionArn"]),
            reason="see the input of the execution",
            failure=f"the loop's execution ended with {detail['status']}",
            from_outside=True,
        )
    if not event.get("execution"):
        raise MalformedEventError("the input should name the execution of the loop; correct the state machine")
    decision, training = event.get("decision") or {}, event.get("training") or {}
    return Ended(
        execution=str(event["execution"]),
        reason=str(decision.get("reason", "unknown")),
        data_version=(decision.get("snapshot") or {}).get("data_version"),
        training=training.get("execution"),
        status=str((event.get("status") or {}).get("status", "")),
        failure=_failure(event),
        attended=decision.get("decision") == "attend",
    )


def _failure(event: Mapping[str, Any]) -> str:
    """A failed state's error as text: its name and cause."""
    error = event.get("error") or {}
    return ": ".join(text for text in (str(error.get("Error", "")), _cause(str(error.get("Cause", "")))) if text)


def _cause(text: str) -> str:
    """Lambda gives an error as JSON with its stack trace, of which people get the message."""
    try:
        said = json.loads(text)
    except ValueError:
        return text
    return str(said.get("errorMessage", text)) if isinstance(said, dict) else text
