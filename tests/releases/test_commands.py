"""Releases, rollbacks, status and history from the command line."""

from argparse import Namespace
from datetime import timedelta

import pytest

from releases import starting
from releases.errors import ReleasesError
from tests.lambdas.release_world import APPROVER, GROUP, PIPELINE, START, ReleaseWorld, arn
from tests.releases.desk import Desk

TOKEN = "99999999-2222-4333-8444-555555555555"


def _start(desk: Desk, version: int, *, approve: bool = False, watch: bool = False) -> bool:
    given = Namespace(version=version, reason="the market moved", approve=approve, watch=watch)
    return desk.commands.start(given)


def _rollback(desk: Desk, to: int | None = None) -> bool:
    return desk.commands.rollback(Namespace(to=to, reason="it is slow", watch=False))


def _reasons(world: ReleaseWorld) -> list[str]:
    return [execution["variables"]["Reason"] for execution in world.pipeline.executions.values()]


def test_an_approved_version_is_released_with_who_and_why(desk: Desk, world: ReleaseWorld) -> None:
    """The function that checks every release starts this one, too."""
    world.register(1)
    assert _start(desk, 1)
    assert world.released_versions() == [arn(1)]
    assert _reasons(world) == [f"the market moved (requested by {APPROVER})"]
    assert any("status --watch --execution" in line for line in desk.lines)


def test_a_version_that_is_not_approved_is_not_released(desk: Desk, world: ReleaseWorld) -> None:
    """The tool approves only when told to."""
    world.register(1, approval="PendingManualApproval")
    with pytest.raises(ReleasesError, match="version 1 is PendingManualApproval; read its evidence"):
        _start(desk, 1)
    assert not world.pipeline.executions


def test_approving_starts_one_release(desk: Desk, world: ReleaseWorld) -> None:
    """The approval's own event starts it; the tool waits for the answer and asks for nothing more."""
    world.register(1, approval="PendingManualApproval")
    assert _start(desk, 1, approve=True)
    assert world.packages[arn(1)]["ApprovalDescription"] == "the market moved"
    assert world.released_versions() == [arn(1)]


def test_approving_an_approved_version_releases_it(desk: Desk, world: ReleaseWorld) -> None:
    """There is no change in the registry that could start it, so the function is asked."""
    world.register(1)
    assert _start(desk, 1, approve=True)
    assert world.released_versions() == [arn(1)]


def test_a_refusal_is_shown_with_every_reason(desk: Desk, world: ReleaseWorld) -> None:
    """By request and by approval alike."""
    for version, approval in ((1, "Approved"), (2, "PendingManualApproval")):
        world.register(version, approval=approval)
        world.delete(f"models/{version}/evaluation.json")
        with pytest.raises(ReleasesError, match=r"the release was refused:\n  - the evidence .* cannot be used"):
            _start(desk, version, approve=True)


def test_a_function_that_does_not_answer_is_told(
    desk: Desk, world: ReleaseWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version is approved by then, which has to be said."""
    monkeypatch.setattr(starting, "_ANSWER_SECONDS", 0.0)
    desk.delivers = False
    world.register(1, approval="PendingManualApproval")
    with pytest.raises(ReleasesError, match="version 1 is approved, but starter did not answer"):
        _start(desk, 1, approve=True)


def test_a_function_that_fails_is_told(desk: Desk, world: ReleaseWorld) -> None:
    """With its own words and where to look."""
    world.register(1)
    desk.function_error = "environment variable(s) not set"
    with pytest.raises(ReleasesError, match=r"starter failed: environment variable\(s\) not set; see its log"):
        _start(desk, 1)


def test_an_unknown_version_is_refused_with_the_known_ones(desk: Desk, world: ReleaseWorld) -> None:
    """A typing error is seen at once."""
    world.register(1)
    with pytest.raises(ReleasesError, match=f"{GROUP} has no version 7; it has: 1"):
        _start(desk, 7)


def test_rollback_releases_the_version_before(desk: Desk, world: ReleaseWorld) -> None:
    """The one that was live before the champion, and is still approved."""
    for version in (1, 2, 3):
        world.register(version, approval="Rejected" if version == 2 else "Approved")
        world.released(version, minute=version)
    desk.served["cars-dev-production"] = arn(3)
    assert _rollback(desk)
    assert world.released_versions() == [arn(1)]
    assert _reasons(world) == [f"rollback: it is slow (requested by {APPROVER})"]


def test_rollback_after_a_failed_verification_releases_the_champion(desk: Desk, world: ReleaseWorld) -> None:
    """Production serves a version that no release completed: the last good one is the champion."""
    for version in (1, 2):
        world.register(version)
    world.released(1, minute=1)
    world.released(2, minute=2, result="Failed")
    desk.served["cars-dev-production"] = arn(2)
    assert _rollback(desk)
    assert world.released_versions() == [arn(1)]


def test_rollback_to_a_named_version(desk: Desk, world: ReleaseWorld) -> None:
    """As long as it is approved."""
    world.register(1)
    world.register(2, approval="Rejected")
    assert _rollback(desk, to=1)
    assert world.released_versions() == [arn(1)]
    with pytest.raises(ReleasesError, match="version 2 is not approved any more"):
        _rollback(desk, to=2)


def test_rollback_without_an_earlier_version_is_refused(desk: Desk, world: ReleaseWorld) -> None:
    """There is nothing to go back to."""
    world.register(1)
    world.released(1, minute=1)
    with pytest.raises(ReleasesError, match="no version but 1 was live before"):
        _rollback(desk)


def test_status_shows_what_is_live_and_how_to_decide(desk: Desk, world: ReleaseWorld) -> None:
    """Somebody can copy the command."""
    world.released(1, minute=1)
    desk.served["cars-dev-staging"] = arn(2)
    waiting = {"status": "InProgress", "token": TOKEN}
    desk.state = [
        {"stageName": "Staging", "latestExecution": {"status": "Succeeded", "pipelineExecutionId": "0123456789"}},
        {
            "stageName": "Approve",
            "latestExecution": {"status": "InProgress", "pipelineExecutionId": "0123456789"},
            "actionStates": [{"actionName": "Manual", "entityUrl": "https://evidence", "latestExecution": waiting}],
        },
    ]
    assert desk.commands.status(Namespace(watch=False, execution=None))
    shown = "\n".join(desk.lines)
    assert "champion: version 1" in shown
    assert "production (cars-dev-production) serves: version none" in shown
    assert "staging (cars-dev-staging) serves: version 2" in shown
    assert "evidence: https://evidence" in shown
    assert (
        f"approved: aws codepipeline put-approval-result --pipeline-name {PIPELINE} --stage-name Approve "
        f"--action-name Manual --token {TOKEN} --result status=Approved,summary='...'"
    ) in shown


def test_a_champion_of_an_earlier_deployment_does_not_count(desk: Desk, world: ReleaseWorld) -> None:
    """The parameter outlives the stack, whose next deployment has a registry of its own."""
    world.champion.write(arn(5, group="cars-dev-0ld"))
    desk.commands.status(Namespace(watch=False, execution=None))
    assert desk.lines[0] == "champion: version none"


@pytest.mark.parametrize(("status", "well"), [("Succeeded", True), ("Failed", False)])
def test_watching_shows_each_change_and_ends_with_the_execution(
    desk: Desk, world: ReleaseWorld, status: str, well: bool
) -> None:
    """The exit status tells how the release ended."""
    execution = world.pipeline.add({"ModelPackageArn": arn(1)}, status=status)
    world.pipeline.act(execution, "Staging")
    error = {"executionResult": {"errorDetails": {"message": "too slow"}}}
    world.pipeline.act(execution, "VerifyStaging", status="Failed", output=error)
    assert desk.commands.status(Namespace(watch=True, execution=None)) is well
    assert desk.lines == [
        f"following {execution}",
        "Staging           Succeeded       60.0 s",
        "VerifyStaging     Failed          60.0 s  too slow",
        status,
    ]


def test_watching_without_any_release_says_so(desk: Desk) -> None:
    """There is nothing to follow yet."""
    with pytest.raises(ReleasesError, match="has not released anything yet"):
        desk.commands.status(Namespace(watch=True, execution=None))


def test_history_shows_the_newest_records_first(desk: Desk, world: ReleaseWorld) -> None:
    """One line each: when, from which to which version, how it ended, why."""
    for minute, result, failed in (
        (1, "Succeeded", None),
        (2, "Failed", {"stage": "Production", "message": "the alarm fired"}),
    ):
        moment = START + timedelta(minutes=minute)
        record = {
            "started": moment.isoformat(),
            "from": "none",
            "to": arn(minute),
            "result": result,
            "reason": "better",
            "failed": failed,
        }
        world.put_json(world.records.key(started=moment, execution_id=str(minute)), record)
    world.put_json("releases/cars/requests/token.json", {})
    desk.commands.history(Namespace(limit=20))
    assert [line.split()[1:] for line in desk.lines] == [
        ["none", "->", "2", "Failed", "Production:", "the", "alarm", "fired"],
        ["none", "->", "1", "Succeeded", "better"],
    ]
    desk.commands.history(Namespace(limit=1))
    assert len(desk.lines) == 3
