"""The model package group that holds every version of one project's model, with its approval status.

Must not change `description` after the first deployment: CloudFormation would replace the group, and the registry
with it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-modelpackagegroup.html
"""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct


class ModelRegistry(Construct):
    """Group `name`, kept for ever; `arn` and `name` are public."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, description: str) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        group = sagemaker.CfnModelPackageGroup(
            self, "Group", model_package_group_name=name, model_package_group_description=description
        )
        group.apply_removal_policy(RemovalPolicy.RETAIN)
        self.arn = group.attr_model_package_group_arn
