"""Announces a fact on the event bus once, also when an invocation dies halfway and is repeated.

Must not decide what is announced.
"""

from lambdas.shared.events import Event, EventBus
from lambdas.shared.s3 import Bucket


def announce_once(lake: Bucket, bus: EventBus, *, marker: str, event: Event) -> bool:
    """Send `event` unless the object `marker` says that it was sent; says whether it was sent now.

    The marker is written after the event: a crash in between repeats the event, never loses it. Subscribers
    have to take an event twice in any case, since EventBridge delivers at least once.
    """
    if lake.head(marker) is not None:
        return False
    bus.send(event)
    lake.create_json(marker, {"event": event.detail_type, "detail": event.detail})
    return True
