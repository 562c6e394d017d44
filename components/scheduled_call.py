"""An EventBridge schedule that calls a function or a state machine, and loses no call: what fails is a dead letter.

Must not call the target any other way than with the given payload.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from components.event_function import EventFunction
from components.own_account import for_this_account

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
"""In a payload: the time that the schedule meant, whenever the call is really made."""

_RETRIES, _MAXIMUM_AGE_SECONDS = 8, 6 * 3600


@dataclass(frozen=True, kw_only=True)
class CallTarget:
    """What is called, by which IAM action, and where calls go that could not be made."""

    arn: str
    action: str
    dead_letter_queue: sqs.IQueue


def function_target(function: EventFunction) -> CallTarget:
    """The function, with its own dead-letter queue."""
    return CallTarget(
        arn=function.function.function_arn, action="lambda:InvokeFunction", dead_letter_queue=function.dead_letter_queue
    )


class ScheduledCall(Construct):
    """`expression` is a rate or cron expression, in UTC; without `enabled` the schedule is there and does nothing."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        target: CallTarget,
        expression: str,
        payload: Mapping[str, object],
        enabled: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        role = self._role(description, target)
        queue_arn = target.dead_letter_queue.queue_arn
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description=description,
            schedule_expression=expression,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state="ENABLED" if enabled else "DISABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=target.arn,
                role_arn=role.role_arn,
                input=json.dumps(dict(payload)),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=queue_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=_RETRIES, maximum_event_age_in_seconds=_MAXIMUM_AGE_SECONDS
                ),
            ),
        )
        # A call before the role's policy exists is refused.
        schedule.node.add_dependency(role)

    def _role(self, description: str, target: CallTarget) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description=f"Schedule: {description}",
            assumed_by=for_this_account("scheduler"),
        )
        role.add_to_policy(iam.PolicyStatement(actions=[target.action], resources=[target.arn]))
        role.add_to_policy(
            iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[target.dead_letter_queue.queue_arn])
        )
        return role
