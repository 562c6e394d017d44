"""Events of AWS services: the envelope around what a service reports.

Matching rules and delivering is not done here: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local_cloud.clock import Clock

Publish = Callable[[str, str, dict[str, Any]], None]
"""(account, region, event): match the event with the rules of the default bus."""


class EventBus:
    """Where the engines report what happened."""

    def __init__(self, clock: Clock, publish: Publish) -> None:
        self._clock = clock
        self._publish = publish

    def emit(
        self,
        *,
        account: str,
        region: str,
        source: str,
        detail_type: str,
        detail: Mapping[str, Any],
        resources: Sequence[str] = (),
    ) -> None:
        """Put an event on the default bus of an account and region; returns before it is delivered."""
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": account,
            "time": self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": region,
            "resources": list(resources),
            "detail": dict(detail),
        }
        self._publish(account, region, event)
