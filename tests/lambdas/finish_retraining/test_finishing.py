"""How an execution of the loop ends: the lock is free, somebody is told, and nothing is approved."""

import json
from collections.abc import Iterator

import pytest
from moto import mock_aws

from lambdas.finish_retraining.request import parse_ended
from lambdas.shared.errors import MalformedEventError
from tests.lambdas.retraining_world import GROUP, LAKE, NEW_DATA, SAGEMAKER, RetrainingWorld, loop_execution, package
from tests.lambdas.schemas import check_event

CANDIDATE = f"{SAGEMAKER}:model-package/{GROUP}/2"
EVALUATION = {
    "regression_metrics": {"mae": {"value": 2500.0}, "mape": {"value": 8.25}},
    "champion_comparison": {"champion": {"mae": 4000.0, "mape": 15.5}},
    "decision": {"summary": "every limit is kept"},
}


@pytest.fixture
def world() -> Iterator[RetrainingWorld]:
    """A training on the first snapshot is under way, and its execution of the loop holds the lock."""
    with mock_aws():
        made = RetrainingWorld()
        made.snapshot("first", rows=1000)
        assert made.decide(NEW_DATA)["decision"] == "train"
        yield made


def _register(world: RetrainingWorld) -> None:
    world.s3.put_object(Bucket=LAKE, Key="evaluation.json", Body=json.dumps(EVALUATION))
    world.packages[CANDIDATE] = package(CANDIDATE, data_version="first", evaluation=f"s3://{LAKE}/evaluation.json")
    world.registered[f"{SAGEMAKER}:pipeline/cars-dev/execution/t1"] = CANDIDATE


def test_the_approver_hears_of_a_candidate_with_both_models_figures(world: RetrainingWorld) -> None:
    """The mail says why it was trained, how both do on the same holdout, where the report is and how to approve."""
    _register(world)

    assert world.finish(world.trained("first")) == {"result": "candidate", "again": False}

    (mail,) = world.mails
    assert mail["Subject"] == "cars: version 2 waits for approval"
    for part in ("new data", "2,500", "4,000", "s3://artifacts/report.html", f"--model-package-arn {CANDIDATE}"):
        assert part in mail["Message"]
    assert world.lock.read().holder is None
    check_event("cd4ml.retraining", "Candidate Waits", *world.events.of("Candidate Waits"))


def test_a_training_that_failed_frees_the_lock_and_is_told(world: RetrainingWorld) -> None:
    """There is nothing to approve; the mail names the execution to look at."""
    assert world.finish(world.trained("first", status="Failed"))["result"] == "failed"

    assert world.lock.read().holder is None
    assert "execution/t1" in world.mails[0]["Message"]
    check_event("cd4ml.retraining", "Retraining Failed", *world.events.of("Retraining Failed"))


def test_data_that_came_meanwhile_is_looked_at_at_once(world: RetrainingWorld) -> None:
    """Its own event was sent away, since a training was under way."""
    _register(world)
    world.snapshot("second", rows=1500)

    assert world.finish(world.trained("first"))["again"]


def test_an_execution_that_was_stopped_from_outside_frees_its_lock(world: RetrainingWorld) -> None:
    """EventBridge tells of StopExecution and of the time limit; somebody is told once."""
    detail = {"executionArn": loop_execution("one"), "status": "ABORTED"}
    event = {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}

    assert world.finish(event)["result"] == "failed"
    assert world.lock.read().holder is None
    assert world.finish(event) == {"result": "ended", "again": False}
    assert len(world.mails) == 1


def test_the_end_of_one_execution_leaves_the_lock_of_another(world: RetrainingWorld) -> None:
    """An execution that was sent away, and then failed, must not free what it never held."""
    world.finish({"execution": loop_execution("other"), "decision": {}, "error": {"Error": "States.Timeout"}})

    assert world.lock.read().holder == loop_execution("one")


def test_an_execution_that_fails_without_the_lock_is_told_as_well(world: RetrainingWorld) -> None:
    """A violation that could not even be decided about must not pass unheard; people get the message, not the trace."""
    cause = json.dumps({"errorMessage": "Rate exceeded", "errorType": "ClientError", "stackTrace": ["File x.py"]})
    error = {"Error": "ClientError", "Cause": cause}

    answer = world.finish({"execution": loop_execution("other"), "decision": {}, "error": error})

    assert answer == {"result": "failed", "again": False}
    (mail,) = world.mails
    assert "ClientError: Rate exceeded" in mail["Message"]
    assert loop_execution("other") in mail["Message"]
    assert "x.py" not in mail["Message"]
    check_event("cd4ml.retraining", "Retraining Failed", *world.events.of("Retraining Failed"))


def test_what_another_has_taken_over_is_not_ended_again(world: RetrainingWorld) -> None:
    """The event about a killed execution may come after the next one took its lock, and will report for both."""
    assert world.decide({"reason": "manual"}, name="next")["decision"] == "train"
    detail = {"executionArn": loop_execution("one"), "status": "ABORTED"}
    event = {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}

    assert world.finish(event)["result"] == "ended"
    assert world.lock.read().holder == loop_execution("next")
    assert world.mails == []


def test_a_training_without_an_accepted_model_says_so(world: RetrainingWorld) -> None:
    """The pipeline has done its work: the model is not good enough."""
    assert world.finish(world.trained("first", status="Succeeded"))["result"] == "failed"

    assert "its evaluation accepted no model" in world.mails[0]["Message"]


def test_an_input_without_an_execution_is_refused() -> None:
    """The state machine must say whose lock is to be freed."""
    with pytest.raises(MalformedEventError, match="execution of the loop"):
        parse_ended({"decision": {}})
