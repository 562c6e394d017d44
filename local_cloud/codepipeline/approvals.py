"""PutApprovalResult: the answer of a person to a manual approval that waits.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutApprovalResult.html
"""

from typing import Any

from local_cloud.clock import Clock
from local_cloud.codepipeline.actions.manual_approval import Decision
from local_cloud.codepipeline.book import Pipeline, PipelineBook
from local_cloud.codepipeline.executions import caller_arn
from local_cloud.codepipeline.records import ActionRun
from local_cloud.service import Operation, RequestContext, ServiceError
from local_cloud.stores import Partitioned


class Approvals:
    """The operation with which people decide."""

    def __init__(self, books: Partitioned[PipelineBook], *, clock: Clock) -> None:
        self._books = books
        self._clock = clock

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {"PutApprovalResult": Operation(self._put)}

    def _put(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipeline = self._books.of(context).pipeline(context, params["pipelineName"])
        pipeline.require_stage(params["stageName"])
        stage = pipeline.current.stage(params["stageName"])
        if stage is None or params["actionName"] not in [action.name for action in stage.actions]:
            text = f"Stage '{params['stageName']}' has no action '{params['actionName']}'"
            raise ServiceError("ActionNotFoundException", text)
        result = params["result"]
        decision = Decision(result["status"] == "Approved", result["summary"], caller_arn(context))
        run = _asked(pipeline, params)
        if not run.awaits_approval or not run.control.answer(decision):
            raise ServiceError(
                "ApprovalAlreadyCompletedException",
                f"The approval action {params['actionName']} has already been approved or rejected",
            )
        return {"approvedAt": self._clock.now()}


def _asked(pipeline: Pipeline, params: dict[str, Any]) -> ActionRun:
    """The action execution that a token belongs to."""
    with pipeline.changed:
        runs = [run for execution in pipeline.executions.values() for run in execution.runs()]
    for run in runs:
        here = (run.stage_name, run.declaration.name) == (params["stageName"], params["actionName"])
        if here and run.token == params["token"]:
            return run
    raise ServiceError(
        "InvalidApprovalTokenException",
        "The approval token is not the one of the pending approval; GetPipelineState tells the current one",
    )
