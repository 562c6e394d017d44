"""Metrics of invocations in the namespace AWS/SageMaker, gathered on the request's path and recorded behind it.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html#cloudwatch-metrics-endpoint-invocation
"""

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from local_cloud.clock import Clock

NAMESPACE = "AWS/SageMaker"
_FLUSH_CLOUD_SECONDS = 10.0
_FLUSH_MOST_SECONDS = 1.0
_FLUSH_LEAST_SECONDS = 0.05


class RecordMetric(Protocol):
    """How metrics reach CloudWatch: `values[i]` was seen `counts[i]` times."""

    def __call__(
        self,
        *,
        account: str,
        region: str,
        namespace: str,
        metric_name: str,
        dimensions: dict[str, str],
        values: list[float],
        counts: list[float],
        timestamp: datetime,
        unit: str,
    ) -> None: ...


@dataclass(frozen=True)
class MetricOwner:
    """Whose metrics: one variant of one endpoint."""

    account: str
    region: str
    endpoint: str
    variant: str


@dataclass(frozen=True)
class Invocation:
    """What was measured of one request; latencies in microseconds, `status` is the container's (0: none came)."""

    status: int
    model_latency: float
    overhead_latency: float
    instance_count: int


class InvocationMetrics:
    """Gathers and records; mutable and thread-safe. The thread is started with the first invocation."""

    def __init__(self, record: RecordMetric, *, clock: Clock) -> None:
        self._record = record
        self._clock = clock
        self._gathered: dict[MetricOwner, list[Invocation]] = defaultdict(list)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, owner: MetricOwner, invocation: Invocation) -> None:
        """Take one invocation over; returns at once."""
        with self._lock:
            self._gathered[owner].append(invocation)
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._work, name="invocation-metrics", daemon=True)
                self._thread.start()

    def reset(self) -> None:
        """Forget what was not recorded yet."""
        with self._lock:
            self._gathered.clear()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()

    def flush(self) -> None:
        """Record what was gathered, with the present time."""
        with self._lock:
            gathered, self._gathered = self._gathered, defaultdict(list)
        now = self._clock.now()
        for owner, invocations in gathered.items():
            for name, unit, seen in _series(invocations):
                values = Counter(seen)
                self._record(
                    account=owner.account,
                    region=owner.region,
                    namespace=NAMESPACE,
                    metric_name=name,
                    dimensions={"EndpointName": owner.endpoint, "VariantName": owner.variant},
                    values=list(values),
                    counts=[float(count) for count in values.values()],
                    timestamp=now,
                    unit=unit,
                )

    def _work(self) -> None:
        # Real endpoints report every minute; an alarm's shortest period (10 s) must see each of its own values.
        interval = min(max(_FLUSH_CLOUD_SECONDS * self._clock.scale, _FLUSH_LEAST_SECONDS), _FLUSH_MOST_SECONDS)
        while not self._closing.wait(interval):
            self.flush()


def _series(invocations: list[Invocation]) -> list[tuple[str, str, list[float]]]:
    """Name, unit and one value for each invocation, so that averages and percentiles are those of the requests."""
    return [
        ("Invocations", "Count", [1.0 for _ in invocations]),
        ("InvocationsPerInstance", "Count", [1.0 / max(call.instance_count, 1) for call in invocations]),
        ("Invocation4XXErrors", "Count", [float(400 <= call.status < 500) for call in invocations]),
        ("Invocation5XXErrors", "Count", [float(_is_server_error(call.status)) for call in invocations]),
        ("InvocationModelErrors", "Count", [float(not 200 <= call.status < 300) for call in invocations]),
        ("ModelLatency", "Microseconds", [call.model_latency for call in invocations]),
        ("OverheadLatency", "Microseconds", [call.overhead_latency for call in invocations]),
    ]


def _is_server_error(status: int) -> bool:
    """A server error, no answer at all, or a redirect, which no client of an endpoint can follow."""
    return not 200 <= status < 300 and not 400 <= status < 500
