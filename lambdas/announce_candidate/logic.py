"""Tells the approvers of a new version once, whoever registered it: the loop's training or that of a killed loop, a
person's training, or a person by hand.

Must not approve, and must not judge the version.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from lambdas.announce_candidate.announcements import Announcements
from lambdas.announce_candidate.message import Candidate, candidate_message
from lambdas.shared.events import Event, EventBus
from lambdas.shared.mail import MailTopic
from lambdas.shared.packages import PENDING, ModelPackage, describe_package
from lambdas.shared.s3 import Bucket, split_uri

_NONE = "none"


class Outcome(StrEnum):
    """What became of an event."""

    ANNOUNCED = "announced"
    REPEATED = "repeated"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the function works with. `sagemaker` is a boto3 client; evaluations below `evidence` can be read."""

    sagemaker: Any
    announcements: Announcements
    artifacts: Bucket
    evidence: str
    pipeline_arn: str
    bus: EventBus
    approvers: MailTopic
    subject: Mapping[str, str]

    def announce(self, arn: str, *, now: datetime) -> Outcome:
        """Announce version `arn` if it waits for a decision and nobody has heard of it.

        All that can be found out is found out first: only a failure to send leaves an announcement half done, and
        the retry that Lambda makes a minute later takes it up.
        """
        package = describe_package(self.sagemaker, arn)
        if package is None or package.approval != PENDING:
            return Outcome.DECIDED
        training = self._training(package)
        candidate = Candidate(
            arn=package.arn,
            version=package.version,
            reason=_reason(training),
            report_uri=_report(package),
            evaluation=self._evaluation(package.evaluation_uri),
        )
        if not self.announcements.begin(package, now=now):
            return Outcome.REPEATED
        self.bus.send(self._event(candidate, training=training["PipelineExecutionArn"] if training else _NONE))
        self.approvers.send(candidate_message(self.subject["project"], candidate))
        self.announcements.end(package, now=now)
        return Outcome.ANNOUNCED

    def _event(self, candidate: Candidate, *, training: str) -> Event:
        detail = {
            **self.subject,
            "reason": candidate.reason,
            "training": training,
            "modelPackageArn": candidate.arn,
            "report": candidate.report_uri,
        }
        return Event("Candidate Waits", detail)

    def _training(self, package: ModelPackage) -> Mapping[str, Any] | None:
        """The execution of the project's pipeline that made the version, as SageMaker describes it.

        None for a version made by hand, whatever it claims.
        """
        arn = package.properties.get("pipeline_execution_arn", "")
        if not arn.startswith(f"{self.pipeline_arn}/execution/"):
            return None
        try:
            described: Mapping[str, Any] = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFound":
                raise
            return None
        return described

    def _evaluation(self, uri: str | None) -> Mapping[str, Any]:
        """The figures; none where there are none yet, or where a version made by hand points at something else."""
        try:
            bucket, key = split_uri(uri or "")
            if bucket != self.artifacts.name or not key.startswith(self.evidence):
                return {}
            found = json.loads(self.artifacts.read_text(key) or "{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def _report(package: ModelPackage) -> str:
    uri = package.properties.get("evaluation_report", "")
    return uri if uri.startswith("s3://") else _NONE


def _reason(training: Mapping[str, Any] | None) -> str:
    if training is None:
        return "somebody registered it by hand"
    return str(training.get("PipelineExecutionDescription") or "somebody started the training by hand")
