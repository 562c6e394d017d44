"""Who hears of a new version: the approvers, once, whoever registered it and however often it is delivered."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws

from lambdas.announce_candidate.announcements import Announcements
from lambdas.announce_candidate.logic import Candidates, Outcome
from lambdas.announce_candidate.request import parse_version
from lambdas.shared.errors import ConflictError, MalformedEventError
from lambdas.shared.mail import MailTopic
from lambdas.shared.s3 import Bucket
from tests.lambdas.fake_client import FakeClient
from tests.lambdas.retraining_world import GROUP, LAKE, NOW, PIPELINE, SAGEMAKER, RetrainingWorld, package
from tests.lambdas.schemas import check_event

CANDIDATE = f"{SAGEMAKER}:model-package/{GROUP}/2"
TRAINING = f"{SAGEMAKER}:pipeline/{PIPELINE}/execution/t1"
RECORD = f"releases/cars/candidates/{GROUP}/2.json"
EVALUATION = {
    "regression_metrics": {"mae": {"value": 2500.0}, "mape": {"value": 8.25}},
    "champion_comparison": {"champion": {"mae": 4000.0, "mape": 15.5}},
    "decision": {"summary": "every limit is kept"},
}


@dataclass
class Announcing:
    """The function on a world with one candidate, version 2, which a training has registered."""

    world: RetrainingWorld = field(default_factory=RetrainingWorld)

    def __post_init__(self) -> None:
        self.world.s3.put_object(Bucket=LAKE, Key="pipelines/evaluation.json", Body=json.dumps(EVALUATION))
        self.package = package(CANDIDATE, data_version="first", evaluation=f"s3://{LAKE}/pipelines/evaluation.json")
        self.package["ModelApprovalStatus"] = "PendingManualApproval"
        self.package["CustomerMetadataProperties"]["pipeline_execution_arn"] = TRAINING
        self.world.packages[CANDIDATE] = self.package
        self.world.trainings[TRAINING] = "Executing"

    def announce(self, *, after: int = 0, approvers: MailTopic | None = None) -> Outcome:
        """What comes of the event, `after` so many seconds."""
        artifacts = Bucket(self.world.s3, LAKE)
        candidates = Candidates(
            sagemaker=self.world.sagemaker(),
            announcements=Announcements(artifacts, "cars"),
            artifacts=artifacts,
            evidence="pipelines/",
            pipeline_arn=f"{SAGEMAKER}:pipeline/{PIPELINE}",
            bus=self.world.bus,
            approvers=approvers or self.world.approvers,
            subject={"project": "cars", "stage": "dev"},
        )
        return candidates.announce(CANDIDATE, now=NOW + timedelta(seconds=after))

    def mail(self) -> dict[str, str]:
        """The only one."""
        (mail,) = self.world.mails
        return mail


@pytest.fixture
def announcing() -> Iterator[Announcing]:
    """A version that nobody has heard of."""
    with mock_aws():
        yield Announcing()


def test_the_approver_hears_of_a_candidate_with_both_models_figures(announcing: Announcing) -> None:
    """The mail says why it was trained, how both do on the same holdout, where the report is and how to approve."""
    assert announcing.announce() is Outcome.ANNOUNCED

    mail = announcing.mail()
    assert mail["Subject"] == "cars: version 2 waits for approval"
    for part in ("hp has drifted", "2,500", "4,000", "s3://artifacts/report.html", f"--model-package-arn {CANDIDATE}"):
        assert part in mail["Message"]
    check_event("cd4ml.retraining", "Candidate Waits", *announcing.world.events.of("Candidate Waits"))


def test_a_version_is_announced_once_however_often_it_changes(announcing: Announcing) -> None:
    """Every change of a waiting version's metadata is an event, and an event may be delivered twice."""
    answers = [announcing.announce(after=hours * 3600) for hours in range(3)]

    assert answers == [Outcome.ANNOUNCED, Outcome.REPEATED, Outcome.REPEATED]
    assert len(announcing.world.mails) == len(announcing.world.events.of("Candidate Waits")) == 1


def test_of_two_deliveries_at_once_one_sends(announcing: Announcing) -> None:
    """The other one fails, is repeated a minute later, and finds that all is done."""
    refused = []

    def publish(**request: str) -> dict[str, Any]:
        with pytest.raises(ConflictError, match="another invocation announces"):
            announcing.announce(after=1)
        refused.append(request)
        return {"MessageId": "1"}

    announcing.announce(approvers=MailTopic(FakeClient("sns", {"publish": publish}), "arn:aws:sns:us-east-1:1:topic"))

    assert announcing.announce(after=61) is Outcome.REPEATED
    assert (len(refused), announcing.world.mails) == (1, [])


def test_an_announcement_that_died_is_taken_up_by_its_retry(announcing: Announcing) -> None:
    """What could not be sent is sent a minute later, and then the version counts as announced."""

    def refuse(**_: str) -> dict[str, Any]:
        raise TimeoutError("SNS does not answer")

    with pytest.raises(TimeoutError):
        announcing.announce(
            approvers=MailTopic(FakeClient("sns", {"publish": refuse}), "arn:aws:sns:us-east-1:1:topic")
        )

    assert announcing.announce(after=60) is Outcome.ANNOUNCED
    assert announcing.announce(after=600) is Outcome.REPEATED
    assert len(announcing.world.mails) == 1
    record = json.loads(announcing.world.s3.get_object(Bucket=LAKE, Key=RECORD)["Body"].read())
    assert record["state"] == "sent"


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"pipeline_execution_arn": f"{TRAINING}-that-is-gone", "evaluation_statistics": f"s3://{LAKE}/pipelines/none"},
        {"pipeline_execution_arn": f"{SAGEMAKER}:pipeline/other/execution/1", "evaluation_report": "see the wiki"},
        {"evaluation_statistics": "s3://another-bucket/evaluation.json", "evaluation_report": "s3://a/b.html"},
        {"evaluation_statistics": "not a URI"},
    ],
)
def test_a_version_made_by_hand_is_announced_whatever_it_claims(
    announcing: Announcing, properties: dict[str, str]
) -> None:
    """Nothing is fetched from where the project has no business, and what is missing does not keep the mail back."""
    announcing.package |= {"CustomerMetadataProperties": properties, "ModelMetrics": {}}

    assert announcing.announce() is Outcome.ANNOUNCED
    assert "somebody registered it by hand" in announcing.mail()["Message"]
    assert "python -m releases evaluate" in announcing.mail()["Message"]
    check_event("cd4ml.retraining", "Candidate Waits", *announcing.world.events.of("Candidate Waits"))


def test_a_decision_that_was_quicker_needs_no_announcement(announcing: Announcing) -> None:
    """An event that comes late finds the version approved."""
    announcing.package["ModelApprovalStatus"] = "Approved"

    assert announcing.announce() is Outcome.DECIDED
    assert announcing.world.mails == []


def test_an_event_of_something_else_is_refused() -> None:
    """The message says which rule to correct."""
    with pytest.raises(MalformedEventError, match="pattern of the EventBridge rule"):
        parse_version({"source": "aws.s3", "detail-type": "Object Created", "detail": {}})
