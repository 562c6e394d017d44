"""EventBridge rules on the default bus that hand matching events to an `EventFunction` or to a state machine.

Must not lose an event: what EventBridge cannot deliver goes to a dead-letter queue.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from components.event_function import EventFunction
from components.own_account import for_this_account

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

    @property
    def pattern(self) -> Mapping[str, object]:
        """As EventBridge has it, for the resource itself."""
        return {"source": [self.source], "detail-type": [self.detail_type], "detail": self.detail}


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


class WorkflowRule(Construct):
    """Every event of the kinds starts an execution of a state machine, which gets the event as its input.

    `kinds`: description -> kind. What cannot be delivered goes to `dead_letter_queue`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        kinds: Mapping[str, EventKind],
        state_machine_arn: str,
        dead_letter_queue: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        role = iam.Role(
            self,
            "Role",
            description="Events that start a state machine",
            assumed_by=for_this_account("events"),
        )
        role.add_to_policy(iam.PolicyStatement(actions=["states:StartExecution"], resources=[state_machine_arn]))
        target = events.CfnRule.TargetProperty(
            id="Workflow",
            arn=state_machine_arn,
            role_arn=role.role_arn,
            dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=dead_letter_queue.queue_arn),
            retry_policy=events.CfnRule.RetryPolicyProperty(
                maximum_retry_attempts=_DELIVERY_RETRIES, maximum_event_age_in_seconds=_DELIVERY_AGE.to_seconds()
            ),
        )
        for number, (description, event) in enumerate(kinds.items()):
            rule = events.CfnRule(
                self,
                f"Rule{number}",
                description=description,
                event_pattern=event.pattern,
                state="ENABLED",
                targets=[target],
            )
            _allow_rule(dead_letter_queue, rule)
            rule.node.add_dependency(role)


def _allow_rule(queue: sqs.IQueue, rule: events.CfnRule) -> None:
    """Let EventBridge put what `rule` could not deliver into `queue`."""
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
        )
    )
