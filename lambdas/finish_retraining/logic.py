"""Ends an execution of the loop: frees the lock, and tells the approvers if there is nothing for them to approve.

Must not approve, and must not start anything. A candidate is announced by its registration, see
`lambdas.announce_candidate`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.finish_retraining.message import failure_message
from lambdas.finish_retraining.request import Ended
from lambdas.shared.events import Event, EventBus
from lambdas.shared.mail import MailTopic
from lambdas.shared.retraining_lock import RetrainingLock
from lambdas.shared.snapshots import Snapshots

_SUCCEEDED = "Succeeded"


@dataclass(frozen=True, slots=True)
class Finishing:
    """What the function works with. `sagemaker` is a boto3 client."""

    sagemaker: Any
    lock: RetrainingLock
    snapshots: Snapshots
    bus: EventBus
    approvers: MailTopic
    subject: Mapping[str, str]

    def finish(self, ended: Ended, *, now: datetime) -> dict[str, Any]:
        """{"result": candidate, failed or ended, "again"}; `again`: other data has become current meanwhile.

        The lock is freed first: a message that cannot be sent must not stop the loop. An execution that fails cannot
        look at newer data itself: then the event about it says so, and starts the loop once more.
        """
        held_for = self._free(ended, now=now)
        if ended.from_outside and held_for is None:
            # The loop has cleaned up itself, or another execution has taken its lock over.
            return {"result": "ended", "again": False}
        if ended.status == _SUCCEEDED and ended.training and self._has_registered(ended.training):
            return {"result": "candidate", "again": self._has_newer_data(ended.data_version)}
        tried = held_for if ended.data_version is None else ended.data_version
        newer = self._has_newer_data(tried)
        self._tell(ended, newer_data=newer and bool(ended.failure))
        return {"result": "failed", "again": newer and not ended.failure}

    def _free(self, ended: Ended, *, now: datetime) -> str | None:
        if not ended.training:
            return self.lock.free(ended.execution)
        # What the loop did not choose to train on says nothing about what it should train on next.
        return self.lock.record(ended.execution, learned=None if ended.attended else ended.data_version, ended=now)

    def _has_newer_data(self, tried: str | None) -> bool:
        """Whether the current snapshot is another one; not if it is unknown what was tried, so that this ends."""
        current = self.snapshots.current() if tried is not None else None
        return current is not None and current.data_version != tried

    def _has_registered(self, training: str) -> bool:
        pages = self.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=training)
        steps = (step for page in pages for step in page["PipelineExecutionSteps"])
        return any(step.get("Metadata", {}).get("RegisterModel", {}).get("Arn") for step in steps)

    def _tell(self, ended: Ended, *, newer_data: bool) -> None:
        failure = ended.failure or _outcome(ended.status)
        detail = {
            **self.subject,
            "reason": ended.reason,
            "execution": ended.execution,
            "failure": failure,
            "training": ended.training,
            "newerData": newer_data,
        }
        self.bus.send(Event("Retraining Failed", detail))
        self.approvers.send(
            failure_message(
                self.subject["project"],
                reason=ended.reason,
                failure=failure,
                execution=ended.training or ended.execution,
            )
        )


def _outcome(status: str) -> str:
    """Of a training without a registered version."""
    return "its evaluation accepted no model" if status == _SUCCEEDED else f"the training ended with {status}"
