"""Unit of deployment: for each project its pipeline, its model registry and the loop that starts training.

Must not write to the lake and must not approve or deploy a model.
"""

from aws_cdk import ArnFormat, CfnOutput, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from components.approval_topic import ApprovalTopic
from components.event_rule import EventKind
from components.job_role import JobData, JobRole, Storage
from components.model_registry import ModelRegistry
from components.notifications import FailureNotice, alarm_on_dead_letters
from components.pipeline_role import PipelineRole, PipelineScope, Registration
from components.retraining_loop import RetrainingLoop
from components.runtime_image import RuntimeImage
from components.training_pipeline import TrainingPipeline
from sagemaker_pipelines.compile import compiled_definition
from sagemaker_pipelines.definition import DefinitionInputs, substitute
from stacks.data_lake_stack import CURATED, SNAPSHOTS, DataLakeStack
from stacks.project_scope import RETRAINING_SOURCE, ProjectScope
from stacks.projects import PIPELINES_FOLDER, Project
from stacks.retraining import LoopParts, Retraining, add_retraining
from stacks.stage import Stage

_JOB_CODE = ("data_contracts", "drift_monitor", "model_server", PIPELINES_FOLDER)
# They make definitions or source files and watch executions; no job imports them. Left out of the image, a changed
# parameter or gate makes no new image, and the steps that it does not touch stay cached.
_NO_JOB_CODE = tuple(
    f"{PIPELINES_FOLDER}/{name}"
    for name in (
        *("compile*.py", "definition.py", "sdk_*.py", "validation*.py", "watch*.py"),
        *("*/pipeline.py", "*/registration.py", "*/batches.py", "*/catalogue.py"),
    )
)


class TrainingStack(Stack):
    """Pipelines of the stage's projects over the data lake of `data_lake`.

    `image`, `approvals` and, by project, `registries` are public: a release serves what was trained and registered
    here, and asks the same people.
    """

    def __init__(self, scope: Construct, *, stage: Stage, data_lake: DataLakeStack) -> None:
        super().__init__(
            scope,
            stage.stack_name("Training"),
            description="CD4ML: training pipelines and model registry",
            env=stage.environment,
        )
        self._stage = stage
        self._data_lake = data_lake
        self.image = RuntimeImage(
            self,
            "Runtime",
            source_root=stage.source_root,
            dockerfile="images/runtime/Dockerfile",
            paths=[
                "images/runtime/requirements.txt",
                "data_contracts",
                "drift_monitor",
                "model_server",
                PIPELINES_FOLDER,
            ],
            without=_NO_JOB_CODE,
        )
        self.approvals = ApprovalTopic(
            self, "Approvals", encryption_key=data_lake.key, email=stage.settings.release.approval_email
        )
        CfnOutput(
            self,
            "ApprovalTopicArn",
            value=self.approvals.topic.topic_arn,
            description="Subscribe here to hear of candidates and to be asked before production",
        )
        self.registries = {project.name: self._add(project) for project in stage.projects}

    def group_name(self, stack: Stack, project: Project) -> str:
        """Of the project's registry, for another stack: it is made from this stack's id, so only the ARN travels."""
        parts = stack.split_arn(self.registries[project.name].arn, ArnFormat.SLASH_RESOURCE_NAME)
        return str(parts.resource_name)

    def _add(self, project: Project) -> ModelRegistry:
        scope = Construct(self, project.name)
        registry = ModelRegistry(
            scope,
            "Registry",
            name=project.resource_name(self._stage.name),
            description=f"Versions of the {project.name} model",
        )
        pipeline = self._pipeline(scope, project, registry)
        retraining = self._add_loop(scope, project, pipeline=pipeline, registry=registry)
        self._report_failed_executions(scope, project, pipeline)
        self._outputs(project, pipeline, registry, loop=retraining.loop)
        return registry

    def _pipeline(self, scope: Construct, project: Project, registry: ModelRegistry) -> TrainingPipeline:
        name = project.resource_name(self._stage.name)
        job_role = self._job_role(scope, project)
        role = PipelineRole(
            scope,
            "Execution",
            project=project.name,
            uses=PipelineScope(
                pipeline_name=name,
                job_role=job_role,
                registration=Registration(
                    model_package_group=registry.name,
                    artifact_bucket=self._data_lake.artifact_bucket,
                    artifact_prefixes=(project.artifact_prefix(self._stage.name),),
                    encryption_key=self._data_lake.key,
                ),
            ),
        ).role
        return TrainingPipeline(
            scope,
            "Pipeline",
            name=name,
            description=f"Validates, trains, evaluates and registers the {project.name} model",
            definition=self._definition(project, registry, job_role),
            role=role,
        )

    def _job_role(self, scope: Construct, project: Project) -> iam.Role:
        lake, dataset = self._data_lake, project.contract.dataset
        own = (project.artifact_prefix(self._stage.name),)
        return JobRole(
            scope,
            "Jobs",
            project=project.name,
            data=JobData(
                storage=(
                    Storage(bucket=lake.lake_bucket, reads=(f"{CURATED}{dataset}/", f"{SNAPSHOTS}{dataset}/")),
                    Storage(bucket=lake.artifact_bucket, reads=own, writes=own),
                ),
                encryption_key=lake.key,
                image_repository=self.image.repository,
            ),
        ).role

    def _definition(self, project: Project, registry: ModelRegistry, job_role: iam.IRole) -> str:
        lake, machines = self._data_lake, self._stage.settings.training
        inputs = DefinitionInputs(
            pipeline_name=project.resource_name(self._stage.name),
            job_role_arn=job_role.role_arn,
            image_uri=self.image.uri,
            artifact_bucket=lake.artifact_bucket.bucket_name,
            kms_key_arn=lake.key.key_arn,
            model_package_group=registry.name,
            processing_instance_type=machines.processing_instance_type,
            training_instance_type=machines.training_instance_type,
            inference_instance_type=machines.inference_instance_type,
        )
        return substitute(compiled_definition(project.name), inputs)

    def _add_loop(
        self, construct: Construct, project: Project, *, pipeline: TrainingPipeline, registry: ModelRegistry
    ) -> Retraining:
        scope = ProjectScope(
            stack=self,
            stage=self._stage,
            project=project,
            model_package_group=registry.name,
            artifact_bucket=self._data_lake.artifact_bucket,
            key=self._data_lake.key,
        )
        parts = LoopParts(pipeline=pipeline, lake_bucket=self._data_lake.lake_bucket, approvals=self.approvals)
        retraining = add_retraining(construct, scope, parts)
        for what, function in retraining.functions.items():
            alarm_on_dead_letters(
                construct,
                f"RetrainingNot{what}",
                queue=function.dead_letter_queue,
                meaning=f"A training of {project.name} was not {what.lower()}: read the event in the queue and the "
                "function's log, then redrive it",
                topic=self._data_lake.topic,
            )
        self._report_skipped(construct, project)
        return retraining

    def _report_skipped(self, construct: Construct, project: Project) -> None:
        FailureNotice(
            construct,
            "RetrainingSkipped",
            description=f"A violation of {project.name} that no training can answer is reported",
            event=EventKind(
                source=RETRAINING_SOURCE,
                detail_type="Retraining Skipped",
                detail={"project": [project.name], "stage": [self._stage.name], "somebodyActs": [True]},
            ),
            fields={"description": "$.detail.description", "why": "$.detail.why"},
            lines=[
                f"A training of {project.name} was asked for and cannot be done.",
                "Asked for by: <description>",
                "Why not: <why>",
                "What to do: act on what is named above. You hear of it once a day, for as long as it lasts.",
            ],
            topic=self._data_lake.topic,
        )

    def _report_failed_executions(self, scope: Construct, project: Project, pipeline: TrainingPipeline) -> None:
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
                f"An execution of pipeline {pipeline.name} failed, so no model was registered.",
                "Execution: <execution>",
                "What to do: list its steps, read the failure reason and the log of the failed job, then retry it.",
            ],
            topic=self._data_lake.topic,
        )

    def _outputs(
        self, project: Project, pipeline: TrainingPipeline, registry: ModelRegistry, *, loop: RetrainingLoop
    ) -> None:
        CfnOutput(
            self,
            f"{project.title}PipelineName",
            value=pipeline.name,
            description=f"Training pipeline of {project.name}",
        )
        CfnOutput(
            self,
            f"{project.title}ModelPackageGroup",
            value=registry.name,
            description=f"Model package group of {project.name}: approve or reject versions here",
        )
        CfnOutput(
            self,
            f"{project.title}RetrainingLoopArn",
            value=loop.arn,
            description=f'State machine that trains {project.name}; start it by hand with {{"reason": "manual"}}',
        )
