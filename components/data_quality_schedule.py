"""A monitoring schedule of SageMaker Model Monitor that runs our own analyzer, and the job definition that it names.

The schedule keeps its name for ever. The job definition has none of ours: each of its properties can only be changed
by a replacement, its baseline does with every version, and which one is known at the deployment only, so that no hash
of the inputs could be its name either. Must not choose a baseline.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-inputs.html
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import CfnCondition, Fn
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from components.event_rule import EventKind
from components.notifications import FailureNotice

_PROCESSING = "/opt/ml/processing"
_VOLUME_GB = 20
_DAY_HOURS = 24
_LONGEST_RUN_SECONDS = 1800


@dataclass(frozen=True, kw_only=True)
class MonitoredEndpoint:
    """Whose captured requests are judged, and against which baseline.

    Both URIs are S3 prefixes, and that of the baseline ends in `/`. `model_package_arn` and `variant_name` only travel
    into the report.
    """

    name: str
    variant_name: str
    model_package_arn: str
    baseline_uri: str
    output_uri: str


@dataclass(frozen=True, kw_only=True)
class MonitoringJob:
    """What runs, on what, as whom. `policy` is the analyzer's alarm policy as JSON, of at most 256 characters."""

    image_uri: str
    policy: str
    role_arn: str
    instance_type: str
    encryption_key_arn: str


class DataQualitySchedule(Construct):
    """Schedule `name`, every `hours` hours (a divisor of 24), if `condition` holds."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        logical_id: str,
        hours: int,
        endpoint: MonitoredEndpoint,
        job: MonitoringJob,
        condition: CfnCondition,
    ) -> None:
        """`logical_id` is the job definition's, and with that a part of its name."""
        super().__init__(scope, construct_id)
        definition = self._definition(endpoint, job)
        definition.override_logical_id(logical_id)
        definition.cfn_options.condition = condition
        schedule = sagemaker.CfnMonitoringSchedule(
            self,
            "Schedule",
            monitoring_schedule_name=name,
            monitoring_schedule_config=sagemaker.CfnMonitoringSchedule.MonitoringScheduleConfigProperty(
                # A job definition's reference is its ARN.
                monitoring_job_definition_name=Fn.select(1, Fn.split("/", definition.ref)),
                monitoring_type="DataQuality",
                schedule_config=sagemaker.CfnMonitoringSchedule.ScheduleConfigProperty(
                    schedule_expression=schedule_expression(hours)
                ),
            ),
        )
        schedule.cfn_options.condition = condition

    def _definition(self, endpoint: MonitoredEndpoint, job: MonitoringJob) -> sagemaker.CfnDataQualityJobDefinition:
        kinds = sagemaker.CfnDataQualityJobDefinition
        return sagemaker.CfnDataQualityJobDefinition(
            self,
            "Definition",
            data_quality_app_specification=kinds.DataQualityAppSpecificationProperty(
                image_uri=job.image_uri,
                container_entrypoint=["python", "-m", "drift_monitor.job"],
                environment={
                    "analyses": "data_quality",
                    "model_package_arn": endpoint.model_package_arn,
                    "variant_name": endpoint.variant_name,
                    "alarm_policy": job.policy,
                    "publish_cloudwatch_metrics": "Enabled",
                },
            ),
            data_quality_baseline_config=kinds.DataQualityBaselineConfigProperty(
                statistics_resource=kinds.StatisticsResourceProperty(s3_uri=f"{endpoint.baseline_uri}statistics.json"),
                constraints_resource=kinds.ConstraintsResourceProperty(
                    s3_uri=f"{endpoint.baseline_uri}constraints.json"
                ),
            ),
            data_quality_job_input=_requests(endpoint),
            data_quality_job_output_config=_results(endpoint, job),
            job_resources=_machine(job),
            network_config=kinds.NetworkConfigProperty(enable_network_isolation=True),
            role_arn=job.role_arn,
            stopping_condition=kinds.StoppingConditionProperty(max_runtime_in_seconds=_LONGEST_RUN_SECONDS),
        )


def _requests(endpoint: MonitoredEndpoint) -> sagemaker.CfnDataQualityJobDefinition.DataQualityJobInputProperty:
    kinds = sagemaker.CfnDataQualityJobDefinition
    return kinds.DataQualityJobInputProperty(
        endpoint_input=kinds.EndpointInputProperty(
            endpoint_name=endpoint.name,
            local_path=f"{_PROCESSING}/input/endpoint",
            s3_input_mode="File",
            s3_data_distribution_type="FullyReplicated",
        )
    )


def _results(
    endpoint: MonitoredEndpoint, job: MonitoringJob
) -> sagemaker.CfnDataQualityJobDefinition.MonitoringOutputConfigProperty:
    kinds = sagemaker.CfnDataQualityJobDefinition
    output = kinds.S3OutputProperty(
        s3_uri=endpoint.output_uri, local_path=f"{_PROCESSING}/output", s3_upload_mode="EndOfJob"
    )
    return kinds.MonitoringOutputConfigProperty(
        kms_key_id=job.encryption_key_arn, monitoring_outputs=[kinds.MonitoringOutputProperty(s3_output=output)]
    )


def _machine(job: MonitoringJob) -> sagemaker.CfnDataQualityJobDefinition.MonitoringResourcesProperty:
    kinds = sagemaker.CfnDataQualityJobDefinition
    return kinds.MonitoringResourcesProperty(
        cluster_config=kinds.ClusterConfigProperty(
            instance_count=1,
            instance_type=job.instance_type,
            volume_size_in_gb=_VOLUME_GB,
            volume_kms_key_id=job.encryption_key_arn,
        )
    )


def report_failed_runs(scope: Construct, *, schedule_arns: Sequence[str], subject: str, topic: sns.ITopic) -> None:
    """One message on `topic` for each job of the schedules that fails.

    SageMaker has no event for the execution of a schedule, but its job is a processing job like any other.
    https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
    """
    FailureNotice(
        scope,
        "ScheduledRunFailed",
        description=f"A failed run of the monitoring schedules of {subject} is reported",
        event=EventKind(
            source="aws.sagemaker",
            detail_type="SageMaker Processing Job State Change",
            detail={"ProcessingJobStatus": ["Failed"], "MonitoringScheduleArn": list(schedule_arns)},
        ),
        fields={
            "schedule": "$.detail.MonitoringScheduleArn",
            "job": "$.detail.ProcessingJobName",
            "reason": "$.detail.FailureReason",
        },
        lines=[
            f"A run of a monitoring schedule of {subject} failed, so one window was not judged.",
            "Schedule: <schedule>",
            "Job: <job>",
            "Why: <reason>",
            "What to do: read the job's log and mend the cause; the next run judges its own window only.",
        ],
        topic=topic,
    )


def schedule_expression(hours: int) -> str:
    """As SageMaker has it: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-schedule-expression.html"""
    if hours == 1:
        return "cron(0 * ? * * *)"
    return "cron(0 0 ? * * *)" if hours == _DAY_HOURS else f"cron(0 0/{hours} ? * * *)"
