"""The topic on which approvers are asked.

Must not carry failures: these go to everybody who operates the stage.
"""

from collections.abc import Iterator

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct


class ApprovalTopic(Construct):
    """Topic under the customer-managed key, closed to plain HTTP; `topic` is public."""

    def __init__(self, scope: Construct, construct_id: str, *, encryption_key: kms.IKey, email: str | None) -> None:
        super().__init__(scope, construct_id)
        self._key = encryption_key
        self.topic = sns.Topic(self, "Topic", master_key=encryption_key, enforce_ssl=True)
        if email:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))

    def publishing(self) -> Iterator[iam.PolicyStatement]:
        """Statements for whoever asks."""
        yield iam.PolicyStatement(actions=["sns:Publish"], resources=[self.topic.topic_arn])
        yield iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[self._key.key_arn])
