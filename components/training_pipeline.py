"""A SageMaker pipeline from a finished definition.

Must not compose or change steps: the definition comes as text, made by whoever knows the project.
https://docs.aws.amazon.com/sagemaker/latest/dg/define-pipeline.html
"""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct


class TrainingPipeline(Construct):
    """Pipeline `name` that runs under `role`; `name` and `arn` are public."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        definition: str,
        role: iam.Role,
    ) -> None:
        """`definition` is JSON text, which may hold CDK tokens."""
        super().__init__(scope, construct_id)
        pipeline = sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=name,
            pipeline_description=description,
            pipeline_definition={"PipelineDefinitionBody": definition},
            role_arn=role.role_arn,
        )
        # An execution that starts before the role's policy exists fails on its first job.
        pipeline.node.add_dependency(role)
        self.name = name
        self.arn = Stack.of(self).format_arn(service="sagemaker", resource=f"pipeline/{name}")
