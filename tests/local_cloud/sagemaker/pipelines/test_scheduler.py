"""The order in which steps run, with a step runner that only pretends."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from local_cloud.api_model import ApiModel
from local_cloud.clock import Clock
from local_cloud.sagemaker.pipelines.definition import parse_definition
from local_cloud.sagemaker.pipelines.records import (
    ExecutionState,
    ExecutionStatus,
    StepOutcome,
    StepRecord,
    StepStatus,
)
from local_cloud.sagemaker.pipelines.scheduler import Scheduler
from local_cloud.sagemaker.pipelines.steps import Step, StepType
from tests.local_cloud.sagemaker.pipelines.definitions import condition, definition, equals, fail, processing
from tests.waiting import LIMIT_SECONDS

CLOCK = Clock(scale=0.001)
DONE = StepOutcome(StepStatus.SUCCEEDED)
BROKEN = StepOutcome(StepStatus.FAILED, failure_reason="broke")


class Observer:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str | None, str]] = []

    def step_changed(self, previous: StepRecord | None, record: StepRecord) -> None:
        self.told.append((record.step.name, previous.status if previous else None, record.status))

    def execution_changed(self, previous: ExecutionStatus | None, status: ExecutionStatus) -> None:
        self.told.append(("execution", previous, status))


class Pretender:
    """Gives the outcomes it was told to give, one for each attempt, and notes what ran and how many at a time."""

    def __init__(self, **outcomes: list[StepOutcome]) -> None:
        self.outcomes = outcomes
        self.ran: list[str] = []
        self.most_at_once = 0
        self.meeting: threading.Barrier | None = None
        self.before: Callable[[], object] = lambda: None
        self._now = 0
        self._lock = threading.Lock()

    def run(self, step: Step, progress: Callable[[Mapping[str, Any]], None]) -> StepOutcome:
        with self._lock:
            self.ran.append(step.name)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        if self.meeting:
            self.meeting.wait(LIMIT_SECONDS)
        self.before()
        with self._lock:
            self._now -= 1
        if step.name in self.outcomes:
            return self.outcomes[step.name].pop(0)
        return BROKEN if step.type is StepType.FAIL else DONE


def schedule(
    text: str, runner: Pretender, *, parallel: int = 2, state: ExecutionState | None = None
) -> tuple[ExecutionStatus, str | None, ExecutionState]:
    """Run a definition."""
    state = state or ExecutionState(clock=CLOCK, observer=Observer(), maximum_parallel=parallel)
    scheduler = Scheduler(parse_definition(text, ApiModel("sagemaker")), state=state, runner=runner, clock=CLOCK)
    return *scheduler.run(), state


def statuses(state: ExecutionState) -> dict[str, str]:
    """Status by step."""
    return {record.step.name: str(record.status) for record in state.records()}


def test_dependents_run_after_what_they_need() -> None:
    """A chain runs in its order, whatever the order of the definition."""
    runner = Pretender()

    status, reason, _ = schedule(
        definition(processing("C", DependsOn=["B"]), processing("B", DependsOn=["A"]), processing("A")), runner
    )

    assert runner.ran == ["A", "B", "C"]
    assert (status, reason) == (ExecutionStatus.SUCCEEDED, None)


def test_independent_steps_run_at_the_same_time() -> None:
    """Two steps without dependencies meet while they run."""
    runner = Pretender()
    runner.meeting = threading.Barrier(2)

    status, _, _ = schedule(definition(processing("A"), processing("B")), runner)

    assert status is ExecutionStatus.SUCCEEDED


def test_no_more_at_a_time_than_permitted() -> None:
    """MaxParallelExecutionSteps bounds how many steps run at a time."""
    runner = Pretender()
    runner.before = lambda: threading.Event().wait(0.02)  # long enough for another step to start, if one may

    schedule(definition(*(processing(f"S{number}") for number in range(5))), runner, parallel=1)

    assert runner.most_at_once == 1
    assert len(runner.ran) == 5


def test_a_failure_keeps_dependents_from_starting_and_others_go_on() -> None:
    """Steps that need a failed step never start nor appear; independent ones finish; the reason names the step."""
    runner = Pretender(A=[BROKEN])
    text = definition(
        processing("A"),
        processing("B", DependsOn=["A"]),
        processing("C", DependsOn=["B"]),
        processing("X"),
        processing("Y", DependsOn=["X"]),
    )

    status, reason, state = schedule(text, runner, parallel=1)

    assert status is ExecutionStatus.FAILED
    assert reason == "Step failure: One or multiple steps failed: A: broke"
    assert statuses(state) == {"A": "Failed", "X": "Succeeded", "Y": "Succeeded"}


@pytest.mark.parametrize(("held", "ran"), [(True, ["C", "Yes", "After"]), (False, ["C", "No"])])
def test_only_the_taken_branch_runs(held: bool, ran: list[str]) -> None:
    """Steps of the branch not taken, and those that need one, never start."""
    runner = Pretender(C=[StepOutcome(StepStatus.SUCCEEDED, condition=held)])
    text = definition(
        condition("C", equals(1, 1), then=[processing("Yes")], otherwise=[processing("No")]),
        processing("After", DependsOn=["Yes"]),
    )

    status, _, _ = schedule(text, runner)

    assert runner.ran == ran
    assert status is ExecutionStatus.SUCCEEDED


def test_nested_conditions() -> None:
    """A condition inside of a branch runs only if that branch is taken, and its own branches follow it."""
    yes = StepOutcome(StepStatus.SUCCEEDED, condition=True)
    no = StepOutcome(StepStatus.SUCCEEDED, condition=False)
    runner = Pretender(Outer=[yes], Inner=[no])
    inner = condition("Inner", equals(1, 1), then=[processing("A")], otherwise=[processing("B")])

    schedule(definition(condition("Outer", equals(1, 1), then=[inner], otherwise=[processing("D")])), runner)

    assert runner.ran == ["Outer", "Inner", "B"]


def test_a_fail_step_ends_the_execution() -> None:
    """After a Fail step nothing more starts, not even steps that do not depend on it."""
    runner = Pretender()

    status, reason, _ = schedule(definition(fail("Stop"), processing("A")), runner, parallel=1)

    assert runner.ran == ["Stop"]
    assert status is ExecutionStatus.FAILED
    assert "Stop: broke" in str(reason)


def policy(**members: Any) -> dict[str, Any]:
    """A retry policy for throttling."""
    return {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 1, "BackoffRate": 2.0, **members}


THROTTLED = StepOutcome(StepStatus.FAILED, failure_reason="busy", exception_type="Step.THROTTLING")


def test_retry_policy_gives_further_attempts() -> None:
    """A failure that a retry policy names is tried again; the attempts are counted."""
    runner = Pretender(A=[THROTTLED, THROTTLED, DONE])

    status, _, state = schedule(definition(processing("A", RetryPolicies=[policy(MaxAttempts=2)])), runner)

    assert status is ExecutionStatus.SUCCEEDED
    assert state.records()[0].attempts == 3


def test_retry_policy_ends() -> None:
    """After MaxAttempts further attempts the failure stands."""
    runner = Pretender(A=[THROTTLED] * 5)

    status, _, _ = schedule(definition(processing("A", RetryPolicies=[policy(MaxAttempts=1)])), runner)

    assert status is ExecutionStatus.FAILED
    assert runner.ran == ["A", "A"]


def test_retry_policy_expires() -> None:
    """ExpireAfterMin counts AWS's minutes: waits of 30 and 60 seconds are over one minute."""
    runner = Pretender(A=[THROTTLED] * 9)
    retry = policy(ExpireAfterMin=1, IntervalSeconds=30)

    schedule(definition(processing("A", RetryPolicies=[retry])), runner)

    assert runner.ran == ["A", "A", "A"]


def test_other_failures_are_not_retried() -> None:
    """A failure that no policy names stands at once."""
    runner = Pretender(A=[BROKEN, DONE])

    status, _, _ = schedule(definition(processing("A", RetryPolicies=[policy(MaxAttempts=3)])), runner)

    assert status is ExecutionStatus.FAILED


def test_stop_lets_nothing_more_start() -> None:
    """After a stop was requested, steps that wait never start, and the execution is Stopped."""
    runner = Pretender(A=[StepOutcome(StepStatus.STOPPED)])
    observer = Observer()
    state = ExecutionState(clock=CLOCK, observer=observer, maximum_parallel=1)
    runner.before = state.request_stop

    status, _, _ = schedule(definition(processing("A"), processing("B")), runner, state=state)

    assert status is ExecutionStatus.STOPPED
    assert statuses(state) == {"A": "Stopped"}
    assert ("A", "Executing", "Stopping") in observer.told
    assert ("A", "Stopping", "Stopped") in observer.told


def test_retry_runs_only_what_did_not_succeed() -> None:
    """A reopened execution keeps its successes and runs the rest."""
    runner = Pretender(B=[BROKEN, DONE])
    text = definition(processing("A"), processing("B", DependsOn=["A"]), processing("C", DependsOn=["B"]))
    status, reason, state = schedule(text, runner)
    state.change_status(status, reason=reason)

    assert state.reopen()
    status, _, _ = schedule(text, runner, state=state)

    assert status is ExecutionStatus.SUCCEEDED
    assert runner.ran == ["A", "B", "B", "C"]


def test_every_change_is_told_in_order() -> None:
    """An observer hears Starting, Executing and the end of a step."""
    observer = Observer()
    state = ExecutionState(clock=CLOCK, observer=observer, maximum_parallel=1)

    schedule(definition(processing("A")), Pretender(), state=state)

    assert observer.told == [
        ("A", None, "Starting"),
        ("A", "Starting", "Executing"),
        ("A", "Executing", "Succeeded"),
    ]
