"""SNS writes what it would e-mail into files.

Patches: `Subscription.publish`, and `SNSBackend.subscribe` for the message that asks to confirm a subscription.
"""

from typing import Any

from moto.sns.models import SNSBackend, Subscription

from local_cloud.mail import PROTOCOLS, Notification
from local_cloud.moto.hooks import Hooks

_original_subscribe = SNSBackend.subscribe
_original_publish = Subscription.publish


def install(hooks: Hooks) -> None:
    """Hand e-mails over to the mailboxes."""

    def subscribe(self: SNSBackend, topic_arn: str, endpoint: str, protocol: str) -> Subscription:
        known = set(self.subscriptions)
        subscription = _original_subscribe(self, topic_arn, endpoint, protocol)
        if protocol in PROTOCOLS and subscription.arn not in known:
            hooks.mail.confirm(address=endpoint, topic_arn=topic_arn, subscription_arn=subscription.arn)
        return subscription

    def publish(self: Subscription, message: str, message_id: str, **given: Any) -> None:
        if self.protocol not in PROTOCOLS:
            _original_publish(self, message, message_id, **given)
            return
        wanted = self._filter_policy_matcher
        if wanted is not None and not wanted.matches(given.get("message_attributes"), message):
            return
        structured = given.get("message_structure") == "json"
        hooks.mail.deliver(
            Notification(
                topic_arn=self.topic.arn,
                subscription_arn=self.arn,
                address=self.endpoint,
                message_id=message_id,
                message=self._parse_message_structure(message, self.protocol) if structured else message,
                subject=given.get("subject"),
                sender=self.topic.display_name,
                as_json=self.protocol == "email-json",
            )
        )

    SNSBackend.subscribe = subscribe
    Subscription.publish = publish
