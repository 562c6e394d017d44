"""Calls the actions of an alarm: publishes to an SNS topic, or invokes a Lambda function.

CloudWatch acts under its own service principal, so the policy of the topic or function decides whether it may.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
"""

from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.clients import Clients
from local_cloud.cloudwatch.alarm import Transition
from local_cloud.cloudwatch.announcements import lambda_event, sns_message, sns_subject
from local_cloud.errors import LocalCloudError
from local_cloud.events.arns import Arn, parse_arn
from local_cloud.iam.context import RequestContext
from local_cloud.iam.evaluation import AuthorizationRequest, decide
from local_cloud.iam.policy import PolicyKind, parse_policy
from local_cloud.iam.principals import Caller
from local_cloud.iam.request_keys import service_context

_PRINCIPALS = {"sns": "cloudwatch.amazonaws.com", "lambda": "lambda.alarms.cloudwatch.amazonaws.com"}
_ACTIONS = {"sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}


class ResourcePolicy(Protocol):
    """The JSON text of a resource's policy, or None if it has none."""

    def __call__(self, arn: str, *, account: str, region: str) -> str | None: ...


class ActionError(LocalCloudError):
    """An action that could not be carried out; the text goes into the alarm's history."""


class Actions:
    """Carries out actions, one call each."""

    def __init__(self, *, clients: Clients, resource_policy: ResourcePolicy) -> None:
        self._clients = clients
        self._resource_policy = resource_policy

    def call(self, arn_text: str, transition: Transition) -> None:
        """Carry out one action of an alarm that changed its state; raises ActionError."""
        arn = parse_arn(arn_text)
        if arn.service not in _PRINCIPALS:
            raise ActionError(f"actions of {arn.service} are recorded only by the local cloud")
        try:
            self._authorize(arn, source_arn=transition.alarm.arn)
            self._send(arn, transition)
        except (ClientError, BotoCoreError) as error:
            raise ActionError(str(error)) from error

    def _authorize(self, arn: Arn, *, source_arn: str) -> None:
        text = self._resource_policy(arn.text, account=arn.account, region=arn.region)
        principal, action = _PRINCIPALS[arn.service], _ACTIONS[arn.service]
        # The default policy of a topic asks for the owner of the alarm, with a key that only SNS fills.
        owner = RequestContext.of({"aws:SourceOwner": source_arn.split(":")[4]})
        request = AuthorizationRequest(
            caller=Caller.service(principal),
            action=action,
            resource=arn.text,
            context=service_context(principal, source_arn=source_arn).merged(owner),
        )
        documents = (parse_policy(text, kind=PolicyKind.RESOURCE, name=arn.text),) if text else ()
        verdict = decide(request, resource_policies=documents)
        if not verdict.allowed:
            raise ActionError(
                f"CloudWatch Alarms is not authorized to perform: {action} on resource: {arn.text} {verdict.reason}"
            )

    def _send(self, arn: Arn, transition: Transition) -> None:
        client = self._clients.system(arn.service, account=arn.account, region=arn.region)
        if arn.service == "sns":
            client.publish(TopicArn=arn.text, Subject=sns_subject(transition), Message=sns_message(transition))
        else:
            client.invoke(FunctionName=arn.text, InvocationType="Event", Payload=lambda_event(transition).encode())
