"""What the book of releases says after a success, a failure, a retry and a repetition."""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import jsonschema
import pytest

from lambdas.record_release import handler
from lambdas.record_release.execution import Executions
from lambdas.record_release.logic import RecordError, Recording
from lambdas.record_release.request import UnfinishedRelease
from lambdas.shared.json_log import JsonLog
from tests.lambdas.fake_client import FakeClient, client_error
from tests.lambdas.release_world import APPROVER, BUCKET, PIPELINE, START, ReleaseWorld, arn
from tests.lambdas.schemas import event_schema

LATER = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
MANAGER = "arn:aws:iam::123456789012:user/grace"


def _recording(world: ReleaseWorld) -> Recording:
    return Recording(
        sagemaker=world.sagemaker,
        executions=Executions(world.codepipeline, PIPELINE),
        records=world.records,
        champion=world.champion,
        bus=world.bus,
        stage="dev",
        log=JsonLog("test"),
    )


def _execution(world: ReleaseWorld, version: int, **more: Any) -> str:
    """An execution that has passed staging and the approval."""
    variables = {"ModelPackageArn": arn(version), "Reason": f"version {version} is better"}
    execution = world.pipeline.add(variables, trigger={"triggerDetail": "arn:starter"}, **more)
    world.pipeline.act(execution, "Source")
    world.pipeline.act(execution, "Staging")
    world.pipeline.act(execution, "VerifyStaging", output={"outputVariables": {"P95Milliseconds": "10.0"}})
    approved = {"executionResult": {"externalExecutionSummary": "looks good"}}
    world.pipeline.act(execution, "Approve", output=approved, updatedBy=MANAGER)
    return execution


def _fail(world: ReleaseWorld, execution: str, stage: str, message: str) -> str:
    """Let an action of the execution fail, and record it; URI of the record."""
    result = {"executionResult": {"errorDetails": {"code": "JobFailed", "message": message}}}
    world.pipeline.act(execution, stage, status="Failed", output=result)
    return _recording(world).fail(UnfinishedRelease(execution, "Failed", LATER))


def _read(world: ReleaseWorld, uri: str) -> dict[str, Any]:
    key = uri.removeprefix(f"s3://{BUCKET}/")
    content: dict[str, Any] = json.loads(world.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    return content


def _validated(world: ReleaseWorld, name: str) -> list[dict[str, Any]]:
    """Details of all events of a type, each checked against its schema."""
    title = name.replace("-", " ").title()
    details = world.events.of(title)
    for detail in details:
        event = {"source": "cd4ml.release", "detail-type": title, "detail": detail}
        jsonschema.validate(event, event_schema(name))
    return details


def test_the_first_release_is_recorded_and_becomes_the_champion(world: ReleaseWorld) -> None:
    """Who, what, when, why, from nothing, to what, with the evidence."""
    world.register(1)
    execution = _execution(world, 1)
    uri = _recording(world).complete(execution, arn(1))
    record = _read(world, uri)
    assert world.champion.read() == arn(1)
    assert uri == f"s3://{BUCKET}/releases/cars/20260301T120000Z-{execution}.json"
    assert (record["result"], record["from"], record["to"], record["live"]) == ("Succeeded", "none", arn(1), arn(1))
    assert record["reason"] == "version 1 is better"
    assert record["production_approval"] == {"by": MANAGER, "status": "Succeeded", "comment": "looks good"}
    assert record["model"]["approved_by"] == APPROVER
    assert record["model"]["evaluation"].endswith("models/1/evaluation.json")
    assert record["verification"] == {"VerifyStaging": {"P95Milliseconds": "10.0"}}
    assert (record["started"], record["failed"]) == (START.isoformat(), None)
    (detail,) = _validated(world, "release-completed")
    assert (detail["previous"], detail["record"]) == ("none", uri)


def test_the_next_release_says_what_it_replaces(world: ReleaseWorld) -> None:
    """The version before is what was live, whether a newer or an older one."""
    for version in (1, 2):
        world.register(version)
    world.released(2, minute=1)
    record = _read(world, _recording(world).complete(_execution(world, 1), arn(1)))
    assert (record["from"], record["to"]) == (arn(2), arn(1))


def test_a_repeated_job_changes_nothing(world: ReleaseWorld) -> None:
    """One record, one event, and a later release stays the champion."""
    world.register(1)
    execution = _execution(world, 1)
    first = _recording(world).complete(execution, arn(1))
    before = _read(world, first)
    world.champion.write(arn(2))
    assert _recording(world).complete(execution, arn(1)) == first
    assert _read(world, first) == before
    assert world.champion.read() == arn(2)
    assert len(_validated(world, "release-completed")) == 1


def test_a_job_that_died_after_the_champion_was_written_still_knows_what_it_replaced(world: ReleaseWorld) -> None:
    """The champion is new by then; the records tell what was live."""
    world.released(1, minute=1)
    world.register(2)
    world.champion.write(arn(2))
    record = _read(world, _recording(world).complete(_execution(world, 2), arn(2)))
    assert record["from"] == arn(1)


def test_a_job_of_another_version_is_refused(world: ReleaseWorld) -> None:
    """A wrong action would otherwise make a version live that nobody deployed."""
    with pytest.raises(RecordError, match="nothing was recorded"):
        _recording(world).complete(_execution(world, 1), arn(2))
    assert world.champion.read() is None


def test_a_failed_release_leaves_the_champion_alone(world: ReleaseWorld) -> None:
    """The record and the event carry the failing action's own words."""
    world.released(1, minute=1)
    world.register(2)
    message = "SageMaker rolled back cars-dev-production: it serves config-1, not config-2"
    record = _read(world, _fail(world, _execution(world, 2), "VerifyProduction", message))
    assert record["result"] == "Failed"
    assert record["failed"] == {"stage": "VerifyProduction", "action": "VerifyProductionAction", "message": message}
    assert record["live"] == record["from"] == world.champion.read() == arn(1)
    (detail,) = _validated(world, "release-failed")
    assert (detail["failedStage"], detail["message"], detail["live"]) == ("VerifyProduction", message, arn(1))


def test_a_repeated_failure_is_recorded_and_told_once(world: ReleaseWorld) -> None:
    """EventBridge delivers at least once."""
    execution = _execution(world, 2)
    _fail(world, execution, "Production", "the alarm fired")
    _recording(world).fail(UnfinishedRelease(execution, "Failed", LATER))
    assert len(_validated(world, "release-failed")) == 1
    assert len(list(world.records.newest_first())) == 1


def test_a_retry_that_fails_otherwise_replaces_the_record(world: ReleaseWorld) -> None:
    """The record says how the execution ended in the end."""
    execution = _execution(world, 2)
    _fail(world, execution, "Production", "the alarm fired")
    record = _read(world, _fail(world, execution, "Production", "no capacity"))
    assert record["failed"]["message"] == "no capacity"
    assert len(_validated(world, "release-failed")) == 2


def test_a_retry_that_succeeds_replaces_the_record_for_good(world: ReleaseWorld) -> None:
    """A late event about the failure does not undo it."""
    world.register(2)
    execution = _execution(world, 2)
    uri = _fail(world, execution, "Production", "no capacity")
    world.pipeline.act(execution, "Production")
    assert _recording(world).complete(execution, arn(2)) == uri
    _recording(world).fail(UnfinishedRelease(execution, "Failed", LATER))
    assert _read(world, uri)["result"] == "Succeeded"
    assert world.champion.read() == arn(2)


@pytest.mark.parametrize("result", ["Stopped", "Superseded"])
def test_an_execution_that_no_action_failed_says_why_it_ended(world: ReleaseWorld, result: str) -> None:
    """CodePipeline's summary stands in; the champion stays."""
    execution = _execution(world, 2, statusSummary="withdrawn by ada")
    record = _read(world, _recording(world).fail(UnfinishedRelease(execution, result, LATER)))
    assert (record["result"], record["failed"]["message"]) == (result, "withdrawn by ada")
    assert _validated(world, "release-failed")[0]["result"] == result


def test_an_execution_that_never_began_is_recorded_too(world: ReleaseWorld) -> None:
    """It was superseded while it waited; its record is dated by the event."""
    execution = world.pipeline.add({"ModelPackageArn": arn(2)})
    uri = _recording(world).fail(UnfinishedRelease(execution, "Superseded", LATER))
    assert uri.endswith(f"/20260301T180000Z-{execution}.json")
    assert _validated(world, "release-failed")[0]["message"] == "the execution was Superseded"


def test_an_execution_without_a_version_is_no_release(world: ReleaseWorld) -> None:
    """CodePipeline starts a new pipeline once by itself, which fails for want of the variable."""
    execution = world.pipeline.add({}, statusSummary="no value was given")
    assert _recording(world).fail(UnfinishedRelease(execution, "Failed", LATER)) is None
    assert not world.events.entries
    assert list(world.records.newest_first()) == []


def _job(**parameters: str) -> dict[str, Any]:
    configuration = {"UserParameters": json.dumps(parameters)}
    job = {
        "id": "11111111-2222-4333-8444-555555555555",
        "data": {"actionConfiguration": {"configuration": configuration}},
    }
    return {"CodePipeline.job": job}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    """The client that gets the answers to jobs."""
    nothing: Any = lambda **_: {}  # noqa: E731
    client = FakeClient("codepipeline", {"put_job_success_result": nothing, "put_job_failure_result": nothing})
    monkeypatch.setattr(boto3, "client", lambda service: client)
    return client


def test_the_job_is_answered_with_the_record(
    world: ReleaseWorld, answers: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipeline ends as succeeded when the book is written."""
    world.register(1)
    monkeypatch.setattr(handler, "recording", lambda: _recording(world))
    execution = _execution(world, 1)
    answer = handler.handle(_job(executionId=execution, modelPackageArn=arn(1)), None)
    (success,) = answers.requests("put_job_success_result")
    assert answer["outcome"] == "recorded"
    assert success["outputVariables"] == {"Record": answer["record"]}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (client_error("AccessDenied", "no"), "production serves the new version, but it could not be recorded"),
        (KeyError("x"), "the recording itself failed (KeyError: 'x'); see its log"),
    ],
)
def test_a_job_that_cannot_be_done_is_answered_too(
    answers: FakeClient, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    """The reason says what state production is in, and what to do."""

    class Broken:
        def complete(self, *_: str) -> str:
            raise error

    monkeypatch.setattr(handler, "recording", Broken)
    assert handler.handle(_job(executionId="e", modelPackageArn="a"), None) == {"outcome": "failed"}
    (failure,) = answers.requests("put_job_failure_result")
    assert failure["failureDetails"]["message"].startswith(message)


def _event(state: str, **more: Any) -> dict[str, Any]:
    detail = {"pipeline": PIPELINE, "execution-id": "e", "state": state}
    kind = "CodePipeline Pipeline Execution State Change"
    return {"source": "aws.codepipeline", "detail-type": kind, "time": "2026-03-01T18:00:00Z", "detail": detail} | more


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        (_event("FAILED"), "recorded"),
        (_event("SUPERSEDED"), "recorded"),
        (_event("SUCCEEDED"), "ignored"),
        (_event("STARTED"), "ignored"),
        (_event("FAILED", detail=None), "dropped"),
        (_event("FAILED", time="soon"), "dropped"),
        ({"source": "me"}, "dropped"),
        ({"CodePipeline.job": {}}, "dropped"),
    ],
)
def test_events_are_recorded_ignored_or_dropped(
    monkeypatch: pytest.MonkeyPatch, event: dict[str, Any], outcome: str
) -> None:
    """A success is the Record action's to tell; what is no event of CodePipeline is logged."""
    seen: list[UnfinishedRelease] = []

    class Book:
        def fail(self, ended: UnfinishedRelease) -> str:
            seen.append(ended)
            return "s3://record"

    monkeypatch.setattr(handler, "recording", Book)
    assert handler.handle(event, None)["outcome"] == outcome
    assert [ended.time for ended in seen] == ([LATER] if outcome == "recorded" else [])
