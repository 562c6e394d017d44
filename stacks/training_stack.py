"""Unit of deployment: for each project its pipeline, model registry and the function that starts training.

Must not write to the lake and must not approve or deploy a model.
"""

from collections.abc import Iterator

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from components.event_function import EventFunction, FunctionCode
from components.event_rule import EventKind, FunctionRule
from components.job_role import JobData, JobRole
from components.model_registry import ModelRegistry
from components.notifications import FailureNotice, alarm_on_dead_letters
from components.pipeline_role import PipelineRole, PipelineScope
from components.runtime_image import RuntimeImage
from components.training_pipeline import TrainingPipeline
from sagemaker_pipelines.compile import compiled_definition
from sagemaker_pipelines.definition import DefinitionInputs, substitute
from stacks.data_lake_stack import CURATED, INGEST_SOURCE, SNAPSHOTS, DataLakeStack
from stacks.projects import PIPELINES_FOLDER, Project
from stacks.stage import Stage

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

    `image` and, by project, `registries` are public: a release serves what was trained and registered here.
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
            paths=["images/runtime/requirements.txt", "data_contracts", "model_server", PIPELINES_FOLDER],
            without=_NO_JOB_CODE,
        )
        self.registries = {project.name: self._add(project) for project in stage.projects}

    def _add(self, project: Project) -> ModelRegistry:
        scope = Construct(self, project.name)
        registry = ModelRegistry(
            scope,
            "Registry",
            name=project.resource_name(self._stage.name),
            description=f"Versions of the {project.name} model",
        )
        pipeline = self._pipeline(scope, project, registry)
        starter = self._starter(scope, project, pipeline=pipeline, registry=registry)
        self._route_snapshots(scope, project, starter)
        self._report_failed_executions(scope, project, pipeline)
        self._outputs(project, pipeline, registry)
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
                model_package_group=registry.name,
                artifact_bucket=self._data_lake.artifact_bucket,
                artifact_prefixes=(project.artifact_prefix(self._stage.name),),
                encryption_key=self._data_lake.key,
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
        return JobRole(
            scope,
            "Jobs",
            project=project.name,
            data=JobData(
                lake_bucket=lake.lake_bucket,
                lake_prefixes=(f"{CURATED}{dataset}/", f"{SNAPSHOTS}{dataset}/"),
                artifact_bucket=lake.artifact_bucket,
                artifact_prefixes=(project.artifact_prefix(self._stage.name),),
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

    def _starter(
        self, scope: Construct, project: Project, *, pipeline: TrainingPipeline, registry: ModelRegistry
    ) -> EventFunction:
        champion = project.champion_parameter(self._stage.name)
        starter = EventFunction(
            scope,
            "StartTraining",
            description=f"Starts pipeline {pipeline.name} for a new snapshot of its dataset",
            code=FunctionCode(
                source_root=self._stage.source_root,
                paths=["lambdas/__init__.py", "lambdas/shared", "lambdas/start_training"],
                handler="lambdas.start_training.handler.handle",
            ),
            environment={
                "PIPELINE_NAME": pipeline.name,
                "MODEL_PACKAGE_GROUP": registry.name,
                "CHAMPION_PARAMETER": champion,
                "COMMIT": self._stage.commit,
            },
            function_logs=self._stage.function_logs,
            timeout_seconds=60,
            memory_mb=256,
        )
        for statement in self._starter_permissions(pipeline, registry, champion=champion):
            starter.role.add_to_policy(statement)
        return starter

    def _starter_permissions(
        self, pipeline: TrainingPipeline, registry: ModelRegistry, *, champion: str
    ) -> Iterator[iam.PolicyStatement]:
        packages = self.format_arn(service="sagemaker", resource=f"model-package/{registry.name}/*")
        yield iam.PolicyStatement(actions=["sagemaker:StartPipelineExecution"], resources=[pipeline.arn])
        yield iam.PolicyStatement(actions=["sagemaker:DescribeModelPackage"], resources=[packages])
        # The live version, which a release writes down; the parameter's name begins with a slash.
        yield iam.PolicyStatement(
            actions=["ssm:GetParameter"],
            resources=[self.format_arn(service="ssm", resource=f"parameter{champion}")],
        )
        # Listing takes no resource; it shows names and states, no model.
        yield iam.PolicyStatement(actions=["sagemaker:ListModelPackages"], resources=["*"])

    def _route_snapshots(self, scope: Construct, project: Project, starter: EventFunction) -> None:
        FunctionRule(
            scope,
            "SnapshotCreated",
            description=f"A new snapshot of {project.contract.dataset} starts training",
            event=EventKind(
                source=INGEST_SOURCE,
                detail_type="Snapshot Created",
                detail={"dataset": [project.contract.dataset]},
            ),
            target=starter,
        )
        alarm_on_dead_letters(
            scope,
            "TrainingNotStarted",
            queue=starter.dead_letter_queue,
            meaning="A new snapshot started no training: read the event in the queue and the function's log, then "
            "redrive it",
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

    def _outputs(self, project: Project, pipeline: TrainingPipeline, registry: ModelRegistry) -> None:
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
