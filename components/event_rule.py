"""An EventBridge rule on the default bus that hands matching events to an `EventFunction`.

Must not lose an event: what EventBridge cannot deliver goes to the function's dead-letter queue.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from components.event_function import EventFunction

_DELIVERY_RETRIES = 8
_DELIVERY_AGE = Duration.hours(6)


@dataclass(frozen=True, kw_only=True)
class EventKind:
    """Which events a rule matches; `detail` is a pattern over the event's detail.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
    """

    source: str
    detail_type: str
    detail: Mapping[str, object]


class FunctionRule(Construct):
    """Every event of the kind starts `target` once it is delivered."""

    def __init__(
        self, scope: Construct, construct_id: str, *, description: str, event: EventKind, target: EventFunction
    ) -> None:
        super().__init__(scope, construct_id)
        events.Rule(
            self,
            "Rule",
            description=description,
            event_pattern=events.EventPattern(
                source=[event.source], detail_type=[event.detail_type], detail=event.detail
            ),
            targets=[
                targets.LambdaFunction(
                    target.function,
                    dead_letter_queue=target.dead_letter_queue,
                    retry_attempts=_DELIVERY_RETRIES,
                    max_event_age=_DELIVERY_AGE,
                )
            ],
        )
