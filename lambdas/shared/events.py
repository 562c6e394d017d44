"""Sends events to an EventBridge bus and checks that the bus took each of them.

Must not know what the events mean; their schemas stand in docs/events/.
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.shared.errors import EventDeliveryError

# PutEvents answers 200 even when it refuses entries; a refusal is nearly always throttling, which passes
# quickly.
_RETRY_AFTER_SECONDS = 0.2


class EventsClient(Protocol):
    """The part of boto3's EventBridge client that is used here."""

    def put_events(self, *, Entries: list[dict[str, Any]]) -> Mapping[str, Any]:  # noqa: N803  boto3's own name
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `detail` must be fit for JSON and is at most 256 KB long as such."""

    detail_type: str
    detail: Mapping[str, object]


class EventBus:
    """A bus and the source that this function's events carry."""

    def __init__(
        self, client: EventsClient, *, bus: str, source: str, retry_after: float = _RETRY_AFTER_SECONDS
    ) -> None:
        self._client = client
        self._bus = bus
        self._source = source
        self._retry_after = retry_after

    def send(self, event: Event) -> None:
        """Send one event; one bounded retry, then EventDeliveryError with the bus's own reason."""
        reason = self._refusal(event)
        if reason is None:
            return
        # The one wait of this function: long enough for a throttled bus, short against the function's
        # timeout.
        time.sleep(self._retry_after)
        reason = self._refusal(event)
        if reason is not None:
            raise EventDeliveryError(
                f'event "{event.detail_type}" was refused twice by the bus {self._bus}: {reason}; '
                "the invocation fails so that it is retried, then goes to the dead-letter queue"
            )

    def _refusal(self, event: Event) -> str | None:
        answer = self._client.put_events(
            Entries=[
                {
                    "EventBusName": self._bus,
                    "Source": self._source,
                    "DetailType": event.detail_type,
                    "Detail": json.dumps(event.detail, sort_keys=True),
                }
            ]
        )
        if not answer.get("FailedEntryCount"):
            return None
        entry = answer["Entries"][0]
        return f"{entry.get('ErrorCode')}: {entry.get('ErrorMessage')}"
