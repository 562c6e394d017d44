"""The way back to training under faults, on the deployed app: one training at most, a free lock, somebody told."""

from collections.abc import Iterator

import pytest

from tests.journeys.deployed_app import DeployedApp, csv_of
from tests.journeys.retraining import APPROVERS, OPERATORS, Loop
from tests.lambdas.schemas import check_event
from tests.waiting import wait_for

_HISTORY = range(2001, 2011)


@pytest.fixture
def loop(app: DeployedApp) -> Iterator[Loop]:
    """The loop of an empty app; afterwards nothing was refused by IAM, nothing is approved and nobody has the lock."""
    loop = Loop(app)
    yield loop
    assert app.cloud.page("idle") == {"idle": True}
    assert app.cloud.page("status")["refused"] == []
    assert loop.approved() == []
    assert loop.holders() == []
    for detail_type in ("Violation Found", "Retraining Skipped", "Retraining Failed", "Candidate Waits"):
        for event in app.events(detail_type):
            check_event(event["source"], detail_type, event["detail"])


@pytest.fixture
def quiet(loop: Loop) -> Loop:
    """The same; new data does not start it."""
    loop.hear_of_new_data(heard=False)
    return loop


def test_one_training_at_a_time_however_many_ask(quiet: Loop) -> None:
    """Of three equal violations one trains, drift and new data meanwhile do not; then it trains on the newer data.

    A violation that comes late finds that the answer is already there.
    """
    loop, app = quiet, quiet.app
    app.upload("history.csv", csv_of(*_HISTORY))
    older, _ = app.snapshot()
    same = loop.find_violation(times=3)
    first = app.started()

    drift = loop.find_violation(summary="city_mpg has moved")
    loop.hear_of_new_data(heard=True)
    app.cloud.client("s3").put_object(Bucket=app.lake, Key="raw/car_prices/2011.csv", Body=csv_of(2011))
    second = app.started(besides={first})
    ends = [loop.ended(arn) for arn in (*same, *drift)]
    late = loop.find_violation()
    loop.ended(late[0])

    described = [app.finished(arn) for arn in (first, second)]
    assert [each["PipelineExecutionStatus"] for each in described] == ["Succeeded", "Succeeded"]
    assert described[0]["LastModifiedTime"] <= described[1]["CreationTime"]
    assert app.executions() == [second, first]
    assert {end["status"] for end in ends} == {"SUCCEEDED"}
    reasons = loop.skipped()
    assert sum("under way already" in why or "was quicker" in why for why in reasons) == 4
    assert "nothing before" in reasons[-1]
    versions = [app.package(arn)["CustomerMetadataProperties"]["data_version"] for arn in (first, second)]
    assert versions[0] == older
    assert versions[1] != older
    assert len(loop.mails(APPROVERS, about="waits for your decision")) == 2


def test_a_killed_loop_loses_neither_its_candidate_nor_the_data_that_waited(quiet: Loop) -> None:
    """Its training goes on alone and is announced; the loop starts again, waits for it, and trains on the newer data.

    Drift meanwhile starts no third training, and nobody hears of anything twice.
    """
    loop, app = quiet, quiet.app
    app.upload("history.csv", csv_of(*_HISTORY))
    killed = loop.start_by_hand()
    orphan = app.started()
    loop.hear_of_new_data(heard=True)
    app.cloud.client("s3").put_object(Bucket=app.lake, Key="raw/car_prices/2011.csv", Body=csv_of(2011))
    wait_for(loop.skipped, what="the newer data to be sent away")

    loop.kill(killed)
    restarted = wait_for(lambda: loop.executions()[2:], what="the loop to start again by itself")[0]
    drift = loop.find_violation()
    second = app.started(besides={orphan})

    assert loop.ended(restarted)["status"] == "SUCCEEDED"
    assert {loop.ended(arn)["status"] for arn in drift} == {"SUCCEEDED"}
    described = [app.finished(arn) for arn in (orphan, second)]
    assert [each["PipelineExecutionStatus"] for each in described] == ["Succeeded", "Succeeded"]
    assert described[0]["LastModifiedTime"] <= described[1]["CreationTime"]
    assert app.executions() == [second, orphan]
    assert all("under way already" in why or "was quicker" in why for why in loop.skipped())
    assert app.cloud.page("idle") == {"idle": True}
    (told,) = loop.mails(APPROVERS, about="brought no version to approve")
    assert f"ended with ABORTED\nExecution: {killed}" in told.text
    announced = [mail.text for mail in loop.mails(APPROVERS, about="waits for your decision")]
    assert len(announced) == 2
    for text, training in zip(announced, (orphan, second), strict=True):
        assert f"Version: {app.package(training)['ModelPackageArn']}" in text


def test_whoever_registers_a_version_the_approvers_hear_of_it_once(loop: Loop) -> None:
    """A version made by hand has no training and no figures; what changes on it later is no news."""
    version = _version_of(loop.app, data_version="any")
    loop.mails(APPROVERS, about="waits for your decision")
    loop.app.cloud.client("sagemaker").update_model_package(
        ModelPackageArn=version, CustomerMetadataProperties={"note": "looked at"}
    )

    assert loop.app.cloud.page("idle") == {"idle": True}
    (mail,) = loop.mails(APPROVERS, about="waits for your decision")
    assert "somebody registered it by hand" in mail.text
    assert version in mail.text


def test_a_training_that_fails_is_told_and_the_loop_goes_on(loop: Loop) -> None:
    """The approvers hear once that there is no candidate; the next one who asks gets a training."""
    app = loop.app
    app.upload("too few.csv", csv_of(2001))
    first = app.started()
    (execution,) = loop.executions()

    ended = loop.ended(execution)

    assert (ended["status"], ended["error"]) == ("FAILED", "NoCandidate")
    assert app.finished(first)["PipelineExecutionStatus"] == "Failed"
    assert app.cloud.page("idle") == {"idle": True}
    (mail,) = loop.mails(APPROVERS, about="brought no version to approve")
    assert first in mail.text
    assert "new data" in mail.text
    assert loop.mails(OPERATORS, about=first)
    loop.ended(loop.start_by_hand())
    assert len(app.executions()) == 2


def test_what_no_training_can_answer_is_told_and_starts_none(quiet: Loop) -> None:
    """Without new labels, or with too few, a violation goes to a person once, not in every window; so does a defect.

    Labelled windows of a few rows each are kept, and count together.
    """
    loop, app = quiet, quiet.app
    app.upload("history.csv", csv_of(2001))
    loop.make_live(_version_of(app, data_version=app.snapshot()[0]))
    loop.ended(loop.find_violation(summary="drift without labels")[0])
    for year in (2002, 2003):
        app.upload(f"captured/outcomes-{year}.csv", csv_of(year, rows=20))
        loop.ended(loop.find_violation(summary="drift with few labels")[0])
    loop.make_live(f"{_version_of(app, data_version='any')}0")
    defect = loop.ended(loop.find_violation(summary="drift of a lost version")[0])

    assert app.cloud.page("idle") == {"idle": True}
    assert [why.partition(" rows")[0].rpartition(" ")[2] for why in loop.skipped()] == ["0", "20", "40"]
    (told,) = loop.mails(OPERATORS, about="was asked for and cannot be done")
    assert "drift without labels" in told.text
    assert "add labelled data" in told.text
    assert (defect["status"], defect["error"]) == ("FAILED", "ChampionError")
    assert "is not in the registry" in loop.mails(APPROVERS, about="no version to approve")[0].text
    assert app.executions() == []


def _version_of(app: DeployedApp, *, data_version: str) -> str:
    """ARN of a new version that says it learned from some data; nothing has been trained."""
    archive = {"Bucket": app.outputs["ArtifactBucketName"], "Key": "by-hand/model.tar.gz"}
    app.cloud.client("s3").put_object(**archive, Body=b"a model")
    container = {
        "Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/image:1",
        "ModelDataUrl": "s3://{Bucket}/{Key}".format(**archive),
    }
    return str(
        app.cloud.client("sagemaker").create_model_package(
            ModelPackageGroupName=app.outputs["CarPricesModelPackageGroup"],
            ModelApprovalStatus="PendingManualApproval",
            CustomerMetadataProperties={"data_version": data_version},
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )["ModelPackageArn"]
    )
