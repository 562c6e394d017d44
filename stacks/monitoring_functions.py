"""The two functions of monitoring: one starts the analysis of a window, one announces what it found.

Must not let a function judge: the analysis does, in its job.
"""

import json
from collections.abc import Iterator

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from components.event_function import EventFunction
from components.event_rule import EventKind, FunctionRule
from components.sagemaker_pipeline import SageMakerPipeline
from stacks.data_lake_stack import RAW
from stacks.endpoint_stack import CHAMPION
from stacks.project_function import project_function
from stacks.project_scope import CAPTURE, EVENT_BUS, GROUND_TRUTH, MONITORING_SOURCE, ProjectScope
from stacks.projects import PRODUCTION

REPORT_FILE = "monitor_report.json"


def start_monitoring(
    construct: Construct, scope: ProjectScope, *, pipeline: SageMakerPipeline, lake_bucket: s3.IBucket
) -> EventFunction:
    """Finds the window's files and the live version's baseline, and starts the pipeline with them."""
    settings = scope.stage.settings.monitoring
    return project_function(
        construct,
        "StartMonitoring",
        scope=scope,
        folder="start_monitoring",
        description=f"Starts the analysis of a window of requests to the live {scope.project.name} model",
        environment={
            "MONITORING_PIPELINE": pipeline.name,
            "CHAMPION_PARAMETER": scope.champion_parameter,
            "ARTIFACT_BUCKET": scope.artifact_bucket.bucket_name,
            "CAPTURE_PREFIX": CAPTURE,
            "GROUND_TRUTH_PREFIX": GROUND_TRUTH,
            "RUNS_PREFIX": scope.monitoring_runs,
            "LABELLED_URI": lake_bucket.s3_url_for_object(f"{RAW}{scope.project.contract.dataset}/captured"),
            "ENDPOINT_NAME": scope.endpoint_name(PRODUCTION),
            "VARIANT_NAME": CHAMPION,
            "MONITORS": json.dumps({name: monitor.model_dump() for name, monitor in settings.monitors.items()}),
            "POLICY": settings.policy.model_dump_json(),
            "DELIVERY_MINUTES": str(settings.delivery_minutes),
            "EVENT_BUS": EVENT_BUS,
        },
        timeout_seconds=300,
        memory_mb=512,
        statements=_starting(scope, pipeline),
    )


def report_monitoring(construct: Construct, scope: ProjectScope) -> EventFunction:
    """Announces the result of every analysis, whichever engine ran it: it hears of the report's file."""
    function = project_function(
        construct,
        "ReportMonitoring",
        scope=scope,
        folder="report_monitoring",
        description=f"Announces what the monitors of {scope.project.name} found",
        environment={"ARTIFACT_BUCKET": scope.artifact_bucket.bucket_name, "EVENT_BUS": EVENT_BUS},
        timeout_seconds=60,
        memory_mb=256,
        statements=_reporting(scope),
    )
    FunctionRule(
        construct,
        "Analyzed",
        description=f"A monitor of {scope.project.name} has reported",
        event=EventKind(
            source="aws.s3",
            detail_type="Object Created",
            detail={
                "bucket": {"name": [scope.artifact_bucket.bucket_name]},
                "object": {"key": [{"wildcard": f"{scope.monitoring_runs}*/{REPORT_FILE}"}]},
            },
        ),
        target=function,
    )
    return function


def _starting(scope: ProjectScope, pipeline: SageMakerPipeline) -> Iterator[iam.PolicyStatement]:
    yield scope.read_packages()
    yield scope.use_parameter("ssm:GetParameter")
    yield iam.PolicyStatement(actions=["sagemaker:StartPipelineExecution"], resources=[pipeline.arn])
    yield iam.PolicyStatement(actions=["s3:GetObject", "s3:PutObject"], resources=scope.objects(scope.monitoring_runs))
    yield scope.list_artifacts()
    yield scope.use_key("kms:Decrypt", "kms:GenerateDataKey")
    yield scope.announce(MONITORING_SOURCE)


def _reporting(scope: ProjectScope) -> Iterator[iam.PolicyStatement]:
    yield iam.PolicyStatement(actions=["s3:GetObject"], resources=scope.objects(scope.monitoring_runs))
    yield scope.list_artifacts()
    yield scope.use_key("kms:Decrypt")
    yield scope.announce(MONITORING_SOURCE)
