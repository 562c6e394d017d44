"""Failure notices: an encrypted topic, and the rules and alarms that publish to it.

Must not publish successes: a message here means that somebody has to act.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from components.event_function import EventFunction
from components.event_rule import EventKind

# Services that publish; the topic's key must let them use it, too.
PUBLISHERS = ("cloudwatch.amazonaws.com", "events.amazonaws.com")


class FailureTopic(Construct):
    """Topic under the customer-managed key, open to alarms and rules and closed to plain HTTP; `topic` is public."""

    def __init__(self, scope: Construct, construct_id: str, *, encryption_key: kms.IKey, email: str | None) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", master_key=encryption_key, enforce_ssl=True)
        # EventBridge takes no Condition in a topic policy; a rule of another account cannot know this topic's ARN.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="PublishFailures",
                principals=[iam.ServicePrincipal(service) for service in PUBLISHERS],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
            )
        )
        if email:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))


class FailureNotice(Construct):
    """Turns each matching event into one readable message on the topic.

    `fields` gives names to JSON paths of the event; `lines` are the message, where `<name>` stands for a field.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        event: EventKind,
        fields: Mapping[str, str],
        lines: Sequence[str],
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        # The higher-level target would open the topic's policy once more with every rule.
        events.CfnRule(
            self,
            "Rule",
            description=description,
            event_pattern=event.pattern,
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Topic",
                    arn=topic.topic_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map=dict(fields), input_template="\n".join(f'"{line}"' for line in lines)
                    ),
                )
            ],
        )


def alarm_on_dead_letters(
    scope: Construct, subject: str, *, work: str, functions: Mapping[str, EventFunction], topic: sns.ITopic
) -> None:
    """Alarm as soon as one event waits in the dead-letter queue of a function.

    `functions`: what each of them does with `work`, as `Started`. The ids of the alarms begin with `subject`.
    """
    for done, function in functions.items():
        queue = function.dead_letter_queue
        alarm = cloudwatch.Alarm(
            scope,
            f"{subject}Not{done}",
            alarm_description=f"{work} was not {done.lower()}: read the event in the queue and the function's log, "
            "then redrive it",
            metric=queue.metric_approximate_number_of_messages_visible(period=Duration.minutes(1), statistic="Maximum"),
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            # An idle queue stops reporting after a while, which is the good case.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
