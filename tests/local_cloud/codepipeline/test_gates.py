"""Who may enter a stage, without threads."""

from datetime import UTC, datetime

import pytest

from local_cloud.codepipeline.book import ClosedTransition, Pipeline
from local_cloud.codepipeline.declaration import PipelineDeclaration, parse_declaration
from local_cloud.codepipeline.gates import arrive, enter, leave, may_enter, turn_away
from local_cloud.codepipeline.records import Execution, Trigger
from tests.local_cloud.codepipeline.fakes import pipeline, stage
from tests.local_cloud.operations import CONTEXT

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _pipeline(mode: str) -> Pipeline:
    declaration = parse_declaration(pipeline(stage("Deploy"), stage("After"), mode=mode), version=1)
    return Pipeline(CONTEXT, [declaration], created=_NOW, updated=_NOW)


def _executions(declaration: PipelineDeclaration, count: int) -> list[Execution]:
    trigger = Trigger("StartPipelineExecution", "me")
    return [Execution(str(number), declaration, trigger, {}, {}, _NOW, _NOW) for number in range(count)]


def _allowed(pipeline: Pipeline, executions: list[Execution]) -> list[bool]:
    with pipeline.changed:
        return [may_enter(pipeline, execution, "Deploy") for execution in executions]


def _arrive(pipeline: Pipeline, *executions: Execution) -> None:
    with pipeline.changed:
        for execution in executions:
            arrive(pipeline, execution, "Deploy")


def test_a_queue_lets_the_first_in_and_one_at_a_time() -> None:
    """The next one only after the stage was left; one that gives up is skipped."""
    queue = _pipeline("QUEUED")
    executions = _executions(queue.current, 3)
    _arrive(queue, *executions)

    assert _allowed(queue, executions) == [True, False, False]
    with queue.changed:
        enter(queue, executions[0], "Deploy")
    assert _allowed(queue, executions) == [False, False, False]
    with queue.changed:
        turn_away(queue, executions[1], "Deploy")
        leave(queue, executions[0], "Deploy")
    assert _allowed(queue, executions) == [False, False, True]


def test_the_newest_takes_the_place_of_all_that_wait() -> None:
    """Each superseded execution knows by whom."""
    superseding = _pipeline("SUPERSEDED")
    executions = _executions(superseding.current, 3)
    _arrive(superseding, *executions)

    assert _allowed(superseding, executions) == [False, False, True]
    assert [execution.superseded_by for execution in executions] == ["1", "2", None]


def test_parallel_executions_need_no_turn() -> None:
    """Occupied or not."""
    parallel = _pipeline("PARALLEL")
    executions = _executions(parallel.current, 2)
    _arrive(parallel, *executions)
    with parallel.changed:
        enter(parallel, executions[0], "Deploy")
    assert _allowed(parallel, executions[1:]) == [True]


@pytest.mark.parametrize("closed", [("Deploy", "Inbound"), ("Source", "Outbound")])
def test_a_transition_can_be_closed_at_both_ends(closed: tuple[str, str]) -> None:
    """At the entrance of the stage and at the exit of the one before; other transitions do not matter."""
    queue = _pipeline("QUEUED")
    executions = _executions(queue.current, 1)
    _arrive(queue, *executions)
    queue.closed["Deploy", "Outbound"] = queue.closed["After", "Inbound"] = ClosedTransition("no", "me", _NOW)
    assert _allowed(queue, executions) == [True]

    queue.closed[closed] = ClosedTransition("no", "me", _NOW)
    assert _allowed(queue, executions) == [False]
