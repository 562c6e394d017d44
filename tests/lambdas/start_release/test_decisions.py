"""What becomes of approvals, rejections and requests: what is started, stopped, or left alone."""

from typing import Any

import jsonschema
import pytest

from tests.lambdas.release_world import APPROVER, PIPELINE, ReleaseWorld, arn, changed
from tests.lambdas.schemas import event_schema


def test_an_approval_releases_exactly_that_version(world: ReleaseWorld) -> None:
    """The pipeline gets the approved version's ARN, why it was approved and by whom."""
    world.register(1)
    world.register(2)
    answer = world.approve(1)
    (execution,) = world.pipeline.executions.values()
    assert answer["outcome"] == "started"
    assert execution["variables"] == {
        "ModelPackageArn": arn(1),
        "Reason": f"version 1 is better (by {APPROVER})",
    }


def test_monitoring_schedules_get_the_baseline_of_the_released_version(world: ReleaseWorld) -> None:
    """Where they come with the endpoint, a version without a baseline is refused with what to do."""
    world.needs_baseline = True
    for version in (1, 2):
        world.register(version)
    statistics = {"S3Uri": "s3://artifacts/models/2/baseline/statistics.json"}
    world.packages[arn(2)]["DriftCheckBaselines"] = {"ModelDataQuality": {"Statistics": statistics}}

    (reason,) = world.approve(1)["reasons"]
    assert "has no baseline" in reason
    assert "train it with the project's pipeline" in reason
    assert world.approve(2)["outcome"] == "started"
    (execution,) = world.pipeline.executions.values()
    assert execution["variables"]["BaselineUri"] == "s3://artifacts/models/2/baseline/"


def test_the_same_event_three_times_starts_one_release(world: ReleaseWorld) -> None:
    """All three are answered with the same execution."""
    world.register(1)
    answers = [world.approve(1) for _ in range(3)]
    assert len({answer["execution"] for answer in answers}) == 1
    assert [answer["repeated"] for answer in answers] == [False, True, True]
    assert len(world.codepipeline.requests("start_pipeline_execution")) == 1


def test_an_invocation_that_died_after_the_start_starts_no_second_release(world: ReleaseWorld) -> None:
    """The pipeline knows the decision's token, so the repetition gets the same execution."""
    world.register(1)
    first = world.approve(1)
    for key in world.records.bucket.list("releases/cars/requests/"):
        world.delete(key)
    assert world.approve(1)["execution"] == first["execution"]
    assert len(world.pipeline.executions) == 1


def test_approving_an_older_version_deploys_the_older_version(world: ReleaseWorld) -> None:
    """Nothing looks for the latest version: a decision is about the version that it names."""
    for version in (1, 2):
        world.register(version)
    world.approve(2)
    world.approve(1, moment="2026-03-01T14:00:00Z")
    assert world.released_versions() == [arn(2), arn(1)]


def test_two_approvals_start_two_releases(world: ReleaseWorld) -> None:
    """Which of them reaches production is the pipeline's to decide: the later one supersedes."""
    for version in (1, 2):
        world.register(version)
    assert {world.approve(version)["execution"] for version in (1, 2)} == set(world.pipeline.executions)


def test_approving_again_releases_again(world: ReleaseWorld) -> None:
    """A later decision about the same version is another decision."""
    world.register(1)
    world.approve(1)
    world.approve(1, moment="2026-03-02T00:00:00Z")
    assert world.released_versions() == [arn(1), arn(1)]


def test_a_decision_that_was_taken_back_meanwhile_is_ignored(world: ReleaseWorld) -> None:
    """Events arrive late and out of order; the registry says what holds."""
    world.register(1, approval="Rejected")
    assert world.approve(1)["outcome"] == "ignored"
    world.register(2, approval="Approved")
    assert world.decide(changed(2, "Rejected"))["outcome"] == "ignored"
    assert not world.pipeline.executions


def test_rejecting_a_version_that_is_not_live_changes_nothing(world: ReleaseWorld) -> None:
    """Nothing is deployed because a version is rejected."""
    for version in (1, 2):
        world.register(version)
    world.released(1, minute=1)
    assert world.reject(2)["outcome"] == "ignored"
    assert not world.pipeline.executions


def test_rejecting_the_live_version_releases_the_one_before(world: ReleaseWorld) -> None:
    """Failed releases and versions that were rejected since are passed over."""
    for version in (1, 2, 3, 4):
        world.register(version, approval="Rejected" if version == 2 else "Approved")
    world.released(1, minute=1)
    world.released(2, minute=2)
    world.released(3, minute=3)
    world.released(4, minute=4, result="Failed")
    answer = world.reject(3)
    (execution,) = world.pipeline.executions.values()
    assert answer["outcome"] == "started"
    assert execution["variables"]["ModelPackageArn"] == arn(1)
    assert "version 3 was rejected: it is biased" in execution["variables"]["Reason"]


def test_rejecting_the_only_version_that_was_ever_live_is_told(world: ReleaseWorld) -> None:
    """There is nothing to go back to, and a person has to know."""
    world.register(1)
    world.released(1, minute=1)
    answer = world.reject(1)
    assert answer["outcome"] == "refused"
    assert "no earlier, still approved release" in answer["reasons"][0]
    assert len(world.events.of("Release Refused")) == 1


def test_rejecting_a_version_on_its_way_stops_it(world: ReleaseWorld) -> None:
    """A release that has not begun with production is stopped; others go on."""
    for version in (1, 2):
        world.register(version)
    world.approve(1)
    world.approve(2)
    for execution in world.pipeline.executions:
        world.pipeline.act(execution, "Staging")
    assert world.reject(1)["outcome"] == "ignored"
    assert [execution["status"] for execution in world.pipeline.executions.values()] == ["Stopping", "InProgress"]
    (stop,) = world.codepipeline.requests("stop_pipeline_execution")
    assert (stop["pipelineName"], stop["abandon"]) == (PIPELINE, False)


def test_rejecting_a_version_that_production_is_being_given_releases_the_live_one_behind_it(
    world: ReleaseWorld,
) -> None:
    """A stack update is not cut in half; the champion follows it through the same pipeline."""
    for version in (1, 2):
        world.register(version)
    world.released(1, minute=1)
    world.approve(2)
    (running,) = world.pipeline.executions
    world.pipeline.act(running, "Production", status="InProgress")
    assert world.reject(2)["outcome"] == "started"
    assert world.released_versions() == [arn(2), arn(1)]
    assert not world.codepipeline.requests("stop_pipeline_execution")


def test_a_person_can_ask_for_a_release(world: ReleaseWorld) -> None:
    """The request passes the same checks, and its reason and name reach the pipeline on one line."""
    world.register(1)
    detail = {
        "modelPackageArn": arn(1),
        "reason": "rollback:\n the other one\tis slow",
        "requestedBy": APPROVER,
        "moment": "2026-03-01T12:00:00.123+00:00",
    }
    event = {"source": "cd4ml.releases", "detail-type": "Release Requested", "detail": detail}
    assert world.decide(event)["outcome"] == "started"
    (execution,) = world.pipeline.executions.values()
    assert execution["variables"]["Reason"] == f"rollback: the other one is slow (requested by {APPROVER})"
    world.register(2, approval="PendingManualApproval")
    refused = world.decide({**event, "detail": {**detail, "modelPackageArn": arn(2)}})
    assert refused["reasons"] == ["the version is PendingManualApproval, not Approved"]


def test_a_long_reason_is_cut_to_what_a_variable_holds(world: ReleaseWorld) -> None:
    """CodePipeline takes 1,000 characters."""
    world.register(1)
    world.packages[arn(1)]["ApprovalDescription"] = "x" * 1024
    world.approve(1)
    (execution,) = world.pipeline.executions.values()
    assert len(execution["variables"]["Reason"]) == 1000


def test_a_refusal_is_announced_once_with_its_reasons(world: ReleaseWorld) -> None:
    """The event follows its schema and says which version is live."""
    world.register(1)
    world.released(1, minute=1)
    world.register(2)
    world.delete("models/2/evaluation.json")
    answers = [world.approve(2) for _ in range(2)]
    assert [answer["outcome"] for answer in answers] == ["refused", "refused"]
    (entry,) = world.events.entries
    (detail,) = world.events.of("Release Refused")
    assert (detail["modelPackageArn"], detail["live"]) == (arn(2), arn(1))
    assert detail["summary"] == "; ".join(detail["reasons"])
    event: dict[str, Any] = {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": detail}
    jsonschema.validate(event, event_schema("release-refused"))


@pytest.mark.parametrize("status", ["PendingManualApproval", "Deleted"])
def test_a_version_that_the_registry_lost_is_refused(world: ReleaseWorld, status: str) -> None:
    """An approval of a version that is deleted by now ends in a refusal, one that is pending again in nothing."""
    if status != "Deleted":
        world.register(1, approval=status)
    answer = world.approve(1)
    assert answer["outcome"] == ("refused" if status == "Deleted" else "ignored")
