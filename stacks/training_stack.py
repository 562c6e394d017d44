"""Unit of deployment: for each project its pipeline, its model registry and the loop that starts training.

Must not write to the lake and must not approve or deploy a model.
"""

from aws_cdk import ArnFormat, Stack
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
from components.sagemaker_pipeline import SageMakerPipeline, report_failed_executions
from sagemaker_pipelines.compile import compiled_definition
from sagemaker_pipelines.definition import DefinitionInputs, substitute
from stacks.data_lake_stack import CURATED, SNAPSHOTS, DataLakeStack
from stacks.project_scope import RETRAINING_SOURCE, ProjectScope
from stacks.projects import PIPELINES_FOLDER, Project
from stacks.retraining import LoopParts, Retraining, add_retraining
from stacks.stage import Stage
from stacks.stage_stack import StageStack

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


class TrainingStack(StageStack):
    """Pipelines of the stage's projects over the data lake of `data_lake`.

    `image` and `approvals` are public: a release serves what was trained and registered here, and asks the same people.
    """

    def __init__(self, scope: Construct, *, stage: Stage, data_lake: DataLakeStack) -> None:
        super().__init__(scope, "Training", stage=stage, description="training pipelines and model registry")
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
        whom = "Subscribe here to hear of candidates and to be asked before production"
        self.add_outputs({"ApprovalTopicArn": (self.approvals.topic.topic_arn, whom)})
        self._registries = {project.name: self._add(project) for project in stage.projects}

    def scope_for(self, stack: Stack, project: Project) -> ProjectScope:
        """The project as another stack sees it: its registry's name holds this stack's id, so only the ARN travels."""
        parts = stack.split_arn(self._registries[project.name].arn, ArnFormat.SLASH_RESOURCE_NAME)
        return self._scope(stack, project, group=str(parts.resource_name))

    def _scope(self, stack: Stack, project: Project, *, group: str) -> ProjectScope:
        return ProjectScope(
            stack=stack,
            stage=self._stage,
            project=project,
            model_package_group=group,
            artifact_bucket=self._data_lake.artifact_bucket,
            key=self._data_lake.key,
        )

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
        report_failed_executions(scope, pipeline, consequence="no model was registered", topic=self._data_lake.topic)
        self._outputs(project, pipeline, registry, loop=retraining.loop)
        return registry

    def _pipeline(self, scope: Construct, project: Project, registry: ModelRegistry) -> SageMakerPipeline:
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
        return SageMakerPipeline(
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
        self, construct: Construct, project: Project, *, pipeline: SageMakerPipeline, registry: ModelRegistry
    ) -> Retraining:
        scope = self._scope(self, project, group=registry.name)
        parts = LoopParts(pipeline=pipeline, lake_bucket=self._data_lake.lake_bucket, approvals=self.approvals)
        retraining = add_retraining(construct, scope, parts)
        alarm_on_dead_letters(
            construct,
            "Retraining",
            work=f"A training of {project.name}",
            functions=retraining.functions,
            topic=self._data_lake.topic,
        )
        self._report_skipped(construct, scope)
        return retraining

    def _report_skipped(self, construct: Construct, scope: ProjectScope) -> None:
        name = scope.project.name
        FailureNotice(
            construct,
            "RetrainingSkipped",
            description=f"A violation of {name} that no training can answer is reported",
            event=EventKind(
                source=RETRAINING_SOURCE,
                detail_type="Retraining Skipped",
                detail={**scope.event_subject, "somebodyActs": [True]},
            ),
            fields={"description": "$.detail.description", "why": "$.detail.why"},
            lines=[
                f"A training of {name} was asked for and cannot be done.",
                "Asked for by: <description>",
                "Why not: <why>",
                "What to do: act on what is named above. You hear of it once a day, for as long as it lasts.",
            ],
            topic=self._data_lake.topic,
        )

    def _outputs(
        self, project: Project, pipeline: SageMakerPipeline, registry: ModelRegistry, *, loop: RetrainingLoop
    ) -> None:
        name = project.name
        self.add_outputs(
            {
                "PipelineName": (pipeline.name, f"Training pipeline of {name}"),
                "ModelPackageGroup": (
                    registry.name,
                    f"Model package group of {name}: approve or reject versions here",
                ),
                "RetrainingLoopArn": (
                    loop.arn,
                    f'State machine that trains {name}; start it by hand with {{"reason": "manual"}}',
                ),
            },
            prefix=project.title,
        )
