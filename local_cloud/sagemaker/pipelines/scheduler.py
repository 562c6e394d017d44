"""Runs the steps of one execution in the order that their dependencies allow, as many at a time as are permitted.

It decides only *when* a step runs; what running means is the `StepRunner`'s business. A step that fails keeps its
dependents from starting; steps that do not depend on it go on. A Fail step lets nothing more start.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any, Protocol

from local_cloud.clock import Clock
from local_cloud.sagemaker.pipelines.records import ExecutionState, ExecutionStatus, StepOutcome, StepStatus
from local_cloud.sagemaker.pipelines.steps import PipelineDefinition, RetryPolicy, Step, StepType

_REASON_LIMIT = 1300


class StepRunner(Protocol):
    """Carries out one attempt at a step and returns when it has ended.

    `progress` may be called with the step's Metadata meanwhile. It raises nothing: failures are outcomes.
    """

    def run(self, step: Step, progress: Callable[[Mapping[str, Any]], None]) -> StepOutcome: ...


class Scheduler:
    """One run over a definition; with a state that already has successes, only over the rest."""

    def __init__(
        self, definition: PipelineDefinition, *, state: ExecutionState, runner: StepRunner, clock: Clock
    ) -> None:
        self._steps = definition.steps
        self._state = state
        self._runner = runner
        self._clock = clock

    def run(self) -> tuple[ExecutionStatus, str | None]:
        """Run to the end. The execution's final status, and the reason if it failed."""
        running: set[Future[None]] = set()
        with ThreadPoolExecutor(len(self._steps), thread_name_prefix="step") as pool:
            while True:
                while len(running) < self._state.maximum_parallel and (step := self._ready()):
                    self._state.begin(step)
                    running.add(pool.submit(self._carry_out, step))
                if not running:
                    return self._verdict()
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()

    def _ready(self) -> Step | None:
        """The next step that may start, in the order of the definition."""
        if self._state.stop_requested.is_set() or self._halted():
            return None
        return next((step for step in self._steps.values() if self._may_start(step)), None)

    def _may_start(self, step: Step) -> bool:
        if self._state.record(step.name) is not None:
            return False
        for name in step.dependencies:
            record = self._state.record(name)
            if record is None or record.status is not StepStatus.SUCCEEDED:
                return False
        if step.branch is None:
            return True
        condition = self._state.record(step.branch.condition)
        return condition is not None and condition.outcome.condition is step.branch.outcome

    def _halted(self) -> bool:
        return any(
            record.step.type is StepType.FAIL and record.status is StepStatus.FAILED for record in self._state.records()
        )

    def _carry_out(self, step: Step) -> None:
        started = self._clock.now()
        attempt, waited = 1, timedelta(0)
        while True:
            self._state.executing(step.name, attempt=attempt)
            outcome = self._runner.run(step, lambda metadata: self._state.progress(step.name, metadata))
            policy = self._policy(step, outcome, attempt=attempt, passed=self._clock.now() - started + waited)
            if policy is None:
                break
            delay = policy.interval_seconds * policy.backoff_rate ** (attempt - 1)
            if self._clock.wait(delay, until=self._state.stop_requested):
                outcome = StepOutcome(StepStatus.STOPPED, outcome.metadata)
                break
            waited += timedelta(seconds=delay)  # as AWS counts it; the clock may have shortened the wait
            attempt += 1
        self._state.finish(step.name, outcome)

    def _policy(self, step: Step, outcome: StepOutcome, *, attempt: int, passed: timedelta) -> RetryPolicy | None:
        """The retry policy that gives a failed attempt another one."""
        if outcome.status is not StepStatus.FAILED or self._state.stop_requested.is_set():
            return None
        for policy in step.retry_policies:
            if outcome.exception_type not in policy.exception_types:
                continue
            if policy.maximum_attempts is not None and attempt <= policy.maximum_attempts:
                return policy
            if policy.expire_after is not None and passed < policy.expire_after:
                return policy
        return None

    def _verdict(self) -> tuple[ExecutionStatus, str | None]:
        failed = [record for record in self._state.records() if record.status is StepStatus.FAILED]
        if self._state.stop_requested.is_set():
            return ExecutionStatus.STOPPED, None
        if failed:
            names = "; ".join(f"{record.step.name}: {record.outcome.failure_reason}" for record in failed)
            return ExecutionStatus.FAILED, f"Step failure: One or multiple steps failed: {names}"[:_REASON_LIMIT]
        return ExecutionStatus.SUCCEEDED, None
