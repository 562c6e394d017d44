"""Why the loop was started: the event or the input of the state machine's execution. Must not call AWS."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lambdas.shared import event_sources
from lambdas.shared.errors import MalformedEventError


class Reason(StrEnum):
    """What asks for a training."""

    NEW_DATA = "new data"
    VIOLATION = "violation"
    SCHEDULE = "schedule"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Trigger:
    """The reason, and a sentence for people."""

    reason: Reason
    description: str


def parse_trigger(given: Mapping[str, Any]) -> Trigger:
    """The trigger in an EventBridge event, or in an input of the form {"reason": "manual" | "schedule" | "new data"}.

    Raises MalformedEventError saying what was expected.
    """
    detail = given.get("detail")
    detail = detail if isinstance(detail, Mapping) else {}
    match (given.get("source"), given.get("detail-type")):
        case (event_sources.INGEST_SOURCE, "Snapshot Created"):
            return Trigger(Reason.NEW_DATA, f"new data: version {detail.get('dataVersion')}")
        case (event_sources.MONITORING_SOURCE, "Violation Found"):
            monitor = f"monitor {detail.get('monitor')}, {detail.get('windowStart')} to {detail.get('windowEnd')}"
            return Trigger(Reason.VIOLATION, f"{monitor}: {detail.get('summary')}")
        case (event_sources.RETRAINING_SOURCE, "Retraining Failed"):
            return Trigger(Reason.NEW_DATA, f"newer data waited for a training that failed: {detail.get('failure')}")
    try:
        reason = Reason(str(given.get("reason")))
    except ValueError:
        raise MalformedEventError(
            'the loop is started by "Snapshot Created", "Violation Found" or "Retraining Failed", or with the input '
            f'{{"reason": "manual"}}, not with reason {given.get("reason")!r}'
        ) from None
    return Trigger(reason, str(given.get("description") or reason))
