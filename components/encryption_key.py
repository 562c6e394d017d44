"""The customer-managed key that encrypts a domain's data, models and notifications.

Must not grant a person or role anything: grants stand with the role that needs them.
https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
"""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


class EncryptionKey(Construct):
    """A retained, yearly rotated KMS key with the alias `alias/<alias>`; `key` is public."""

    def __init__(
        self, scope: Construct, construct_id: str, *, alias: str, description: str, publishers: Sequence[str]
    ) -> None:
        """`publishers` are the services, as `events.amazonaws.com`, that publish to topics under this key."""
        super().__init__(scope, construct_id)
        self.key = kms.Key(
            self,
            "Key",
            description=description,
            enable_key_rotation=True,
            # Without its key all data under it is lost: the key outlives the stack.
            removal_policy=RemovalPolicy.RETAIN,
        )
        # The alias is a name only; left behind, it would block the next deployment.
        kms.CfnAlias(self, "Alias", alias_name=f"alias/{alias}", target_key_id=self.key.key_arn)
        self.key.add_to_resource_policy(_publishing(publishers))


def _publishing(services: Sequence[str]) -> iam.PolicyStatement:
    """What services need to publish to an encrypted topic.

    Without the usual `aws:SourceAccount`: EventBridge supplies no such value to KMS, and would fail silently.
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    """
    return iam.PolicyStatement(
        sid="PublishToEncryptedTopics",
        principals=[iam.ServicePrincipal(service) for service in services],
        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
        resources=["*"],
    )
