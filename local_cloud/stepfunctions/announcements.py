"""Tells the rest of the cloud what becomes of executions: events on the default bus, and CloudWatch metrics.

https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
"""

from collections.abc import Callable
from typing import Any

from local_cloud.events.bus import EventBus
from local_cloud.stepfunctions.book import Execution
from local_cloud.stepfunctions.interpretation import ExecutionStatus
from local_cloud.stepfunctions.values import milliseconds

SOURCE = "aws.states"
NAMESPACE = "AWS/States"
_DETAIL_TYPE = "Step Functions Execution Status Change"
_METRICS = {
    ExecutionStatus.RUNNING: "ExecutionsStarted",
    ExecutionStatus.SUCCEEDED: "ExecutionsSucceeded",
    ExecutionStatus.FAILED: "ExecutionsFailed",
    ExecutionStatus.TIMED_OUT: "ExecutionsTimedOut",
    ExecutionStatus.ABORTED: "ExecutionsAborted",
}


class Announcements:
    """Emits an event and records metrics for each change of an execution's status."""

    def __init__(self, *, events: EventBus, record_metric: Callable[..., None]) -> None:
        self._events = events
        self._record_metric = record_metric

    def status_changed(self, execution: Execution) -> None:
        """The execution has begun or ended. Nothing is told of executions that were forgotten."""
        if execution.forgotten:
            return
        _, _, _, region, account, *_ = execution.arn.split(":")
        self._events.emit(
            account=account,
            region=region,
            source=SOURCE,
            detail_type=_DETAIL_TYPE,
            detail=_detail(execution),
            resources=[execution.arn],
        )
        self._measure(execution, account, region)

    def _measure(self, execution: Execution, account: str, region: str) -> None:
        values = [(_METRICS[execution.status], 1.0, "Count")]
        if execution.stopped is not None:
            lasted = (execution.stopped - execution.started).total_seconds() * 1000
            values.append(("ExecutionTime", lasted, "Milliseconds"))
        for name, value, unit in values:
            self._record_metric(
                account=account,
                region=region,
                namespace=NAMESPACE,
                metric_name=name,
                dimensions={"StateMachineArn": execution.machine.arn},
                value=value,
                unit=unit,
            )


def _detail(execution: Execution) -> dict[str, Any]:
    ending = execution.ending
    output = ending.output if ending else None
    return {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine.arn,
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "name": execution.name,
        "status": execution.status.value,
        "startDate": milliseconds(execution.started),
        "stopDate": milliseconds(execution.stopped) if execution.stopped else None,
        "input": execution.input,
        "inputDetails": {"included": True},
        "output": output,
        "outputDetails": {"included": True} if output is not None else None,
        "error": ending.error if ending else None,
        "cause": ending.cause if ending else None,
    }
