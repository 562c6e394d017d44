"""Reading executions: Describe, List, their steps, parameters and definition."""

from typing import Any

from local_cloud.sagemaker.listing import page, sort, within
from local_cloud.sagemaker.pipelines.book import PipelineBook
from local_cloud.sagemaker.pipelines.execution import step_summary
from local_cloud.sagemaker.pipelines.parameters import as_text
from local_cloud.sagemaker.refusals import refuse
from local_cloud.service import Operation, RequestContext
from local_cloud.stores import Partitioned

_SORT_KEYS = {
    "CreationTime": lambda execution: execution.created,
    "PipelineExecutionArn": lambda execution: execution.arn,
}


class ExecutionViews:
    """The operations that read executions."""

    def __init__(self, books: Partitioned[PipelineBook]) -> None:
        self._books = books

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "DescribePipelineExecution": Operation(self._describe),
            "ListPipelineExecutions": Operation(self._list),
            "ListPipelineExecutionSteps": Operation(self._steps),
            "ListPipelineParametersForExecution": Operation(self._parameters),
            "DescribePipelineDefinitionForExecution": Operation(self._definition),
        }

    def _describe(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        return self._books.of(context).execution(params["PipelineExecutionArn"]).describe()

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        refuse(params, ("PipelineVersionAlias",))
        book = self._books.of(context)
        wanted = [
            execution
            for execution in book.executions_of(book.pipeline(context, params["PipelineName"]))
            if within(execution.created, after=params.get("CreatedAfter"), before=params.get("CreatedBefore"))
        ]
        ordered = sort(
            wanted,
            key=_SORT_KEYS[params.get("SortBy", "CreationTime")],
            order=params.get("SortOrder"),
            default="Descending",
        )
        found, more = page(ordered, params, identity=lambda execution: execution.arn)
        return {"PipelineExecutionSummaries": [execution.summary() for execution in found], **more}

    def _steps(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        records = self._books.of(context).execution(params.get("PipelineExecutionArn")).state.records()
        ordered = sort(records, key=lambda record: record.started, order=params.get("SortOrder"), default="Descending")
        found, more = page(ordered, params, identity=lambda record: record.step.name)
        return {"PipelineExecutionSteps": [step_summary(record) for record in found], **more}

    def _parameters(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        values = self._books.of(context).execution(params["PipelineExecutionArn"]).parameters
        found, more = page(values, params, identity=lambda name: name)
        return {"PipelineParameters": [{"Name": name, "Value": as_text(values[name])} for name in found], **more}

    def _definition(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        execution = self._books.of(context).execution(params["PipelineExecutionArn"])
        return {"PipelineDefinition": execution.order.definition_text, "CreationTime": execution.created}
