"""How an execution of the loop ends: the lock is free, somebody is told, and nothing is approved."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from lambdas.finish_retraining.request import parse_ended
from lambdas.shared.errors import MalformedEventError
from tests.lambdas.retraining_world import GROUP, NEW_DATA, SAGEMAKER, RetrainingWorld, loop_execution
from tests.lambdas.schemas import check_event

CANDIDATE = f"{SAGEMAKER}:model-package/{GROUP}/2"
KILLED = {
    "source": "aws.states",
    "detail-type": "Step Functions Execution Status Change",
    "detail": {"executionArn": loop_execution("one"), "status": "ABORTED"},
}


@pytest.fixture
def world() -> Iterator[RetrainingWorld]:
    """A training on the first snapshot is under way, and its execution of the loop holds the lock."""
    with mock_aws():
        made = RetrainingWorld()
        made.snapshot("first", rows=1000)
        assert made.decide(NEW_DATA)["decision"] == "train"
        yield made


def _gave_up(version: str, *, name: str = "one") -> dict[str, Any]:
    """What the state machine tells when a training on a snapshot could not be started."""
    decision = {"decision": "train", "reason": "new data", "snapshot": {"data_version": version}}
    return {"execution": loop_execution(name), "decision": decision, "error": {"Error": "ClientError", "Cause": "no"}}


def test_a_candidate_frees_the_lock_and_is_told_elsewhere(world: RetrainingWorld) -> None:
    """Its registration has been announced already, so a second mail would only repeat that."""
    world.registered[f"{SAGEMAKER}:pipeline/cars-dev/execution/t1"] = CANDIDATE

    assert world.finish(world.trained("first")) == {"result": "candidate", "again": False}

    assert world.lock.read().holder is None
    assert world.mails == []
    assert world.events.of("Retraining Failed") == []


def test_a_training_that_failed_frees_the_lock_and_is_told(world: RetrainingWorld) -> None:
    """There is nothing to approve; the mail names the execution to look at."""
    assert world.finish(world.trained("first", status="Failed"))["result"] == "failed"

    assert world.lock.read().holder is None
    assert "execution/t1" in world.mails[0]["Message"]
    check_event("cd4ml.retraining", "Retraining Failed", *world.events.of("Retraining Failed"))


def test_data_that_came_meanwhile_is_looked_at_at_once(world: RetrainingWorld) -> None:
    """Its own event was sent away, since a training was under way."""
    world.registered[f"{SAGEMAKER}:pipeline/cars-dev/execution/t1"] = CANDIDATE
    world.snapshot("second", rows=1500)

    assert world.finish(world.trained("first"))["again"]


def test_data_that_came_meanwhile_outlives_a_loop_that_gives_up(world: RetrainingWorld) -> None:
    """The event about the failure starts the loop once more, which tries the newer data; if that fails too, it ends."""
    world.snapshot("second", rows=1500)

    assert world.finish(_gave_up("first")) == {"result": "failed", "again": False}
    (failed,) = world.events.of("Retraining Failed")
    assert failed["newerData"]
    event = {"source": "cd4ml.retraining", "detail-type": "Retraining Failed", "detail": failed}
    assert world.decide(event, name="two")["snapshot"]["data_version"] == "second"
    world.finish(_gave_up("second", name="two"))

    assert [event["newerData"] for event in world.events.of("Retraining Failed")] == [True, False]
    assert world.lock.read().holder is None


def test_data_that_came_meanwhile_outlives_a_killed_loop(world: RetrainingWorld) -> None:
    """The loop that is started once more waits for the training that goes on alone."""
    training = f"{SAGEMAKER}:pipeline/cars-dev/execution/t1"
    world.trainings, world.learned = {training: "Executing"}, {training: "first"}
    world.snapshot("second", rows=1500)

    world.finish(KILLED)

    (failed,) = world.events.of("Retraining Failed")
    assert failed["newerData"]
    event = {"source": "cd4ml.retraining", "detail-type": "Retraining Failed", "detail": failed}
    assert world.decide(event, name="two")["training"] == training


def test_a_failed_training_looks_at_newer_data_itself(world: RetrainingWorld) -> None:
    """The execution goes on, so the event about the failure must not start another one."""
    world.snapshot("second", rows=1500)

    assert world.finish(world.trained("first", status="Failed")) == {"result": "failed", "again": True}
    assert [event["newerData"] for event in world.events.of("Retraining Failed")] == [False]


def test_an_execution_that_was_stopped_from_outside_frees_its_lock(world: RetrainingWorld) -> None:
    """EventBridge tells of StopExecution and of the time limit; somebody is told once."""
    assert world.finish(KILLED)["result"] == "failed"
    assert world.lock.read().holder is None
    assert world.finish(KILLED) == {"result": "ended", "again": False}
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
    assert world.finish(KILLED)["result"] == "ended"
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
