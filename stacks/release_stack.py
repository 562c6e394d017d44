"""Unit of deployment: for each project the pipeline that takes an approved version to staging and to production.

Must not deploy an endpoint itself, and must not own what a release changes: the endpoints' stacks and the parameter
with the live version outlive it.
"""

from aws_cdk import IgnoreMode
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from components.action_pipeline import ActionPipeline, ArtifactPlace
from components.endpoint_deployer import DeployedEndpoint, EndpointDeployer, MonitoringDeployment
from components.endpoint_role import EndpointRole, ServingData
from components.event_function import EventFunction
from components.event_rule import EventKind
from components.job_role import JobData, JobRole, Storage
from components.notifications import FailureNotice, alarm_on_dead_letters
from components.source_asset import all_but
from stacks.data_lake_stack import DataLakeStack
from stacks.endpoint_templates import EndpointTemplate, endpoint_templates
from stacks.project_scope import CAPTURE, ENVIRONMENTS, RELEASE_SOURCE, ProjectScope
from stacks.projects import PRODUCTION, STAGING, Project
from stacks.release_actions import ReleaseParts, release_actions, release_variables
from stacks.release_functions import record_release, start_release, verify_endpoint
from stacks.stage import Stage
from stacks.stage_stack import StageStack
from stacks.training_stack import TrainingStack


class ReleaseStack(StageStack):
    """Release pipelines of the stage's projects, over the registries of `training`."""

    def __init__(self, scope: Construct, *, stage: Stage, data_lake: DataLakeStack, training: TrainingStack) -> None:
        """Beside the stack, `scope` gets the assembly of the endpoint templates."""
        super().__init__(scope, "Release", stage=stage, description="release pipelines")
        self._data_lake = data_lake
        self._training = training
        templates = endpoint_templates(scope, stage=stage, image_uri=training.image.uri)
        for project in stage.projects:
            self._add(project, templates[project.name])

    def _add(self, project: Project, template: EndpointTemplate) -> None:
        construct = Construct(self, project.name)
        scope = self._training.scope_for(self, project)
        starter, verify, record = (make(construct, scope) for make in (start_release, verify_endpoint, record_release))
        role = EndpointRole(construct, "Endpoints", project=project.name, data=self._serving_data(scope)).role
        monitoring_role = self._monitoring_role(construct, scope) if self._schedules() else None
        deployers = {
            name: _deployer(construct, scope, name, roles=(role, monitoring_role if name == PRODUCTION else None))
            for name in ENVIRONMENTS
        }
        ActionPipeline(
            construct,
            "Release",
            name=scope.release_pipeline_name,
            variables=release_variables(scope),
            actions=release_actions(
                scope,
                ReleaseParts(
                    template=_asset(construct, template),
                    template_file=template.file,
                    deployers=deployers,
                    endpoint_role=role,
                    monitoring_role=monitoring_role,
                    alarm_topic_arn=self._data_lake.topic.topic_arn,
                    approvals=self._training.approvals,
                    verify=verify,
                    record=record,
                ),
            ),
            artifacts=ArtifactPlace(bucket=self._data_lake.artifact_bucket, key=self._data_lake.key),
        )
        alarm_on_dead_letters(
            construct,
            "Release",
            work=f"A release of {project.name}",
            functions={"Started": starter, "Verified": verify, "Recorded": record},
            topic=self._data_lake.topic,
        )
        self._report_refused(construct, scope)
        self._report_failed(construct, scope)
        self._outputs(scope, starter)

    def _serving_data(self, scope: ProjectScope) -> ServingData:
        return ServingData(
            artifact_bucket=scope.artifact_bucket,
            model_prefix=scope.artifact_prefix,
            capture_prefix=CAPTURE,
            encryption_key=scope.key,
            image_repository=self._training.image.repository,
            alarm_names=tuple(scope.alarm_names(environment) for environment in ENVIRONMENTS),
        )

    def _schedules(self) -> tuple[str, ...]:
        """Monitors that SageMaker's own schedules run."""
        return self._stage.settings.monitoring.by_sagemaker

    def _monitoring_role(self, construct: Construct, scope: ProjectScope) -> iam.IRole:
        """For the jobs of SageMaker's own schedules: read requests and the baseline, write what was found."""
        return JobRole(
            construct,
            "MonitoringJobs",
            project=f"the monitoring schedules of {scope.project.name}",
            data=JobData(
                storage=(
                    Storage(
                        bucket=scope.artifact_bucket,
                        reads=(CAPTURE, scope.artifact_prefix),
                        writes=(scope.monitoring_runs,),
                    ),
                ),
                encryption_key=scope.key,
                image_repository=self._training.image.repository,
            ),
        ).role

    def _report_refused(self, construct: Construct, scope: ProjectScope) -> None:
        name = scope.project.name
        FailureNotice(
            construct,
            "Refused",
            description=f"A release of {name} that was refused is reported",
            event=EventKind(source=RELEASE_SOURCE, detail_type="Release Refused", detail=scope.event_subject),
            fields={"version": "$.detail.modelPackageArn", "summary": "$.detail.summary"},
            lines=[
                f"The release of a version of {name} was refused, and nothing was deployed.",
                "Version: <version>",
                "Why: <summary>",
                "What to do: mend what is named above, then approve the version again.",
            ],
            topic=self._data_lake.topic,
        )

    def _report_failed(self, construct: Construct, scope: ProjectScope) -> None:
        name = scope.project.name
        FailureNotice(
            construct,
            "Failed",
            description=f"A release of {name} that failed or was stopped is reported",
            event=EventKind(
                source=RELEASE_SOURCE,
                detail_type="Release Failed",
                # CodePipeline starts a new pipeline once by itself; that execution has no version to release.
                detail={
                    **scope.event_subject,
                    "modelPackageArn": [{"prefix": "arn:"}],
                    "result": ["Failed", "Stopped"],
                },
            ),
            fields={
                "version": "$.detail.modelPackageArn",
                "stage": "$.detail.failedStage",
                "message": "$.detail.message",
                "live": "$.detail.live",
                "record": "$.detail.record",
            },
            lines=[
                f"A release of {name} ended without a success in stage <stage>.",
                "Version: <version>",
                "Why: <message>",
                "Live version: <live>",
                "What to do: read the record, mend the cause, and release again: <record>",
            ],
            topic=self._data_lake.topic,
        )

    def _outputs(self, scope: ProjectScope, starter: EventFunction) -> None:
        name = scope.project.name
        self.add_outputs(
            {
                "ReleasePipelineName": (scope.release_pipeline_name, f"Release pipeline of {name}"),
                "StartReleaseFunctionName": (
                    starter.function.function_name,
                    f"Starts a release of {name} by hand, too",
                ),
                "ChampionParameter": (
                    scope.champion_parameter,
                    f"SSM parameter with the ARN of the live version of {name}",
                ),
                "StagingEndpointName": (scope.endpoint_name(STAGING), f"Endpoint that a release of {name} is tried on"),
                "ProductionEndpointName": (scope.endpoint_name(PRODUCTION), f"Endpoint that serves {name}"),
            },
            prefix=scope.project.title,
        )


def _asset(construct: Construct, template: EndpointTemplate) -> s3_assets.Asset:
    """A zip with the template alone, under its own name."""
    return s3_assets.Asset(
        construct,
        "Template",
        path=str(template.folder),
        exclude=all_but([template.file]),
        ignore_mode=IgnoreMode.GIT,
    )


def _deployer(
    construct: Construct, scope: ProjectScope, environment: str, *, roles: tuple[iam.IRole, iam.IRole | None]
) -> EndpointDeployer:
    """`roles`: of the endpoint, and of its monitoring schedules, if it has any."""
    role, monitoring_role = roles
    schedules = [
        scope.project.monitor_name(scope.stage.name, name) for name in scope.stage.settings.monitoring.by_sagemaker
    ]
    return EndpointDeployer(
        construct,
        f"Deploy{environment.capitalize()}",
        endpoint=DeployedEndpoint(
            stack_name=scope.stack_name(environment),
            endpoint_name=scope.endpoint_name(environment),
            alarm_names=scope.alarm_names(environment),
            resource_prefix=scope.project.resource_prefix(scope.stage.name),
            model_package_group=scope.model_package_group,
            endpoint_role=role,
            encryption_key=scope.key,
            monitoring=MonitoringDeployment(schedules=tuple(schedules), role=monitoring_role)
            if monitoring_role
            else None,
        ),
        may_replace=environment == STAGING,
    )
