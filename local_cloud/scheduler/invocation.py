"""Calls the target of a schedule: under the execution role, with retries and a dead-letter queue.

How each kind of target is called stands in `events/targets.py`; when a schedule is due is decided elsewhere.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
"""

import json
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.events.arns import ArnError, parse_arn, queue_url
from local_cloud.events.background import BackgroundWork, cloud_age
from local_cloud.events.failures import DeliveryError, delivery_error
from local_cloud.events.ledger import Entry, Ledger, Outcome
from local_cloud.events.retries import delay_after, exhausted_limit
from local_cloud.events.targets import Call, kind_of
from local_cloud.scheduler.universal import is_universal, universal_target
from local_cloud.service import ServiceError

PRINCIPAL = "scheduler.amazonaws.com"
SESSION = "scheduler"
_SOURCE = "aws.scheduler"
_DETAIL_TYPE = "Scheduled Event"
_THREADS = 4
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Invocation:
    """One occurrence of a schedule.

    `target` is Scheduler's Target structure; `done` is called when the target was called, or could not be.
    """

    schedule_arn: str
    group_arn: str
    account: str
    region: str
    target: Mapping[str, Any]
    scheduled_time: str
    done: Callable[[], None]
    execution_id: str = field(default_factory=lambda: secrets.token_hex(8))
    began: float = field(default_factory=time.monotonic)

    def body(self, attempt: int) -> str:
        """What the target gets: its input with the context attributes filled in, or the default notification."""
        given = self.target.get("Input")
        if given is None:
            return json.dumps(self.event({}) | {"detail": "{}"})
        attributes = {
            "schedule-arn": self.schedule_arn,
            "scheduled-time": self.scheduled_time,
            "execution-id": self.execution_id,
            "attempt-number": str(attempt),
        }
        text = str(given)
        for name, value in attributes.items():
            text = text.replace(f"<aws.scheduler.{name}>", value)
        return text

    def event(self, detail: Any) -> dict[str, Any]:
        """The event that a target on an event bus gets, under the source and type of its parameters."""
        names = self.target.get("EventBridgeParameters") or {}
        return {
            "version": "0",
            "id": self.execution_id,
            "detail-type": names.get("DetailType", _DETAIL_TYPE),
            "source": names.get("Source", _SOURCE),
            "account": self.account,
            "time": self.scheduled_time,
            "region": self.region,
            "resources": [self.schedule_arn],
            "detail": detail,
        }


class Invoker:
    """The worker pool between schedules and targets."""

    def __init__(self, *, clients: Clients, clock: Clock, ledger: Ledger) -> None:
        self._clients = clients
        self._clock = clock
        self._ledger = ledger
        self._work = BackgroundWork("schedules", threads=_THREADS)

    def start(self, invocation: Invocation, *, delay_seconds: float = 0.0) -> None:
        """Call the target in the background, `delay_seconds` of real time from now."""
        self._work.submit(partial(self._attempt, invocation, attempt=1), delay_seconds=delay_seconds)

    def wait_until_idle(self, timeout: float) -> bool:
        """Whether every invocation has come to its end, at the latest after `timeout` real seconds."""
        return self._work.wait_until_idle(timeout)

    def reset(self) -> None:
        """Forget what waits."""
        self._work.reset()

    def close(self) -> None:
        """Call nothing more."""
        self._work.close()

    def _attempt(self, invocation: Invocation, *, attempt: int) -> None:
        try:
            self._send(invocation, attempt=attempt)
        except DeliveryError as error:
            self._after_failure(invocation, error, attempt=attempt)
        else:
            self._record(invocation, Outcome.DELIVERED, attempt=attempt)
            invocation.done()

    def _send(self, invocation: Invocation, *, attempt: int) -> None:
        target_arn, body = str(invocation.target["Arn"]), invocation.body(attempt)
        try:
            if is_universal(target_arn):
                operation = universal_target(target_arn)
                operation.send(self._client(invocation, operation.client), body)
                return
            arn = parse_arn(target_arn)
            kind = kind_of(arn)
            call = Call(
                target=invocation.target,
                arn=arn,
                body=body,
                event=invocation.event(_detail(invocation, body) if arn.service == "events" else {}),
                delivery_id=invocation.execution_id,
                endpoint_url=self._clients.endpoint_url,
            )
            kind.send(self._client(invocation, kind.client, region=arn.region), call)
        except (ClientError, BotoCoreError, ArnError, ServiceError) as error:
            raise delivery_error(error) from error

    def _client(self, invocation: Invocation, service: str, *, region: str = "") -> Any:
        return self._clients.as_role(
            service,
            role_arn=invocation.target["RoleArn"],
            principal=PRINCIPAL,
            session_name=SESSION,
            region=region or invocation.region,
            source_arn=invocation.group_arn,
        )

    def _after_failure(self, invocation: Invocation, error: DeliveryError, *, attempt: int) -> None:
        exhausted = None
        if error.retriable:
            delay = delay_after(attempt)
            age = cloud_age(invocation.began, scale=self._clock.scale) + delay
            exhausted = exhausted_limit(invocation.target.get("RetryPolicy"), attempt=attempt, age_seconds=age)
            if exhausted is None:
                self._record(invocation, Outcome.WILL_RETRY, attempt=attempt, error=error)
                again = partial(self._attempt, invocation, attempt=attempt + 1)
                self._work.submit(again, delay_seconds=delay * self._clock.scale)
                return
        self._record(invocation, Outcome.FAILED, attempt=attempt, error=error)
        self._dead_letter(invocation, error, attempt=attempt, exhausted=exhausted)
        invocation.done()

    def _dead_letter(
        self, invocation: Invocation, error: DeliveryError, *, attempt: int, exhausted: str | None
    ) -> None:
        """https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html"""
        queue_arn = (invocation.target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue_arn:
            _log.warning("%s did not reach %s: %s", invocation.schedule_arn, invocation.target["Arn"], error.message)
            self._record(invocation, Outcome.LOST, attempt=attempt, error=error)
            return
        try:
            queue = parse_arn(queue_arn)
            self._client(invocation, "sqs", region=queue.region).send_message(
                QueueUrl=queue_url(self._clients.endpoint_url, queue),
                MessageBody=invocation.body(attempt),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in _attributes(invocation, error, attempt, exhausted).items()
                },
            )
        except (ClientError, BotoCoreError, ArnError) as problem:
            _log.warning("%s is lost: %s; its dead letter: %s", invocation.schedule_arn, error.message, problem)
            self._record(invocation, Outcome.LOST, attempt=attempt, error=DeliveryError(error.code, str(problem)))
        else:
            self._record(invocation, Outcome.DEAD_LETTERED, attempt=attempt, error=error)

    def _record(
        self, invocation: Invocation, outcome: Outcome, *, attempt: int, error: DeliveryError | None = None
    ) -> None:
        self._ledger.record(
            Entry(
                time=self._clock.now().isoformat(),
                outcome=outcome,
                delivery_id=invocation.execution_id,
                event_id=invocation.execution_id,
                source=_SOURCE,
                detail_type=_DETAIL_TYPE,
                rule_arn=invocation.schedule_arn,
                target_arn=str(invocation.target["Arn"]),
                attempt=attempt,
                error_code=error.code if error else None,
                error_message=error.message if error else None,
            )
        )


def _attributes(invocation: Invocation, error: DeliveryError, attempt: int, exhausted: str | None) -> dict[str, str]:
    """The code and the message are the target's own, where it has answered."""
    answered = error.__cause__
    told = answered.response.get("Error", {}) if isinstance(answered, ClientError) else {}
    return {
        "ERROR_CODE": str(told.get("Code", error.code)),
        "ERROR_MESSAGE": str(told.get("Message") or error.message),
        "EXECUTION_ID": invocation.execution_id,
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": str(attempt - 1),
        "SCHEDULED_TIME": invocation.scheduled_time,
        "SCHEDULE_ARN": invocation.schedule_arn,
        "TARGET_ARN": str(invocation.target["Arn"]),
    } | ({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {})


def _detail(invocation: Invocation, body: str) -> Any:
    """What an event carries: the input, which is JSON (CreateSchedule sees to it), or nothing."""
    return json.loads(body) if invocation.target.get("Input") else {}
