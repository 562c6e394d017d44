"""Delivers events to the targets of rules as EventBridge does: later, at least once, with retries and dead letters.

A target with a role is called with that role; any other must allow `events.amazonaws.com` in its own policy. Which
rules match is not decided here. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html
"""

import copy
import json
import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.events.arns import Arn, ArnError, parse_arn, queue_url
from local_cloud.events.background import BackgroundWork, cloud_age
from local_cloud.events.failures import DeliveryError, delivery_error
from local_cloud.events.ledger import Entry, Ledger, Outcome
from local_cloud.events.retries import delay_after, exhausted_limit
from local_cloud.events.targets import Call, TargetKind, kind_of
from local_cloud.events.transform import TransformError, target_input

EVENTS_PRINCIPAL = "events.amazonaws.com"
_THREADS = 8
_log = logging.getLogger(__name__)


class Verdict(Protocol):
    """A decision of a resource's policy, with the reason in words."""

    @property
    def allowed(self) -> bool: ...

    @property
    def reason(self) -> str: ...


class Permits(Protocol):
    """Whether a target's own policy lets EventBridge deliver to it for a rule (`source_arn`)."""

    def __call__(self, *, source_arn: str, target_arn: str) -> Verdict: ...


@dataclass(frozen=True)
class _Job:
    account: str
    region: str
    rule_arn: str
    target: Mapping[str, Any]
    event: Mapping[str, Any]
    delivery_id: str
    ingestion_time: str
    began: float

    @property
    def target_arn(self) -> str:
        return str(self.target["Arn"])


class Delivery:
    """The worker pool between rules and targets. `duplicate_deliveries` makes every event come that many times more."""

    def __init__(self, *, clients: Clients, clock: Clock, directory: Path, permits: Permits) -> None:
        self.ledger = Ledger(directory)
        self.duplicate_deliveries = 0
        self._clients = clients
        self._clock = clock
        self._permits = permits
        self._work = BackgroundWork("event-delivery", threads=_THREADS)

    def deliver(
        self, *, account: str, region: str, rule_arn: str, target: Mapping[str, Any], event: Mapping[str, Any]
    ) -> None:
        """Hand an event to a target (EventBridge's Target structure); returns at once."""
        for _ in range(1 + self.duplicate_deliveries):
            job = _Job(
                account=account,
                region=region,
                rule_arn=rule_arn,
                target=copy.deepcopy(dict(target)),
                event=copy.deepcopy(dict(event)),
                delivery_id=uuid.uuid4().hex,
                ingestion_time=self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
                began=time.monotonic(),
            )
            self._record(job, Outcome.ACCEPTED)
            self._work.submit(partial(self._attempt, job, attempt=1))

    def wait_until_idle(self, timeout: float) -> bool:
        """Whether every delivery has come to its end, at the latest after `timeout` real seconds."""
        return self._work.wait_until_idle(timeout)

    def reset(self) -> None:
        """Forget what waits and what was delivered."""
        self._work.reset()
        self.ledger.reset()
        self.duplicate_deliveries = 0

    def close(self) -> None:
        """Deliver nothing more."""
        self._work.close()

    def _attempt(self, job: _Job, *, attempt: int) -> None:
        try:
            self._send(job)
        except DeliveryError as error:
            self._after_failure(job, error, attempt=attempt)
        else:
            self._record(job, Outcome.DELIVERED, attempt=attempt)

    def _send(self, job: _Job) -> None:
        try:
            arn = parse_arn(job.target_arn)
            kind = kind_of(arn)
            call = Call(
                target=job.target,
                arn=arn,
                body=target_input(job.target, job.event, rule_arn=job.rule_arn, ingestion_time=job.ingestion_time),
                event=job.event,
                delivery_id=job.delivery_id,
                endpoint_url=self._clients.endpoint_url,
            )
            kind.send(self._client(job, arn, kind), call)
        except (ClientError, BotoCoreError, TransformError, ArnError) as error:
            raise delivery_error(error) from error

    def _client(self, job: _Job, arn: Arn, kind: TargetKind) -> Any:
        """A client with the target's role, or EventBridge's own if the target's policy allows the call."""
        region = arn.region or job.region
        if role_arn := job.target.get("RoleArn"):
            return self._clients.as_role(
                kind.client,
                role_arn=role_arn,
                principal=EVENTS_PRINCIPAL,
                session_name="eventbridge",
                region=region,
            )
        if kind.action is None:
            raise DeliveryError("NO_PERMISSIONS", f"{arn.text} is called with a role; give the target a RoleArn")
        self._require(job, arn, action=kind.action)
        return self._clients.system(kind.client, account=arn.account or job.account, region=region)

    def _require(self, job: _Job, arn: Arn, *, action: str) -> None:
        verdict = self._permits(source_arn=job.rule_arn, target_arn=arn.text)
        if not verdict.allowed:
            text = f"{EVENTS_PRINCIPAL} may not {action} on {arn.text} for {job.rule_arn} {verdict.reason}"
            raise DeliveryError("NO_PERMISSIONS", text)

    def _after_failure(self, job: _Job, error: DeliveryError, *, attempt: int) -> None:
        delay = delay_after(attempt)
        exhausted = self._exhausted(job, attempt=attempt, delay=delay) if error.retriable else None
        if error.retriable and exhausted is None:
            self._record(job, Outcome.WILL_RETRY, attempt=attempt, error=error)
            self._work.submit(partial(self._attempt, job, attempt=attempt + 1), delay_seconds=delay * self._clock.scale)
            return
        self._record(job, Outcome.FAILED, attempt=attempt, error=error)
        self._dead_letter(job, error, attempt=attempt, exhausted=exhausted)

    def _exhausted(self, job: _Job, *, attempt: int, delay: float) -> str | None:
        """Which limit of the retry policy forbids another attempt after `delay` seconds of cloud time."""
        age = cloud_age(job.began, scale=self._clock.scale) + delay
        return exhausted_limit(job.target.get("RetryPolicy"), attempt=attempt, age_seconds=age)

    def _dead_letter(self, job: _Job, error: DeliveryError, *, attempt: int, exhausted: str | None) -> None:
        queue_arn = (job.target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue_arn:
            _log.warning("an event for %s is lost: %s", job.target_arn, error.message)
            self._record(job, Outcome.LOST, attempt=attempt, error=error)
            return
        attributes = {
            "RULE_ARN": job.rule_arn,
            "TARGET_ARN": job.target_arn,
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": error.message,
            "RETRY_ATTEMPTS": str(attempt - 1),
        } | ({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {})
        try:
            queue = parse_arn(queue_arn)
            self._require(job, queue, action="sqs:SendMessage")
            self._clients.system("sqs", account=queue.account, region=queue.region).send_message(
                QueueUrl=queue_url(self._clients.endpoint_url, queue),
                MessageBody=json.dumps(job.event),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        except (ClientError, BotoCoreError, ArnError, DeliveryError) as problem:
            _log.warning("an event for %s is lost: %s; dead-letter queue: %s", job.target_arn, error.message, problem)
            self._record(job, Outcome.LOST, attempt=attempt, error=DeliveryError(error.code, str(problem)))
        else:
            self._record(job, Outcome.DEAD_LETTERED, attempt=attempt, error=error)

    def _record(self, job: _Job, outcome: Outcome, *, attempt: int = 0, error: DeliveryError | None = None) -> None:
        self.ledger.record(
            Entry(
                time=self._clock.now().isoformat(),
                outcome=outcome,
                delivery_id=job.delivery_id,
                event_id=str(job.event.get("id", "")),
                source=str(job.event.get("source", "")),
                detail_type=str(job.event.get("detail-type", "")),
                rule_arn=job.rule_arn,
                target_arn=job.target_arn,
                attempt=attempt,
                error_code=error.code if error else None,
                error_message=error.message if error else None,
            )
        )
