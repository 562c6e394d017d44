"""Ends an execution of the loop: tells the approver what came of it and frees the lock, whatever happened.

Must not approve, and must not start anything.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.finish_retraining.message import Candidate, Message, candidate_message, failure_message
from lambdas.finish_retraining.request import Ended
from lambdas.shared.events import Event, EventBus
from lambdas.shared.packages import describe_package
from lambdas.shared.retraining_lock import RetrainingLock
from lambdas.shared.s3 import Bucket, split_uri
from lambdas.shared.snapshots import Snapshots

_SUCCEEDED = "Succeeded"


@dataclass(frozen=True, slots=True)
class Finishing:
    """What the function works with. `sagemaker`, `s3` and `sns` are boto3 clients."""

    sagemaker: Any
    s3: Any
    sns: Any
    lock: RetrainingLock
    snapshots: Snapshots
    bus: EventBus
    topic: str
    subject: Mapping[str, str]

    def finish(self, ended: Ended, *, now: datetime) -> dict[str, Any]:
        """{"result": candidate, failed or ended, "again"}; `again`: newer data was admitted meanwhile.

        The lock is freed first: a message that cannot be sent must not stop the loop.
        """
        held = self._free(ended, now=now)
        if ended.from_outside and not held:
            # The loop has cleaned up itself, or another execution has taken its lock over.
            return {"result": "ended", "again": False}
        candidate = self._candidate(ended) if ended.status == _SUCCEEDED and ended.training else None
        self._tell(ended, candidate)
        newest = self.snapshots.newest() if ended.data_version and not ended.failure else None
        return {
            "result": "candidate" if candidate else "failed",
            "again": newest is not None and newest.data_version != ended.data_version,
        }

    def _free(self, ended: Ended, *, now: datetime) -> bool:
        if ended.training and ended.data_version:
            return self.lock.record(ended.execution, data_version=ended.data_version, ended=now)
        return self.lock.free(ended.execution)

    def _tell(self, ended: Ended, candidate: Candidate | None) -> None:
        project = self.subject["project"]
        detail: dict[str, Any] = {**self.subject, "reason": ended.reason, "execution": ended.execution}
        if candidate:
            message = candidate_message(project, reason=ended.reason, candidate=candidate)
            detail |= {"modelPackageArn": candidate.arn, "report": candidate.report_uri}
            event = Event("Candidate Waits", detail)
        else:
            failure = ended.failure or _outcome(ended.status)
            message = failure_message(
                project, reason=ended.reason, failure=failure, subject=ended.training or ended.execution
            )
            event = Event("Retraining Failed", {**detail, "failure": failure, "training": ended.training})
        self.bus.send(event)
        self._mail(message)

    def _mail(self, message: Message) -> None:
        self.sns.publish(TopicArn=self.topic, Subject=message.subject, Message=message.text)

    def _candidate(self, ended: Ended) -> Candidate | None:
        """The version that the training registered; None if it registered none."""
        pages = self.sagemaker.get_paginator("list_pipeline_execution_steps")
        for page in pages.paginate(PipelineExecutionArn=ended.training):
            for step in page["PipelineExecutionSteps"]:
                arn = step.get("Metadata", {}).get("RegisterModel", {}).get("Arn")
                package = describe_package(self.sagemaker, arn) if arn else None
                if package:
                    report = str(package.properties.get("evaluation_report", "none"))
                    return Candidate(package.arn, package.version, report, self._evaluation(package.evaluation_uri))
        return None

    def _evaluation(self, uri: str | None) -> Mapping[str, Any]:
        if not uri:
            return {}
        bucket, key = split_uri(uri)
        text = Bucket(self.s3, bucket).read_text(key)
        found: Mapping[str, Any] = json.loads(text) if text else {}
        return found


def _outcome(status: str) -> str:
    """Of a training without a registered version."""
    return "its evaluation accepted no model" if status == _SUCCEEDED else f"the training ended with {status}"
