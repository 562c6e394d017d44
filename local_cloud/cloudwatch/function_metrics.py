"""Invocations of Lambda functions, counted as AWS counts them.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

import time
from pathlib import Path

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.cloudwatch.metrics import MetricStore
from local_cloud.functions.runner import FunctionRunner
from local_cloud.functions.specification import FunctionSpec, InvocationResult
from local_cloud.processes import ProcessTable
from local_cloud.service import ServiceError

NAMESPACE = "AWS/Lambda"
_THROTTLED = "TooManyRequestsException"


class MeasuredFunctionRunner(FunctionRunner):
    """A function runner that records Invocations, Errors, Duration (milliseconds) and Throttles of each function."""

    def __init__(
        self, *, clients: Clients, clock: Clock, processes: ProcessTable, directory: Path, metrics: MetricStore
    ) -> None:
        super().__init__(clients=clients, clock=clock, processes=processes, directory=directory)
        self._metrics = metrics

    def invoke(self, spec: FunctionSpec, payload: str, *, request_id: str | None = None) -> InvocationResult:
        """Run the handler once and measure it; see FunctionRunner."""
        began = time.perf_counter()
        try:
            result = super().invoke(spec, payload, request_id=request_id)
        except ServiceError as error:
            if error.code == _THROTTLED:
                self._record(spec, "Throttles", 1.0)
            raise
        self._record(spec, "Invocations", 1.0)
        self._record(spec, "Errors", float(result.error is not None))
        self._record(spec, "Duration", (time.perf_counter() - began) * 1000, unit="Milliseconds")
        return result

    def _record(self, spec: FunctionSpec, name: str, value: float, *, unit: str = "Count") -> None:
        self._metrics.record(
            account=spec.account,
            region=spec.region,
            namespace=NAMESPACE,
            metric_name=name,
            dimensions={"FunctionName": spec.name},
            value=value,
            unit=unit,
        )
