"""The model package group that holds every version of one project's model, with its approval status.

Must not change `description` after the first deployment: CloudFormation would replace the group, and the registry
with it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-modelpackagegroup.html
"""

from aws_cdk import Aws, Fn, RemovalPolicy
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct


class ModelRegistry(Construct):
    """Group `<name>-<suffix>`, kept for ever; `arn` and `name` are public.

    The suffix belongs to the stack: it stays the same through all updates, and a stack that is deployed anew after
    `cdk destroy` gets a group of its own beside the retained one instead of failing on its name.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, description: str) -> None:
        super().__init__(scope, construct_id)
        stack_uuid = Fn.select(2, Fn.split("/", Aws.STACK_ID))
        self.name = f"{name}-{Fn.select(0, Fn.split('-', stack_uuid))}"
        group = sagemaker.CfnModelPackageGroup(
            self, "Group", model_package_group_name=self.name, model_package_group_description=description
        )
        group.apply_removal_policy(RemovalPolicy.RETAIN)
        self.arn = group.attr_model_package_group_arn
