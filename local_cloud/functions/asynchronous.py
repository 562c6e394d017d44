"""Asynchronous invocations (InvocationType=Event): queued, retried, and reported when they fail for good.

AWS's waiting times (one minute, then two) pass on the scaled clock.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

import json
import logging
import time
import uuid
from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.errors import LocalCloudError
from local_cloud.events.background import BackgroundWork, cloud_age
from local_cloud.functions.destinations import Destinations
from local_cloud.functions.runner import FunctionRunner, check_payload
from local_cloud.functions.specification import FunctionSpec, InvocationResult
from local_cloud.service import ServiceError

_RETRY_DELAYS_SECONDS = (60, 120)
_DEFAULT_AGE_SECONDS = 21_600
_LONGEST_THROTTLE_DELAY_SECONDS = 300
_THREADS = 16
_COLONS_OF_A_FUNCTION_ARN = 6
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Queued:
    """An event on its way; `failures` counts function errors, `throttles` refusals for lack of concurrency."""

    spec: FunctionSpec
    payload: str
    request_id: str
    accepted: float
    failures: int = 0
    throttles: int = 0


class AsynchronousInvoker:
    """The event queue of all functions. `lost` keeps the newest 1,000 reports that could not be sent, in words."""

    def __init__(self, *, runner: FunctionRunner, clients: Clients, clock: Clock) -> None:
        self.lost: deque[str] = deque(maxlen=1000)
        self._runner = runner
        self._clock = clock
        self._destinations = Destinations(clients)
        self._work = BackgroundWork("asynchronous-functions", threads=_THREADS)

    def invoke(self, spec: FunctionSpec, payload: str) -> str:
        """Queue an event (JSON text); the id of the request, at once. Raises ServiceError for text that is not JSON."""
        check_payload(payload)
        queued = _Queued(spec, payload, request_id=str(uuid.uuid4()), accepted=time.monotonic())
        self._work.submit(partial(self._attempt, queued))
        return queued.request_id

    def wait_until_idle(self, timeout: float) -> bool:
        """Whether every event has come to its end, at the latest after `timeout` real seconds."""
        return self._work.wait_until_idle(timeout)

    def reset(self) -> None:
        """Forget the queue. What runs gets ten seconds: reset the runner first to end it at once."""
        self._work.reset()
        self.lost.clear()

    def close(self) -> None:
        """Run nothing more."""
        self._work.close()

    def _attempt(self, queued: _Queued) -> None:
        if cloud_age(queued.accepted, scale=self._clock.scale) > self._maximum_age(queued):
            self._failed(queued, condition="EventAgeExceeded", result=None)
            return
        try:
            result = self._runner.invoke(queued.spec, queued.payload, request_id=queued.request_id)
        except ServiceError as error:
            self._refused(queued, error)
            return
        if result.error is None:
            self._report(queued, "OnSuccess", condition="Success", result=result)
        elif queued.failures < self._maximum_retries(queued):
            delay = _RETRY_DELAYS_SECONDS[queued.failures]
            self._again(replace(queued, failures=queued.failures + 1), delay=delay)
        else:
            queued = replace(queued, failures=queued.failures + 1)
            self._failed(queued, condition="RetriesExhausted", result=result)

    def _refused(self, queued: _Queued, error: ServiceError) -> None:
        """Throttling is tried again until the event is too old, anything else cannot get better."""
        if error.code == "TooManyRequestsException":
            delay = min(2**queued.throttles, _LONGEST_THROTTLE_DELAY_SECONDS)
            self._again(replace(queued, throttles=queued.throttles + 1), delay=delay)
            return
        payload = json.dumps({"errorType": error.code, "errorMessage": error.message})
        result = InvocationResult(payload, "Unhandled", "", queued.request_id)
        queued = replace(queued, failures=queued.failures + 1)
        self._failed(queued, condition="RetriesExhausted", result=result, status=error.status)

    def _again(self, queued: _Queued, *, delay: float) -> None:
        self._work.submit(partial(self._attempt, queued), delay_seconds=delay * self._clock.scale)

    def _failed(self, queued: _Queued, *, condition: str, result: InvocationResult | None, status: int = 200) -> None:
        _log.warning("asynchronous invocation %s of %s failed: %s", queued.request_id, queued.spec.name, condition)
        self._report(queued, "OnFailure", condition=condition, result=result, status=status)
        if queued.spec.dead_letter_arn is None:
            return
        message = json.loads(result.payload).get("errorMessage", "") if result else condition
        try:
            self._destinations.send_dead_letter(
                queued.spec,
                payload=queued.payload,
                request_id=queued.request_id,
                error_code=status,
                error_message=str(message),
            )
        except (ClientError, BotoCoreError, LocalCloudError) as error:
            self._note_lost(queued, queued.spec.dead_letter_arn, error)

    def _report(
        self,
        queued: _Queued,
        destination: str,
        *,
        condition: str,
        result: InvocationResult | None,
        status: int = 200,
    ) -> None:
        configured = (queued.spec.event_invoke_config.get("DestinationConfig") or {}).get(destination) or {}
        arn = configured.get("Destination")
        if not arn:
            return
        record = self._record(queued, condition=condition, result=result, status=status)
        try:
            self._destinations.send_record(queued.spec, arn=arn, record=record, succeeded=destination == "OnSuccess")
        except (ClientError, BotoCoreError, LocalCloudError) as error:
            self._note_lost(queued, arn, error)

    def _record(
        self, queued: _Queued, *, condition: str, result: InvocationResult | None, status: int
    ) -> dict[str, Any]:
        moment = self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        spec = queued.spec
        qualified = spec.arn if spec.arn.count(":") > _COLONS_OF_A_FUNCTION_ARN else f"{spec.arn}:{spec.version}"
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": moment,
            "requestContext": {
                "requestId": queued.request_id,
                "functionArn": qualified,
                "condition": condition,
                "approximateInvokeCount": max(queued.failures, 1 if result else 0),
            },
            "requestPayload": json.loads(queued.payload),
        }
        if result is not None:
            error = {"functionError": result.error} if result.error else {}
            record["responseContext"] = {"statusCode": status, "executedVersion": spec.version} | error
            record["responsePayload"] = json.loads(result.payload)
        return record

    def _note_lost(self, queued: _Queued, arn: str, error: Exception) -> None:
        text = f"the result of {queued.spec.name} ({queued.request_id}) could not be sent to {arn}: {error}"
        _log.warning("%s", text)
        self.lost.append(text)

    def _maximum_age(self, queued: _Queued) -> int:
        return int(queued.spec.event_invoke_config.get("MaximumEventAgeInSeconds", _DEFAULT_AGE_SECONDS))

    def _maximum_retries(self, queued: _Queued) -> int:
        given = queued.spec.event_invoke_config.get("MaximumRetryAttempts", len(_RETRY_DELAYS_SECONDS))
        return min(int(given), len(_RETRY_DELAYS_SECONDS))
