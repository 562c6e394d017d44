"""Unit of deployment: for each project the monitors of its live model, their alarms and their dashboard.

Must not decide whether a model is retrained, released or rolled back: it reports what it found, and others listen.
"""

from constructs import Construct

from components.data_quality_schedule import report_failed_runs
from components.event_function import EventFunction
from components.job_role import JobData, JobRole, Storage
from components.notifications import alarm_on_dead_letters
from components.pipeline_role import PipelineRole, PipelineScope
from components.sagemaker_pipeline import SageMakerPipeline, report_failed_executions
from components.scheduled_call import SCHEDULED_TIME, ScheduledCall, function_target
from sagemaker_pipelines.compile import compiled_definition
from sagemaker_pipelines.definition import JobInputs, substitute
from stacks.data_lake_stack import RAW, DataLakeStack
from stacks.monitoring_functions import report_monitoring, start_monitoring
from stacks.monitoring_signals import add_signals
from stacks.project_scope import CAPTURE, GROUND_TRUTH, ProjectScope
from stacks.projects import Project
from stacks.stage import Stage
from stacks.stage_stack import StageStack
from stacks.training_stack import TrainingStack


class MonitoringStack(StageStack):
    """Monitors of the live models of the stage's projects, which were trained by `training`."""

    def __init__(self, scope: Construct, *, stage: Stage, data_lake: DataLakeStack, training: TrainingStack) -> None:
        super().__init__(scope, "Monitoring", stage=stage, description="monitoring of live models")
        self._data_lake = data_lake
        self._training = training
        for project in stage.projects:
            self._add(project)

    def _add(self, project: Project) -> None:
        construct = Construct(self, project.name)
        scope = self._training.scope_for(self, project)
        jobs = self._job_role(construct, scope)
        pipeline = self._pipeline(construct, scope, jobs)
        starter = start_monitoring(construct, scope, pipeline=pipeline, lake_bucket=self._data_lake.lake_bucket)
        reporter = report_monitoring(construct, scope)
        self._schedule(construct, scope, starter)
        add_signals(construct, scope, topic_arn=self._data_lake.topic.topic_arn)
        topic = self._data_lake.topic
        report_failed_executions(construct, pipeline, consequence="one window was not judged", topic=topic)
        schedules = [
            scope.arn("sagemaker", f"monitoring-schedule/{project.monitor_name(self._stage.name, name)}")
            for name in self._stage.settings.monitoring.by_sagemaker
        ]
        if schedules:
            report_failed_runs(construct, schedule_arns=schedules, subject=project.name, topic=topic)
        alarm_on_dead_letters(
            construct,
            "Monitoring",
            work=f"A window of {project.name}",
            functions={"Started": starter, "Reported": reporter},
            topic=topic,
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

    def _pipeline(self, construct: Construct, scope: ProjectScope, jobs: JobRole) -> SageMakerPipeline:
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
        return SageMakerPipeline(
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

    def _outputs(self, project: Project, *, pipeline: SageMakerPipeline, starter: str) -> None:
        self.add_outputs(
            {
                "MonitoringPipelineName": (pipeline.name, f"Monitoring pipeline of {project.name}"),
                "StartMonitoringFunctionName": (starter, f"Judges a window of {project.name} by hand, too"),
            },
            prefix=project.title,
        )
