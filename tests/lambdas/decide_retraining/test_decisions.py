"""When the loop trains: one training at a time, and only where there is something new to learn."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws

from lambdas.decide_retraining.trigger import parse_trigger
from lambdas.shared.errors import MalformedEventError
from lambdas.shared.retraining_lock import LockState
from tests.lambdas.retraining_world import NEW_DATA, NOW, SAGEMAKER, VIOLATION, RetrainingWorld, loop_execution
from tests.lambdas.schemas import check_event


@pytest.fixture
def world() -> Iterator[RetrainingWorld]:
    """A lake with a first snapshot of 1,000 rows."""
    with mock_aws():
        made = RetrainingWorld()
        made.snapshot("first", rows=1000)
        yield made


def test_the_first_data_starts_the_first_training(world: RetrainingWorld) -> None:
    """Without a champion any snapshot is worth a training, and the asking execution holds the lock."""
    answer = world.decide(NEW_DATA)

    assert answer["decision"] == "train"
    assert answer["snapshot"]["data_version"] == "first"
    assert answer["snapshot"]["files_manifest"] == "s3://lake/snapshots/cars/first/files.manifest"
    assert world.lock.read().holder == loop_execution("one")


def test_without_data_there_is_no_training(world: RetrainingWorld) -> None:
    """A schedule that comes before the data is told so, and a person hears of it."""
    world.s3.delete_object(Bucket="lake", Key="snapshots/cars/first/manifest.json")

    assert "no data" in world.decide({"reason": "schedule"})["reason"]
    assert world.events.of("Retraining Skipped")[0]["somebodyActs"]


def test_the_same_violation_three_times_starts_one_training(world: RetrainingWorld) -> None:
    """Whoever comes while the first holds the lock and runs is sent away."""
    world.running = {loop_execution(name) for name in ("one", "two", "three")}

    answers = [world.decide(VIOLATION, name=name)["decision"] for name in ("one", "two", "three")]

    assert answers == ["train", "skip", "skip"]


def test_a_late_repetition_finds_its_data_learned(world: RetrainingWorld) -> None:
    """After a training on the newest data, an event about that data changes nothing."""
    world.decide(NEW_DATA)
    world.finish(world.trained("first"))

    assert "same data" in world.decide(NEW_DATA, name="late")["reason"]


def test_the_lock_of_a_killed_execution_is_taken_over(world: RetrainingWorld) -> None:
    """A state machine that was stopped in the middle could not free its lock."""
    world.decide(NEW_DATA, name="killed")

    assert world.decide(VIOLATION, name="next")["decision"] == "train"
    assert world.lock.read().holder == loop_execution("next")


def test_of_two_that_look_at_the_same_moment_one_gets_the_lock(world: RetrainingWorld) -> None:
    """What another took, or used and gave back, since it was looked at is not taken."""
    seen = world.lock.read()

    assert world.lock.take(loop_execution("one"), seen=seen, data_version="first")
    assert not world.lock.take(loop_execution("two"), seen=seen, data_version="first")
    assert world.lock.record(loop_execution("one"), learned="first", ended=NOW) == "first"
    assert not world.lock.take(loop_execution("two"), seen=seen, data_version="first")
    assert world.lock.read() == LockState(holder=None, last_data_version="first", last_ended=NOW)


def test_a_training_that_no_loop_waits_for_is_attended_to(world: RetrainingWorld) -> None:
    """Its loop was killed, or a person started it: whoever asks next waits for its end, and no second one starts."""
    training = f"{SAGEMAKER}:pipeline/cars-dev/execution/by-hand"
    world.trainings, world.learned = {training: "Executing"}, {training: "older"}

    answer = world.decide(VIOLATION)

    assert (answer["decision"], answer["training"]) == ("attend", training)
    world.running = {loop_execution("one")}
    assert "under way" in world.decide(NEW_DATA, name="two")["reason"]
    ended = world.finish({**world.trained("older", status="Failed"), "decision": answer})
    assert ended == {"result": "failed", "again": True}
    # What a person trained on is no news about what the loop has learned from; the cooldown counts from now.
    assert world.lock.read() == LockState(holder=None, last_data_version=None, last_ended=NOW)


def test_a_training_without_a_data_version_is_attended_to_as_well(world: RetrainingWorld) -> None:
    """A person may have started it with other parameters; the current data is looked at afterwards."""
    world.trainings = {f"{SAGEMAKER}:pipeline/cars-dev/execution/by-hand": "Stopping"}

    answer = world.decide(NEW_DATA)

    assert answer["snapshot"] == {"data_version": ""}
    assert world.finish({**world.trained("", status="Stopped"), "decision": answer})["again"]


def test_what_a_killed_loop_has_trained_is_not_trained_again(world: RetrainingWorld) -> None:
    """Nobody wrote down that its training ended, but the pipeline knows which data it was given."""
    training = f"{SAGEMAKER}:pipeline/cars-dev/execution/orphan"
    world.trainings, world.learned = {training: "Succeeded"}, {training: "first"}

    assert "same data" in world.decide(VIOLATION)["reason"]
    world.snapshot("second", rows=2000)
    assert world.decide(VIOLATION)["decision"] == "train"


def test_a_violation_waits_for_the_cooldown_and_new_data_does_not(world: RetrainingWorld) -> None:
    """Monitors repeat themselves in every window; new data has something to teach at once."""
    world.decide(NEW_DATA)
    world.finish(world.trained("first"))
    world.snapshot("second", rows=2000)
    soon = NOW + timedelta(hours=1)

    assert "nothing before" in world.decide(VIOLATION, now=soon)["reason"]
    assert world.decide(NEW_DATA, now=soon)["decision"] == "train"


@pytest.mark.parametrize(("rows", "decision"), [(1049, "skip"), (1050, "train")])
def test_a_training_needs_enough_rows_that_the_champion_does_not_know(
    world: RetrainingWorld, rows: int, decision: str
) -> None:
    """50 more rows than the champion learned from are enough, 49 are not; then a person hears that drift stays."""
    world.champion(data_version="first")
    world.snapshot("second", rows=rows)

    assert world.decide(VIOLATION)["decision"] == decision
    skipped = world.events.of("Retraining Skipped")
    assert [event["somebodyActs"] for event in skipped] == ([True] if decision == "skip" else [])
    if skipped:
        check_event("cd4ml.retraining", "Retraining Skipped", *skipped)


def test_a_violation_that_stays_is_told_once_a_day(world: RetrainingWorld) -> None:
    """It comes back with every window, and a person who hears of it every hour stops listening."""
    world.champion(data_version="first")

    for hour in range(49):
        world.decide(VIOLATION, now=NOW + timedelta(hours=hour))

    told = [event["somebodyActs"] for event in world.events.of("Retraining Skipped")]
    assert [hour for hour, asked in enumerate(told) if asked] == [0, 24, 48]
    assert world.lock.read() == LockState()


def test_a_person_may_train_at_any_time_but_not_twice_at_once(world: RetrainingWorld) -> None:
    """`{"reason": "manual"}` asks for no new data and no cooldown; the lock holds for it, too."""
    world.decide(NEW_DATA)
    world.finish(world.trained("first"))

    assert world.decide({"reason": "manual"}, name="by-hand")["decision"] == "train"
    world.running = {loop_execution("by-hand")}
    assert world.decide({"reason": "manual"}, name="again")["decision"] == "skip"


@pytest.mark.parametrize("given", [{}, {"reason": "boredom"}, {"source": "aws.s3", "detail-type": "Object Created"}])
def test_an_unknown_trigger_is_refused_with_those_that_there_are(given: dict[str, Any]) -> None:
    """A wrong input of a person says what would be right."""
    with pytest.raises(MalformedEventError, match=r'"Violation Found".*"manual"'):
        parse_trigger(given)
