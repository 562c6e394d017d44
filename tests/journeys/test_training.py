"""What the first upload leads to on the deployed app, seen through unmodified clients."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.deployed_app import DeployedApp, csv_of, deploy_app
from tests.running_cloud import RunningCloud, start_cloud
from tests.waiting import wait_for

Trained = tuple[DeployedApp, str]
_JOBS = ["ValidateData", "Preprocess", "Train", "Export", "Evaluate", "Baseline"]
_STEPS = [*_JOBS, "CheckQuality", "RegisterModel"]


def test_an_upload_leads_to_a_model_that_waits_for_approval(trained: Trained) -> None:
    """Every step succeeds, in its order, and the model is registered as pending: nothing approves itself."""
    app, execution = trained

    assert app.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    started = sorted(app.steps(execution).values(), key=lambda step: step["StartTime"])
    names = [step["StepName"] for step in started]
    assert sorted(names) == sorted(_STEPS)
    # Baseline runs beside Evaluate and CheckQuality, whichever starts first.
    in_order = [name for name in _STEPS if name != "Baseline"]
    assert [name for name in names if name != "Baseline"] == in_order
    assert names[-1] == "RegisterModel"
    assert app.package(execution)["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_registered_model_says_where_it_comes_from(trained: Trained) -> None:
    """Data version, commit, execution and digest are on the package, and the digest is that of the archive."""
    app, execution = trained
    package = app.package(execution)
    known = package["CustomerMetadataProperties"]
    model = app.object(package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])

    assert known["artifact_sha256"] == hashlib.sha256(model).hexdigest()
    assert known["data_version"] == app.snapshot()[0]
    assert known["pipeline_execution_arn"] == execution
    assert known["commit"] == "unrecorded"
    assert known["champion_model_package_arn"] == "none"
    assert "modelcard" in json.dumps(package["ModelCard"]).lower() or package["ModelCard"]["ModelCardContent"]


def test_the_evidence_of_a_package_can_be_read(trained: Trained) -> None:
    """Metrics with intervals and the place of the drift baseline point at objects that exist."""
    app, execution = trained
    package = app.package(execution)

    evaluation = json.loads(app.object(package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]))
    baselines = package["DriftCheckBaselines"]

    assert evaluation["regression_metrics"]["mae"]["value"] < evaluation["plain_baseline"]["mae"]
    uris = [value for value in _leaves(baselines) if value.startswith("s3://")]
    assert uris
    assert all(app.object(uri) for uri in uris)


def test_jobs_can_be_described_and_their_artifacts_exist(trained: Trained) -> None:
    """The steps' metadata leads to jobs, the training job to an archive, the jobs to their logs."""
    app, execution = trained
    sagemaker, logs = app.cloud.client("sagemaker"), app.cloud.client("logs")
    steps = app.steps(execution)
    training = sagemaker.describe_training_job(
        TrainingJobName=steps["Train"]["Metadata"]["TrainingJob"]["Arn"].rsplit("/", 1)[1]
    )
    processing = sagemaker.describe_processing_job(
        ProcessingJobName=steps["Export"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[1]
    )

    streams = logs.describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=training["TrainingJobName"]
    )["logStreams"]

    assert (training["TrainingJobStatus"], processing["ProcessingJobStatus"]) == ("Completed", "Completed")
    assert app.object(training["ModelArtifacts"]["S3ModelArtifacts"])
    assert {metric["MetricName"] for metric in training["FinalMetricDataList"]} >= {"validation:mae"}
    assert len(streams) == 1


def test_nothing_in_the_loop_was_refused(trained: Trained) -> None:
    """The Lambdas, the pipeline and its jobs got by with the rights that the templates give them."""
    app, _ = trained

    assert app.cloud.page("status")["refused"] == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["list-pipeline-executions", "--pipeline-name", "car-prices-dev"], "Succeeded"),
        (["list-training-jobs"], "Completed"),
        (["list-model-packages"], "PendingManualApproval"),
        (["describe-pipeline", "--pipeline-name", "car-prices-dev"], "PipelineDefinition"),
    ],
)
def test_the_aws_cli_shows_what_happened(trained: Trained, command: list[str], expected: str) -> None:
    """The unmodified AWS CLI lists executions, jobs and packages."""
    app, _ = trained
    if command[0] == "list-model-packages":
        command = [*command, "--model-package-group-name", app.outputs["CarPricesModelPackageGroup"]]
    aws = Path(sys.executable).parent / "aws"

    shown = subprocess.run(
        [sys.executable, str(aws), "sagemaker", *command],
        env=app.cloud.environment,
        capture_output=True,
        text=True,
    )

    assert shown.returncode == 0, shown.stderr
    assert expected in shown.stdout


def test_the_sagemaker_sdk_reads_pipeline_and_package(trained: Trained) -> None:
    """The resource classes of SDK v3 get the pipeline, the group and the package, and follow its state."""
    app, execution = trained
    script = (
        "import sys\n"
        "from sagemaker.core.resources import ModelPackage, ModelPackageGroup, Pipeline\n"
        "pipeline, group, package = sys.argv[1:]\n"
        "print(Pipeline.get(pipeline_name=pipeline).pipeline_status)\n"
        "print(ModelPackageGroup.get(model_package_group_name=group).model_package_group_status)\n"
        "found = ModelPackage.get(model_package_name=package)\n"
        "found.refresh()\n"
        "print(found.model_approval_status, found.customer_metadata_properties['data_version'])\n"
    )
    arguments = [
        app.pipeline,
        app.outputs["CarPricesModelPackageGroup"],
        app.package(execution)["ModelPackageArn"],
    ]

    shown = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=app.cloud.environment, capture_output=True, text=True
    )

    assert shown.returncode == 0, shown.stderr
    status, group, package = shown.stdout.splitlines()[-3:]
    assert (status, group) == ("Active", "Completed")
    assert package == f"PendingManualApproval {app.snapshot()[0]}"


def test_the_same_snapshot_again_runs_nothing_again(trained: Trained) -> None:
    """A second execution with the same parameters takes every job step from the cache."""
    app, first = trained
    second = app.start()

    app.finished(second)

    jobs = [step for name, step in app.steps(second).items() if name in _JOBS]
    sources = {step["CacheHitResult"]["SourcePipelineExecutionArn"] for step in jobs}
    assert len(jobs) == len(_JOBS)
    assert sources == {first}


def test_the_same_event_twice_starts_one_execution(trained: Trained) -> None:
    """EventBridge delivers at least once; the start-training function makes it exactly one execution."""
    app, _ = trained
    (announced,) = app.events("Snapshot Created")
    before = app.executions()

    entry = {"Source": announced["source"], "DetailType": announced["detail-type"]}
    app.cloud.client("events").put_events(Entries=[entry | {"Detail": json.dumps(announced["detail"])}] * 2)

    assert app.cloud.page("idle") == {"idle": True}
    assert app.executions() == before


def test_approving_keeps_every_field_and_tells_about_it(app: DeployedApp) -> None:
    """Approval through boto3 changes the status only, and EventBridge says which version was approved."""
    sagemaker = app.cloud.client("sagemaker")
    group = app.outputs["CarPricesModelPackageGroup"]
    archive = {"Bucket": app.outputs["ArtifactBucketName"], "Key": "by-hand/model.tar.gz"}
    app.cloud.client("s3").put_object(**archive, Body=b"a model")
    container = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/image:1"}
    arn = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="PendingManualApproval",
        CustomerMetadataProperties={"commit": "abc"},
        InferenceSpecification={
            "Containers": [container | {"ModelDataUrl": "s3://{Bucket}/{Key}".format(**archive)}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    before = sagemaker.describe_model_package(ModelPackageName=arn)

    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="read it")

    after = sagemaker.describe_model_package(ModelPackageName=arn)
    changed = {"ModelApprovalStatus", "ApprovalDescription", "LastModifiedTime", "LastModifiedBy", "ResponseMetadata"}
    assert {name: value for name, value in after.items() if name not in changed} == {
        name: value for name, value in before.items() if name not in changed
    }
    told = wait_for(
        lambda: [
            event["detail"]
            for event in app.events("SageMaker Model Package State Change")
            if event["detail"]["ModelApprovalStatus"] == "Approved"
        ],
        what="the event of the approval",
    )
    assert told[0]["ModelPackageArn"] == arn


def test_the_same_data_gives_the_same_model_and_other_data_another(trained: Trained, app: DeployedApp) -> None:
    """On another cloud, with nothing cached, the digest is the same; with one more model year it is another."""
    first = trained[0].package(trained[1])["CustomerMetadataProperties"]["artifact_sha256"]
    executions = [app.train("other name.csv", csv_of(*range(2001, 2011))), app.train("2011.csv", csv_of(2011))]

    digests = [app.package(each)["CustomerMetadataProperties"]["artifact_sha256"] for each in executions]

    assert digests[0] == first
    assert digests[1] != first


@pytest.mark.parametrize(
    ("parameters", "step", "told"),
    [
        ({"MinimumRows": "100000"}, "ValidateData", "100000"),
        ({"RidgeAlphas": "not a number"}, "Train", "not a number"),
        ({"ChampionModelUri": "s3://{artifacts}/pipelines/car-prices-dev/missing/model.tar.gz"}, "Evaluate", "missing"),
        ({"MaximumMape": "0.01"}, "RejectModel", "above the limit of 0.01 %"),
    ],
    ids=["too little data", "a step that fails", "missing champion artifact", "a model that is not good enough"],
)
def test_a_failure_names_step_and_reason(trained: Trained, parameters: dict[str, str], step: str, told: str) -> None:
    """The execution fails where it went wrong, says why, registers nothing and tells the failure topic."""
    app, _ = trained
    artifacts = app.outputs["ArtifactBucketName"]
    execution = app.start(**{name: value.format(artifacts=artifacts) for name, value in parameters.items()})

    ended = app.finished(execution)

    steps = app.steps(execution)
    assert ended["PipelineExecutionStatus"] == "Failed"
    assert step in ended["FailureReason"]
    assert told in steps[step]["FailureReason"]
    assert "RegisterModel" not in steps
    assert wait_for(
        lambda: [text for text in app.notifications() if execution in text], what="the failure notification"
    )


def test_a_killed_server_leaves_nothing_behind_and_says_so(tmp_path: Path) -> None:
    """After SIGKILL in the middle of an execution no job survives, and the next start tells what was interrupted."""
    with start_cloud(tmp_path / "first") as cloud:
        app = deploy_app(cloud)
        cloud.client("s3").put_object(
            Bucket=app.lake, Key="raw/car_prices/history.csv", Body=csv_of(*range(2001, 2006))
        )
        children = wait_for(lambda: _children(cloud), what="a job to run")
        cloud.kill()
        wait_for(lambda: not any(_alive(pid) for pid in children), what="the jobs to end with the server")

        with start_cloud(tmp_path / "first") as again:
            log = (tmp_path / "first" / "server.log").read_text()
            assert "was killed while 1 pipeline execution was running" in log
            assert again.client("sagemaker").list_pipelines()["PipelineSummaries"] == []


def _children(cloud: RunningCloud) -> list[int]:
    """Processes that work in the server's job folders."""
    found = []
    for process in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = process.read_bytes()
        except OSError:
            continue
        if b"ML_BASE_DIR=" + str(cloud.state_directory).encode() in environment:
            found.append(int(process.parent.name))
    return found


def _alive(pid: int) -> bool:
    try:
        return b"zombie" not in Path(f"/proc/{pid}/status").read_bytes().lower()
    except OSError:
        return False


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for child in value.values() for leaf in _leaves(child)]
    return [value] if isinstance(value, str) else []
