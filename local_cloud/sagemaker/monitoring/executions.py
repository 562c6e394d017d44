"""ListMonitoringExecutions: what has become of the runs of monitoring schedules.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListMonitoringExecutions.html
"""

from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.sagemaker.listing import page, sort, within
from local_cloud.sagemaker.monitoring.book import Execution, MonitoringBook
from local_cloud.sagemaker.resources import present
from local_cloud.service import Operation, RequestContext
from local_cloud.stores import Partitioned

_SORT_KEYS: Mapping[str, Callable[[Execution], Any]] = {
    "CreationTime": lambda execution: execution.created,
    "ScheduledTime": lambda execution: execution.scheduled,
    "Status": lambda execution: execution.status,
}


class MonitoringExecutions:
    """The API of executions."""

    def __init__(self, books: Partitioned[MonitoringBook]) -> None:
        self._books = books

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {"ListMonitoringExecutions": Operation(self._list)}

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            runs = [(schedule.name, run) for schedule in book.schedules.values() for run in book.runs(schedule.name)]
        wanted = [(name, run) for name, run in runs if _matches(name, run, params)]
        key = _SORT_KEYS[params.get("SortBy", "CreationTime")]
        ordered = sort(wanted, key=lambda pair: key(pair[1]), order=params.get("SortOrder"), default="Descending")
        found, more = page(ordered, params, identity=lambda pair: pair[1].id)
        return {"MonitoringExecutionSummaries": [summary(name, run) for name, run in found], **more}


def summary(schedule_name: str, execution: Execution) -> dict[str, Any]:
    """MonitoringExecutionSummary."""
    return present(
        {
            "MonitoringScheduleName": schedule_name,
            "ScheduledTime": execution.scheduled,
            "CreationTime": execution.created,
            "LastModifiedTime": execution.modified,
            "MonitoringExecutionStatus": execution.status,
            "ProcessingJobArn": execution.job.identity.arn if execution.job else None,
            "EndpointName": execution.endpoint,
            "FailureReason": execution.reason,
            "MonitoringJobDefinitionName": execution.definition,
            "MonitoringType": execution.kind,
        }
    )


def _matches(schedule_name: str, execution: Execution, params: Mapping[str, Any]) -> bool:
    equal = {
        "MonitoringScheduleName": schedule_name,
        "EndpointName": execution.endpoint,
        "StatusEquals": execution.status,
        "MonitoringJobDefinitionName": execution.definition,
        "MonitoringTypeEquals": execution.kind,
    }
    moments = {
        "ScheduledTime": execution.scheduled,
        "CreationTime": execution.created,
        "LastModifiedTime": execution.modified,
    }
    return all(params[name] == value for name, value in equal.items() if name in params) and all(
        within(moment, after=params.get(f"{name}After"), before=params.get(f"{name}Before"))
        for name, moment in moments.items()
    )
