"""A small DynamoDB table of locks, paid by the request.

Must not hold anything that cannot be found out again: it goes with its stack.
"""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct


class LockTable(Construct):
    """One item for each value of `key`; `name` and `arn` are public."""

    def __init__(self, scope: Construct, construct_id: str, *, key: str, encryption_key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        table = dynamodb.CfnTable(
            self,
            "Table",
            billing_mode="PAY_PER_REQUEST",
            attribute_definitions=[
                dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name=key, attribute_type="S")
            ],
            key_schema=[dynamodb.CfnTable.KeySchemaProperty(attribute_name=key, key_type="HASH")],
            sse_specification=dynamodb.CfnTable.SSESpecificationProperty(
                sse_enabled=True, sse_type="KMS", kms_master_key_id=encryption_key.key_arn
            ),
            point_in_time_recovery_specification=dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty(
                point_in_time_recovery_enabled=True
            ),
        )
        table.apply_removal_policy(RemovalPolicy.DESTROY)
        self.name, self.arn = table.ref, table.attr_arn
