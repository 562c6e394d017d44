"""Copies of requests for a shadow variant: sent behind the request's back, answers thrown away, captured if asked for.

https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests.html
"""

import threading
import time
from collections.abc import Mapping

from local_cloud.endpoints.capture_events import CapturedCall
from local_cloud.endpoints.endpoint import Endpoint
from local_cloud.endpoints.fleet import Variant
from local_cloud.endpoints.invocation_metrics import Invocation, InvocationMetrics, MetricOwner
from local_cloud.endpoints.variant_server import ServerUnavailableError
from local_cloud.events.background import BackgroundWork

_THREADS = 2
_MOST_WAITING = 256
_MICROSECONDS = 1e6


class ShadowCopies:
    """Sends copies, a few at a time; a shadow that falls far behind misses requests rather than slowing them down."""

    def __init__(self, metrics: InvocationMetrics) -> None:
        self._metrics = metrics
        self._work = BackgroundWork("shadow", threads=_THREADS)
        self._room = threading.BoundedSemaphore(_MOST_WAITING)

    def copy(self, endpoint: Endpoint, variant: Variant, call: CapturedCall, headers: Mapping[str, str]) -> None:
        """Send a copy; returns at once."""
        if not self._room.acquire(blocking=False):
            return
        variant.enter()

        def send() -> None:
            try:
                self._send(endpoint, variant, call, headers)
            finally:
                variant.leave()
                self._room.release()

        self._work.submit(send)

    def wait_until_idle(self, timeout: float) -> bool:
        """Whether all copies were answered, at the latest after `timeout` seconds."""
        return self._work.wait_until_idle(timeout)

    def close(self) -> None:
        """Send no more."""
        self._work.close()

    def _send(self, endpoint: Endpoint, variant: Variant, call: CapturedCall, headers: Mapping[str, str]) -> None:
        asked, status = time.perf_counter(), 0
        try:
            answer = variant.server.invoke(call.body, headers)
            status = answer.status
        except (TimeoutError, ServerUnavailableError):
            return  # nobody waits for the answer; the metrics below tell of it
        finally:
            owner = MetricOwner(endpoint.account, endpoint.region, endpoint.name, variant.spec.name)
            latency = (time.perf_counter() - asked) * _MICROSECONDS
            self._metrics.add(owner, Invocation(status, latency, 0.0, variant.spec.instance_count))
        if 200 <= status < 300 and variant.capture is not None and variant.capture.wants():
            variant.capture.offer(call.answered(answer.body, answer.headers.get("content-type")))
