"""Who may enter a stage, by execution mode. Plain rules; the caller holds the pipeline's `changed`.

SUPERSEDED: one execution in a stage; of those that wait for it only the newest stays. QUEUED: one in a stage, the
others in the order of their arrival. PARALLEL: stages are not locked and transitions not closed.
https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
"""

from local_cloud.codepipeline.book import Pipeline
from local_cloud.codepipeline.declaration import ExecutionMode
from local_cloud.codepipeline.records import Execution


def arrive(pipeline: Pipeline, execution: Execution, stage_name: str) -> None:
    """Let an execution wait for a stage; in SUPERSEDED mode it takes the place of those that wait already."""
    gate = pipeline.gates[stage_name]
    if execution.declaration.mode is ExecutionMode.SUPERSEDED:
        for older in gate.waiting:
            older.superseded_by = execution.id
        gate.waiting = []
    gate.waiting.append(execution)
    pipeline.changed.notify_all()


def may_enter(pipeline: Pipeline, execution: Execution, stage_name: str) -> bool:
    """Whether an execution that has arrived may go on now."""
    if execution.declaration.mode is ExecutionMode.PARALLEL:
        return True
    gate = pipeline.gates[stage_name]
    return gate.occupant is None and gate.waiting[:1] == [execution] and _is_open(pipeline, execution, stage_name)


def enter(pipeline: Pipeline, execution: Execution, stage_name: str) -> None:
    """Take the stage: nobody else enters before `leave`."""
    gate = pipeline.gates[stage_name]
    turn_away(pipeline, execution, stage_name)
    gate.occupant = gate.latest = execution


def leave(pipeline: Pipeline, execution: Execution, stage_name: str) -> None:
    """Unlock the stage, whatever came of it."""
    gate = pipeline.gates[stage_name]
    if gate.occupant is execution:
        gate.occupant = None
    pipeline.changed.notify_all()


def turn_away(pipeline: Pipeline, execution: Execution, stage_name: str) -> None:
    """Let an execution wait no more."""
    gate = pipeline.gates[stage_name]
    gate.waiting = [other for other in gate.waiting if other is not execution]


def _is_open(pipeline: Pipeline, execution: Execution, stage_name: str) -> bool:
    names = [stage.name for stage in execution.declaration.stages]
    before = names.index(stage_name) - 1
    if (stage_name, "Inbound") in pipeline.closed:
        return False
    return before < 0 or (names[before], "Outbound") not in pipeline.closed
