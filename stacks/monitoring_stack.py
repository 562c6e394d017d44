"""Unit of deployment: for each project the monitors of its live model, their alarms and their dashboard.

Must not decide whether a model is retrained, released or rolled back: it reports what it found, and others listen.
"""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from components.event_function import EventFunction
from components.event_rule import EventKind
from components.job_role import JobData, JobRole, Storage
from components.notifications import FailureNotice, alarm_on_dead_letters
from components.pipeline_role import PipelineRole, PipelineScope
from components.scheduled_call import SCHEDULED_TIME, ScheduledCall, function_target
from components.training_pipeline import TrainingPipeline
from sagemaker_pipelines.compile import compiled_definition
from sagemaker_pipelines.definition import JobInputs, substitute
from stacks.data_lake_stack import RAW, DataLakeStack
from stacks.monitoring_functions import report_monitoring, start_monitoring
from stacks.monitoring_signals import add_signals
from stacks.project_scope import CAPTURE, GROUND_TRUTH, ProjectScope
from stacks.projects import Project
from stacks.stage import Stage
from stacks.training_stack import TrainingStack


class MonitoringStack(Stack):
    """Monitors of the live models of the stage's projects, which were trained by `training`."""

    def __init__(self, scope: Construct, *, stage: Stage, data_lake: DataLakeStack, training: TrainingStack) -> None:
        super().__init__(
            scope,
            stage.stack_name("Monitoring"),
            description="CD4ML: monitoring of live models",
            env=stage.environment,
        )
        self._stage = stage
        self._data_lake = data_lake
        self._training = training
        for project in stage.projects:
            self._add(project)

    def _add(self, project: Project) -> None:
        construct = Construct(self, project.name)
        scope = ProjectScope(
            stack=self,
            stage=self._stage,
            project=project,
            model_package_group=self._training.group_name(self, project),
            artifact_bucket=self._data_lake.artifact_bucket,
            key=self._data_lake.key,
        )
        jobs = self._job_role(construct, scope)
        pipeline = self._pipeline(construct, scope, jobs)
        starter = start_monitoring(construct, scope, pipeline=pipeline, lake_bucket=self._data_lake.lake_bucket)
        reporter = report_monitoring(construct, scope)
        self._schedule(construct, scope, starter)
        add_signals(construct, scope, topic_arn=self._data_lake.topic.topic_arn)
        self._report_failed_executions(construct, pipeline)
        for what, function in (("started", starter), ("reported", reporter)):
            alarm_on_dead_letters(
                construct,
                f"MonitoringNot{what.capitalize()}",
                queue=function.dead_letter_queue,
                meaning=f"A window of {project.name} was not {what}: read the event in the queue and the function's "
                "log, then redrive it",
                topic=self._data_lake.topic,
            )
        self._outputs(project, pipeline=pipeline, starter=starter.function.function_name)

    def _job_role(self, construct: Construct, scope: ProjectScope) -> JobRole:
        """Reads what was captured and the live version, and hands labelled requests to ingestion like any upload."""
        lake = self._data_lake
        return JobRole(
            construct,
            "Jobs",
            project=f"the monitors of {scope.project.name}",
            data=JobData(
                storage=(
                    Storage(
                        bucket=lake.artifact_bucket,
                        reads=(CAPTURE, GROUND_TRUTH, scope.monitoring_runs, scope.artifact_prefix),
                        writes=(scope.monitoring_runs,),
                    ),
                    Storage(bucket=lake.lake_bucket, writes=(f"{RAW}{scope.project.contract.dataset}/captured/",)),
                ),
                encryption_key=lake.key,
                image_repository=self._training.image.repository,
            ),
        )

    def _pipeline(self, construct: Construct, scope: ProjectScope, jobs: JobRole) -> TrainingPipeline:
        name = f"{scope.project.resource_name(self._stage.name)}-monitoring"
        inputs = JobInputs(
            job_role_arn=jobs.role.role_arn,
            image_uri=self._training.image.uri,
            kms_key_arn=self._data_lake.key.key_arn,
            processing_instance_type=self._stage.settings.monitoring.instance_type,
        )
        role = PipelineRole(
            construct,
            "Execution",
            project=f"{scope.project.name} monitoring",
            uses=PipelineScope(pipeline_name=name, job_role=jobs.role),
        ).role
        return TrainingPipeline(
            construct,
            "Pipeline",
            name=name,
            description=f"Analyzes one window of the requests to the live {scope.project.name} model",
            definition=substitute(compiled_definition("monitoring"), inputs),
            role=role,
        )

    def _schedule(self, construct: Construct, scope: ProjectScope, starter: EventFunction) -> None:
        """One schedule for each monitor; those that SageMaker runs itself come with the endpoint."""
        settings = self._stage.settings.monitoring
        for name, monitor in settings.monitors.items():
            if name in settings.by_sagemaker:
                continue
            ScheduledCall(
                construct,
                f"Schedule-{name}",
                description=f"Monitor {name} of {scope.project.name}",
                target=function_target(starter),
                expression=f"rate({monitor.window_minutes} minutes)",
                payload={"monitor": name, "scheduledTime": SCHEDULED_TIME},
                enabled=settings.enabled,
            )

    def _report_failed_executions(self, construct: Construct, pipeline: TrainingPipeline) -> None:
        FailureNotice(
            construct,
            "ExecutionFailed",
            description=f"A failed execution of pipeline {pipeline.name} is reported",
            event=EventKind(
                source="aws.sagemaker",
                detail_type="SageMaker Model Building Pipeline Execution Status Change",
                detail={"pipelineArn": [pipeline.arn], "currentPipelineExecutionStatus": ["Failed"]},
            ),
            fields={"execution": "$.detail.pipelineExecutionArn"},
            lines=[
                f"An execution of pipeline {pipeline.name} failed, so one window was not judged.",
                "Execution: <execution>",
                "What to do: list its steps, read the failure reason and the log of the failed job, then retry it.",
            ],
            topic=self._data_lake.topic,
        )

    def _outputs(self, project: Project, *, pipeline: TrainingPipeline, starter: str) -> None:
        outputs = {
            "MonitoringPipelineName": (pipeline.name, "Monitoring pipeline"),
            "StartMonitoringFunctionName": (starter, "Judges a window by hand, too"),
        }
        for name, (value, description) in outputs.items():
            CfnOutput(self, f"{project.title}{name}", value=value, description=f"{description} of {project.name}")
