"""A SageMaker pipeline from a finished definition, and the notice about its failed executions.

Must not compose or change steps: the definition comes as text, made by whoever knows the project.
https://docs.aws.amazon.com/sagemaker/latest/dg/define-pipeline.html
"""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from components.event_rule import EventKind
from components.notifications import FailureNotice


class SageMakerPipeline(Construct):
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


def report_failed_executions(
    scope: Construct, pipeline: SageMakerPipeline, *, consequence: str, topic: sns.ITopic
) -> None:
    """One message on `topic` for each execution that fails; `consequence` is what did not happen because of it."""
    FailureNotice(
        scope,
        "ExecutionFailed",
        description=f"A failed execution of pipeline {pipeline.name} is reported",
        event=EventKind(
            source="aws.sagemaker",
            detail_type="SageMaker Model Building Pipeline Execution Status Change",
            detail={"pipelineArn": [pipeline.arn], "currentPipelineExecutionStatus": ["Failed"]},
        ),
        fields={"execution": "$.detail.pipelineExecutionArn"},
        lines=[
            f"An execution of pipeline {pipeline.name} failed, so {consequence}.",
            "Execution: <execution>",
            "What to do: list its steps, read the failure reason and the log of the failed job, then retry it.",
        ],
        topic=topic,
    )
