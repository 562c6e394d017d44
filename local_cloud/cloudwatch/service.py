"""CloudWatch as the local cloud runs it: metrics and alarms behind one table; dashboards are moto's."""

from datetime import UTC, datetime
from typing import Any

from local_cloud.clock import Clock
from local_cloud.cloudwatch.alarm_operations import AlarmOperations
from local_cloud.cloudwatch.alarms import Alarms
from local_cloud.cloudwatch.api_model import CloudWatchModel
from local_cloud.cloudwatch.metric_operations import MetricOperations
from local_cloud.cloudwatch.metrics import MetricStore
from local_cloud.service import Fidelity, Handler, Operation, RequestContext, Service

_DASHBOARDS = ("DeleteDashboards", "GetDashboard", "ListDashboards", "PutDashboard")


class CloudWatch:
    """The operations over a store of metrics and the alarms on it; every request is checked against the API model."""

    def __init__(self, *, metrics: MetricStore, alarms: Alarms, clock: Clock) -> None:
        self._metrics = metrics
        self._alarms = alarms
        self._model = CloudWatchModel()
        self._metric_operations = MetricOperations(metrics=metrics, clock=clock)
        self._alarm_operations = AlarmOperations(alarms=alarms, clock=clock)

    def service(self) -> Service:
        """The table of operations."""
        owned = self._metric_operations.operations() | self._alarm_operations.operations()
        delegated = {name: Operation(None, Fidelity.DELEGATED) for name in _DASHBOARDS}
        return Service(
            "cloudwatch", {name: self._checked(name, operation) for name, operation in owned.items()} | delegated
        )

    def reset(self) -> None:
        """Forget all metrics and alarms."""
        self._alarms.reset()
        self._metrics.clear()

    def close(self) -> None:
        """Evaluate nothing more."""
        self._alarms.close()

    def _checked(self, name: str, operation: Operation) -> Operation:
        handler = operation.handler

        def check_and_handle(context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
            self._model.check(name, params)
            return handler(context, _in_utc(params)) if handler else {}

        checked: Handler = check_and_handle
        return Operation(checked, operation.fidelity, operation.note)


def _in_utc(value: Any) -> Any:
    """Parameters whose times have a time zone: on the wire they are seconds since 1970, and moto leaves it out."""
    if isinstance(value, dict):
        return {key: _in_utc(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_in_utc(item) for item in value]
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
